"""`/metrics`, `/healthz` and `/readyz` over HTTP, for those who watch many machines. It tells what `status`
tells, and takes no orders.

It has no password and no TLS: it listens on loopback unless the operator says otherwise, where a proxy of the
operator's own belongs in front. On loopback it answers to loopback's names alone, so that no web page can
read it through a name of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Final, Self

import structlog
from aiohttp import web

from hub.office import TROUBLE
from hub.operating.metrics import TYPE, prometheus
from schemas.errors import Code, LiaisonError, OperationError

_log = structlog.get_logger(__name__)

Facts = Callable[[], Awaitable[dict[str, Any]]]

_READY_SECONDS: Final = 5.0
_METRICS_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 1.0
_LOCAL: Final = frozenset({"127.0.0.1", "[::1]", "localhost"})


class Watchers:
    """Answers while the block is entered. Not ready before `open` is called. Port 0 takes a free one: `url`
    tells.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._facts: Facts | None = None
        self._ready: Callable[[], Awaitable[None]] | None = None
        self._one = asyncio.Lock()
        self._runner: web.AppRunner | None = None
        self.url = ""

    def open(self, facts: Facts, ready: Callable[[], Awaitable[None]]) -> None:
        """From now on `facts` are told, and the hub is ready while `ready` does not raise one of TROUBLE."""
        self._facts, self._ready = facts, ready

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._guarded])
        routes = {"/metrics": self._metrics, "/healthz": self._healthz, "/readyz": self._readyz}
        app.add_routes([web.get(path, handler) for path, handler in routes.items()])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_SECONDS)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as failure:
            await self._runner.cleanup()
            raise OperationError(
                Code.BAD_SETTINGS,
                f"no metrics at {self._host}:{self._port}: {failure.strerror}",
                "choose another metrics_port, or stop what listens there",
            ) from None
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        _log.info("metrics ready", url=self.url)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner:
            await self._runner.cleanup()

    @web.middleware
    async def _guarded(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if not may_ask(self._host, request.host):
            return web.Response(status=web.HTTPMisdirectedRequest.status_code, text="not this host\n")
        try:
            return await handler(request)
        except TROUBLE as trouble:
            code = trouble.code if isinstance(trouble, LiaisonError) else Code.HUB_UNREACHABLE
            _log.warning("watchers not answered", code=str(code))
            return web.Response(status=web.HTTPServiceUnavailable.status_code, text=f"{code}\n")

    async def _metrics(self, _: web.Request) -> web.Response:
        if self._facts is None:
            raise _starting()
        async with (
            self._one,
            asyncio.timeout(_METRICS_SECONDS),
        ):  # one at a time: each asks the server a little
            text = prometheus(await self._facts())
        return web.Response(body=text.encode(), headers={"Content-Type": TYPE})

    async def _healthz(self, _: web.Request) -> web.Response:
        """The process runs, whatever becomes of NATS: a restart would mend nothing else."""
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        """It answers agencies: JetStream holds its streams, and admission has its durable."""
        if self._ready is None:
            raise _starting()
        async with asyncio.timeout(_READY_SECONDS):
            await self._ready()
        return web.Response(text="ready\n")


def may_ask(listening: str, host: str) -> bool:
    """Whether a request with this `Host` is answered: on loopback only one that calls it so."""
    try:
        loopback = ip_address(listening).is_loopback
    except ValueError:
        loopback = listening == "localhost"
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return not loopback or name in {*_LOCAL, listening}


def _starting() -> OperationError:
    return OperationError(Code.HUB_UNREACHABLE, "the hub is starting", "ask again")

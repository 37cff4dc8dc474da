"""`/metrics`, `/healthz` and `/readyz` over HTTP, for those who watch many machines. It takes no orders.

It has no password and no TLS: it listens on loopback unless the agency says otherwise, where a proxy of its
own belongs in front. On loopback it answers to loopback's names alone, so that no web page can read it
through a name of its own. The hub has the same (`hub.operating.web`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from types import TracebackType
from typing import Final, Self

import structlog
from aiohttp import web

from schemas.errors import Code, LiaisonError, OperationError
from subscribers.watching.metrics import TYPE, prometheus
from subscribers.watching.vitals import Watch

log = structlog.get_logger(__name__)

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
        self._watch: Watch | None = None
        self._one = asyncio.Lock()
        self._runner: web.AppRunner | None = None
        self.url = ""

    def open(self, watch: Watch) -> None:
        """From now on this is told; the node answers its clients."""
        self._watch = watch

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
        log.info("metrics ready", url=self.url)
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
        except (LiaisonError, TimeoutError) as trouble:
            code = trouble.code if isinstance(trouble, LiaisonError) else Code.NODE_UNREACHABLE
            log.warning("watchers not answered", code=str(code))
            return web.Response(status=web.HTTPServiceUnavailable.status_code, text=f"{code}\n")

    async def _metrics(self, _: web.Request) -> web.Response:
        async with (
            self._one,
            asyncio.timeout(_METRICS_SECONDS),
        ):  # one at a time
            text = prometheus(await self._running().vitals())
        return web.Response(body=text.encode(), headers={"Content-Type": TYPE})

    async def _healthz(self, _: web.Request) -> web.Response:
        """The process runs, whatever becomes of the hub: a restart would mend nothing else."""
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        """It answers its clients, from a store that can be read."""
        async with asyncio.timeout(_READY_SECONDS):
            await self._running().ready()
        return web.Response(text="ready\n")

    def _running(self) -> Watch:
        if self._watch is None:
            raise OperationError(Code.NODE_UNREACHABLE, "the node is starting", "ask again")
        return self._watch


def may_ask(listening: str, host: str) -> bool:
    """Whether a request with this `Host` is answered: on loopback only one that calls it so."""
    try:
        loopback = ip_address(listening).is_loopback
    except ValueError:
        loopback = listening == "localhost"
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return not loopback or name in {*_LOCAL, listening}

"""The hub's one process, put together: NATS, accounts, office, router, control service. It holds every
key that the hub has.
"""

import asyncio
import contextlib
import fcntl
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import nats
import nats.errors
import structlog
from nats.aio.client import Client

from hub.accounts import Accounts, Service
from hub.chunks import ChunkDesk
from hub.claims import push_all
from hub.control import Addresses, Control
from hub.files import write_private
from hub.heads import Heads
from hub.health import Site, status
from hub.jetstream import api
from hub.keeping import URL_FILE, ReceiptSigner, documents
from hub.office import Office
from hub.operating.audit import Audit
from hub.operating.scribe import Scribe
from hub.pages import answering
from hub.patience import patiently
from hub.presence import LookRound, redeliver_on_connect
from hub.router import Router, Step, no_hook
from hub.server import NatsServer
from hub.settings import HubSettings
from hub.streams import ADMISSION, INTAKE, ensure_streams
from schemas.errors import Code, OperationError

if TYPE_CHECKING:
    from hub.operating.web import Watchers

_log = structlog.get_logger(__name__)

_CONNECT_SECONDS: Final = 15
_CANCELS: Final = 4
_CANCEL_SECONDS: Final = 1.0
_RECONNECT_SECONDS: Final = 0.25


def unix_milliseconds() -> int:
    """The machine's clock, as frames count it."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class RunningHub:
    """A hub that answers. `url` is where endpoints on this machine connect; `server` the embedded one, if
    any; `metrics` the URL of its metrics, if there is one.
    """

    url: str
    office: Office
    router: Router
    server: NatsServer | None
    metrics: str | None = None


@asynccontextmanager
async def running(
    settings: HubSettings,
    *,
    public_urls: Sequence[str] = (),
    clock: Callable[[], int] = unix_milliseconds,
    hook: Callable[[Step], Awaitable[None]] = no_hook,
) -> AsyncIterator[RunningHub]:
    """Run the hub while the block is entered. Raises OperationError when it cannot begin.

    Inside, the router works in tasks of its own; if one of them ends by an error, the block is cancelled and
    the error raised.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(_only_one(settings))
        accounts = Accounts.load(settings.accounts_directory)
        signer = ReceiptSigner.load(settings)
        begun_with = documents(settings)
        watchers = await _watchers(stack, settings)
        url, server = settings.nats, None
        if url is None:
            server = NatsServer(
                settings.nats_directory,
                accounts,
                host=settings.host,
                port=settings.port,
                websocket_port=settings.websocket_port,
            )
            url = (await stack.enter_async_context(server)).url
        reconnected: list[Callable[[], None]] = []
        system = await stack.enter_async_context(_connected(url, accounts, Service.SYSTEM, reconnected))
        nc = await stack.enter_async_context(_connected(url, accounts, Service.HUB, reconnected))
        office = Office(nc, system, accounts, begun_with, clock)

        async def set_up() -> None:
            await push_all(system, accounts)
            await ensure_streams(nc, settings.stream_limits)
            await office.open(signer)

        await patiently(set_up)
        await redeliver_on_connect(system, nc, accounts)
        heads = Heads(office, signer)
        router = Router(office, signer, heads, hook=hook)
        look_round = LookRound(nc, accounts)
        reconnected += [router.interrupt, look_round.again]
        await stack.enter_async_context(
            _background(router.run(), heads.run(), office.keep_time(), look_round.run())
        )
        await stack.enter_async_context(answering(office))
        desk = await stack.enter_async_context(ChunkDesk(office, signer, settings.chunk_day_bytes))
        site = Site(clock(), url, settings.state, desk.uploaded, settings.chunk_day_bytes)
        addresses = _addresses(public_urls, url, server)
        audit = Audit(nc, "hub", clock)
        scribe = await stack.enter_async_context(Scribe(audit, office.meter).writing(settings))
        await stack.enter_async_context(Control(office, heads, site, addresses, audit, scribe))
        write_private(settings.state / URL_FILE, url.encode())
        if watchers:
            watchers.open(lambda: status(office, site), lambda: _answers(nc))
        yield RunningHub(url, office, router, server, watchers.url if watchers else None)


async def _watchers(stack: AsyncExitStack, settings: HubSettings) -> "Watchers | None":
    """Where the hub is watched from, if it is: from before it is ready, so that watchers see it come up."""
    if settings.metrics_port is None:
        return None
    from hub.operating.web import Watchers  # noqa: PLC0415 - an HTTP server takes a moment to load

    return await stack.enter_async_context(Watchers(settings.metrics_host, settings.metrics_port))


async def _answers(nc: Client) -> None:
    """Raise one of `hub.office.TROUBLE` unless JetStream answers and admission has its durable."""
    await api(nc, f"CONSUMER.INFO.{INTAKE}.{ADMISSION}")


def _addresses(public_urls: Sequence[str], url: str, server: NatsServer | None) -> Addresses:
    """What admission files tell: of each kind what the operator has given, else where this hub listens."""
    websocket = server.websocket_url if server else None
    sockets = [each for each in public_urls if each.startswith(("ws://", "wss://"))]
    plain = [each for each in public_urls if each not in sockets]
    return Addresses(plain or [url], sockets or [each for each in (websocket,) if each])


@asynccontextmanager
async def _background(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run these while the block is entered; the first error of one of them ends the block and is raised."""
    owner = asyncio.current_task()
    errors: list[BaseException] = []

    def over(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            errors.append(error)
            if owner is not None:
                owner.cancel()

    tasks = [asyncio.create_task(each) for each in work]
    for task in tasks:
        task.add_done_callback(over)
    try:
        yield
    except asyncio.CancelledError:
        if not errors:
            raise
        if owner is not None:
            owner.uncancel()
        raise errors[0] from None
    finally:
        await _end(tasks)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel until they have ended: Python 3.11's `wait_for` loses a cancellation that comes with its answer.
    What is lost more often than that is left to the end of the loop, so that a hub always stops.
    """
    for _ in range(_CANCELS):
        for task in tasks:
            task.cancel()
        _, pending = await asyncio.wait(tasks, timeout=_CANCEL_SECONDS)
        if not pending:
            return
    _log.warning("tasks did not end when told")


@asynccontextmanager
async def _connected(
    url: str, accounts: Accounts, service: Service, reconnected: list[Callable[[], None]]
) -> AsyncIterator[Client]:
    """A connection that is made anew for as long as it takes. The callables are told when it was."""

    async def back() -> None:
        _log.info("nats connection back", service=service)
        for tell in reconnected:
            tell()

    async def failed(error: Exception) -> None:
        _log.warning("nats connection in trouble", service=service, reason=type(error).__name__)

    options: dict[str, Any] = {
        "name": f"liaison-hub {service}",
        "reconnected_cb": back,
        "error_cb": failed,
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": _RECONNECT_SECONDS,
        "connect_timeout": _CONNECT_SECONDS,
    }
    client = Client()
    try:
        # The first connection is not tried for ever: a wrong URL or operator should be told at once.
        first = {**options, "allow_reconnect": True, **accounts.credentials(service).options()}
        await asyncio.wait_for(client.connect(url, **first), _CONNECT_SECONDS)
    except (nats.errors.Error, OSError, TimeoutError) as failure:
        with contextlib.suppress(nats.errors.Error, OSError):
            await client.close()
        raise OperationError(
            Code.HUB_UNREACHABLE,
            f"no connection to NATS at {url} as {service}: {type(failure).__name__}",
            "see that the server runs and includes this hub's nats-operator.conf",
        ) from failure
    try:
        yield client
    finally:
        with contextlib.suppress(nats.errors.Error, OSError):
            await client.close()


@contextmanager
def _only_one(settings: HubSettings) -> Iterator[None]:
    """Hold the state directory: two hubs on one would answer everything twice."""
    if not settings.accounts_directory.is_dir():
        raise OperationError(Code.NOT_FOUND, f"{settings.state} holds no hub", "run `liaison-hub init` first")
    descriptor = os.open(settings.state / "serve.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            raise OperationError(
                Code.ALREADY_RUNNING,
                f"a hub already runs on {settings.state}",
                "stop it, or use another state directory",
            ) from held
        yield
    finally:
        os.close(descriptor)

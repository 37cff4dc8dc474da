"""The hub's one process, put together: NATS, accounts, office, router, control service. It holds every
key that the hub has.
"""

import asyncio
import contextlib
import fcntl
import os
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import nats
import nats.errors
import structlog

from hub import tls
from hub.accounts import Accounts, Service
from hub.background import background
from hub.control import Addresses
from hub.duties import Duties, Place
from hub.files import write_private
from hub.keeping import URL_FILE, ReceiptSigner, documents
from hub.lease import ALONE, Lease
from hub.nats_client import Client
from hub.office import Office
from hub.operating.audit import Audit
from hub.operating.scribe import Scribe
from hub.patience import patiently
from hub.router import Step, no_hook
from hub.server import NatsServer
from hub.settings import HubSettings
from hub.spoiled import Spoiled
from hub.tracing import exporting
from schemas.errors import Code, OperationError

if TYPE_CHECKING:
    from hub.operating.web import Watchers

_log = structlog.get_logger(__name__)

_CONNECT_SECONDS: Final = 15
_RECONNECT_SECONDS: Final = 0.25
_PING_SECONDS: Final = 5
_PINGS: Final = 3
"""So many may be without an answer: a server that stands still is left for another after some 20 seconds."""


def unix_milliseconds() -> int:
    """The machine's clock, as frames count it."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class RunningHub:
    """A hub that answers. `url` is where endpoints on this machine connect (several: with commas between);
    `server` the embedded one, if any.
    """

    url: str
    office: Office
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
        accounts = Accounts.load(settings.accounts_directory, shared=settings.member is not None)
        signer = ReceiptSigner.load(settings)
        begun_with = documents(settings)
        await stack.enter_async_context(exporting(settings.traces_url, settings.traces_ratio))
        watchers = await _watchers(stack, settings)
        urls, server = settings.nats_urls, None
        if not urls:
            server = NatsServer(
                settings.nats_directory,
                accounts,
                host=settings.host,
                port=settings.port,
                websocket_port=settings.websocket_port,
                leaf_port=settings.leaf_port,
                tls=settings.tls,
            )
            urls = [(await stack.enter_async_context(server)).url]
        url = ",".join(urls)
        reconnected: list[Callable[[], None]] = []
        way = _Way(urls, settings.tls_context())
        system = await stack.enter_async_context(_connected(way, accounts, Service.SYSTEM, reconnected))
        nc = await stack.enter_async_context(_connected(way, accounts, Service.HUB, reconnected))
        lease = await _join(nc, settings)
        spoiled = Spoiled(settings.nats_directory, embedded=server is not None)
        office = Office(nc, system, accounts, begun_with, clock, lease or ALONE, spoiled)
        addresses = _addresses(public_urls, urls, server)
        audit = Audit(nc, settings.member or "hub", clock, settings.stream_limits.spread)
        place = Place(settings, addresses, audit, Scribe(audit, office.meter), clock(), url)
        await patiently(audit.begin)
        await stack.enter_async_context(place.scribe.writing(settings))
        duties = Duties(office, system, signer, place, hook)
        reconnected.append(duties.reconnected)
        stack.push_async_callback(duties.close)
        if lease:
            stack.push_async_callback(lease.leave)
            await stack.enter_async_context(background(lease.run()))
            await stack.enter_async_context(duties.on_duty(lease))
            await lease.until(lambda rota: rota.complete)
        else:
            await stack.enter_async_context(duties.in_office())
            await stack.enter_async_context(background(duties.route()))
        write_private(settings.state / URL_FILE, url.encode())
        if watchers:
            watchers.open(duties.status, duties.answers)
        yield RunningHub(url, office, server, watchers.url if watchers else None)


async def _watchers(stack: AsyncExitStack, settings: HubSettings) -> "Watchers | None":
    """Where the hub is watched from, if it is: from before it is ready, so that watchers see it come up."""
    if settings.metrics_port is None:
        return None
    from hub.operating.web import Watchers  # noqa: PLC0415 - an HTTP server takes a moment to load

    return await stack.enter_async_context(Watchers(settings.metrics_host, settings.metrics_port))


async def _join(nc: Client, settings: HubSettings) -> Lease | None:
    """Be one of several hubs, where the settings say so. Raises OperationError."""
    if settings.member is None:
        return None
    lease = Lease(nc, settings.member, settings.partitions, settings.stream_limits.replicas)
    await patiently(lease.begin)
    return lease


def _addresses(public_urls: Sequence[str], urls: Sequence[str], server: NatsServer | None) -> Addresses:
    """What admission files tell: of each kind what the operator has given, else where this hub listens."""
    websocket = server.websocket_url if server else None
    sockets = [each for each in public_urls if each.startswith(("ws://", "wss://"))]
    plain = [each for each in public_urls if each not in sockets]
    return Addresses(plain or list(urls), sockets or [each for each in (websocket,) if each])


class _Way(NamedTuple):
    """To NATS: which servers, and what of TLS."""

    urls: Sequence[str]
    tls: ssl.SSLContext | None


@asynccontextmanager
async def _connected(
    way: _Way, accounts: Accounts, service: Service, reconnected: list[Callable[[], None]]
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
        "ping_interval": _PING_SECONDS,
        "max_outstanding_pings": _PINGS,
        **tls.options(way.urls, way.tls),
    }
    client = Client()
    try:
        # The first connection is not tried for ever: a wrong URL or operator should be told at once.
        first = {**options, "allow_reconnect": True, **accounts.credentials(service).options()}
        async with asyncio.timeout(_CONNECT_SECONDS):
            await client.connect(list(way.urls), **first)
    except (nats.errors.Error, OSError, TimeoutError) as failure:
        with contextlib.suppress(nats.errors.Error, OSError):
            await client.close()
        raise OperationError(
            Code.HUB_UNREACHABLE,
            f"no connection to NATS at {', '.join(way.urls)} as {service}: {type(failure).__name__}",
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

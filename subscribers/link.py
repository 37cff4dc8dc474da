"""A connection that is always being kept: one code path for a first connect, a lost server and a refused key.

nats-py reconnects by itself from a lost socket but goes CLOSED for good on most `-ERR`, so its own
reconnecting is switched off and every loss is answered in the same way: a new connection, after a wait that
grows, with its subscriptions made anew by those who asked to be told (`on_connection`).
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import structlog
from nats.errors import AuthorizationError, Error

from schemas.errors import Code, OperationError
from subscribers.nats_client import Client

_CONNECT_LIMIT: Final = 5
_BACKOFF_FIRST: Final = 0.05
_BACKOFF_MOST: Final = 2.0
_PING_EVERY: Final = 20
_REFUSALS: Final = 4
"""So many in a row are believed: a server that is just reading its configuration again can turn away whom it
knows.
"""

log = structlog.get_logger(__name__)

OnConnection = Callable[[Client], Awaitable[None]]


class Link:
    """Keeps one authenticated connection to `url` as the user of `seed` until `close`."""

    def __init__(self, url: str, seed: bytes, name: str, *, unreachable: OperationError) -> None:
        self._url = url
        self._seed = seed.decode("ascii")
        self._name = name
        self._unreachable = unreachable
        self._callbacks: list[OnConnection] = []
        self._watchers: list[Callable[[], None]] = []
        self._current: Client | None = None
        self._changed = asyncio.Condition()
        self._refused: OperationError | None = None
        self._task: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"Link({self._name!r}, connected={self._current is not None})"

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._task = asyncio.create_task(self._keep(), name=f"link-{self._name}")

    async def close(self) -> None:
        """Close the connection and stop keeping it. What was published before is flushed."""
        if task := self._task:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def on_connection(self, callback: OnConnection) -> None:
        """Have `callback` called with every connection, the present one too, before others use it."""
        self._callbacks.append(callback)
        if nc := self._current:
            await callback(nc)

    def forget(self, callback: OnConnection) -> None:
        """Stop calling `callback`."""
        self._callbacks.remove(callback)

    @contextlib.contextmanager
    def watch_loss(self, callback: Callable[[], None]) -> Iterator[None]:
        """Have `callback` called when the connection is lost, while the block lasts."""
        self._watchers.append(callback)
        try:
            yield
        finally:
            self._watchers.remove(callback)

    async def connection(self, timeout: float) -> Client:
        """The present connection, waiting up to `timeout` seconds for one. Raises OperationError."""
        if nc := self._usable():
            return nc
        async with self._changed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._changed.wait_for(lambda: self._usable() or self._refused)
        if nc := self._usable():
            return nc
        refused = self._refused or self._unreachable
        raise OperationError(refused.code, refused.message, refused.fix)

    def _usable(self) -> Client | None:
        nc = self._current
        return nc if nc and nc.is_connected else None

    async def _keep(self) -> None:
        wait, refusals = _BACKOFF_FIRST, 0
        while True:
            closed = asyncio.Event()
            nc = Client()
            try:
                await self._connect(nc, closed)
                wait, refusals = _BACKOFF_FIRST, 0
                await self._publish_state(nc, None)
                await closed.wait()
                log.warning("connection lost", name=self._name, reason=type(nc.last_error).__name__)
            except (OSError, Error, TimeoutError) as error:
                refusals = refusals + 1 if _is_refusal(error) else 0
                wait = _BACKOFF_FIRST if refusals == 1 else wait
                await self._publish_state(None, _turned_away(self._name) if refusals >= _REFUSALS else None)
                log.info("connection refused", name=self._name, reason=type(error).__name__)
            finally:
                self._current = None
                try:
                    with contextlib.suppress(OSError, Error):
                        await nc.close()
                finally:
                    close_socket(nc)
                for watcher in tuple(self._watchers):
                    watcher()
            await asyncio.sleep(wait)
            wait = min(2 * wait, _BACKOFF_MOST)

    async def _connect(self, nc: Client, closed: asyncio.Event) -> None:
        async def ended() -> None:
            closed.set()

        async with asyncio.timeout(_CONNECT_LIMIT):
            await nc.connect(
                self._url, name=self._name, nkeys_seed_str=self._seed, allow_reconnect=False, closed_cb=ended,
                error_cb=self._report, ping_interval=_PING_EVERY, connect_timeout=_CONNECT_LIMIT,
            )  # fmt: skip
            for callback in tuple(self._callbacks):
                await callback(nc)

    async def _publish_state(self, nc: Client | None, refused: OperationError | None) -> None:
        async with self._changed:
            self._current, self._refused = nc, refused
            self._changed.notify_all()

    async def _report(self, error: Exception) -> None:
        log.debug("connection reported", name=self._name, reason=type(error).__name__)


def close_socket(nc: Client) -> None:
    """Close the socket of a connection that did not come about."""
    # nats-py closes the socket of a refused connection in a task that nobody can wait for, or not at all.
    if transport := nc._transport:  # noqa: SLF001 - there is no public way to it
        transport.close()  # type: ignore[no-untyped-call] # its own gap


def _is_refusal(error: Exception) -> bool:
    # While it connects, nats-py gives the server's words in an error of no particular class.
    return isinstance(error, AuthorizationError) or "authorization violation" in str(error).lower()


def _turned_away(name: str) -> OperationError:
    return OperationError(
        Code.FORBIDDEN,
        f"the agency's NATS does not know the key of {name}",
        "have the node's operator add the client again, and use the new seed file",
    )

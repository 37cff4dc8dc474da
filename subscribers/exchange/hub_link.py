"""The connection to the hub: made again with backoff when it closes for good, and everything that is sent
over it.

Submissions go out in order with many in flight; the intake's PubAck only says that a message is stored, so a
submission stays in the outbox until its receipt. After each connection the feed is read to its end before
anything is sent again: receipts that wait there settle what would otherwise be sent twice.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from schemas.errors import Code, LiaisonError, OperationError
from schemas.receipts import ADMITTED, Answer
from schemas.subjects import DIRECTORY, TRAFFIC, document_submission
from subscribers.exchange.hub_connection import HubUser, connect_as
from subscribers.exchange.hub_tls import PLAIN, HubTls
from subscribers.exchange.outbox import Outbox
from subscribers.keys import Keyring, NatsUser
from subscribers.tracing import sending

log = structlog.get_logger(__name__)

_REFUSALS: Final = ("authorization", "authentication", "maximum account active connections")
_FIRST_WAIT: Final = 0.2
_LONGEST_WAIT: Final = 30.0
_ACK_WAIT: Final = 10.0
_WINDOW: Final = 256
_INFO_WAIT: Final = 5.0
_SETTLE_PAUSE: Final = 0.02
_SETTLE_LIMIT: Final = 20.0
"""Longer than the 15 s after which the server repeats what was not acknowledged."""


class HubKey(BaseModel):
    """The hub's name and receipt key, for people to compare; what is trusted is the `hub` document of the
    directory.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    key: str


class Admission(BaseModel):
    """What the hub's operator gives back on admission: where to connect and as whom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    v: Literal[1]
    agency: str
    endpoint: str
    """The endpoint's account key, PK."""
    user_jwt: str
    urls: list[str]
    websockets: list[str] = []
    """The same over WebSocket, for readers that have nothing else; none where the hub does not offer it."""
    root: str
    """Root version 1 as published, base64."""
    fingerprint: str
    """SHA-256 of that root in hex, as the hub says it: compared with what the secretariat says by other
    means.
    """
    hub: HubKey

    @classmethod
    def read(cls, path: Path) -> "Admission":
        """From the admission file; OperationError `bad_settings`."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValueError):
            raise OperationError(
                Code.BAD_SETTINGS,
                f"{path.name} is not an admission file",
                "use the file that `liaison-hub admit` wrote",
            ) from None


class _Stored(BaseModel):
    """What the intake says of a submission that it stored."""

    stream: str
    seq: int


class FeedConfig(BaseModel):
    """What the hub has written to a durable of ours."""

    metadata: dict[str, str] = {}


class FeedState(BaseModel):
    """What the hub's server says of a durable of ours, and its time."""

    num_pending: int
    num_ack_pending: int
    num_waiting: int = 0
    ts: AwareDatetime
    config: FeedConfig = FeedConfig()

    @property
    def settled(self) -> bool:
        """Whether nothing is left of an earlier connection: delivered to it, or asked for by it. In a cluster
        its open questions outlive it, and would be answered first.
        """
        return not self.num_ack_pending and not self.num_waiting


class HubLink:
    """One supervised connection. `run` ends only when it is cancelled."""

    def __init__(self, admission: Admission, keys: Keyring, outbox: Outbox, tls: HubTls = PLAIN) -> None:
        self._admission = admission
        self._keys = keys
        self._outbox = outbox
        self.tls = tls
        """What of TLS is used."""
        self._unanswered: dict[str, asyncio.Future[Answer]] = {}
        self.nc: Client | None = None
        self.trouble: str | None = "not connected yet"
        self._was_caught_up = False
        self.caught_up = asyncio.Event()
        """Set once the feed has been read to where it ended when the connection was made."""
        self.on_read: Callable[[], Awaitable[None]] = _nothing
        """Awaited right before that: nothing of ours has been sent on this connection yet."""

    @property
    def connected(self) -> bool:
        """Whether the connection stands now."""
        return self.nc is not None and self.nc.is_connected

    async def read(self) -> None:
        """The feed has been read to its end, for the first time or again."""
        if not self.caught_up.is_set():
            await self.on_read()
            self.caught_up.set()

    async def until_caught_up(self, timeout: float) -> None:
        """Wait for a connection whose backlog has been read. OperationError `hub_unreachable`."""
        try:
            async with asyncio.timeout(timeout):
                await self.caught_up.wait()
        except TimeoutError:
            fix = "check the hub's address in the admission file, and that the hub is up"
            raise OperationError(
                Code.HUB_UNREACHABLE, f"the hub has not answered: {self.trouble}", fix
            ) from None

    async def run(self, with_connection: Callable[[Client], Any]) -> None:
        """Keep a connection and run `with_connection(nc)` and the sender on each, until cancelled."""
        wait = _FIRST_WAIT
        while True:
            self._was_caught_up = False
            try:
                async with self._connection() as (nc, closed), asyncio.TaskGroup() as group:
                    group.create_task(until_closed(closed))
                    group.create_task(with_connection(nc))
                    group.create_task(self._send(nc))
            except* (NatsError, OSError, OperationError, TimeoutError) as errors:
                self.trouble = trouble_of(errors)
                # A connection that came to nothing, say for a full disk, is not made again at once for ever.
                wait = _FIRST_WAIT if self._was_caught_up else wait
                log.warning("hub connection lost", reason=self.trouble, retry_seconds=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[Client, asyncio.Event]]:
        self.caught_up.clear()
        closed = asyncio.Event()

        async def on_closed() -> None:
            closed.set()

        async def on_error(error: Exception) -> None:
            self.trouble = type(error).__name__

        nc = await connect(self._admission, self._keys.nats, on_closed, on_error, self.tls)
        self.nc, self.trouble = nc, None
        log.info("hub connected")
        try:
            yield nc, closed
        finally:
            self.nc = None
            self.caught_up.clear()
            await nc.close()

    async def _send(self, nc: Client) -> None:
        """In order, without waiting for one before the next is sent; the first that is not stored ends it."""
        await self.caught_up.wait()
        self._was_caught_up = True
        async with asyncio.TaskGroup() as group:
            await self._send_all(nc, group, asyncio.Semaphore(_WINDOW))

    async def _send_all(self, nc: Client, group: asyncio.TaskGroup, room: asyncio.Semaphore) -> None:
        sent = 0
        while True:
            self._outbox.ready.clear()
            if self._outbox.resend:
                self._outbox.resend, sent = False, 0
            waiting = await self._outbox.waiting(after=sent, limit=_WINDOW)
            if not waiting:
                await self._outbox.ready.wait()
                continue
            for each in waiting:
                await room.acquire()
                storing = group.create_task(stored(nc, each.subject, each.raw))
                storing.add_done_callback(lambda _: room.release())
                sending(storing, each.raw)
                sent = each.number

    async def submit_document(self, raw: bytes, timeout: float = 10.0) -> None:
        """Submit a directory document or membership entry and wait for the hub's receipt. OperationError with
        the hub's code if refused.
        """
        code = await self.submit(document_submission(self._admission.endpoint), raw, timeout)
        if code != ADMITTED:
            raise OperationError(
                Code(code), "the hub refused the document", "see the code's entry in the agency guide"
            )

    async def submit(self, subject: str, raw: bytes, timeout: float = 10.0) -> str:
        """Submit what stands in no chain and wait for the hub's receipt; the code in it. OperationError
        `hub_unreachable`.
        """
        if self.nc is None:
            raise OperationError(
                Code.HUB_UNREACHABLE, "there is no connection to the hub", "see `liaison-agency doctor`"
            )
        digest = sha256(raw).hexdigest()
        future = self._unanswered.setdefault(digest, asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout(timeout):
                await stored(self.nc, subject, raw)
                return (await future).code
        except (TimeoutError, NatsError):
            raise OperationError(
                Code.HUB_UNREACHABLE, "the hub has not answered in time", "try again: nothing is done twice"
            ) from None
        finally:
            self._unanswered.pop(digest, None)

    def answered(self, answers: list[Answer]) -> None:
        """Tell whoever waits for the receipt of what stands in no chain."""
        for answer in answers:
            future = self._unanswered.get(answer.sha256)
            if future and not future.done():
                future.set_result(answer)


async def connect(
    admission: Admission,
    user: NatsUser,
    on_closed: Callable[[], Awaitable[None]],
    on_error: Callable[[Exception], Awaitable[None]],
    tls: HubTls = PLAIN,
    patience: int = 5,
) -> Client:
    """One connection to the hub with the endpoint's transport credential. Raises nats-py's errors, OSError,
    or OperationError `hub_unreachable`.
    """
    name = f"liaison-agency {admission.endpoint[:8]}"
    me = HubUser(name, admission.urls, admission.user_jwt, user, tls, patience)
    return await connect_as(me, on_closed, on_error)


async def stored(nc: Client, subject: str, raw: bytes) -> None:
    """Give the intake a submission; it has it when this returns. OperationError `hub_unreachable`, or
    nats-py's errors.
    """
    answer = await nc.request(subject, raw, timeout=_ACK_WAIT)
    try:
        _Stored.model_validate_json(answer.data)
    except ValidationError:
        raise OperationError(
            Code.HUB_UNREACHABLE, "the hub's intake did not store a submission", "it is sent again"
        ) from None


async def feed_settled(nc: Client, stream: str) -> int:
    """Wait until the hub has taken back what it had delivered to an earlier connection, so that the feed goes
    on in order.

    Returns how many messages are to come. The hub does this within milliseconds of a new connection. If its
    process is away, the wait outlasts the server's acknowledgement time: then, too, what is old comes first.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SETTLE_LIMIT):
            while not (await feed_state(nc, stream)).settled:  # noqa: ASYNC110 - it tells only when asked
                await asyncio.sleep(_SETTLE_PAUSE)
    return _waiting(await feed_state(nc, stream))


async def traffic_backlog(nc: Client) -> int:
    """Messages of the traffic feed that this endpoint has not acknowledged."""
    return _waiting(await feed_state(nc, TRAFFIC))


async def directory_backlog(nc: Client) -> int:
    """Messages of the directory feed that this endpoint has not acknowledged."""
    return _waiting(await feed_state(nc, DIRECTORY))


async def traffic_metadata(nc: Client) -> dict[str, str]:
    """What the hub lets this endpoint know of its traffic feed."""
    return (await feed_state(nc, TRAFFIC)).config.metadata


async def hub_clock(nc: Client) -> int:
    """The hub server's time, Unix milliseconds."""
    return int((await feed_state(nc, TRAFFIC)).ts.timestamp() * 1000)


async def feed_state(nc: Client, stream: str) -> FeedState:
    """How our durable on `stream` stands. OperationError `hub_unreachable`."""
    try:
        answer: Msg = await nc.request(f"look.{stream}", b"", timeout=_INFO_WAIT)
    except NatsError:
        raise OperationError(Code.HUB_UNREACHABLE, "the hub has not answered in time", "try again") from None
    return read_feed(answer.data)


def read_feed(data: bytes) -> FeedState:
    """The hub's answer about a feed of ours. OperationError `hub_unreachable` when it has none."""
    try:
        return FeedState.model_validate_json(data)
    except ValidationError:
        raise OperationError(
            Code.HUB_UNREACHABLE,
            "the hub has no feed for this endpoint",
            "ask the hub's operator whether it is admitted",
        ) from None


async def until_closed(closed: asyncio.Event) -> None:
    """Raises OperationError `hub_unreachable` when the connection has closed."""
    # Those who read wait for messages: they would notice only by a silence of many seconds.
    await closed.wait()
    raise OperationError(Code.HUB_UNREACHABLE, "the connection was closed", "it is made again")


def trouble_of(errors: BaseExceptionGroup[BaseException]) -> str:
    """What went wrong with a connection, by names for a log or an operator."""
    return "; ".join(sorted(set(map(_name, _leaves(errors)))))


async def _nothing() -> None:
    """Nobody waits for that."""


def _name(error: BaseException) -> str:
    if isinstance(error, LiaisonError):
        return str(error.code)
    # nats-py raises its plain Error for all of these. A suspended account may have no connection at all.
    refused = isinstance(error, NatsError) and any(words in str(error).lower() for words in _REFUSALS)
    return "the hub refuses this account" if refused else type(error).__name__


def _waiting(info: FeedState) -> int:
    return info.num_pending + info.num_ack_pending


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    return [
        leaf
        for each in group.exceptions
        for leaf in (_leaves(each) if isinstance(each, BaseExceptionGroup) else [each])
    ]

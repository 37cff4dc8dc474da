"""A standing pull: messages of a durable as soon as they are there, in batches that form by themselves under
load.

One inbox, one or two requests standing at the server at any time, renewed before they run dry. A single
message goes to the reader at once; while the reader works, what arrives next gathers into the next list. No
timer lies in a message's path. Only `$JS.API.CONSUMER.MSG.NEXT.<stream>.<durable>` is used, so no right on
the stream or to manage consumers is needed.

The server spreads messages over standing requests in turn, so they are counted together (`credit`): a request
adds its size, a message takes one away, and a status says how much of its request it takes back. If the count
is ever wrong, for a connection was lost or a status went missing, the server's heartbeats stop, and the pull
starts afresh.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable
from types import TracebackType
from typing import Final, NamedTuple, Self

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error

from schemas.errors import Code, OperationError
from schemas.limits import INTEGER_MAX

_EXPIRES: Final = 10.0
_HEARTBEAT: Final = 5.0
_PAUSE_FIRST: Final = 0.05
_PAUSE_MOST: Final = 2.0
_LEAVE_LIMIT: Final = 2.0
_NANOSECONDS: Final = 1_000_000_000
_STATUS: Final = "Status"
_DESCRIPTION: Final = "Description"
_PENDING: Final = "Nats-Pending-Messages"
_COUNT: Final = re.compile(r"[0-9]{1,15}")
_HEARTBEAT_STATUS: Final = "100"
_ENDED_STATUSES: Final = frozenset({"404", "408"})
_BATCH_COMPLETED: Final = "409 Batch Completed"


async def ack(message: Msg) -> None:
    """Acknowledge a pulled message: it is not delivered again. Sent with the next write to the socket."""
    await message.ack()


class Place(NamedTuple):
    """Where a message stands in its stream, how many of its durable's wait behind it, and the how manieth it
    is that the durable gives out.
    """

    sequence: int
    left: int
    delivery: int


def place(message: Msg) -> Place:
    """As the server says. OperationError `hub_unreachable` when it says what cannot be: the numbers stand in
    a subject of its choice.
    """
    try:
        known = message.metadata
        found = Place(known.sequence.stream, known.num_pending, known.sequence.consumer)
    except (ValueError, OverflowError, OSError):
        found = Place(-1, -1, -1)
    if not (0 <= found.sequence <= INTEGER_MAX and found.left >= 0 and found.delivery >= 0):
        raise OperationError(
            Code.HUB_UNREACHABLE, "the server numbers its messages in no known way", "call its operator"
        )
    return found


async def hand_back(messages: Iterable[Msg]) -> None:
    """Give up messages that were pulled and not handled: they come again at once, marked as repeated."""
    for message in messages:
        await message.nak()


class Pull:
    """Iterates over lists of messages of `durable` on `stream`, oldest first, never empty, at most about 1.5
    `batch` long.

    Ends with OperationError `lost` when the connection is closed for good. Every other trouble (no such
    durable, no right, the server going down) is waited out, and named in `trouble` meanwhile.
    """

    def __init__(
        self, nc: Client, *, stream: str, durable: str, batch: int = 256, lost: Code = Code.HUB_UNREACHABLE,
        heartbeat: float = _HEARTBEAT, expires: float = _EXPIRES,
    ) -> None:  # fmt: skip
        """`heartbeat` and `expires` in seconds; the server wants `expires` above twice `heartbeat`."""
        self._nc = nc
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._batch = batch
        self._lost = lost
        self._heartbeat = heartbeat
        self._request = json.dumps(
            {
                "batch": batch,
                "expires": int(expires * _NANOSECONDS),
                "idle_heartbeat": int(heartbeat * _NANOSECONDS),
            }
        ).encode()
        self._inbox = nc.new_inbox()
        self._subscription: Subscription | None = None
        self._arrived: list[Msg] = []
        self._credit = 0
        self._generation = 0
        self._paused = False
        self._pause = _PAUSE_FIRST
        self._signal = asyncio.Event()
        self.trouble: str | None = None
        """Why the server gives nothing, in its words; None when all is well."""

    async def __aenter__(self) -> Self:
        # Without limits of its own: what can be on the way is bounded by the requests.
        self._subscription = await self._nc.subscribe(
            f"{self._inbox}.*", cb=self._receive, pending_msgs_limit=0, pending_bytes_limit=0
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Withdraw the requests and hand back what was not read: it comes at once to whoever asks next."""
        if not self._subscription or self._nc.is_closed:
            return
        # Nothing may be lost to an inbox that nobody reads: it would come again only after the durable's ack
        # wait.
        with contextlib.suppress(Error, TimeoutError):
            async with asyncio.timeout(_LEAVE_LIMIT):
                await self._subscription.drain()  # type: ignore[no-untyped-call] # nats-py's own gap
                await hand_back(self._arrived)

    @property
    def unread(self) -> int:
        """How many messages have arrived that no list was made of."""
        return len(self._arrived)

    def rearm(self) -> None:
        """Forget the standing requests and ask anew: to be called when the connection was lost, or has come
        back.
        """
        self._forget_requests()
        self._paused = False
        self._signal.set()

    async def linger(self, seconds: float, enough: Callable[[Msg], bool]) -> list[Msg]:
        """What arrives within `seconds` after the last list, or sooner, up to a message that is `enough`."""
        seen = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not any(map(enough, self._arrived[seen:])):
                    seen = len(self._arrived)
                    self._signal.clear()
                    await self._signal.wait()
        messages, self._arrived = self._arrived, []
        return messages

    async def __aiter__(self) -> AsyncIterator[list[Msg]]:
        """Lists of messages that have arrived. Each message wants an acknowledgement."""
        while True:
            await self._ask()
            if not self._arrived:
                await self._wait()
                continue
            messages, self._arrived = self._arrived, []
            await self._ask()  # renewed before the reader works, so that the next ones travel meanwhile
            yield messages

    async def _ask(self) -> None:
        if self._nc.is_closed:
            raise OperationError(self._lost, "the connection was closed", "connect again")
        if self._paused or 2 * (self._credit + len(self._arrived)) > self._batch:
            return
        self._credit += self._batch
        try:
            await self._nc.publish(self._subject, self._request, reply=f"{self._inbox}.{self._generation}")
        except Error as error:  # closed meanwhile, or its buffer is full while it reconnects
            self._back_off(str(error))

    async def _wait(self) -> None:
        """Until something arrived, the pause after a refusal is over, or the server has been silent for too
        long.

        To ask for what is not there is not answered at all; so while there is trouble, silence is not waited
        out for as long as when all was well.
        """
        try:
            async with asyncio.timeout(self._pause if self.trouble else 2.5 * self._heartbeat):
                await self._signal.wait()
        except TimeoutError:
            self._pause = min(2 * self._pause, _PAUSE_MOST)
            self._forget_requests()
            self._paused = False
            self.trouble = self.trouble or "the server is silent"
        self._signal.clear()

    async def _receive(self, message: Msg) -> None:
        headers = message.headers
        if headers and not message.data and (status := headers.get(_STATUS)):
            self._settle(message.subject, status, headers)
        else:
            self._credit = max(0, self._credit - 1)
            self._arrived.append(message)
            self._well()
        self._signal.set()

    def _settle(self, subject: str, status: str, headers: dict[str, str]) -> None:
        if not subject.endswith(f".{self._generation}"):
            return  # of a request that we no longer count on
        said = f"{status} {headers.get(_DESCRIPTION, '')}".strip()
        if status == _HEARTBEAT_STATUS:
            self._well()
        elif (status in _ENDED_STATUSES or said == _BATCH_COMPLETED) and _COUNT.fullmatch(
            headers.get(_PENDING, "")
        ):
            self._credit = max(0, self._credit - int(headers[_PENDING]))
            self._well()
        else:
            self._back_off(said)

    def _well(self) -> None:
        self.trouble = None
        self._paused = False
        self._pause = _PAUSE_FIRST

    def _back_off(self, reason: str) -> None:
        self._forget_requests()
        self._paused = True
        self.trouble = reason

    def _forget_requests(self) -> None:
        self._generation += 1
        self._credit = 0

"""A client's own durable on BULLETINS, followed over lost connections and restarts of the node: at least once
each.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Final

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error

from schemas.errors import Code, FormatError, OperationError
from schemas.subjects import BULLETINS
from subscribers.link import Link
from subscribers.local.accounts import FEED_BACK
from subscribers.pull import Pull, hand_back
from subscribers.records import Record, read_record

_BATCH: Final = 32
"""Small, for all that is on hand must be handled within the durable's ack wait, or it comes again."""
_HEARTBEAT: Final = 2.0
_WAIT: Final = 5.0
_LEAVE_LIMIT: Final = 1.0
_BACK_LIMIT: Final = 2.0
_KIND: Final = 3
"""The place of the kind in `bulletin.<realm>.<community slug>.<kind>.<severity>.<tlp slug>`."""

log = structlog.get_logger(__name__)


class Delivery:
    """One bulletin from the feed. Until it is acknowledged it will come again, after a restart too."""

    def __init__(self, message: Msg, record: Record) -> None:
        self._message = message
        self.record = record
        """The bulletin as the agency holds it."""

    @property
    def subject(self) -> str:
        """`bulletin.<realm>.<community slug>.<kind>.<severity>.<tlp slug>`"""
        return self._message.subject

    @property
    def repeated(self) -> bool:
        """Whether it was delivered before without an acknowledgement having reached the node."""
        return self._message.metadata.num_delivered != 1

    async def ack(self) -> None:
        """It has been handled. Raises LiaisonError `node_unreachable`; it then comes again."""
        await _settle(self._message)

    async def retry(self, seconds: float) -> None:
        """Have it delivered again after `seconds`. Raises LiaisonError `node_unreachable`."""
        await _settle(self._message, seconds)


class Feed:
    """The deliveries of `durable`. One reader at a time; a reader that leaves finds everything where it left
    it.

    The standing requests stay when a reader leaves, until `close`: what the server sends to a request that
    was just withdrawn would only come again after the durable's ack wait.
    """

    def __init__(self, link: Link, durable: str) -> None:
        self._link = link
        self._durable = durable
        self._reading = asyncio.Lock()
        self._messages: AsyncGenerator[Msg, None] | None = None

    async def deliveries(
        self, kinds: frozenset[str] | None, communities: frozenset[str] | None
    ) -> AsyncGenerator[Delivery, None]:
        """Oldest first; None means all. Raises LiaisonError `forbidden` when the key is refused,
        `bad_request`.
        """
        async with self._alone():
            while True:
                if delivery := await _read(await self._next(), kinds, communities):
                    yield delivery

    async def close(self) -> None:
        """Withdraw the requests, and hand back what was not read."""
        if self._messages:
            with suppress(
                RuntimeError
            ):  # a reader is still waiting in it: the end of the connection ends both
                await self._messages.aclose()

    async def _next(self) -> Msg:
        messages = self._messages = self._messages or _follow(self._link, self._durable)
        try:
            return await anext(messages)
        except BaseException:  # cancelled or refused, it has ended: the next reader begins another
            self._messages = None
            raise

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        # A loop that was left ends a moment later, when its generator is closed: that moment is granted.
        try:
            async with asyncio.timeout(_LEAVE_LIMIT):
                await self._reading.acquire()
        except TimeoutError:
            raise OperationError(
                Code.BAD_REQUEST,
                "bulletins() is running already",
                "one at a time: they would share one durable",
            ) from None
        try:
            yield
        finally:
            self._reading.release()


async def _follow(link: Link, durable: str) -> AsyncGenerator[Msg, None]:
    """Messages, over as many connections as it takes. Raises OperationError `forbidden` when the key is
    refused.
    """
    while True:
        try:
            nc = await link.connection(_WAIT)
        except OperationError as error:
            if error.code is Code.NODE_UNREACHABLE:
                continue
            raise
        async with aclosing(_follow_one(link, nc, durable)) as messages:
            async for message in messages:
                yield message


async def _follow_one(link: Link, nc: Client, durable: str) -> AsyncGenerator[Msg, None]:
    """Messages while the connection lasts. What was pulled and not come to is handed back in the end."""
    await _go_back(nc)
    waiting: deque[Msg] = deque()
    pull = Pull(
        nc, stream=BULLETINS, durable=durable, batch=_BATCH, lost=Code.NODE_UNREACHABLE, heartbeat=_HEARTBEAT
    )
    try:
        with link.watch_loss(pull.rearm):
            async with pull:
                async for messages in pull:
                    waiting.extend(messages)
                    while waiting:
                        yield waiting.popleft()
    except (OperationError, Error) as error:
        log.info("feed interrupted", client=durable, reason=type(error).__name__)
    finally:
        if not nc.is_closed:  # only now that our requests are gone: else they would be given to them again
            with suppress(Error):
                await hand_back(waiting)


async def _go_back(nc: Client) -> None:
    """What an earlier connection was sent and has not acknowledged comes first, and at once: else it would
    come after the durable's ack wait, behind what is newer.
    """
    with suppress(Error, TimeoutError):  # then it does; nothing is lost
        await nc.request(FEED_BACK, b"", timeout=_BACK_LIMIT)


async def _read(
    message: Msg, kinds: frozenset[str] | None, communities: frozenset[str] | None
) -> Delivery | None:
    """The delivery, unless it is not wanted: then it is acknowledged."""
    if kinds is None or message.subject.split(".")[_KIND] in kinds:
        try:
            record = read_record(message.data)
        except FormatError:
            log.error("bulletin not understood", subject=message.subject)  # noqa: TRY400 - its text stays out
            await message.term()
            return None
        if communities is None or not communities.isdisjoint((record.community, record.community_slug)):
            return Delivery(message, record)
    await message.ack()
    return None


async def _settle(message: Msg, retry: float | None = None) -> None:
    try:
        await (message.ack() if retry is None else message.nak(retry))
    except Error:
        raise OperationError(
            Code.NODE_UNREACHABLE,
            "the connection to the node was lost",
            "handle the bulletin when it comes again",
        ) from None

"""A client's own durable on BULLETINS, followed over lost connections and restarts of the node: at least once
each.
"""

from collections.abc import AsyncIterator
from typing import Final

import structlog
from nats.aio.msg import Msg
from nats.errors import Error
from pydantic import ValidationError

from schemas.errors import Code, OperationError
from schemas.subjects import BULLETINS
from subscribers.link import Link
from subscribers.pull import Pull
from subscribers.records import Record

_BATCH: Final = 128
_HEARTBEAT: Final = 2.0
_WAIT: Final = 5.0
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


async def follow(
    link: Link, durable: str, kinds: frozenset[str] | None, communities: frozenset[str] | None
) -> AsyncIterator[Delivery]:
    """Deliveries of `durable`, oldest first; None means all. Raises LiaisonError `forbidden` when the key is
    refused.
    """
    while True:
        try:
            nc = await link.connection(_WAIT)
        except OperationError as error:
            if error.code is Code.NODE_UNREACHABLE:
                continue
            raise
        pull = Pull(
            nc,
            stream=BULLETINS,
            durable=durable,
            batch=_BATCH,
            lost=Code.NODE_UNREACHABLE,
            heartbeat=_HEARTBEAT,
        )
        try:
            with link.watch_loss(pull.rearm):
                async with pull:
                    async for messages in pull:
                        for message in messages:
                            if delivery := await _read(message, kinds, communities):
                                yield delivery
        except (OperationError, Error) as error:
            log.info("feed interrupted", client=durable, reason=type(error).__name__)


async def _read(
    message: Msg, kinds: frozenset[str] | None, communities: frozenset[str] | None
) -> Delivery | None:
    """The delivery, unless it is not wanted: then it is acknowledged."""
    if kinds is None or message.subject.split(".")[_KIND] in kinds:
        try:
            record = Record.model_validate_json(message.data)
        except ValidationError:
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

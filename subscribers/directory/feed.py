"""The directory as it comes from the hub: each document and membership entry is verified and kept before it
is acknowledged.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog
from nats.aio.client import Client

from schemas.directory import Directory
from schemas.errors import Code, LiaisonError, OperationError
from schemas.subjects import DIRECTORY, DIRECTORY_DOCUMENTS, DIRECTORY_HEAD
from subscribers.exchange.hub_link import feed_settled
from subscribers.exchange.in_order import InOrder
from subscribers.judging.refused import Refused
from subscribers.judging.verdicts import LogBehind
from subscribers.pull import Pull, ack
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import unbroken

log = structlog.get_logger(__name__)

WAIT_FOR_LOG: Final = 10.0
"""Seconds that a frame may hold up the feed for a directory that it is ahead of; then it waits by itself."""


class DirectoryFeed:
    """Applies the directory stream to the ledger. `changed` wakes whoever waits for a document."""

    def __init__(
        self, ledger: Ledger, endpoint: str, clock: Callable[[], int], patience: float = WAIT_FOR_LOG
    ) -> None:
        """`patience` in seconds is for how long anybody waits who says nothing else."""
        self._ledger = ledger
        self._patience = patience
        self._endpoint = endpoint
        self._clock = clock
        self._changed = asyncio.Condition()

    async def run(self, nc: Client) -> None:
        """Read until the connection is lost."""
        await feed_settled(nc, DIRECTORY)
        order = InOrder()
        async with Pull(nc, stream=DIRECTORY, durable=self._endpoint, lost=Code.HUB_UNREACHABLE) as pull:
            async for messages in pull:
                order.follow(messages)
                for message in messages:
                    await self.take(message.subject, message.data)
                    await ack(message)

    async def take(self, subject: str, data: bytes) -> None:
        """Apply one document, entry or head; what is refused goes to quarantine, what is known is no news."""
        # To its end also when the connection is lost meanwhile: given again, a document that is on the disk
        # and not in memory would be written a second time, and no start could read that.
        await unbroken(self._take(subject, data))

    async def _take(self, subject: str, data: bytes) -> None:
        membership = subject not in {DIRECTORY_DOCUMENTS, DIRECTORY_HEAD}
        try:
            if subject == DIRECTORY_HEAD:
                await self._ledger.take_head(data, self._clock())
            elif not membership or self._ledger.is_new(data):
                await self._ledger.append(data, membership=membership, now=self._clock())
        except OperationError:
            raise
        except LiaisonError as error:
            if error.code is not Code.ALREADY_KNOWN:
                log.warning("directory document refused", code=str(error.code), subject=subject)
                await self._ledger.refuse([Refused.of(error, self._clock(), subject, data)])
        async with self._changed:
            self._changed.notify_all()

    async def until(self, ready: Callable[[Directory], bool]) -> Directory:
        """The directory once `ready(directory)` holds. LiaisonError `log_behind` when it does not come about
        in time.
        """
        found: list[Directory] = []

        def holds() -> bool:
            directory = self._ledger.directory
            if directory is not None and ready(directory):
                found.append(directory)
            return bool(found)

        if not await self.comes(holds):
            raise behind()
        return found[0]

    async def reach(self, behind: LogBehind, community: str) -> None:
        """Return once the log has come as far as a frame in `community` says. LiaisonError `log_behind`."""
        await self.until(partial(_reaches, behind, community))

    async def comes(self, ready: Callable[[], bool]) -> bool:
        """Whether `ready()` comes to hold in time, by what the feed brings."""
        try:
            async with asyncio.timeout(self._patience):
                await self.brings(ready)
        except TimeoutError:
            return False
        return True

    async def brings(self, ready: Callable[[], bool]) -> None:
        """Return once `ready()` holds, by what the feed brings."""
        async with self._changed:
            await self._changed.wait_for(ready)


def behind() -> LiaisonError:
    """What is told of a frame that cites more than is here."""
    return LiaisonError(
        Code.LOG_BEHIND, "the directory has not come far enough", "see `liaison-agency doctor`"
    )


def _reaches(behind: LogBehind, community: str, directory: Directory) -> bool:
    if behind.log == "directory":
        return directory.head.size >= behind.size
    log = directory.communities.get(community)
    return log is not None and log.head.size >= behind.size

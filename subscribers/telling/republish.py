"""From the archive to the agency's own systems: the local stream and the sinks, each bulletin once, in order,
across crashes.

The archive remembers up to which row this was done. A crash in between repeats the last rows; the stream
knows them by their id, the sink by its last lines. So the mark need not follow every row: it is written when
there is a pause, or when many rows have gone by.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from schemas.errors import OperationError
from schemas.vocabulary import Kind
from subscribers.records import Change, Record
from subscribers.storage.archive import Archive
from subscribers.tracing import begin, republished

log = structlog.get_logger(__name__)


class Sink(Protocol):
    """A place that bulletins are passed on to. Repeating a call is safe. Refusals are OperationError."""

    async def write(self, records: Sequence[Record]) -> None:
        """In order; they are there for good when this returns."""

    async def correct(self, changes: Sequence[Change]) -> None:
        """What became of bulletins that it was given."""


Rows = list[tuple[int, Record]]
"""Local numbers and bulletins, in the order in which they came."""
CHANGES: Final = frozenset({Kind.AMENDMENT, Kind.RETRACTION})
_PAUSE: Final = 1.0
_AT_ONCE: Final = 256
_HELD_MAX: Final = 1024
_UNMARKED_MAX: Final = 512
"""Rows that a crash may repeat: far fewer than any sink remembers."""
_QUIET: Final = 0.1
"""Seconds without a new row after which the mark is written."""


class Fresh:
    """Bulletins handed over by the commit that stored them, so that they need not be read back.

    Only a republisher that has caught up is handed anything. `level` is the number up to which it has been
    handed, or has read, everything; None while it reads the archive.
    """

    def __init__(self) -> None:
        self.level: int | None = None
        self.stored = asyncio.Event()
        """Set whenever bulletins have been committed."""
        self._rows: Rows = []
        self._behind = True

    def offer(self, after: int | None, rows: Rows) -> None:
        """All that a commit found after number `after`, which was the level when it began."""
        if after is None or after != self.level or len(self._rows) > _HELD_MAX:
            self.forget()
        elif rows:
            self._rows += rows
            self.level = rows[-1][0]
        self.stored.set()

    def take(self) -> Rows | None:
        """What was handed over since the last call. None: read the archive, then say how far (`reach`)."""
        if self._behind:
            self._behind = False
            return None
        rows, self._rows = self._rows, []
        return rows

    def reach(self, number: int) -> None:
        """The archive was read to its end, which was `number`."""
        if not self._behind:
            self.level = number

    def forget(self) -> None:
        """Have the archive read again."""
        self.level, self._rows, self._behind = None, [], True


class Passed:
    """An event for each of those who want to know."""

    def __init__(self) -> None:
        self._events: list[asyncio.Event] = []

    def subscribe(self) -> asyncio.Event:
        """Set each time from now on."""
        self._events.append(asyncio.Event())
        return self._events[-1]

    def set(self) -> None:
        """It has happened."""
        for each in self._events:
            each.set()


class Republisher:
    """Runs behind the feed."""

    def __init__(self, archive: Archive, fresh: Fresh, sinks: Sequence[Sink]) -> None:
        """`sinks` are the agency's own NATS, and then the others."""
        self._archive = archive
        self._fresh = fresh
        self._stored = fresh.stored
        self._sinks = sinks
        self.reached = [0] * len(sinks)
        """The last local number that each of them was given in this run."""
        self.changed = Passed()
        """Told whenever all of them were given an amendment or a retraction."""
        self._done = 0
        self._unmarked = 0

    async def run(self) -> None:
        """Until cancelled. A sink that fails is tried again with the same rows: nothing is skipped."""
        while True:
            self._stored.clear()
            try:
                while rows := await self._next():
                    await self._pass_on(rows)
                    if self._unmarked >= _UNMARKED_MAX:
                        await self._mark()
                await self._until_stored()
            except OperationError as error:
                self._fresh.forget()
                log.warning("republishing waits", code=str(error.code), reason=error.message)
                await asyncio.sleep(_PAUSE)

    async def _next(self) -> Rows:
        rows = self._fresh.take()
        if rows is None:
            rows = await self._archive.unpublished(_AT_ONCE, after=self._done)
            if len(rows) < _AT_ONCE:
                self._fresh.reach(rows[-1][0] if rows else self._done)
            else:
                self._fresh.forget()
        return rows

    async def _pass_on(self, rows: Sequence[tuple[int, Record]]) -> None:
        records, begun = [record for _, record in rows], begin()
        changes = [
            change
            for record in records
            if record.bulletin.kind in CHANGES
            for change in await self._archive.changes(record.bulletin.id)
        ]
        for place, sink in enumerate(self._sinks):
            await sink.write(records)
            if changes:
                await sink.correct(changes)
            self.reached[place] = rows[-1][0]
        self._done = rows[-1][0]
        republished(records, begun)
        if changes:
            self.changed.set()
        self._unmarked += len(rows)

    async def _until_stored(self) -> None:
        if self._unmarked:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_QUIET):
                    await self._stored.wait()
                return
            await self._mark()
        await self._stored.wait()

    async def _mark(self) -> None:
        await self._archive.mark_republished(self._done)
        self._unmarked = 0

"""From the archive to the agency's own systems: the local stream and the sinks, each bulletin once, in order,
across crashes.

The archive remembers up to which row this was done. A crash in between repeats the last rows; the stream
knows them by their id, the sink by its last lines. So the mark need not follow every row: it is written when
there is a pause, or when many rows have gone by.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from schemas.errors import OperationError
from subscribers.archive import Archive
from subscribers.records import Record

log = structlog.get_logger(__name__)

Sink = Callable[[Sequence[Record]], Awaitable[None]]
_PAUSE: Final = 1.0
_AT_ONCE: Final = 256
_UNMARKED_MAX: Final = 512
"""Rows that a crash may repeat: far fewer than any sink remembers."""
_QUIET: Final = 0.1
"""Seconds without a new row after which the mark is written."""


class Republisher:
    """Runs behind the feed; `stored` wakes it."""

    def __init__(self, archive: Archive, stored: asyncio.Event, sinks: Sequence[Sink]) -> None:
        self._archive = archive
        self._stored = stored
        self._sinks = sinks
        self._done = 0
        self._unmarked = 0

    async def run(self) -> None:
        """Until cancelled. A sink that fails is tried again with the same rows: nothing is skipped."""
        while True:
            self._stored.clear()
            try:
                rows = await self._archive.unpublished(_AT_ONCE, after=self._done)
                if rows:
                    await self._pass_on(rows)
                if self._unmarked >= _UNMARKED_MAX:
                    await self._mark()
                if len(rows) == _AT_ONCE:
                    continue
                await self._until_stored()
            except OperationError as error:
                log.warning("republishing waits", code=str(error.code), reason=error.message)
                await asyncio.sleep(_PAUSE)

    async def _pass_on(self, rows: Sequence[tuple[int, Record]]) -> None:
        records = [record for _, record in rows]
        for sink in self._sinks:
            await sink(records)
        self._done = rows[-1][0]
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

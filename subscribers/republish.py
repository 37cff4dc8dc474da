"""From the archive to the agency's own systems: the local stream and the sinks, each bulletin once, in order,
across crashes.

The archive remembers up to which row this was done. A crash in between repeats the last rows; the stream
knows them by their id, the sink by its last lines.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from schemas.errors import OperationError
from subscribers.archive import Archive
from subscribers.records import Record
from subscribers.store import Store

log = structlog.get_logger(__name__)

Sink = Callable[[Sequence[Record]], Awaitable[None]]
_PAUSE = 1.0


class Republisher:
    """Runs behind the feed; `stored` wakes it."""

    def __init__(self, store: Store, archive: Archive, stored: asyncio.Event, sinks: Sequence[Sink]) -> None:
        self._store = store
        self._archive = archive
        self._stored = stored
        self._sinks = sinks

    async def run(self) -> None:
        """Until cancelled. A sink that fails is tried again with the same rows: nothing is skipped."""
        while True:
            self._stored.clear()
            try:
                while rows := await self._archive.unpublished():
                    await self._pass_on(rows)
            except OperationError as error:
                log.warning("republishing waits", code=str(error.code), reason=error.message)
                await asyncio.sleep(_PAUSE)
                continue
            await self._stored.wait()

    async def _pass_on(self, rows: Sequence[tuple[int, Record]]) -> None:
        records = [record for _, record in rows]
        for sink in self._sinks:
            await sink(records)
        async with self._store.write() as tx:
            await self._archive.mark_republished(tx, rows[-1][0])

"""What becomes of events by themselves: the situation report at its hour, and the end after the last day."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from bots.cells import cells
from bots.cells.bundle import keep, pack
from bots.cells.cells import Cell, belongs
from bots.clock import Clock, moment
from bots.digests.charting import with_chart
from bots.digests.digesting import composed, wanted_now
from bots.officers.roles import Right
from bots.ports import NodeClient
from bots.state import State, jobs
from bots.state.outbox import KEEP
from bots.times import Schedule, last_due, period
from schemas.errors import LiaisonError
from subscribers.records import Filters, Record

LOOK: Final = 30.0
"""Seconds between two looks."""
BUNDLES: Final = "bundles"
"""The folder of bundles, within the bot's own."""
_AT_ONCE: Final = 100

_log = structlog.get_logger()


class Caretaker:
    """`run` until cancelled. `folder` is the bot's own."""

    def __init__(
        self,
        node: NodeClient,
        state: State,
        clock: Clock,
        zone: ZoneInfo,
        folder: Path,
        wake: Callable[[], None],
    ) -> None:
        self._node = node
        self._state = state
        self._clock = clock
        self._zone = zone
        self._folder = folder / BUNDLES
        self._wake = wake

    async def run(self) -> None:
        """For ever; what could not be done is tried again."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK)

    async def look(self) -> None:
        """Whatever is due."""
        now = self._clock.now()
        for cell in await self._state.cells.open():
            ends = cells.ends(cell, self._zone)
            try:
                if ends is not None and ends <= now:
                    await self.close(cell)
                elif cell.report is not None:
                    await self._report(cell, cell.report, now)
            except (LiaisonError, OSError) as error:
                _log.warning("an event is seen to later", cell=cell.id, error=type(error).__name__)

    async def close(self, cell: Cell) -> None:
        """Bundle and close. Raises LiaisonError when the node does not answer, OSError for the disk."""
        now = self._clock.now()
        records = await self._all(cell)
        name = f"{cell.slug}-{moment(now).astimezone(self._zone).date().isoformat()}.zip"
        await asyncio.to_thread(keep, self._folder, name, pack(cell, records, now))
        told = json.dumps({"event": cell.name, "bundle": name})
        readers = await self._state.cells.readers(cell.id)
        officers = [each for each in await self._state.officers.all() if each.chat is not None]
        heads = [each.id for each in officers if each.may(Right.ADMINISTER) or each.id in readers]
        await self._state.cells.close(cell, name, [jobs.closed(cell.id, each, told) for each in heads], now)
        _log.info("an event is closed", cell=cell.id, bulletins=len(records))
        self._wake()

    async def _report(self, cell: Cell, minute: int, now: float) -> None:
        schedule = Schedule("daily", minute)
        due = last_due(moment(now), schedule, self._zone)
        if due.timestamp() <= cell.covered:
            return
        await self.compose(cell, period(due, schedule, self._zone), due.timestamp())

    async def compose(self, cell: Cell, name: str, until: float) -> None:
        """The situation report up to a moment, for everybody who has it."""
        since = max(cell.covered, until - KEEP)
        records = [each for each in await self._state.outbox.records(since, until) if belongs(each, cell)]
        body = composed("event", records, since, until, cell=cell.id)
        readers = await self._state.cells.readers(cell.id)
        name = f"event-{cell.id}-{name}"
        made = [
            job for each in sorted(readers) for job in with_chart(jobs.digest(each, name, body), len(records))
        ]
        if await self._state.cells.tell(cell, made, until, self._clock.now()):
            self._wake()

    async def _all(self, cell: Cell) -> list[Record]:
        found: dict[str, Record] = {}
        for filters in cells.wanted(cell, Filters()):
            cursor: str | None = None
            while True:
                page = await self._node.latest(filters, _AT_ONCE, cursor)
                found |= {each.bulletin.id: each for each in page.items}
                if (cursor := page.cursor) is None:
                    break
        return list(found.values())


def asked(cell: Cell, officer: int, records: list[Record], now: float) -> list[jobs.Job]:
    """A situation report of the last day at once; the next one is the same as ever."""
    body = wanted_now(composed("event", records, now - 86_400.0, now, cell=cell.id))
    return with_chart(jobs.digest(officer, f"event-{cell.id}-asked-{int(now * 1000)}", body), len(records))

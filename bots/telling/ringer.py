"""The bell-ringer: sees to it that a flash is called out until somebody on the roster acknowledges it.

What is due is decided by `bots.duty.ringing` and committed with its jobs, so that a restart goes on where it
stopped: the calls that fell due meanwhile are one call.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from bots.cells.cells import cell_of
from bots.clock import Clock
from bots.duty import ringing, roster
from bots.duty.ringing import Bell, Step, Ways
from bots.officers.roles import Right
from bots.state import State, jobs
from bots.state.officers import Officer
from bots.state.rosters import AGENCY
from subscribers.records import Record

LOOK: Final = 15.0
"""Seconds between two looks when nothing is due sooner: rosters and officers change meanwhile."""

_log = structlog.get_logger()


class Ringer:
    """`run` until cancelled; `rouse` when something rings, or was acknowledged."""

    def __init__(self, state: State, clock: Clock, ways: Ways, wake: Callable[[], None]) -> None:
        self._state = state
        self._clock = clock
        self._ways = ways
        self._wake = wake
        self._roused = asyncio.Event()

    def rouse(self) -> None:
        """Look at once."""
        self._roused.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            self._roused.clear()
            wait = await self.look()
            nap = asyncio.ensure_future(self._clock.sleep(wait))
            roused = asyncio.ensure_future(self._roused.wait())
            try:
                await asyncio.wait([nap, roused], return_when=asyncio.FIRST_COMPLETED)
            finally:
                nap.cancel()
                roused.cancel()

    async def look(self) -> float:
        """Do what is due; the seconds until something else may be."""
        now = self._clock.now()
        if not (bells := await self._state.bells.open()):
            return LOOK
        officers = await self._state.officers.all()
        made = sum([await self._tend(each, officers, now) for each in bells])
        if made:
            self._wake()
        left = await self._state.bells.open()
        due = [ringing.next_due(each, self._ways.pace) - now for each in left]
        return min([LOOK, *(max(each, 0.1) for each in due)])

    async def _tend(self, bell: Bell, officers: Sequence[Officer], now: float) -> int:
        record = await self._state.outbox.record(bell.record)
        cell = cell_of(record, await self._state.cells.open()) if record is not None else None
        number = cell.id if cell is not None else AGENCY
        if not (shifts := await self._state.rosters.shifts(number)):
            number = AGENCY
            shifts = await self._state.rosters.shifts(number)
        takeover = await self._state.rosters.takeover(number)
        duty = roster.read(shifts, takeover, now, self._ways.zone)
        listed = roster.members(shifts, duty.takeover)
        chiefs = [each.id for each in officers if each.may(Right.ADMINISTER) and each.chat is not None]
        may = {*listed, *(each.officer for each in bell.called), *(chiefs if bell.told else ())}
        answer = await self._state.bells.answer(bell.record, may)
        replaced = record is not None and await self._state.bells.known(record.replaced_by or "")
        silent = replaced or ringing.over(bell, record, now) or not listed
        if answer is not None or record is None or silent:
            _log.info("a bulletin rings no longer", bulletin=bell.record, answered=answer is not None)
            return await self._state.bells.end(bell, answer, now)
        reachable = [each.id for each in officers if each.chat is not None and each.reachable]
        return await self._do(bell, record, ringing.step(bell, duty, reachable, self._ways.pace), chiefs, now)

    async def _do(self, bell: Bell, record: Record, due: Step, chiefs: Sequence[int], now: float) -> int:
        made = 0
        if due.calls:
            told = await self._state.outbox.told(bell.record)
            fresh = now - bell.began < self._ways.pace.every
            calls = []
            for officer, number in due.calls:
                if officer not in told:
                    calls.append(jobs.urgent(jobs.alert(record, officer)))
                elif number > 1 or not fresh:  # otherwise the alert itself is the first call
                    calls.append(jobs.call(bell.record, officer, number, due.absent))
            made += await self._state.bells.call(bell, due.calls, calls, now)
            _log.info("officers are called", bulletin=bell.record, calls=len(due.calls))
        if due.unheard:
            _log.warning("everybody on the roster was called in vain", bulletin=bell.record)
            made += await self._state.bells.tell(
                bell, [jobs.unheard(bell.record, each, due.mute) for each in chiefs], now
            )
        return made

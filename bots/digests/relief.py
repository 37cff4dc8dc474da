"""Hand-overs: whoever comes on duty is told what came in the shift before, what changed, and what waits.

Each is composed once for its shift and officer, also over restarts: the key of its job sees to that.
"""

from typing import Final
from zoneinfo import ZoneInfo

from bots.clock import Clock
from bots.digests.schedule import Schedule, Stretch
from bots.duty import roster
from bots.state import State
from bots.state.officers import Officer

LOOK: Final = 30.0
"""Seconds between two looks."""


class Relief:
    """`run` until cancelled."""

    def __init__(self, state: State, clock: Clock, zone: ZoneInfo, schedule: Schedule) -> None:
        self._state = state
        self._clock = clock
        self._zone = zone
        self._schedule = schedule

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK)

    async def look(self) -> None:
        """Tell those whose shift has begun."""
        now = self._clock.now()
        for number in await self._state.rosters.numbers():
            for turn, since in roster.reliefs(await self._state.rosters.shifts(number), now, self._zone):
                officer = await self._state.officers.get(turn.officer)
                if officer is not None and officer.chat is not None:
                    stretch = Stretch(f"shift-{number}-{int(turn.since)}", since, turn.since)
                    await self._schedule.compose(officer, stretch, kind="shift")


async def hand_over(state: State, schedule: Schedule, officer: Officer, now: float, zone: ZoneInfo) -> None:
    """At once, of the officer's own shift up to now; of the last twelve hours for one who has had none."""
    turns = [
        roster.last_turn(await state.rosters.shifts(number), officer.id, now, zone)
        for number in await state.rosters.numbers()
    ]
    since = max((each.since for each in turns if each is not None), default=now - roster.TAKEN_FOR)
    await schedule.compose(officer, Stretch(f"shift-asked-{int(now * 1000)}", since, now + 1), kind="shift")

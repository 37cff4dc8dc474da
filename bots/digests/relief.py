"""Hand-overs: whoever comes on duty is told what came in the shift before, what changed, and what waits.

Each is composed once for its shift and officer, also over restarts: the key of its job sees to that.
"""

from typing import Final
from zoneinfo import ZoneInfo

from bots.clock import Clock
from bots.digests import stretches
from bots.digests.digesting import behind
from bots.digests.schedule import Schedule, Stretch
from bots.digests.stretches import Why, Wish
from bots.duty import roster
from bots.state import State, jobs
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
                    await self._schedule.compose(officer, stretch, kind="shift", why=Why.RELIEVED)


async def next_waiting(
    state: State, officer: Officer, after: str, cell: int, now: float, *, whole: bool = False
) -> None:
    """What waits for an officer behind a bulletin (by its id) that was told as waiting; of an event alone,
    where `cell` is one. `whole`: a hand-over told it.
    """
    told = behind(after, cell, now, whole=whole)
    job = jobs.digest(officer.id, f"waits-{int(now * 1000)}", told)
    await state.outbox.add([job], now)


async def hand_over(
    state: State,
    schedule: Schedule,
    officer: Officer,
    now: float,
    zone: ZoneInfo,
    *,
    back: Wish | None = None,
) -> None:
    """At once, of the officer's own shift up to now; of the last twelve hours for one who has had none; of
    the time `back`, if they ask for that.
    """
    rosters = [await state.rosters.shifts(number) for number in await state.rosters.numbers()]
    turns = [roster.last_turn(shifts, officer.id, now, zone) for shifts in rosters]
    rostered = any(each.officer == officer.id for shifts in rosters for each in shifts)
    taken = await state.rosters.took_over(officer.id, now)
    since, why = stretches.begun(turns, now, rostered=rostered, taken=taken)
    if back is not None:
        since, why = now - back.seconds, back.why
    stretch = Stretch(f"shift-asked-{int(now * 1000)}", since, now + 1)
    await schedule.compose(officer, stretch, kind="shift", why=why, asked=True)

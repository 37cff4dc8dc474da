"""Reminders: whoever was told of a request hears of it again before its deadline, once."""

from collections.abc import Callable
from typing import Final

from bots.clock import Clock
from bots.state import State, jobs
from bots.state.outbox import KEEP
from bots.telling.tally import pressing

LOOK: Final = 60.0
"""Seconds between two looks."""


class Reminder:
    """`run` until cancelled."""

    def __init__(self, state: State, clock: Clock, wake: Callable[[], None]) -> None:
        self._state = state
        self._clock = clock
        self._wake = wake

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK)

    async def look(self) -> None:
        """Whatever presses: the keys of the jobs make each come once."""
        now, outbox = self._clock.now(), self._state.outbox
        made = [
            jobs.remind(record.bulletin.id, officer)
            for record in pressing(await outbox.records(now - KEEP, now + 1), now)
            for officer in sorted(await outbox.told(record.bulletin.id))
        ]
        if made and await outbox.add(made, now):
            self._wake()

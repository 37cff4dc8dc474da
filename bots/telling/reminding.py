"""Reminders: whoever was told of a request hears of it again before its deadline, once."""

from collections.abc import Callable
from typing import Final

from bots.clock import Clock
from bots.state import State, jobs

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
            jobs.remind(question.record, officer)
            for question in await self._state.questions.pressing(now)
            for officer in sorted(await outbox.told(question.record))
        ]
        if made and await outbox.add(made, now):
            self._wake()

"""Reads the intake ahead, and makes batches of it by turns (`hub.fairness`), each not before it is wanted: so
that who comes late has its turn in the next one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from nats.aio.msg import Msg

from hub.arrival import Arrival
from hub.fairness import Taken, Tokens, Window

BATCHES: Final = 3
"""One is settled, one waits for that, one is prepared. What comes later has its turn behind these."""


class Turns:
    """What was read, and the batches that were made of it."""

    def __init__(self, tokens: Tokens) -> None:
        self.window = Window(tokens)
        self._room = asyncio.Semaphore(BATCHES)
        self._filled, self._emptied = asyncio.Event(), asyncio.Event()

    async def read(self, messages: AsyncIterator[list[Msg]]) -> None:
        """Read for as long as there is something to come, no more than there is room for."""
        async for each in messages:
            self.window.add(each)
            self._filled.set()
            while self.window.full:
                self._emptied.clear()
                await self._emptied.wait()

    async def batch(
        self, most: int, clock: Callable[[], int], answered: Callable[[Arrival], bool]
    ) -> list[Taken]:
        """The next batch, when it is wanted and there is something for it: as `Window.take`."""
        await self._room.acquire()
        while not self.window:
            self._filled.clear()
            await self._filled.wait()
        taken = self.window.take(most, clock(), answered)
        self._emptied.set()
        return taken

    def judged(self) -> None:
        """A batch was judged: another is wanted."""
        self._room.release()

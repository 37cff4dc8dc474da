"""When one message that was sent has arrived at each of many readers, round after round."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from tests.bench.measure import percentile

PATIENCE: Final = 120.0
WARM_UP: Final = 2
_PAUSE: Final = 0.05

Send = Callable[[int], Awaitable[object]]
"""Sends the message of a round."""


class Arrivals:
    """Told by every reader what it has verified. `number` counts the rounds."""

    def __init__(self, readers: int) -> None:
        self._readers = readers
        self._times: dict[int, dict[int, float]] = {}
        self._all = asyncio.Event()
        self.number = 0

    def arrived(self, reader: int, number: int) -> None:
        """One reader has the message of one round; again, it counts once."""
        times = self._times.setdefault(number, {})
        times.setdefault(reader, time.perf_counter())
        if number == self.number and len(times) == self._readers:
            self._all.set()

    async def rounds(self, send: Send, count: int) -> list[list[float]]:
        """Send so many, each when all have the last; milliseconds to each reader, in order, for every
        round.
        """
        taken = []
        for each in range(WARM_UP + count):
            self.number += 1
            self._all.clear()
            start = time.perf_counter()
            async with asyncio.timeout(PATIENCE):
                await send(self.number)
                await self._all.wait()
            times = self._times.pop(self.number)
            if each >= WARM_UP:
                taken.append(sorted(1000 * (one - start) for one in times.values()))
            await asyncio.sleep(_PAUSE)
        return taken


def at(rounds: Sequence[Sequence[float]], part: float) -> float:
    """The median over the rounds of the time by which so large a part of the readers had it."""
    return statistics.median(percentile(each, part) for each in rounds)


def last(rounds: Sequence[Sequence[float]]) -> float:
    """The median over the rounds of the time by which all of them had it."""
    return statistics.median(each[-1] for each in rounds)


@asynccontextmanager
async def tasks() -> AsyncIterator[Callable[[Coroutine[Any, Any, None]], None]]:
    """Start coroutines that run while the block is entered. What one of them ends with is raised after it."""
    running: list[asyncio.Task[None]] = []
    try:
        yield lambda work: running.append(asyncio.create_task(work))
    finally:
        ended = [task.exception() for task in running if task.done() and not task.cancelled()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for error in filter(None, ended):
            raise error

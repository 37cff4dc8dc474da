"""How everything is measured: the product and its floor by turns, in the same run, medians of many rounds.

The floor of a measurement is a bare loop of the same library calls: what the work costs when nothing is
checked, kept or built around it. `ratio` is above one when the product is faster than its floor: throughput
through throughput, or the floor's time through the product's.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

Work = Callable[[], int]
"""Does a round of work; how many operations that was."""

WARM_UP: Final = 1


class Result(NamedTuple):
    """One line of the table."""

    name: str
    unit: str
    value: float
    floor: float
    ratio: float
    note: str
    """What the floor is made of."""

    def entry(self) -> dict[str, object]:
        """As `build/bench.json` has it."""
        value, floor, ratio = (float(f"{each:.4g}") for each in (self.value, self.floor, self.ratio))
        return {"name": self.name, "unit": self.unit, "value": value, "floor": floor, "ratio": ratio}


class Skipped(NamedTuple):
    """A line of the table that could not be measured here."""

    name: str
    reason: str


class Mark(NamedTuple):
    """What a measurement should reach: a least ratio, or a most value."""

    ratio: float | None = None
    most: float | None = None

    def holds(self, result: Result) -> bool:
        """Whether it does."""
        return (self.ratio is None or result.ratio >= self.ratio) and (
            self.most is None or result.value <= self.most
        )

    def __str__(self) -> str:
        return f"ratio >= {self.ratio:g}" if self.ratio is not None else f"<= {self.most:g}"


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which `part` (0 to 1) of the values lie, by nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def by_turns(product: Work, floor: Work, rounds: int) -> tuple[float, float]:
    """Seconds for one operation of the product and of its floor: medians over `rounds` rounds of each."""
    taken: tuple[list[float], list[float]] = ([], [])
    for each in range(WARM_UP + rounds):
        for times, work in zip(taken, (product, floor), strict=True):
            start = time.perf_counter()
            count = work()
            spent = time.perf_counter() - start
            if each >= WARM_UP:
                times.append(spent / count)
    return statistics.median(taken[0]), statistics.median(taken[1])


def throughput(name: str, product: Work, floor: Work, rounds: int, note: str) -> Result:
    """Operations a second; `ratio` is the product's through the floor's."""
    ours, bare = by_turns(product, floor, rounds)
    return Result(name, "ops/s", 1 / ours, 1 / bare, bare / ours, note)


def duration(name: str, product: Work, floor: Work, rounds: int, note: str) -> Result:
    """Milliseconds; `ratio` is the floor's time through the product's."""
    ours, bare = by_turns(product, floor, rounds)
    return Result(name, "ms", 1000 * ours, 1000 * bare, bare / ours, note)


def latency(name: str, product: float, floor: float, note: str) -> Result:
    """Milliseconds that were measured elsewhere; `ratio` is the floor's time through the product's."""
    return Result(name, "ms", product, floor, floor / product, note)


def compared(name: str, unit: str, pair: tuple[float, float], note: str) -> Result:
    """A peer's value, with Liaison's for the same work as its floor, less being better; `ratio` is above one
    where Liaison is better. `pair` is theirs and ours.
    """
    theirs, ours = pair
    return Result(name, unit, theirs, ours, theirs / ours, note)

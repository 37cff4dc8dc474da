"""What this process has counted since it began: answers by endpoint and code, bytes, and how long admission
took.

Pure but for what it holds. It lies in the router's path, so it does no more than add; whoever shows it,
puts it into words.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final, NamedTuple

from schemas.receipts import ADMITTED

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
"""Upper bounds of the latency's buckets, in seconds: the last ones tell of a hub that was away."""


class Taken(NamedTuple):
    """One answered submission: whose, with which code, how many bytes, and when the intake took it (Unix
    ms).
    """

    publisher: str
    code: str
    size: int
    at: int


@dataclass(slots=True)
class Tally:
    """What one endpoint has had answered. `heard` is when it last sent something, Unix ms; 0 before."""

    admitted: int = 0
    bytes: int = 0
    heard: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class Latency:
    """A histogram over `BOUNDS`."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self._sum = 0

    def add(self, milliseconds: int) -> None:
        """One more. A clock that was set back made no time pass."""
        took = max(milliseconds, 0)
        self._counts[bisect_left(BOUNDS, took / 1000)] += 1
        self._sum += took

    def facts(self) -> dict[str, Any]:
        """`buckets`: how many took at most so many seconds, each including those before; `sum` is in
        seconds.
        """
        upto = list(accumulate(self._counts))
        buckets = [[bound, count] for bound, count in zip(BOUNDS, upto, strict=False)]
        return {"buckets": buckets, "count": upto[-1], "sum": self._sum / 1000}


class Meter:
    """Counts for one hub process."""

    def __init__(self) -> None:
        self.answered: Counter[str] = Counter()
        self.endpoints: defaultdict[str, Tally] = defaultdict(Tally)
        self.latency = Latency()

    def settled(self, taken: Iterable[Taken], now: int) -> None:
        """Submissions were answered, at `now` (Unix ms)."""
        for publisher, code, size, at in taken:
            self.answered[code] += 1
            tally = self.endpoints[publisher]
            tally.heard = now
            tally.bytes += size
            if code == ADMITTED:
                tally.admitted += 1
            else:
                tally.refused[code] += 1
            self.latency.add(now - at)

"""What should have come against what came, and how long it took. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """Keys that never came, that came more than once, and that nobody expected."""

    missing: tuple[str, ...]
    doubled: tuple[str, ...]
    unexpected: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.doubled or self.unexpected)

    def told(self, where: str) -> list[str]:
        """One sentence for each sort, with a few of the keys."""
        return [
            f"{where}: {len(keys)} {what}: {', '.join(keys[:_SHOWN])}"
            for what, keys in (
                ("missing", self.missing),
                ("doubled", self.doubled),
                ("unexpected", self.unexpected),
            )
            if keys
        ]


def compare(expected: Iterable[str], seen: Iterable[str]) -> Difference:
    """Every expected key exactly once, and nothing else."""
    wanted, counted = set(expected), Counter(seen)
    return Difference(
        missing=tuple(sorted(wanted - counted.keys())),
        doubled=tuple(sorted(key for key, times in counted.items() if times > 1)),
        unexpected=tuple(sorted(counted.keys() - wanted)),
    )


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The smallest value that at least `percent` of them do not exceed (nearest rank); None without any."""
    if not values:
        return None
    rank = max(1, math.ceil(percent / 100 * len(values)))
    return sorted(values)[rank - 1]

"""Holding back what the hub takes no more of for now: after `over_quota` routine frames wait, ever longer
while that goes on. Pure. FORMAT.md, "Receipts".
"""

from typing import Final

FIRST_SECONDS: Final = 1.0
LONGEST_SECONDS: Final = 30.0
_CALM_SECONDS: Final = 60.0
"""After so long without a refusal it begins again with the first wait."""


class Holding:
    """Until when to hold back, by a clock in seconds that never goes back."""

    def __init__(self) -> None:
        self._until = float("-inf")
        self._wait = FIRST_SECONDS

    def refused(self, now: float) -> None:
        """The hub has said `over_quota`. What was on its way meanwhile counts once."""
        if now < self._until:
            return
        calm = now - self._until > _CALM_SECONDS
        self._wait = FIRST_SECONDS if calm else min(2 * self._wait, LONGEST_SECONDS)
        self._until = now + self._wait

    def left(self, now: float) -> float:
        """Seconds for which routine frames are held back; 0 when they go."""
        return max(0.0, self._until - now)

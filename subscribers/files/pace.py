"""How many chunks to have on the way at once: no more than pass in about a second, so that a bulletin never
waits long behind a file, however slow the line. Pure.
"""

from typing import Final

WINDOW_MAX: Final = 16
_SLOW: Final = 1.0
_FAST: Final = 0.4


class Pace:
    """Grows while windows pass quickly, halves when one does not."""

    def __init__(self) -> None:
        self.window = 4

    def took(self, seconds: float) -> None:
        """A whole window has passed in so many seconds."""
        if seconds > _SLOW:
            self.window = max(1, self.window // 2)
        elif seconds < _FAST:
            self.window = min(WINDOW_MAX, self.window * 2)

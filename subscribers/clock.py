"""The clock that whatever runs is given, where nobody gives it another."""

import time


def now_ms() -> int:
    """Unix milliseconds by this machine's clock."""
    return time.time_ns() // 1_000_000

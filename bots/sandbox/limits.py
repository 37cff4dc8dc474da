"""How many messages the service takes: token buckets for the whole bot, for each chat and for each group.

Rates are those of the service's FAQ (about 30 messages a second overall, one a second to a chat, 20 a minute
to a group); how far a burst may go is not promised there, so it is a setting. Pure: the time is always an
argument.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` tokens flow back, at most `burst` are kept."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Limits:
    """The three rates; None switches one off."""

    overall: Rate | None = field(default=Rate(30.0, 30))
    chat: Rate | None = field(default=Rate(1.0, 5))
    group: Rate | None = field(default=Rate(20 / 60, 20))


UNLIMITED = Limits(None, None, None)


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float

    def wait(self, rate: Rate, now: float) -> float:
        """Refill up to `now` (seconds); return the seconds until one token is there (0.0: it is)."""
        self.tokens = min(float(rate.burst), self.tokens + max(0.0, now - self.at) * rate.per_second)
        self.at = now
        return 0.0 if self.tokens >= 1.0 else (1.0 - self.tokens) / rate.per_second


class FloodControl:
    """Counts the messages of one bot."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._buckets: dict[str | int, _Bucket] = {}

    def spend(self, chat_id: int | None, *, group: bool, now: float) -> int:
        """Take one message to `chat_id` (None: counts overall only) at `now` seconds.

        Returns 0 when it may go, else the `retry_after` in whole seconds; then nothing is spent.
        """
        wanted: list[tuple[_Bucket, Rate]] = []
        if self.limits.overall is not None:
            wanted.append((self._bucket("overall", self.limits.overall, now), self.limits.overall))
        scope = self.limits.group if group else self.limits.chat
        if scope is not None and chat_id is not None:
            wanted.append((self._bucket(chat_id, scope, now), scope))
        wait = max((bucket.wait(rate, now) for bucket, rate in wanted), default=0.0)
        if wait > 0.0:
            return max(1, math.ceil(wait - 1e-9))
        for bucket, _ in wanted:
            bucket.tokens -= 1.0
        return 0

    def _bucket(self, key: str | int, rate: Rate, now: float) -> _Bucket:
        return self._buckets.setdefault(key, _Bucket(float(rate.burst), now))

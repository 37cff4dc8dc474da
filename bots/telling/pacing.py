"""How fast the bot may speak: token buckets for everything, for each chat and for each group. Pure: time is
an argument.

The service's FAQ says about 30 messages a second overall, one a second to a chat, 20 a minute to a group, and
promises none of it: a 429 names the true wait, which `hold` keeps.
"""

from dataclasses import dataclass, field
from typing import Final

_SLACK: Final = 1e-9
"""Floating point: a token that is this close to whole is whole."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` tokens flow back; at most `burst` are kept."""

    per_second: float
    burst: float


@dataclass(frozen=True, slots=True)
class Rates:
    """The three rates."""

    overall: Rate = Rate(30.0, 30.0)
    chat: Rate = Rate(1.0, 1.0)
    group: Rate = Rate(20 / 60, 3.0)


@dataclass(slots=True)
class Bucket:
    """A token bucket that starts full."""

    rate: Rate
    tokens: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.tokens = self.rate.burst

    def wait(self, now: float) -> float:
        """Seconds until one token is there; 0.0 when it is. A clock that steps back refills nothing."""
        self.tokens = min(self.rate.burst, self.tokens + max(0.0, now - self.at) * self.rate.per_second)
        self.at = now
        return max(0.0, (1.0 - self.tokens - _SLACK) / self.rate.per_second)

    def take(self, now: float) -> None:
        """Spend one token, going below zero when none is there: the next one waits longer."""
        self.wait(now)
        self.tokens -= 1.0


class Pacer:
    """The buckets of one bot token. Chat ids below zero are groups, as in the Bot API."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._overall = Bucket(rates.overall)
        self._chats: dict[int, Bucket] = {}
        self._held: dict[int | None, float] = {}

    def wait(self, chat: int, now: float) -> float:
        """Seconds until a message to `chat` may go; 0.0 when it may."""
        return max(self.overall_wait(now), self._bucket(chat).wait(now), self._held.get(chat, now) - now, 0.0)

    def overall_wait(self, now: float) -> float:
        """Seconds until any message at all may go."""
        return max(self._overall.wait(now), self._held.get(None, now) - now, 0.0)

    def take(self, chat: int, now: float) -> None:
        """Spend one message to `chat`."""
        self._overall.take(now)
        self._bucket(chat).take(now)

    def hold(self, chat: int | None, until: float) -> None:
        """Nothing to `chat` (None: to anybody) before `until`, as a 429 demands."""
        self._held[chat] = max(until, self._held.get(chat, until))

    def unready(self, now: float) -> dict[int, float]:
        """The chats that must wait, with the seconds each. Forgets those that are as good as new."""
        self._chats = {
            chat: each
            for chat, each in self._chats.items()
            if each.wait(now) or each.tokens < each.rate.burst
        }
        self._held = {chat: until for chat, until in self._held.items() if until > now}
        waiting = {chat: bucket.wait(now) for chat, bucket in self._chats.items()}
        for chat, until in self._held.items():
            if chat is not None:
                waiting[chat] = max(waiting.get(chat, 0.0), until - now)
        return {chat: wait for chat, wait in waiting.items() if wait > 0.0}

    def _bucket(self, chat: int) -> Bucket:
        rate = self._rates.chat if chat > 0 else self._rates.group
        return self._chats.setdefault(chat, Bucket(rate))

"""The gate: only enrolled officers get past it, in their own chat, not faster than they can read.

Strangers may try a code; otherwise they get one polite refusal a day and nothing else. Nothing here tells a
wrong code from no code. Decides, and remembers what it decided; the time is passed in (Unix seconds).
"""

from collections import OrderedDict
from enum import Enum, auto
from typing import Final, TypeVar

from bots.dialogue.asking import Pressed, Typed
from bots.parsing.commands import code
from bots.state.officers import Officer
from bots.telling.pacing import Bucket, Rate

REFUSAL_SECONDS: Final = 86_400.0
CODE_TRIES: Final = Rate(1 / 60, 5.0)
_WARNING_SECONDS: Final = 60.0
_REMEMBERED: Final = 10_000

T = TypeVar("T")


class Verdict(Enum):
    """What becomes of a line or a press."""

    ANSWER = auto()
    ENROL = auto()
    """A stranger shows what may be a code."""
    REFUSE = auto()
    SLOW = auto()
    """An officer asks too fast."""
    IGNORE = auto()


class Gate:
    """Judges for one door. `asking` is the pace of one officer."""

    def __init__(self, asking: Rate) -> None:
        self._asking = asking
        self._refused: OrderedDict[int, float] = OrderedDict()
        self._tries: OrderedDict[int, Bucket] = OrderedDict()
        self._paces: OrderedDict[int, Bucket] = OrderedDict()
        self._warned: dict[int, float] = {}

    def judge(self, asked: Typed | Pressed, officer: Officer | None, now: float) -> Verdict:
        """What to do with what `officer`, None for a stranger, asks."""
        if officer is None:
            return self._stranger(asked, now)
        if officer.chat != asked.chat:
            return Verdict.IGNORE
        fast = _too_fast(self._paces, asked.person, self._asking, now)
        return Verdict.SLOW if fast else Verdict.ANSWER

    def refuses(self, person: int, now: float) -> bool:
        """Whether the stranger is to be told: once a day. Counts as told until `untold`."""
        if now - self._refused.get(person, -REFUSAL_SECONDS) < REFUSAL_SECONDS:
            return False
        _keep(self._refused, person, now)
        return True

    def untold(self, person: int) -> None:
        """The refusal did not arrive."""
        self._refused.pop(person, None)

    def warns(self, person: int, now: float) -> bool:
        """Whether the officer is to be told to go slower: once a minute. Counts as told."""
        if now - self._warned.get(person, 0.0) <= _WARNING_SECONDS:
            return False
        self._warned[person] = now
        return True

    def _stranger(self, asked: Typed | Pressed, now: float) -> Verdict:
        if isinstance(asked, Pressed) or not asked.text:
            return Verdict.IGNORE
        tries = asked.command == "start" and code(asked.after)
        if tries and not _too_fast(self._tries, asked.person, CODE_TRIES, now):
            return Verdict.ENROL
        return Verdict.REFUSE


def _too_fast(buckets: OrderedDict[int, Bucket], person: int, rate: Rate, now: float) -> bool:
    bucket = buckets.get(person) or Bucket(rate, at=now)
    _keep(buckets, person, bucket)
    if bucket.wait(now) > 0.0:
        return True
    bucket.take(now)
    return False


def _keep(found: OrderedDict[int, T], key: int, value: T) -> None:
    found[key] = value
    found.move_to_end(key)
    if len(found) > _REMEMBERED:
        found.popitem(last=False)

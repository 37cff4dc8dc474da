"""Which calls are due for a bulletin that rings until somebody acknowledges it. Pure.

Whoever is on duty is called at once, and again at a steady pace; when that was in vain often enough, the
next on the roster is called too, and so on. When everybody was called in vain, administrators are told
once; the calls go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from bots.duty.roster import Duty
from schemas.encoding import from_instant
from schemas.vocabulary import Kind, Severity
from subscribers.records import Record

LONGEST: Final = 24 * 3600.0
"""After this many seconds a bulletin rings no longer: a day of calls was in vain."""
_SEVERITIES: Final = list(Severity)
_SILENT: Final = frozenset({Kind.ACKNOWLEDGEMENT, Kind.RETRACTION, Kind.DIGEST})


@dataclass(frozen=True, slots=True)
class Pace:
    """How it rings: seconds between two calls to an officer, and calls before the next one is called too."""

    every: float = 180.0
    calls: int = 3


@dataclass(frozen=True, slots=True)
class Ways:
    """How an agency calls its officers: the pace, and the time zone of its rosters."""

    pace: Pace
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Called:
    """An officer who was called: how often, and when last (Unix seconds)."""

    officer: int
    calls: int
    last: float


@dataclass(frozen=True, slots=True)
class Bell:
    """A bulletin (by its id) that rings since a moment, and who was called. `told`: administrators know that
    everybody was called in vain.
    """

    record: str
    began: float
    called: tuple[Called, ...] = ()
    told: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What is due: calls (officer, and which call it is for them), and whether administrators are told. Who
    stands on the roster and cannot be called, of them `absent` those who are on duty.
    """

    calls: tuple[tuple[int, int], ...] = ()
    unheard: bool = False
    mute: tuple[int, ...] = ()
    absent: tuple[int, ...] = ()


def rings(record: Record, least: Severity = Severity.FLASH) -> bool:
    """Whether `record` is to ring, `least` being the lowest severity that does."""
    severity = _SEVERITIES.index(record.bulletin.severity)
    return (
        severity >= _SEVERITIES.index(least)
        and record.bulletin.kind not in _SILENT
        and not record.own
        and record.state != "retracted"
        and "history" not in record.flags
    )


def over(bell: Bell, record: Record | None, now: float) -> bool:
    """Whether a bell falls silent without an answer: retracted, expired, or it has rung for `LONGEST`."""
    if record is None or record.state == "retracted" or now - bell.began >= LONGEST:
        return True
    until = record.bulletin.valid_until
    return until is not None and from_instant(until) / 1000 <= now


def step(bell: Bell, duty: Duty, reachable: Sequence[int], pace: Pace) -> Step:
    """What is due at the moment of `duty`; `reachable` are the officers whom the chat service takes messages
    to.
    """
    now = duty.now
    called = {each.officer: each for each in bell.called}
    line = [each for each in duty.line if each in reachable]
    heard = [called[each] for each in line if each in called]
    due = [(each.officer, each.calls + 1) for each in heard if _waited(each, now, pace)]
    first = [each for each in duty.present if each in line and each not in called]
    in_vain = all(each.calls >= pace.calls and _waited(each, now, pace) for each in heard) and not first
    waiting = [each for each in line if each not in called]
    if in_vain and waiting:
        first = waiting[:1]
    unheard = in_vain and not waiting and not bell.told
    mute = tuple(each for each in duty.line if each not in reachable)
    absent = tuple(each for each in duty.present if each in mute)
    return Step((*((each, 1) for each in first), *due), unheard, mute, absent)


def next_due(bell: Bell, pace: Pace) -> float:
    """When the next call is due at the earliest (Unix seconds), as far as those know who were called."""
    return min((each.last + pace.every for each in bell.called), default=bell.began)


def _waited(called: Called, now: float, pace: Pace) -> bool:
    return now - called.last >= pace.every

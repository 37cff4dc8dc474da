"""Who is on duty, and who is next: weekly patterns and dated shifts in the agency's time zone. Pure.

A shift begins and ends when local clocks show its hours (`bots.times` says what becomes of hours that a
change of clocks skips or repeats), so its length may differ on two days of a year.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bots.clock import moment
from bots.times import at_local

AHEAD: Final = timedelta(days=14)
"""How far a roster is read: whoever has no shift within this is not called."""
LATELY: Final = 4 * 3600.0
"""A turn began lately for so many seconds: after that a hand-over is no news."""
TAKEN_FOR: Final = 12 * 3600.0
"""How long somebody has taken over for, when no shift says how long, in seconds."""


_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Shift:
    """Hours of one officer: every week on `days` (0 is Monday), or once on `day`.

    From `start` to `end`, minutes after local midnight; to the next day where `end` is not later.
    """

    id: int
    officer: int
    start: int
    end: int
    days: frozenset[int] = frozenset()
    day: date | None = None

    def on(self, day: date) -> bool:
        """Whether it begins on `day`."""
        return self.day == day if self.day is not None else day.weekday() in self.days


@dataclass(frozen=True, slots=True)
class Takeover:
    """An officer who has taken over, until a moment (Unix seconds)."""

    officer: int
    until: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One time that an officer is on duty: from `since` up to `until`, Unix seconds."""

    officer: int
    since: float
    until: float
    dated: bool = False


@dataclass(frozen=True, slots=True)
class Duty:
    """A roster at one moment: its turns that are not over, soonest first, and who has taken over."""

    now: float
    turns: tuple[Turn, ...]
    takeover: Takeover | None = None

    @property
    def running(self) -> tuple[Turn, ...]:
        """The turns of now. A dated shift stands in the place of the weekly ones."""
        now = tuple(each for each in self.turns if each.since <= self.now)
        dated = tuple(each for each in now if each.dated)
        return dated or now

    @property
    def present(self) -> tuple[int, ...]:
        """Who is on duty: whoever has taken over, otherwise those whose shift it is."""
        if self.takeover is not None:
            return (self.takeover.officer,)
        return tuple(dict.fromkeys(each.officer for each in self.running))

    @property
    def line(self) -> tuple[int, ...]:
        """In which order officers are called: those on duty, then those whose turn comes next."""
        return tuple(dict.fromkeys((*self.present, *(each.officer for each in self.turns))))

    @property
    def until(self) -> float:
        """Until when somebody who takes over now has it: the end of the shift, or the beginning of the next
        one, or `TAKEN_FOR`.
        """
        if self.running:
            return min(each.until for each in self.running)
        return min([self.now + TAKEN_FOR, *(each.since for each in self.turns)])


def read(shifts: Iterable[Shift], takeover: Takeover | None, now: float, zone: ZoneInfo) -> Duty:
    """The roster at `now` (Unix seconds), its hours being those of `zone`."""
    today = moment(now).astimezone(zone).date()
    # A shift of the day before yesterday's evening may still run where the clocks were set back.
    days = [today + timedelta(days=ahead) for ahead in range(-2, AHEAD.days + 1)]
    turns = [_turn(shift, day, zone) for shift in shifts for day in days if shift.on(day)]
    left = sorted(
        (each for each in turns if each.until > now), key=lambda each: (each.since, each.until, each.officer)
    )
    return Duty(now, tuple(left), takeover if takeover and takeover.until > now else None)


def members(shifts: Sequence[Shift], takeover: Takeover | None) -> frozenset[int]:
    """Everybody who stands on the roster, whenever their turn is."""
    return frozenset(each.officer for each in shifts) | ({takeover.officer} if takeover else frozenset())


def _turn(shift: Shift, day: date, zone: ZoneInfo) -> Turn:
    last = day if shift.end > shift.start else day + timedelta(days=1)
    since, until = at_local(day, shift.start, zone), at_local(last, shift.end, zone)
    return Turn(shift.officer, since.timestamp(), until.timestamp(), dated=shift.day is not None)


def last_turn(shifts: Iterable[Shift], officer: int, now: float, zone: ZoneInfo) -> Turn | None:
    """The turn that an officer has, or had last within two days."""
    today = moment(now).astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(4)]
    mine = [shift for shift in shifts if shift.officer == officer]
    turns = [_turn(shift, day, zone) for shift in mine for day in days if shift.on(day)]
    begun = (each for each in turns if each.since <= now and each.until > now - 2 * _DAY)
    return max(begun, key=lambda each: each.since, default=None)


def reliefs(shifts: Sequence[Shift], now: float, zone: ZoneInfo) -> list[tuple[Turn, float]]:
    """The turns that began lately by relieving somebody else, and since when whoever was relieved had it."""
    found = []
    for turn in read(shifts, None, now, zone).running:
        before = read(shifts, None, turn.since - 1, zone).running
        if turn.since > now - LATELY and before and turn.officer not in {each.officer for each in before}:
            found.append((turn, min(each.since for each in before)))
    return found

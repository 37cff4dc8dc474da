"""Local time: when a digest is due, when an officer sleeps. Pure: the present is an argument.

A local time that a change of the clocks skips (02:30 in spring) is taken as the same moment on the old
clock, so 03:30 on the new one; one that comes twice (02:30 in autumn) is the first of the two. Each period
comes exactly once.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from schemas.errors import Code, OperationError

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which only flash alerts sound: from `start` to `end`, minutes after local midnight, over
    midnight too.
    """

    start: int
    end: int

    def holds(self, minute: int) -> bool:
        """Whether `minute` of the day lies within; equal ends mean never."""
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a digest comes: every day, or every week on `weekday` (0 is Monday), at `minute` after local
    midnight.
    """

    cadence: Literal["daily", "weekly"]
    minute: int
    weekday: int = 0


def zone(name: str) -> ZoneInfo:
    """An IANA time zone. Raises OperationError `bad_request` for a name that is none."""
    if name not in available():
        raise OperationError(
            Code.BAD_REQUEST, "no such time zone", "use a name such as Europe/Paris or Asia/Almaty"
        )
    return ZoneInfo(name)


@cache
def available() -> frozenset[str]:
    """The names of all time zones. Once: the library looks through every file of the time zone database."""
    return frozenset(available_timezones())


def at_local(day: date, minute: int, where: ZoneInfo) -> datetime:
    """The moment (UTC) at which local clocks show `minute` on `day`; see the module's docstring for
    changes of clocks.
    """
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=where)
    return local.astimezone(UTC)


def quiet_until(now: datetime, quiet: Quiet | None, where: ZoneInfo) -> datetime | None:
    """When the quiet hours that hold at `now` end (UTC); None when they do not hold."""
    if quiet is None:
        return None
    local = now.astimezone(where)
    if not quiet.holds(local.hour * 60 + local.minute):
        return None
    end = at_local(local.date(), quiet.end, where)
    return end if end > now else at_local(local.date() + timedelta(days=1), quiet.end, where)


def next_due(after: datetime, schedule: Schedule, where: ZoneInfo) -> datetime:
    """The first due moment (UTC) strictly later than `after`."""
    day = after.astimezone(where).date() - timedelta(days=1)
    while True:
        due = at_local(day, schedule.minute, where)
        if due > after and _on(day, schedule):
            return due
        day += timedelta(days=1)


def last_due(until: datetime, schedule: Schedule, where: ZoneInfo) -> datetime:
    """The latest due moment (UTC) not later than `until`."""
    day = until.astimezone(where).date() + timedelta(days=1)
    while True:
        due = at_local(day, schedule.minute, where)
        if due <= until and _on(day, schedule):
            return due
        day -= timedelta(days=1)


def period(due: datetime, schedule: Schedule, where: ZoneInfo) -> str:
    """The name of the period that ends at `due`, such as `daily-2026-03-29` or `weekly-2026-W13`: one
    digest each.
    """
    day = due.astimezone(where).date()
    year, week, _ = day.isocalendar()
    return f"daily-{day.isoformat()}" if schedule.cadence == "daily" else f"weekly-{year}-W{week:02}"


def _on(day: date, schedule: Schedule) -> bool:
    return schedule.cadence == "daily" or day.weekday() == schedule.weekday

"""The chart of a digest, a hand-over or a situation report: what came in its period, by kind, severity and
time. Pure.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from bots.charts.numbers import Numbers, counted_up_to
from bots.clock import moment
from bots.wording.words import Words
from schemas.encoding import from_instant
from schemas.vocabulary import Severity, Tlp
from subscribers.records import Record

LEAST: Final = 3
"""Of fewer bulletins a list is seen through at once, and there is no chart."""
_HOUR: Final = 3_600.0
_BY_HOURS: Final = ((14, 1), (26, 2), (50, 4))
"""A period of at most so many hours is shown by stretches of so many; a longer one by days."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` up to, not at, `until` (Unix seconds), by the clock of `zone`."""

    since: float
    until: float
    zone: ZoneInfo


def numbers(records: Sequence[Record], period: Period, ceiling: Tlp, say: Words) -> Numbers:
    """What these bulletins come to. Those that the node had before the period began, since the bot was away,
    are counted at its beginning.
    """
    begins, daily = _begins(period)
    counted: list[Counter[Severity]] = [Counter() for _ in begins]
    for each in records:
        place = bisect_right(begins, from_instant(each.received) / 1000) - 1
        counted[max(0, place)][each.bulletin.severity] += 1
    return Numbers(
        title=say.text("Since {since}", since=say.when(moment(period.since), period.zone)),
        stretches=tuple(
            (_name(at, period.zone, say, daily=daily), some) for at, some in zip(begins, counted, strict=True)
        ),
        kinds=Counter(each.bulletin.kind for each in records),
        notes=(
            counted_up_to(ceiling.value, say),
            say.text("Time zone: {zone}", zone=say.embed(period.zone.key)),
        ),
        whole=() if daily else _whole(begins, period, say),
    )


def _whole(begins: Sequence[float], period: Period, say: Words) -> tuple[str, ...]:
    """From when to when each stretch of hours is; the last ends with the period."""
    marks = [_name(at, period.zone, say, daily=False) for at in (*begins, period.until)]
    return tuple(say.embed(f"{since}–{until}") for since, until in pairwise(marks))


def _begins(period: Period) -> tuple[list[float], bool]:
    """When each stretch begins: hours of the period, or the days that it touches; whether they are days."""
    length = period.until - period.since
    for most, step in _BY_HOURS:
        if length <= most * _HOUR:
            number = max(1, math.ceil(length / (step * _HOUR)))
            return [period.since + n * step * _HOUR for n in range(number)], False
    first, last = (moment(at).astimezone(period.zone).date() for at in (period.since, period.until - 1))
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [datetime.combine(day, time(), period.zone).timestamp() for day in days], True


def _name(at: float, zone: ZoneInfo, say: Words, *, daily: bool) -> str:
    local = moment(at).astimezone(zone)
    return say.day(local) if daily else say.clock(local.hour * 60 + local.minute)

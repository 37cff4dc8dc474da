"""A moment ahead, as officers write it: `tonight 20:00`, `tomorrow 9:00`, `Friday 12:00`, `6 h`, or a date;
and one that lies behind: `14:30`, `yesterday 18:00`.

Pure. In each of the six languages, by the officer's own clock; a day without an hour is meant to its end, or
where it lies behind, if it will do there, from its beginning. An hour that a change of clocks skips or
doubles is taken as `bots.times` says.
"""

import re
import unicodedata
from datetime import date, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import get_day_names

from bots.clock import moment
from bots.times import MINUTES_A_DAY, at_local
from schemas.vocabulary import Language

AHEAD_MAX: Final = 366 * 86_400
"""Seconds: nobody asks further ahead than a year."""
_TODAY: Final = frozenset(("today", "aujourd'hui", "hoy", "сегодня", "اليوم", "今天", "今日"))
_TONIGHT: Final = frozenset(
    (
        *("tonight", "this evening", "ce soir", "cette nuit", "esta noche", "esta tarde", "вечером"),
        *("сегодня вечером", "сегодня ночью", "الليلة", "مساء اليوم", "هذا المساء", "今晚", "今夜"),
    )
)
_YESTERDAY: Final = frozenset(("yesterday", "hier", "ayer", "вчера", "أمس", "امس", "昨天", "昨日"))
_TOMORROW: Final = frozenset(("tomorrow", "demain", "mañana", "завтра", "غدا", "明天", "明日"))
_HOURS: Final = frozenset(
    (
        *("h", "hr", "hrs", "hour", "hours", "heure", "heures", "hora", "horas"),
        *("ч", "час", "часа", "часов", "ساعة", "ساعات", "小时"),
    )
)
_DAYS: Final = frozenset(
    (
        *("d", "day", "days", "j", "jour", "jours", "día", "días", "dia", "dias"),
        *("д", "день", "дня", "дней", "يوم", "أيام", "يوما", "天", "日"),
    )
)
_SPAN: Final = re.compile(r"(?:in |dans |en |через |خلال |بعد )?([0-9]{1,4}) ?([^\W\d_]+?)(?:内|后)?\Z")
_CLOCK: Final = re.compile(r"([0-9]{1,2})(?:[:.h]([0-9]{2})|h| ?(am|pm))\Z")
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})\Z")
_BETWEEN: Final = frozenset(
    (
        *("at", "by", "until", "on", "à", "le", "a", "las", "la", "los", "el"),
        *("в", "до", "к", "الساعة", "عند", "حتى"),
    )
)
_EARLY: Final = 6 * 60
"""Before this hour, tonight is after midnight."""
_NOON: Final = 12


def read(text: str, zone: ZoneInfo, now: float) -> int | None:
    """The moment meant (Unix seconds) by clocks in `zone`; None for what cannot be read, lies behind `now` or
    too far ahead.
    """
    words = _tidy(text)
    found = _span(words, now)
    if found is None:
        found = _spoken(words, zone, now)
    return found if found is not None and now < found <= now + AHEAD_MAX else None


def read_past(text: str, zone: ZoneInfo, now: float, *, days: bool = False) -> int | None:
    """`14:30`, the last time that clocks in `zone` showed it, or `yesterday 14:30`, `Friday 14:30`, with a
    date (Unix seconds); where `days` will do, a day alone from its beginning. None for what cannot be read,
    lies ahead, or more than a year back.
    """
    today = moment(now).astimezone(zone).date()
    named, minute = _parts(_tidy(text))
    if minute is None and not (days and named):
        return None
    meant = _days_past(named, today) if named else [today, today - timedelta(days=1)]
    found = (_at(each, minute or 0, zone) for each in meant)
    return next((each for each in found if each is not None and now - AHEAD_MAX <= each <= now), None)


def at(days: int, minute: int, zone: ZoneInfo, now: float) -> int | None:
    """So many minutes after midnight, so many days ahead (Unix seconds), by clocks in `zone`."""
    return _at(moment(now).astimezone(zone).date() + timedelta(days=days), minute, zone)


def _tidy(text: str) -> str:
    """Lower case, plain digits, single spaces, without marks of direction, vowel signs and commas."""
    plain = "".join(
        str(unicodedata.decimal(each)) if each.isdecimal() else each
        for each in unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
        if unicodedata.category(each) not in {"Cc", "Cf", "Mn"} or each.isspace()
    )
    apart = re.sub(r"([\u4e00-\u9fff])(?=[0-9])", r"\1 ", re.sub(r"[,،，]", " ", plain))
    return " ".join(apart.split()).removesuffix("前").removesuffix("之")


def _span(words: str, now: float) -> int | None:
    found = _SPAN.match(words)
    if not found:
        return None
    unit = 3_600 if found[2] in _HOURS else 86_400 if found[2] in _DAYS else 0
    return int(now) + int(found[1]) * unit if unit else None


def _spoken(words: str, zone: ZoneInfo, now: float) -> int | None:
    """A day, an hour, or both, in this order."""
    today = moment(now).astimezone(zone).date()
    named, minute = _parts(words)
    if not named:
        if minute is None:
            return None
        found = _at(today, minute, zone)
        return found if found is not None and found > now else _at(today + timedelta(days=1), minute, zone)
    if named in _TONIGHT and minute is not None and minute < _EARLY:
        return _at(today + timedelta(days=1), minute, zone)
    day = _day(named, today)
    if day is None:
        return None
    return _at(day, MINUTES_A_DAY if minute is None else minute, zone)


def _parts(words: str) -> tuple[str, int | None]:
    """The day that is named, if one is, and the minute of it."""
    said, _, last = words.rpartition(" ")
    if last in {"am", "pm"}:
        said, _, hour = said.rpartition(" ")
        last = f"{hour} {last}"
    minute = _minute(last)
    day = words if minute is None else said
    return " ".join(each for each in day.split() if each not in _BETWEEN), minute


def _minute(word: str) -> int | None:
    found = _CLOCK.match(word)
    if not found:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    if found[3]:
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if found[3] == "pm" else 0)
    value = hour * 60 + minute
    return value if minute < 60 and value <= MINUTES_A_DAY else None  # noqa: PLR2004 - minutes of an hour


def _day(named: str, today: date) -> date | None:
    if named in _TODAY or named in _TONIGHT:
        return today
    if named in _TOMORROW:
        return today + timedelta(days=1)
    weekday = _weekdays().get(named)
    if weekday is not None:
        return today + timedelta(days=(weekday - today.weekday()) % 7)
    found = _DATE.match(named)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def _days_past(named: str, today: date) -> list[date]:
    """The days that may be meant, the last one first: a weekday's name is told of today, too."""
    if named in _YESTERDAY:
        return [today - timedelta(days=1)]
    day = _day(named, today)
    if day is None:
        return []
    return [day, day - timedelta(days=7)] if named in _weekdays() else [day]


def _at(day: date, minute: int, zone: ZoneInfo) -> int | None:
    try:
        day, minute = (day + timedelta(days=1), 0) if minute == MINUTES_A_DAY else (day, minute)
        return int(at_local(day, minute, zone).timestamp())
    except OverflowError:
        return None


@cache
def _weekdays() -> dict[str, int]:
    """The names of the days in all languages, whole and abbreviated; 0 is Monday."""
    found: dict[str, int] = {}
    for language in Language:
        for width in ("wide", "abbreviated"):
            names = get_day_names(width, locale=language.value)
            found |= {name.casefold().rstrip("."): number for number, name in names.items()}
    return found

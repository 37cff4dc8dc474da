"""Saved searches: what officers watch for, and what one bulletin means to all those of one officer. Pure:
the present is an argument.

A chat service learns nothing by what arrives: of a bulletin that the ceiling withholds, words, tactics,
subjects and events are not asked for. Every saved search that would ask for them takes it, without a sound.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from bots.clock import moment
from bots.searches.alternatives import alternatives, meant
from bots.searches.matching import matches, matches_outside
from bots.showing.release import Ceiling, Release
from bots.times import Quiet, at_local, quiet_until
from schemas.errors import OperationError
from schemas.vocabulary import Severity
from subscribers.records import Filters, Record
from subscribers.spotting import Spotter

NEVER_QUIET: Final = Quiet(0, 0)
"""A saved search's own quiet hours that never hold: it sounds in the officer's."""
MONDAY_AT: Final = 8 * 60
_WEEK: Final = 7

Snooze = Literal["hour", "night", "monday"]
_HOURS: Final = {"hour": 1, "night": 8}


class Mode(StrEnum):
    """How loud a saved search is."""

    ALERT = "alert"
    DIGEST = "digest"
    SILENT = "silent"


_LOUDNESS: Final = (Mode.SILENT, Mode.DIGEST, Mode.ALERT)


class Search(BaseModel):
    """What is watched for, and how it is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    """What the officer calls it; empty for one from before there were names."""
    words: str = ""
    filters: Filters = Filters()
    mode: Mode = Mode.ALERT
    quiet: Quiet | None = None
    """Its own quiet hours; None for the officer's."""

    @property
    def looks_inside(self) -> bool:
        """Whether it asks for what only the text of a bulletin tells."""
        return bool(self.words or self.filters.tactics or self.filters.subjects or self.filters.events)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A saved search of an officer. `snoozed`: until when it is put off (Unix seconds)."""

    id: int
    officer: int
    search: Search
    paused: bool = False
    snoozed: float = 0.0

    @property
    def filters(self) -> Filters:
        """Its restrictions but words."""
        return self.search.filters


@dataclass(frozen=True, slots=True)
class Telling:
    """What a bulletin means to one officer: how loud, and to which subscriptions it answers."""

    mode: Mode
    subscriptions: tuple[int, ...]
    hushed: bool = False
    """Nobody may say whether it answers to any of them: it comes without a sound."""


class Sight:
    """One bulletin as the saved searches see it."""

    def __init__(self, record: Record, ceiling: Ceiling) -> None:
        self.record = record
        self._open = ceiling.allows(record.bulletin.tlp) is Release.FULL
        self._spotter = Spotter(record.bulletin)

    def answers(self, search: Search) -> bool:
        """Whether it is told to who watches for `search`."""
        if not self._open:
            return matches_outside(self.record, search.filters)
        return matches(self.record, search.filters) and (not search.words or self._spots(search.words))

    def unsure(self, search: Search) -> bool:
        """Whether it answers to `search` only because nobody may say that it does not."""
        return not self._open and search.looks_inside

    def _spots(self, words: str) -> bool:
        try:
            return any(map(self._spotter.holds, alternatives(words)))
        except OperationError:
            return True  # words that were taken once and are none any more: better told than lost


def decide(sight: Sight, held: Iterable[Subscription]) -> Telling | None:
    """One officer's subscriptions and one bulletin: at most one telling, the loudest. None for nothing.

    Flash is an alert whatever the mode; only a pause keeps it away.
    """
    found = [each for each in held if not each.paused and sight.answers(each.search)]
    if not found:
        return None
    ids = tuple(each.id for each in found)
    if sight.record.bulletin.severity is Severity.FLASH:
        return Telling(Mode.ALERT, ids)
    mode = max((each.search.mode for each in found), key=_LOUDNESS.index)
    heard = (each.search for each in found if each.search.mode is mode)
    return Telling(mode, ids, hushed=all(map(sight.unsure, heard)))


def same_as(search: Search, held: Iterable[Subscription]) -> Subscription | None:
    """The first that looks for the same, however it is called and told."""
    wanted = search.filters, meant(search.words)
    return next((each for each in held if (each.filters, meant(each.search.words)) == wanted), None)


def active(held: Iterable[Subscription]) -> list[Subscription]:
    """Those by which something is told."""
    return [each for each in held if not each.paused and each.search.mode is not Mode.SILENT]


def on_shift(held: Iterable[Subscription]) -> list[Subscription]:
    """By which a hand-over is put together: a shift is not a matter of taste, so without an active
    subscription it has all that came.
    """
    return active(held) or [Subscription(0, 0, Search(mode=Mode.DIGEST))]


def stands_in_digest(sight: Sight, held: Iterable[Subscription]) -> bool:
    """Whether an officer's digest lists it: what would have alerted does too."""
    return any(sight.answers(each.search) for each in active(held))


def rests_until(
    now: float, answered: Sequence[Subscription], quiet: Quiet | None, where: ZoneInfo
) -> float | None:
    """Until when an alert waits (Unix seconds); None: it goes now.

    `answered` are the subscriptions that it answers to, as they stand now; `quiet` and `where` the
    officer's. It goes as soon as one of those that alert is neither snoozed nor in its quiet hours.
    """
    loud = [each for each in answered if each.search.mode is Mode.ALERT and not each.paused]
    if not loud:
        return _quiet(now, quiet, where)
    ends: list[float] = []
    for each in loud:
        end = each.snoozed if each.snoozed > now else _quiet(now, each.search.quiet or quiet, where)
        if end is None:
            return None
        ends.append(end)
    return min(ends)


def may_sound(
    search: Search, others: Iterable[Subscription], quiet: Quiet | None
) -> list[Subscription] | None:
    """Which of the officer's `others` may sound while it is quiet for `search`; None when it never is.

    `quiet`: the officer's hours, for those that have none of their own.
    """
    hush = search.quiet or quiet
    if hush is None or hush.start == hush.end or search.mode is not Mode.ALERT:
        return None
    loud = (each for each in others if each.search.mode is Mode.ALERT and not each.paused)
    return [each for each in loud if _leaves(hush, each.search.quiet or quiet)]


def _leaves(hush: Quiet, other: Quiet | None) -> bool:
    """Whether `other` leaves a minute of `hush` loud: where it begins, or where the other ends within it."""
    return other is None or not other.holds(hush.start) or hush.holds(other.end)


def snooze_until(choice: Snooze, now: float, where: ZoneInfo) -> float:
    """When a snooze that begins at `now` ends (Unix seconds); "monday" is the next one at 08:00 local."""
    if hours := _HOURS.get(choice):
        return now + hours * 3_600.0
    day = moment(now).astimezone(where).date()
    day += timedelta(days=-day.weekday() % _WEEK)
    end = at_local(day, MONDAY_AT, where).timestamp()
    return end if end > now else at_local(day + timedelta(days=_WEEK), MONDAY_AT, where).timestamp()


def _quiet(now: float, quiet: Quiet | None, where: ZoneInfo) -> float | None:
    until = quiet_until(moment(now), quiet, where)
    return until.timestamp() if until else None

"""Which time a hand-over tells of, and why that one: the officer's shift, what they asked for, or the last
hours. Pure.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from bots.drafting.deadlines import read_past
from bots.duty.roster import TAKEN_FOR, Turn
from bots.state.outbox import KEEP
from bots.wording.words import Words
from schemas.errors import Code, OperationError

EXAMPLE: Final = "/handover 8h"
HOUR: Final = 3600.0
_MINUTES: Final = 60
"""So many are an hour; what is no whole hours is told in minutes."""
_SPANS: Final = {"": HOUR, "h": HOUR, "d": 24 * HOUR, "m": 60.0, "min": 60.0}
_SPAN: Final = re.compile(r"([0-9]{1,3}) ?(h|d|m|min|)\Z")
_SINCE: Final = re.compile(r"(?:since|depuis|desde(?: las?)?|с|自|منذ) ?(?:the )?", re.IGNORECASE)


class Why(StrEnum):
    """Why a hand-over begins where it begins."""

    RUNNING = "running"
    LAST = "last"
    NOT_LATELY = "lately"
    NO_ROSTER = "none"
    TAKEN = "taken"
    ASKED = "asked"
    SINCE = "since"
    """Asked for by the clock."""
    RELIEVED = "relieved"


class Wish(NamedTuple):
    """A time that was asked for: so many seconds back, and whether by its length or by when it begins."""

    seconds: float
    why: Why = Why.ASKED


def read(text: str, zone: ZoneInfo, now: float) -> Wish | None:
    """How far back, from `8h`, `8`, `30m`, `2d`, or from when clocks in `zone` showed `13:55` last;
    None for nothing. Raises OperationError `bad_request`, also for longer than bulletins are kept.
    """
    if not (wish := text.strip()):
        return None
    if found := _SPAN.match(wish.casefold()):
        back = Wish(int(found[1]) * _SPANS[found[2]])
    else:
        began = read_past(_SINCE.sub("", wish, count=1), zone, now, days=True)
        back = Wish(now - (began or now), Why.SINCE)
    if not 0 < back.seconds <= KEEP:
        raise OperationError(Code.BAD_REQUEST, "that could not be read", f"write {EXAMPLE}")
    return back


def begun(
    turns: Iterable[Turn | None], now: float, *, rostered: bool, taken: bool = False
) -> tuple[float, Why]:
    """When the shift of an officer began, given the last `turns` that they had on each roster, and why it is
    that; `rostered`: they stand on one; `taken`: they have taken over, and are told what came before that.
    """
    last = max((each for each in turns if each is not None), key=lambda each: each.since, default=None)
    if last is None:
        why = Why.NOT_LATELY if rostered else Why.NO_ROSTER
        return now - TAKEN_FOR, Why.TAKEN if taken else why
    return last.since, Why.RUNNING if last.until > now else Why.LAST


def title(why: str, since: str, seconds: float, say: Words) -> str:
    """The first line of a hand-over; `since` is when it begins, in words, `seconds` how long it is."""
    match why:
        case Why.RUNNING:
            return say.text("Hand-over since your shift began, {since}", since=since)
        case Why.LAST:
            return say.text("Hand-over since your last shift began, {since}", since=since)
        case Why.SINCE:
            return say.text("Hand-over since {since}, as you asked", since=since)
        case Why.NO_ROSTER:
            text = say.text("Hand-over of {hours}, as you are on no roster", hours=_hours(seconds, say))
        case Why.TAKEN:
            text = say.text(
                "Hand-over of {hours}, as you took over and had no shift of your own",
                hours=_hours(seconds, say),
            )
        case Why.NOT_LATELY:
            text = say.text(
                "Hand-over of {hours}, as you had no shift in the last two days", hours=_hours(seconds, say)
            )
        case Why.ASKED:
            text = say.text("Hand-over of {hours}, as you asked", hours=_hours(seconds, say))
        case _:
            return say.text("Hand-over of the shift, since {since}", since=since)
    began = say.text("since {since}", since=since)  # on a line of its own: none is found within an f-string
    return f"{text} ({began})"


def _hours(seconds: float, say: Words) -> str:
    minutes = max(1, round(seconds / 60))
    if minutes % _MINUTES:
        return say.count("the last {number} minute", "the last {number} minutes", minutes)
    hours = minutes // _MINUTES
    if hours == 1:
        return say.text("the last hour")
    return say.count("the last {number} hour", "the last {number} hours", hours)

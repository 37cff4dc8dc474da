"""Which time a hand-over tells of, and why that one: the officer's shift, what they asked for, or the last
hours. Pure.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from bots.duty.roster import TAKEN_FOR, Turn
from bots.state.outbox import KEEP
from bots.wording.words import Words
from schemas.errors import Code, OperationError

EXAMPLE: Final = "/handover 8h"
HOUR: Final = 3600.0
_DAY_HOURS: Final = 24
_HOURS: Final = re.compile(r"([0-9]{1,3}) ?([hd]?)\Z")


class Why(StrEnum):
    """Why a hand-over begins where it begins."""

    RUNNING = "running"
    LAST = "last"
    NOT_LATELY = "lately"
    NO_ROSTER = "none"
    TAKEN = "taken"
    ASKED = "asked"
    RELIEVED = "relieved"


def read(text: str) -> float | None:
    """So many seconds back, from `8h`, `8` or `2d`; None for nothing. Raises OperationError `bad_request`,
    also for longer than bulletins are kept.
    """
    if not text.strip():
        return None
    found = _HOURS.match(text.strip().casefold())
    seconds = int(found[1]) * (_DAY_HOURS if found[2] == "d" else 1) * HOUR if found else 0.0
    if not 0 < seconds <= KEEP:
        raise OperationError(Code.BAD_REQUEST, "that could not be read", f"write {EXAMPLE}")
    return seconds


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
    hours = max(1, round(seconds / HOUR))
    if hours == 1:
        return say.text("the last hour")
    return say.count("the last {number} hour", "the last {number} hours", hours)

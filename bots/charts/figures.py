"""`/stats`: what is counted, and how it is called. Pure.

Only what may be shown in chat is counted, and the picture says so: the node is asked under the ceiling, so
that no bar tells of a bulletin that is withheld.
"""

from datetime import datetime, timedelta
from typing import Final

from bots.charts.numbers import Numbers, counted_up_to
from bots.clock import moment
from bots.searches.matching import QUIET_KINDS
from bots.wording.words import Words
from schemas.encoding import from_instant, instant
from schemas.vocabulary import Kind, Tlp
from subscribers.insight.shapes import Counts, Step
from subscribers.records import Filters

WEEKS: Final = 12
DAYS: Final = 28


def asked(now: float, step: Step, ceiling: Tlp, community: str | None = None) -> Filters:
    """What is counted at `now` (Unix seconds): whole days or weeks (from Monday, UTC), this one the last."""
    today = moment(now).replace(hour=0, minute=0, second=0, microsecond=0)
    if step == "week":
        until = today - timedelta(days=today.weekday()) + timedelta(days=7)
        since = until - timedelta(weeks=WEEKS)
    else:
        until = today + timedelta(days=1)
        since = until - timedelta(days=DAYS)
    return Filters(
        kinds=frozenset(Kind) - QUIET_KINDS,
        communities=frozenset({community} if community else ()),
        tlp_at_most=ceiling,
        since=_instant(since),
        until=_instant(until),
    )


def numbers(counts: Counts, step: Step, say: Words) -> Numbers:
    """What an answer of the node says."""
    weekly = step == "week"
    return Numbers(
        title=say.count("The last {number} week", "The last {number} weeks", WEEKS)
        if weekly
        else say.count("The last {number} day", "The last {number} days", DAYS),
        stretches=tuple(
            (say.day(moment(from_instant(each.at) / 1000)), each.severities) for each in counts.bars
        ),
        kinds=counts.kinds,
        notes=(
            counted_up_to(counts.tlp_at_most.value, say),
            say.text("Weeks begin on Monday, UTC.") if weekly else say.text("Days are those of UTC."),
        ),
    )


def _instant(at: datetime) -> str:
    return instant(round(at.timestamp() * 1000))

"""What was not looked at because chat may not show it: how many bulletins, and where they can be searched.

How many there are is no secret: each is announced by its reference, and stands so in `/latest`. How many of
them answer to what was asked is never said, for that would tell what they are about.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from bots.ports import NodeClient
from bots.searches.matching import QUIET_KINDS
from bots.showing.release import Ceiling
from bots.wording.words import Words
from schemas.encoding import instant
from schemas.vocabulary import Kind, Tlp
from subscribers.records import Filters

WEEKS: Final = 52
TERMINAL: Final = "liaison-agency chat"
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Unsearched:
    """So many bulletins of the last year; `room` where there is a reading room. `partly`: something may be
    withheld at all.
    """

    number: int = 0
    room: bool = False
    partly: bool = False

    def said(self, say: Words, *, always: bool = False) -> str:
        """In words; empty where nothing was left out, unless `always` and something may be."""
        if not self.number:
            told = say.text("Only bulletins that may be shown in chat are searched here.")
            return told if always and self.partly else ""
        number = say.count(
            "Not searched: {number} bulletin that may not be shown in chat.",
            "Not searched: {number} bulletins that may not be shown in chat.",
            self.number,
        )
        where = (
            say.text("Search in the reading room: /room")
            if self.room
            else say.text("Search on your agency's terminal: {command}", command=say.embed(TERMINAL))
        )
        return f"🔒 {number} {where}"


async def unsearched(node: NodeClient, ceiling: Ceiling, now: float) -> Unsearched:
    """What `ceiling` keeps from a search at `now` (Unix seconds)."""
    if ceiling.full is Tlp.RED:
        return Unsearched()
    every, shown = await asyncio.gather(
        *(node.counts(_of_the_year(now, tlp), "whole") for tlp in (Tlp.RED, ceiling.full))
    )
    number = max(0, every.total - shown.total)
    return Unsearched(number, room=bool(ceiling.room), partly=True)


def _of_the_year(now: float, tlp: Tlp) -> Filters:
    until = int(now) + _DAY
    return Filters(
        kinds=frozenset(Kind) - QUIET_KINDS,
        tlp_at_most=tlp,
        since=instant((until - WEEKS * 7 * _DAY) * 1000),
        until=instant(until * 1000),
    )

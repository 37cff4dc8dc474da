"""What a digest or a hand-over says of itself: what its sign of what waits means, and to what it is limited.
Pure.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from bots.searches.facets import suggested_name
from bots.searches.watching import Subscription, active
from bots.telling.awaiting import LEAST, SIGN
from bots.wording import labels
from bots.wording.words import Words

_NAMED: Final = 5
"""So many subscriptions are named; the rest are counted."""


def meaning(say: Words) -> str:
    """What the sign stands for."""
    return say.text(
        "{sign} waits: what is “{severity}” or graver, and what is named by its reference alone, until you"
        " acknowledge it; a question until your agency answers it. What your agency issued does not wait.",
        sign=SIGN,
        severity=labels.severity(LEAST, say),
    )


def by_subscriptions(held: Iterable[Subscription], say: Words, *, whole: bool, waits: bool = False) -> str:
    """By which subscriptions it is limited. `whole`, for a hand-over: questions to the agency are not, and
    nothing is without an active one; `waits`: a digest tells of something that waits.
    """
    some = active(held)
    if not some and whole:
        return say.text("You have no active subscription: everything that came is listed. /subscribe")
    if not some and waits:
        return say.text(
            "You have no active subscription, so nothing new is listed: what waits here was told you before."
            " /subscribe"
        )
    if not some:
        return say.text("You have no active subscription, so nothing is listed. /subscribe")
    limit = say.count(
        "Only what your subscription matches: {searches}.",
        "Only what your subscriptions match: {searches}.",
        len(some),
        searches=_named(some, say),
    )
    if not whole:
        return limit
    every = say.text("Questions to your agency are named whatever you subscribe to: /asked")
    return f"{limit}\n{every}"


def _named(held: Sequence[Subscription], say: Words) -> str:
    names = (each.search.name or suggested_name(each.search, (), say) for each in held[:_NAMED])
    some = [say.text("“{name}”", name=say.embed(each)) for each in names]
    if left := len(held[_NAMED:]):
        some.append(say.count("and {number} more", "and {number} more", left))
    return say.listed(some)

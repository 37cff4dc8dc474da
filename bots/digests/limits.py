"""What a digest or a hand-over says of itself: what its sign of what waits means, and to what it is limited.
Pure.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from bots.searches.facets import suggested_name
from bots.searches.watching import Mode, Subscription
from bots.telling.awaiting import SIGN
from bots.wording.words import Words

_NAMED: Final = 5
"""So many subscriptions are named; the rest are counted."""


def meaning(say: Words) -> str:
    """What the sign stands for."""
    return say.text(
        "{sign} waits: you have not acknowledged it, or your agency has not answered it.", sign=SIGN
    )


def by_subscriptions(held: Iterable[Subscription], say: Words, *, whole: bool) -> str:
    """By which subscriptions it is limited. `whole`, for a hand-over: questions to the agency are not."""
    active = [each for each in held if not each.paused and each.search.mode is not Mode.SILENT]
    if not active and whole:
        limit = say.text("A hand-over lists what your subscriptions match, and none is active: /subscribe")
    elif not active:
        limit = say.text("A digest lists what your subscriptions match, and none is active: /subscribe")
    else:
        limit = say.count(
            "Only what your subscription matches: {searches}.",
            "Only what your subscriptions match: {searches}.",
            len(active),
            searches=_named(active, say),
        )
    if not whole:
        return limit
    every = say.text("Questions to your agency are named whatever you subscribe to: /asked")
    return f"{limit}\n{every}"


def _named(active: Sequence[Subscription], say: Words) -> str:
    names = (each.search.name or suggested_name(each.search, (), say) for each in active[:_NAMED])
    some = [say.text("“{name}”", name=say.embed(each)) for each in names]
    if left := len(active[_NAMED:]):
        some.append(say.count("and {number} more", "and {number} more", left))
    return say.listed(some)

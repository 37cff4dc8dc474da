"""Why a name was taken for another, in English words. Pure."""

from collections.abc import Iterator
from typing import Final

from subscribers.reference.names import Hit, Which
from subscribers.reference.spelling import How
from subscribers.reference.tactics import Match

WHICH: Final = {
    Which.NAME: "its name",
    Which.ORIGINAL: "its name in the original script",
    Which.ALIAS: "an alias",
    Which.GOOD_ALIAS: "an alias of good quality",
    Which.LOW_ALIAS: "an alias of low quality",
    Which.FORMER: "a former name",
}
HOW: Final = {
    How.SAME: "the same",
    How.SCRIPT: "in another script",
    How.SPELLING: "another spelling",
    How.LETTER: "a letter or two apart",
    How.INITIAL: "only the initial",
}
MATCH: Final = {
    Match.NUMBER: "its number",
    Match.NAME: "its name",
    Match.WORDS: "part of its name",
    Match.SPELLING: "a name spelled nearly like it",
    Match.PHASE: "it belongs to that phase",
}


def reasons(hit: Hit) -> list[str]:
    """What met, what did not, and what else was compared, each a phrase."""
    return list(_reasons(hit))


def _reasons(hit: Hit) -> Iterator[str]:
    met = f"{WHICH[hit.which]}: {hit.name}"
    yield f"{met}, word for word" if hit.how is How.SAME and not hit.missing and not hit.extra else met
    for how in How:
        pairs = [f"{each.asked} ~ {each.listed}" for each in hit.pairs if each.how is how]
        if pairs and how is not How.SAME:
            yield f"{HOW[how]}: {', '.join(pairs)}"
    if hit.reordered:
        yield "the words stand in another order"
    if hit.missing:
        yield f"not asked for: {', '.join(hit.missing)}"
    if hit.extra:
        yield f"not in that name: {', '.join(hit.extra)}"
    if hit.born is not None:
        listed = ", ".join(each.text for each in hit.entry.born)
        yield f"birth {hit.born}" + (f": listed {listed}" if listed else ": the list has none")
    if hit.nationality is not None:
        listed = ", ".join(hit.entry.nationalities)
        yield f"nationality {hit.nationality}" + (f": listed {listed}" if listed else ": the list has none")

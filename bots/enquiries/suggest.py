"""Did you mean: near words and near references from what may be shown in chat. Pure."""

import re
from collections.abc import Iterable
from typing import Final

from rapidfuzz.distance import Indel
from rapidfuzz.process import extractOne

from bots.showing.release import Ceiling, Release
from bots.state.titles import Titled

_WORD: Final = re.compile(r"\w{4,}")
_NEAR: Final = 0.75


def vocabulary(known: Iterable[Titled], ceiling: Ceiling) -> frozenset[str]:
    """The words of the titles that `ceiling` shows in full: a suggestion must not tell what the ceiling
    withholds.
    """
    shown = (each for each in known if ceiling.allows(each.tlp) is Release.FULL)
    titles = (title for each in shown for title in each.titles)
    return frozenset(word.lower() for title in titles for word in _WORD.findall(title))


def did_you_mean(words: str, known: Iterable[str]) -> str | None:
    """`words` with each unknown one replaced by a near known one; None when there is nothing better."""
    have = sorted(set(known))
    said = words.split()
    better = [_nearest(word, have) for word in said]
    return " ".join(better) if better != [word.lower() for word in said] else None


def _nearest(word: str, have: list[str]) -> str:
    lower = word.lower()
    if lower in have:
        return lower
    found = extractOne(lower, have, scorer=Indel.normalized_similarity, score_cutoff=_NEAR)
    return found[0] if found else lower

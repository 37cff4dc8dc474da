"""Did you mean: near words and near references from what may be shown in chat. Pure."""

import difflib
import re
from collections.abc import Iterable
from typing import Final

from bots.showing.release import Ceiling, Release
from subscribers.records import Record

_WORD: Final = re.compile(r"\w{4,}")
_NEAR: Final = 0.75


def vocabulary(records: Iterable[Record], ceiling: Ceiling) -> frozenset[str]:
    """The words of the titles that `ceiling` shows in full: a suggestion must not tell what the ceiling
    withholds.
    """
    shown = (each.bulletin for each in records if ceiling.allows(each.bulletin.tlp) is Release.FULL)
    titles = (title for each in shown for title in (each.title, *(text.title for text in each.translations)))
    return frozenset(word.lower() for title in titles for word in _WORD.findall(title))


def did_you_mean(words: str, known: Iterable[str]) -> str | None:
    """`words` with each unknown one replaced by a near known one; None when there is nothing better."""
    have = sorted(set(known))
    said = words.split()
    better = [_nearest(word, have) for word in said]
    return " ".join(better) if better != [word.lower() for word in said] else None


def _nearest(word: str, have: list[str]) -> str:
    lower = word.lower()
    found = [lower] if lower in have else difflib.get_close_matches(lower, have, 1, _NEAR)
    return found[0] if found else lower

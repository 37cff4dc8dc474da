"""Who on the UN list may be meant by a name: ranked, with the reason and the score, never a verdict. Pure.

A name is compared word by word (`spelling`). A word weighs more the fewer entries have it, so that Muhammad
says little and Zawahiri much; words in another order, left out, or one too many are told, and cost what they
weigh. The score says how well the names go together, from 0 to 100. It is no probability, and one name
belongs to many people: what is found is possible, and birth and nationality are for people to compare.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from heapq import nsmallest
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from schemas.errors import Code, OperationError
from subscribers.reference.lexicon import Alike, Lexicon
from subscribers.reference.spelling import How, Word, likeness, together, words_of
from subscribers.reference.un_list import Entry, UnList

QUERY_MAX: Final = 200
"""Characters of a name that is asked for."""
WORDS_MAX: Final = 12
SCORE_MIN: Final = 62
"""Below this two names have too little in common to be shown."""
_CANDIDATES: Final = 160
_ASKED_SHARE: Final = 0.7
"""How much of the score is what was asked for, found in the name; the rest is the name, found in what was
asked for: people seldom know all of a listed name."""

Agreement = Literal["agrees", "differs", "unknown"]


class Which(StrEnum):
    """Which of an entry's names it was."""

    NAME = "name"
    ORIGINAL = "original"
    ALIAS = "alias"
    GOOD_ALIAS = "good-alias"
    LOW_ALIAS = "low-alias"
    FORMER = "former"


_NEAR: Final = 1
"""Years: many dates of birth on the list are themselves only about right."""
_BRACKETS: Final = re.compile(r"\(([^()]*)\)?")
_LABEL: Final = re.compile(r"original script:?|\b(?:previously|formerly) listed as\b", re.IGNORECASE)
_REMARK: Final = re.compile(r",? born (?:in|on|[0-9]).*", re.IGNORECASE)

_OF_QUALITY: Final[dict[str, Which]] = {
    "": Which.ALIAS,
    "good": Which.GOOD_ALIAS,
    "low": Which.LOW_ALIAS,
    "former": Which.FORMER,
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A word that was asked for, the listed one that it goes with, and how."""

    asked: str
    listed: str
    how: How


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that may be meant, by that of its names which goes best with what was asked for."""

    entry: Entry
    name: str
    which: Which
    score: int
    """0 to 100."""
    how: How
    """The weakest of the pairs'."""
    pairs: tuple[Pair, ...]
    extra: tuple[str, ...]
    """Words that were asked for and are not in this name."""
    missing: tuple[str, ...]
    """Words of this name that were not asked for."""
    reordered: bool
    born: Agreement | None = None
    """Against the year that was given; None when none was."""
    nationality: Agreement | None = None


class _Name(NamedTuple):
    reference: str
    shown: str
    which: Which
    words: tuple[int, ...]
    pairs: tuple[int, ...]
    """Each word and the next, written as one."""


class _Match(NamedTuple):
    """Some words of a query (from, to) with some of a name."""

    worth: float
    likely: float
    how: How
    asked: tuple[int, ...]
    listed: tuple[int, ...]


class _Found(NamedTuple):
    """The listed words like one that was asked for, or like two that stand side by side."""

    places: tuple[int, ...]
    weight: float
    words: Alike
    pairs: Alike


class NameIndex:
    """The names of a list, ready to be compared with. Takes about a second to build, and is not changed."""

    def __init__(self, un_list: UnList) -> None:
        self._entries = un_list.entries
        self._names: list[_Name] = []
        self._words, self._pairs = Lexicon(), Lexicon()
        for entry in un_list.entries.values():
            for shown, which in _names_of(entry):
                self._add(entry.reference, shown, which)
        self._weights = [self._weight(word) for word in self._words.words]

    def look_up(self, name: str, *, born: int | None = None, nationality: str | None = None) -> list[Hit]:
        """The entries that may be meant, best first. OperationError `bad_request` for no name, or too long a
        one (200 characters, 12 words).
        """
        asked = _asked(name)
        found = self._find(asked)
        best: dict[str, Hit] = {}
        for candidate in self._candidates(found):
            hit = self._hit(candidate, asked, found)
            held = best.get(hit.entry.reference)
            if hit.score >= SCORE_MIN and (held is None or hit.score > held.score):
                best[hit.entry.reference] = hit
        return sorted((_compared(each, born, nationality) for each in best.values()), key=_place)

    def _add(self, reference: str, shown: str, which: Which) -> None:
        words = words_of(shown)
        number = len(self._names)
        places = tuple(self._words.add(word, number) for word in words)
        pairs = tuple(self._pairs.add(together(*pair), number) for pair in pairwise(words))
        self._names.append(_Name(reference, shown, which, places, pairs))

    def _weight(self, word: Word) -> float:
        """1 for a word that hardly an entry has, towards 0 for one that all have."""
        having = {self._names[name].reference for name in self._words.named(word)}
        return math.log1p(len(self._entries) / max(1, len(having))) / math.log1p(len(self._entries))

    def _find(self, asked: Sequence[Word]) -> list[_Found]:
        weights = [self._weight(word) for word in asked]
        found = [
            _Found((i,), weights[i], self._words.like(word), self._pairs.joined_like(word))
            for i, word in enumerate(asked)
        ]
        for i, pair in enumerate(pairwise(asked)):
            if all(len(word.text) > 1 for word in pair):
                alike = self._words.joined_like(together(*pair))
                found.append(_Found((i, i + 1), weights[i] + weights[i + 1], alike, {}))
        return found

    def _candidates(self, found: Sequence[_Found]) -> list[int]:
        """The names that have most of what was asked for."""
        worth: dict[int, float] = defaultdict(float)
        for each in found:
            best: dict[int, float] = {}
            for lexicon, alike in ((self._words, each.words), (self._pairs, each.pairs)):
                for place, (likely, _) in alike.items():
                    for name in lexicon.names[place]:
                        best[name] = max(best.get(name, 0.0), likely)
            for name, likely in best.items():
                alone = len(each.places) == 1
                gained = each.weight * likely
                worth[name] = worth[name] + gained if alone else max(worth[name], gained)
        return nsmallest(_CANDIDATES, worth, key=lambda name: (-worth[name], len(self._names[name].words)))

    def _hit(self, candidate: int, asked: Sequence[Word], found: Sequence[_Found]) -> Hit:
        name = self._names[candidate]
        words = [self._words.words[place] for place in name.words]
        weights = [each.weight for each in found[: len(asked)]]
        listed = [self._weights[place] for place in name.words]
        chosen = _chosen(_matches(name, found, asked, words))
        met = sum(match.worth for match in chosen) / sum(weights)
        covered = sum(match.likely * sum(listed[j] for j in match.listed) for match in chosen) / sum(listed)
        taken, used = (
            {i for match in chosen for i in match.asked},
            {j for match in chosen for j in match.listed},
        )
        chosen.sort(key=lambda match: match.asked)
        return Hit(
            entry=self._entries[name.reference],
            name=name.shown,
            which=name.which,
            score=round(100 * (_ASKED_SHARE * met + (1 - _ASKED_SHARE) * covered)),
            how=max((match.how for match in chosen), key=list(How).index, default=How.LETTER),
            pairs=tuple(
                Pair(_shown(asked, each.asked), _shown(words, each.listed), each.how) for each in chosen
            ),
            extra=tuple(word.shown for i, word in enumerate(asked) if i not in taken),
            missing=tuple(word.shown for j, word in enumerate(words) if j not in used),
            reordered=any(first.listed > second.listed for first, second in pairwise(chosen)),
        )


def _asked(name: str) -> tuple[Word, ...]:
    words = words_of(name) if len(name) <= QUERY_MAX else ()
    if len(name) > QUERY_MAX or len(words) > WORDS_MAX:
        limits = f"{QUERY_MAX} characters and {WORDS_MAX} words"
        raise OperationError(Code.BAD_REQUEST, f"a name has at most {limits}", "give less of it")
    if not words:
        raise OperationError(Code.BAD_REQUEST, "there is no name in this", "give a name, or a reference")
    return words


def _matches(
    name: _Name, found: Sequence[_Found], asked: Sequence[Word], words: Sequence[Word]
) -> Iterator[_Match]:
    """What may go with what: one word with one, or two that are written as one on the other side."""
    for places, weight, alike, pairs in found:
        for j, place in enumerate(name.words):
            likely, how = alike.get(place, (0.0, How.LETTER))
            if len(places) == 1 and 1 in {len(asked[places[0]].text), len(words[j].text)}:
                likely, how = likeness(asked[places[0]], words[j])
            if likely:
                yield _Match(weight * likely, likely, how, places, (j,))
        for j, place in enumerate(name.pairs):
            if place in pairs:
                likely, how = pairs[place]
                yield _Match(weight * likely, likely, how, places, (j, j + 1))


def _chosen(matches: Iterable[_Match]) -> list[_Match]:
    """The best matches that share no word: the heaviest first, which for names is as good as trying all."""
    found = list(matches)
    alone: dict[int, float] = {}
    for match in found:
        if len(match.asked) == 1:
            alone[match.asked[0]] = max(alone.get(match.asked[0], 0.0), match.worth)
    # Two words that are one on the other side, where they are not better each by itself.
    found = [
        each
        for each in found
        if each.worth > sum(alone.get(i, 0.0) for i in each.asked) or len(each.asked) == 1
    ]
    chosen: list[_Match] = []
    asked: set[int] = set()
    listed: set[int] = set()
    for match in sorted(found, key=lambda each: (-each.worth, -len(each.listed), each.listed, each.asked)):
        if asked.isdisjoint(match.asked) and listed.isdisjoint(match.listed):
            chosen.append(match)
            asked.update(match.asked)
            listed.update(match.listed)
    return chosen


def _shown(words: Sequence[Word], places: Iterable[int]) -> str:
    return " ".join(words[place].shown for place in places)


def _compared(hit: Hit, born: int | None, nationality: str | None) -> Hit:
    entry = hit.entry
    years: Agreement | None = None
    if born is not None:
        years = "unknown" if not entry.born else "differs"
        if any(each.first - _NEAR <= born <= each.last + _NEAR for each in entry.born):
            years = "agrees"
    nations: Agreement | None = None
    if nationality is not None:
        wanted = {word.text for word in words_of(nationality)}
        nations = "unknown" if not entry.nationalities else "differs"
        if any(wanted <= {word.text for word in words_of(each)} for each in entry.nationalities):
            nations = "agrees"
    return replace(hit, born=years, nationality=nations)


def _place(hit: Hit) -> tuple[int, int, str]:
    """Where a hit stands: by its score; among equals, by what else agrees."""
    order = {None: 0, "agrees": 0, "unknown": 1, "differs": 2}
    return -hit.score, order[hit.born] + order[hit.nationality], hit.entry.reference


def _names_of(entry: Entry) -> Iterator[tuple[str, Which]]:
    yield from ((each, Which.NAME) for each in _apart(entry.name))
    yield from ((each, Which.ORIGINAL) for each in _apart(entry.original))
    for alias in entry.aliases:
        yield from ((each, _OF_QUALITY[alias.quality]) for each in _apart(alias.name))


def _apart(text: str) -> Iterator[str]:
    """The names in one field: some hold several, or a remark in brackets."""
    outside = _BRACKETS.sub(" ", text)
    inside = [each for each in _BRACKETS.findall(text) if not each.isascii() or ";" in each or each.isupper()]
    for part in re.split(r"[;\n]|\b[a-z]\) ", "; ".join([outside, *inside])):
        plain = _REMARK.sub("", _LABEL.sub("", part)).strip(' ,.:-"\u201c\u201d')
        if words_of(plain):
            yield plain

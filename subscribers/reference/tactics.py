"""ATT&CK and DISARM techniques, found by number or by name. Pure, but for `load`, which reads files.

They come with the package `pymispgalaxies` (MISP galaxy clusters), so nothing is fetched. Its own classes
load all clusters, which takes seconds and 200 MB; we read the four files that we need, and keep what is shown
of them: 0.2 s and 2 MB. The numbers of the two do not meet: DISARM counts from T0002, ATT&CK from T1001 (its
ICS matrix, from T0800, is not among them). Numbers are as in a bulletin's `tactics` (FORMAT.md, "Bulletin").
"""

import functools
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA, Prefix

from schemas.errors import Code, OperationError
from schemas.vocabulary import Taxonomy

SUMMARY_MAX: Final = 480
"""Characters of a description that are kept: whole sentences where they fit."""
QUERY_MAX: Final = 100
SCORE_MIN: Final = 72
"""Below this a name is no longer taken for a misspelled one."""
NEAR_MIN: Final = 80
"""Of 100: below this a word is no longer taken for a misspelled one."""
HITS_MAX: Final = 25
NUMBERS_MAX: Final = 5
"""Numbers that are near one that there is not."""

_OTHER_MATRICES: Final = frozenset({"Android", "iOS", "PRE"})
"""Platforms of ATT&CK's matrices for phones and for preparations."""
_NUMBER: Final = re.compile(r"(T[0-9]{4})(?:[./]([0-9]{3}))?\Z", re.IGNORECASE)
_LIKE_A_NUMBER: Final = re.compile(r"(TA|LT-|T|)([0-9]{2,8})(?:[./ -]([0-9]{1,4}))?\Z", re.IGNORECASE)
"""A number, or what is meant to be one: `T1566.01`, `T9999`, `1566`."""
_MISSPELLED_MIN: Final = 4
"""Letters of a word that may be a misspelled one."""
_CITATION: Final = re.compile(r"\(Citation: [^)]*\)")
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s")
_WORD: Final = re.compile(r"[^\W_]+")


class Match(StrEnum):
    """What of a technique was found, surest first."""

    NUMBER = "number"
    NAME = "name"
    WORDS = "words"
    """Every word that was asked for begins a word of the name."""
    SPELLING = "spelling"
    """The name, or each of these words of it, is spelled nearly like that."""
    PHASE = "phase"
    """It belongs to a phase of that name."""


@dataclass(frozen=True, slots=True)
class Countermeasure:
    """What may be done against a technique: `M1054` is a mitigation of ATT&CK, `C00008` is DISARM's."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Technique:
    """A way in which an adversary works."""

    taxonomy: Taxonomy
    id: str
    name: str
    summary: str
    phases: tuple[str, ...]
    """To what end: `initial access`, `maximise exposure`."""
    platforms: tuple[str, ...]
    url: str
    parent: str
    """The number that this one is a part of; empty for a whole one."""
    parts: tuple[str, ...]
    countermeasures: tuple[Countermeasure, ...]
    withdrawn: bool
    """No longer in use: `replaced_by` says what took its place, where there is such a thing."""
    replaced_by: str


@dataclass(frozen=True, slots=True)
class Found:
    """A technique that may be meant, and why."""

    technique: Technique
    match: Match
    score: int
    """0 to 100."""


class Techniques:
    """All techniques, by number and by name."""

    def __init__(self, techniques: Iterable[Technique]) -> None:
        self._by_id = {each.id: each for each in techniques}
        self._words = {each.id: _words(each.name) for each in self._by_id.values()}
        self._vocabulary = sorted({word for words in self._words.values() for word in words})
        self._phases: dict[str, list[str]] = defaultdict(list)
        for each in self._by_id.values():
            for phase in () if each.withdrawn else each.phases:
                self._phases[" ".join(_words(phase))].append(each.id)

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, number: str) -> Technique | None:
        """The technique of that number: `T1566`, `t1566.001`, `T1566/001`."""
        found = _NUMBER.match(number.strip())
        if found is None:
            return None
        return self._by_id.get(found[1].upper() + (f".{found[2]}" if found[2] else ""))

    def named(self, asked: str) -> list[Technique]:
        """Those with exactly this name, whatever its case, spaces and hyphens. First the one that is meant:
        in use before withdrawn, ATT&CK's enterprise matrix before phones and preparations.
        """
        wanted = "".join(_words(asked)) if len(asked) <= QUERY_MAX else ""
        found = [self._by_id[id] for id, words in self._words.items() if wanted and "".join(words) == wanted]
        return sorted(found, key=lambda each: (each.withdrawn, not _is_enterprise(each), each.id))

    def near_number(self, asked: str) -> list[Technique] | None:
        """For a number that no technique has: those with the nearest, nearest first, at most 5. None where
        `asked` is not like a number.
        """
        found = _LIKE_A_NUMBER.match(asked.strip())
        if found is None:
            return None
        if found[1].upper() not in {"", "T"}:  # tactics, and an agency's own: no number here is near those
            return []
        whole, part = "T" + found[2], found[3]
        if part and (parent := self._by_id.get(whole)):
            apart = {each: abs(int(each.partition(".")[2]) - int(part)) for each in parent.parts}
            near = [*sorted(parent.parts, key=lambda each: apart[each])[: NUMBERS_MAX - 1], parent.id]
            return [self._by_id[each] for each in near]
        wanted = f"{whole}.{part}" if part else whole
        close = process.extract(wanted, list(self._by_id), scorer=OSA.distance, score_cutoff=1, limit=None)
        likely = sorted(
            (self._by_id[id].withdrawn, apart, -Prefix.similarity(id, wanted), id) for id, apart, _ in close
        )
        return [self._by_id[id] for *_, id in likely[:NUMBERS_MAX]]

    def look_up(self, asked: str, most: int | None = HITS_MAX) -> list[Found]:
        """What may be meant by a number, a name, part of one or a phase, best first; at most 25, or `most`,
        or all (None).

        OperationError `bad_request` where there is nothing to look for, or more than 100 characters.
        """
        if (exact := self.get(asked)) is not None:
            return [Found(exact, Match.NUMBER, 100)]
        words = _words(asked) if len(asked) <= QUERY_MAX else []
        if not words:
            fix = f"give a number such as T1566, or a name of at most {QUERY_MAX} characters"
            raise OperationError(Code.BAD_REQUEST, "there is no technique to look for", fix)
        nearly = self._near(words)
        compared = (self._compared(id, words, nearly) for id in self._by_id)
        found = [each for each in compared if each is not None]
        named = {each.technique.id for each in found}
        phase = self._phases.get(" ".join(words), ())
        found += [Found(self._by_id[id], Match.PHASE, SCORE_MIN) for id in phase if id not in named]
        return sorted(found, key=_order)[:most]

    def _near(self, asked: Sequence[str]) -> list[dict[str, float]]:
        """For each word, the words of names that it may stand for, 0 to 100: those that it begins; where it
        begins none, those that it is a misspelling of. Empty unless one is misspelled.
        """
        begun = [[each for each in self._vocabulary if each.startswith(word)] for word in asked]
        if all(begun):
            return []
        return [
            dict.fromkeys(known, 100.0) if known else self._misspelled(word)
            for word, known in zip(asked, begun, strict=True)
        ]

    def _misspelled(self, word: str) -> dict[str, float]:
        if len(word) < _MISSPELLED_MIN:
            return {}
        found = process.extract(word, self._vocabulary, scorer=fuzz.ratio, score_cutoff=NEAR_MIN, limit=None)
        return {each: score for each, score, _ in found}

    def _compared(self, id: str, asked: Sequence[str], nearly: Sequence[Mapping[str, float]]) -> Found | None:
        technique, words = self._by_id[id], self._words[id]
        if asked == words:
            return Found(technique, Match.NAME, 100)
        ours, theirs = "".join(asked), "".join(words)
        if theirs.startswith(ours) or all(any(word.startswith(each) for word in words) for each in asked):
            return Found(technique, Match.WORDS, round(_share(ours, theirs)))
        apart = fuzz.token_sort_ratio(" ".join(asked), " ".join(words), score_cutoff=SCORE_MIN)
        together = fuzz.ratio(ours, theirs, score_cutoff=SCORE_MIN)
        nearest = [max((each.get(word, 0.0) for word in words), default=0.0) for each in nearly]
        by_word = _share(ours, theirs) * min(nearest) / 100 if nearest and all(nearest) else 0.0
        score = round(max(apart, together, by_word and max(by_word, SCORE_MIN)))
        return Found(technique, Match.SPELLING, min(score, 97)) if score >= SCORE_MIN else None


@functools.cache
def techniques() -> Techniques:
    """All of them, read once. OperationError `not_found` where the package is not as we know it."""
    return Techniques(load())


def load() -> list[Technique]:
    """Every technique in the files of `pymispgalaxies`. OperationError `not_found`."""
    try:
        attack, mitigations = _cluster("mitre-attack-pattern"), _cluster("mitre-course-of-action")
        disarm, counters = _cluster("disarm-techniques"), _cluster("disarm-countermeasures")
        return [
            *_techniques(Taxonomy.ATTACK, attack, _against(mitigations, "mitigates", "M")),
            *_techniques(Taxonomy.DISARM, disarm, _against(counters, "blocks", "C")),
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        fix = "install the version of pymispgalaxies that is in uv.lock"
        raise OperationError(
            Code.NOT_FOUND, "the files of ATT&CK and DISARM are missing or changed", fix
        ) from None


def _share(ours: str, theirs: str) -> float:
    """80 to 98, by how much of a name was asked for."""
    return 80 + 18 * min(len(ours) / len(theirs), 1.0)


def _is_enterprise(technique: Technique) -> bool:
    return bool(set(technique.platforms) - _OTHER_MATRICES)


def _order(found: Found) -> tuple[bool, int, int, str]:
    return found.technique.withdrawn, -found.score, list(Match).index(found.match), found.technique.id


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _cluster(name: str) -> list[dict[str, Any]]:
    package = find_spec("pymispgalaxies")  # imported, it would load jsonschema, which we have no use for
    if package is None or package.origin is None:
        raise FileNotFoundError(name)
    path = Path(package.origin).parent / "data" / "misp-galaxy" / "clusters" / f"{name}.json"
    values: list[dict[str, Any]] = json.loads(path.read_bytes())["values"]
    return values


def _techniques(
    taxonomy: Taxonomy, values: Sequence[Mapping[str, Any]], against: Mapping[str, list[Countermeasure]]
) -> Iterator[Technique]:
    numbers = {value["uuid"]: str(value["meta"]["external_id"]) for value in values}
    parts: dict[str, list[str]] = defaultdict(list)
    for number in numbers.values():
        if "." in number:
            parts[number.partition(".")[0]].append(number)
    for value in values:
        meta, number = value["meta"], numbers[value["uuid"]]
        summary, withdrawn = _summary(value["description"]), bool(value.get("revoked"))
        replaced = (numbers.get(each, "") for each in _related(value, "revoked-by"))
        yield Technique(
            taxonomy=taxonomy,
            id=number,
            name=str(value["value"]).removesuffix(f" - {number}"),
            summary=summary,
            phases=tuple(dict.fromkeys(_phase(each) for each in meta.get("kill_chain", ()))),
            platforms=tuple(meta.get("mitre_platforms", ())),
            url=next((each for each in meta["refs"] if _is_own(each, number)), ""),
            parent=number.partition(".")[0] if "." in number else "",
            parts=tuple(sorted(parts[number])),
            countermeasures=tuple(sorted(against.get(value["uuid"], ()), key=lambda each: each.id)),
            withdrawn=withdrawn or "technique has been deprecated" in value["description"],
            replaced_by=next(replaced, ""),
        )


def _phase(text: str) -> str:
    """`attack-Windows:initial-access` is `initial access`."""
    return text.partition(":")[2].replace("-", " ").casefold()


def _is_own(url: str, number: str) -> bool:
    """Whether this is the page of the technique itself, not of something that it cites."""
    return url.removesuffix(".md").replace("/", ".").endswith(f"techniques.{number}")


def _related(value: Mapping[str, Any], relation: str) -> list[str]:
    return [each["dest-uuid"] for each in value.get("related", ()) if each["type"] == relation]


def _against(
    values: Sequence[Mapping[str, Any]], relation: str, letter: str
) -> dict[str, list[Countermeasure]]:
    """By the technique that it is against. The first mitigations of ATT&CK had no numbers of their own."""
    against: dict[str, list[Countermeasure]] = defaultdict(list)
    for value in values:
        number = str(value["meta"]["external_id"])
        if number.startswith(letter):
            name = str(value["value"]).removesuffix(f" - {number}")
            for technique in _related(value, relation):
                against[technique].append(Countermeasure(number, name))
    return against


def _summary(description: str) -> str:
    """The first paragraph, without links and citations: whole sentences of it, if there are any."""
    plain = _LINK.sub(r"\1", _CITATION.sub("", description)).replace("**", "")
    paragraph = next((" ".join(each.split()) for each in plain.split("\n\n") if each.strip()), "")
    if len(paragraph) <= SUMMARY_MAX:
        return paragraph
    kept = ""
    for sentence in _SENTENCE_END.split(paragraph):
        if len(kept) + len(sentence) + 1 > SUMMARY_MAX:
            break
        kept = f"{kept} {sentence}".strip()
    return kept or paragraph[: SUMMARY_MAX - 1].rsplit(" ", 1)[0] + "\N{HORIZONTAL ELLIPSIS}"

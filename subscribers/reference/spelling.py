"""Words of names in any script, and how alike two of them are. Pure.

Names come spelled in many ways: محمد is Muhammad, Mohamed, Mehmet and Мухаммед; the q of Qadhafi is also g
and k. So a word has, besides its letters, its *sound* (vowels of one kind written alike) and one or more
*frames*: its consonants, each in the class that romanisations mix up, without vowels, since Arabic does not
write most of them. Two words that share a frame are spellings of one another; how near their vowels are
decides how much that is worth.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final, NamedTuple

from anyascii import anyascii
from rapidfuzz.distance import OSA, Levenshtein

from subscribers.reference.romanisation import frames_of, romanised, sound_of

WORD_MAX: Final = 40
"""Letters of a word that are looked at."""
FRAME_LONG: Final = 3
"""Frames of so many consonants seldom meet by chance."""
FRAME_NEAR: Final = 4
"""Frames of so many may differ in one."""
_ONE_APART: Final = (0.0, 0.0, 0.55, 0.62, 0.78, 0.83, 0.88)
"""By the letters of the shorter word."""
_TWO_APART_MIN: Final = 7
_HALF_ALIKE: Final = 0.6
_CLOSE: Final = 0.88


class How(StrEnum):
    """How a word that was asked for and one on the list go together, surest first."""

    SAME = "same"
    SCRIPT = "script"
    """The same name in another script."""
    SPELLING = "spelling"
    """The same consonants; other vowels, or another romanisation."""
    LETTER = "letter"
    """A letter or two apart."""
    INITIAL = "initial"
    """One of the two is only a first letter."""


class Script(StrEnum):
    """What a word was written in, as far as it matters for comparing."""

    LATIN = "latin"
    ARABIC = "arabic"
    CYRILLIC = "cyrillic"
    HAN = "han"
    """Chinese and Korean."""
    OTHER = "other"


class Piece(NamedTuple):
    """A word on its way: as it is shown, and its ASCII letters, set apart by `'` where Arabic wrote them."""

    shown: str
    letters: str
    script: Script


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a name."""

    shown: str
    """As it was written."""
    letters: str
    """ASCII, lower case, set apart by `'` where runs of them are no one sound."""
    sound: str
    frames: frozenset[str]
    script: Script

    @property
    def text(self) -> str:
        """The ASCII letters alone."""
        return self.letters.replace("'", "")

    @property
    def bare(self) -> bool:
        """Whether it lacks the short vowels."""
        return self.script is Script.ARABIC


_ARABIC: Final = re.compile("[\u0620-\u06d3\u06fa-\u06ff\u0750-\u077f]")
_CYRILLIC: Final = re.compile("[\u0400-\u052f]")
_HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]")
_APOSTROPHES: Final = re.compile("['`\u2018\u2019\u02bb-\u02bf\u00b4\u201b]")
_MARKS: Final = re.compile("[\u0610-\u061a\u064b-\u065f\u0670\u0640\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
# The article before a sun letter; without its hyphen it may be a name: An, As, Ed.
_ASSIMILATED: Final = re.compile(
    r"\b(?:a(?:[dnrtz]|dh|s|sh|th)|e(?:[dnrtz]|s|sh)|u(?:[rsz]))-(?=\w)", re.IGNORECASE
)
_CAPITAL: Final = re.compile("(?<=[a-z])(?=[A-Z])")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What says how a person is related, or only joins words: it is in one spelling and not in the next.
_SMALL: Final = _set("""
    al el ul aal le la les de des du au aux the of and for in wa wal va
    bin ibn ben bint binti ould wuld wald walad oglu ogly son
""")
_ARABIC_SMALL: Final = _set("بن ابن إبن بنت ولد و في من")
_FATHER: Final = _set("abu abou abo aboe abi أبو ابو أبي ابي")
_SERVANT: Final = _set("abd abdul abdel abdal abdol abdoul abdil abdur abdus abdou عبد")
_FAITH: Final = _set("din deen dine eldin eldeen eddin eddine uddin uddeen aldin aldeen الدين")
_ALLAH: Final = _set("allah ullah ollah lah الله")
# One name, in forms too far apart for any rule.
_ONE_NAME: Final = {
    **dict.fromkeys(_set("mohd md muh mhd mehmet mehmed magomed maghomed magomet mahomet"), "muhammad"),
    **dict.fromkeys(_set("cheikh sheik cheick scheich seyh"), "sheikh"),
    **dict.fromkeys(_set("park bak"), "pak"),
    **dict.fromkeys(_set("lee yi rhee"), "ri"),
    "choi": "choe",
    "gim": "kim",
}


_SERVANT_OF: Final = re.compile(r"abd[aeiou]*l?(?=[a-z]{2,}\Z)")
_FATHER_OF: Final = re.compile(r"abo?u(?=[a-z]{4,}\Z)")


def words_of(name: str) -> tuple[Word, ...]:
    """The words of a name, in its order; articles and the like are left out unless there is nothing else."""
    pieces = [each for each in _pieces(name) if each.letters.strip("'")]
    telling = [each for each in pieces if each.letters not in _SMALL] or pieces
    return tuple(_word(each) for each in _joined(telling))


def together(first: Word, second: Word) -> Word:
    """Two words as they stand when they are written as one."""
    letters = f"{first.letters}'{second.letters}"
    return _word(Piece(f"{first.shown} {second.shown}", letters, first.script))


def likeness(asked: Word, listed: Word) -> tuple[float, How]:
    """How sure it is, from 0 to 1, that two words are the same name, and in which way they are."""
    same_script = asked.script is listed.script
    other = How.SPELLING if same_script else How.SCRIPT
    if asked.text == listed.text:
        return (1.0, How.SAME) if asked.shown.casefold() == listed.shown.casefold() else (0.97, other)
    if 1 in {len(asked.text), len(listed.text)}:
        return (0.5 if asked.text[0] == listed.text[0] else 0.0), How.INITIAL
    if common := asked.frames & listed.frames:
        likely = _sounding(asked, listed, max(map(len, common)))
        if likely >= _CLOSE:
            return likely, other
    else:
        likely = 0.0
    nearly = _nearly(asked, listed)
    return (likely, other) if likely > nearly else (nearly, How.LETTER)


def _sounding(asked: Word, listed: Word, length: int) -> float:
    """What a common frame of so many consonants is worth."""
    differing = Levenshtein.normalized_distance(asked.sound, listed.sound)
    if asked.bare or listed.bare:  # vowels that are not written cannot be compared
        return 0.94 if length >= FRAME_LONG else 0.9 - 0.5 * differing
    return 0.97 - (0.45 if length >= FRAME_LONG else 1.0) * differing


def _nearly(asked: Word, listed: Word) -> float:
    """What it is worth that hardly a letter differs."""
    shorter = min(len(asked.text), len(listed.text))
    apart = OSA.distance(asked.text, listed.text, score_cutoff=2)
    if apart == 1:
        return _ONE_APART[min(shorter, len(_ONE_APART) - 1)]
    if apart == 2 and shorter >= _TWO_APART_MIN:  # noqa: PLR2004 - two letters
        return 0.74
    if not (asked.bare or listed.bare) and OSA.normalized_similarity(asked.text, listed.text) < _HALF_ALIKE:
        return 0.0
    for mine, listed_frame in product(asked.frames, listed.frames):
        if min(len(mine), len(listed_frame)) >= FRAME_NEAR and OSA.distance(mine, listed_frame) == 1:
            return 0.7
    return 0.0


def _pieces(name: str) -> Iterator[Piece]:
    text = _MARKS.sub("", unicodedata.normalize("NFKC", name))
    text = _ASSIMILATED.sub("", text)
    for shown in re.findall(r"[^\W_]+", _APOSTROPHES.sub("", text)):
        word = shown[:WORD_MAX]
        if _ARABIC.search(word):
            if word not in _ARABIC_SMALL:
                yield from _arabic(word)
        elif _HAN.search(word):
            for part in _CAPITAL.split(anyascii(word)):
                yield Piece(word, _ascii(part), Script.HAN)
        else:
            yield from _latin(word, _ascii(anyascii(word)))


def _ascii(text: str) -> str:
    return re.sub("[^a-z0-9]", "", text.lower())


def _arabic(word: str) -> Iterator[Piece]:
    for known, letters in ((_FATHER, "abu"), (_SERVANT, "abd"), (_ALLAH, "allah"), (_FAITH, "din")):
        if word in known:
            yield Piece(word, letters, Script.ARABIC)
            return
    if word.startswith("عبد"):
        rest = word.removeprefix("عبد")
        tail = "allah" if rest in _ALLAH else romanised(rest)
        yield Piece(word, f"abd{tail}", Script.ARABIC)
        return
    yield Piece(word, romanised(word), Script.ARABIC)


def _latin(shown: str, letters: str) -> Iterator[Piece]:
    if _CYRILLIC.search(shown):
        script = Script.CYRILLIC
    elif all(unicodedata.name(each, "").startswith(("LATIN", "DIGIT")) for each in shown):
        script = Script.LATIN
    else:
        script = Script.OTHER
    if letters in _SERVANT:
        letters = "abd"
    elif letters in _FATHER:
        letters = "abu"
    elif letters in _FAITH:
        letters = "din"
    elif letters in _ALLAH:
        letters = "allah"
    elif found := _SERVANT_OF.match(letters):
        rest = letters[found.end() :]
        letters = "abd" + ("allah" if rest in {"ah", "la", "lah"} else rest)
    elif found := _FATHER_OF.match(letters):
        yield Piece(shown, "abu", script)
        letters = letters[found.end() :]
    yield Piece(shown, letters, script)


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Words that some write apart and others as one: all of them as one."""
    waiting: Piece | None = None
    for piece in pieces:
        if waiting is None:
            waiting = piece
        elif waiting.letters == "abd" or piece.letters in {"din", "allah"}:
            waiting = Piece(f"{waiting.shown} {piece.shown}", waiting.letters + piece.letters, piece.script)
        else:
            yield waiting
            waiting = piece
    if waiting is not None:
        yield waiting


def _word(piece: Piece) -> Word:
    letters = _ONE_NAME.get(piece.letters, piece.letters)
    return Word(piece.shown, letters, sound_of(letters.replace("'", "")), frames_of(letters), piece.script)

"""Words of which one or another is looked for: `drone or stadium`, in the officer's language, or
`drone | stadium`. Pure.

They are kept with a stroke between them (`drone | stadium`), so that they mean the same in every language and
to every part of the bot. What stands in quotation marks is one thing. The archive knows no "or": each
alternative is a search of its own.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

from bots.parsing.queries import checked
from bots.wording.labels import N_
from bots.wording.words import Words
from schemas.errors import Code, OperationError
from schemas.vocabulary import Language

ALTERNATIVES_MAX: Final = 4
"""Each is asked of the node by itself."""
EXAMPLE: Final = N_("drone or stadium")
_STROKE: Final = "|"
_PIECE: Final = re.compile(r'["“«][^"”»]*["”»]|\||[^\s|"“«]+|["“«]')
_MARKS: Final = '"“”«»'
_LETTER: Final = re.compile(r"\w")
_ALSO: Final = {
    Language.ARABIC: frozenset({"او"}),
    Language.CHINESE: frozenset({"或者"}),
    Language.SPANISH: frozenset({"u"}),
}
"""How else "or" is written."""


def alternatives(words: str) -> list[str]:
    """What is looked for, one thing after the other; all words of each must stand in a bulletin."""
    found: list[list[str]] = [[]]
    for piece in _PIECE.findall(words):
        if piece == _STROKE:
            found.append([])
        else:
            found[-1].append(piece)
    return [" ".join(each) for each in found if each]


def with_strokes(words: str, say: Words) -> str:
    """Words as they are kept, from words that are fit to look for. Raises OperationError `bad_request` when
    one of the alternatives is not, or there are too many.
    """
    alike = _ors(say)
    pieces = [_STROKE if each.casefold() in alike else each for each in _PIECE.findall(words)]
    found = list(dict.fromkeys(alternatives(" ".join(pieces))))
    if _STROKE not in pieces or not found:  # "or" alone is a word
        return words
    if len(found) > ALTERNATIVES_MAX:
        raise OperationError(
            Code.BAD_REQUEST, f"at most {ALTERNATIVES_MAX} alternatives", "make several subscriptions"
        )
    return f" {_STROKE} ".join(checked(each) for each in found)


def spoken(words: str, say: Words) -> str:
    """Kept words as they are said: `drone or stadium`."""
    return f" {say.text('or')} ".join(alternatives(words))


def quoted(words: str, say: Words) -> str:
    """The same within a line: what must stand together in one pair of quotation marks, loose words each in
    its own, `“drone” + “big stadium” or “port”`.
    """
    return joined(things(words), say)


def things(words: str) -> list[list[str]]:
    """The alternatives, each as the words and phrases that must stand in a bulletin, without marks."""
    bare = [
        [kept for piece in _PIECE.findall(each) if (kept := piece.strip(_MARKS)) and _LETTER.search(kept)]
        for each in alternatives(words)
    ]
    return [each for each in bare if each]


def fewer(words: str) -> list[tuple[str, str]]:
    """Each word or phrase that could be dropped, without marks, and what is left to look for without it; none
    where one thing alone is looked for.
    """
    every, found = alternatives(words), list[tuple[str, str]]()
    for at, each in enumerate(every):
        pieces = [piece for piece in _PIECE.findall(each) if _LETTER.search(piece)]
        for number, piece in enumerate(pieces) if len(pieces) > 1 else ():
            left = " ".join([*pieces[:number], *pieces[number + 1 :]])
            found.append((piece.strip(_MARKS), f" {_STROKE} ".join([*every[:at], left, *every[at + 1 :]])))
    return found


def meant(words: str) -> frozenset[frozenset[str]]:
    """What is equal for words that look for the same: the order tells nothing, nor the case."""
    return frozenset(
        frozenset(_marked(piece).casefold() for piece in _PIECE.findall(each)) for each in alternatives(words)
    )


def _marked(piece: str) -> str:
    bare = piece.strip(_MARKS)
    return bare if bare == piece else f'"{bare}"'


def joined(found: Iterable[Iterable[str]], say: Words) -> str:
    """Those as they are said within a line."""
    marked = (" + ".join(say.text("“{name}”", name=say.embed(one)) for one in each) for each in found)
    return f" {say.text('or')} ".join(marked)


def shortened(words: str, say: Words, fits: Callable[[str], bool]) -> str:
    """The same, cut at its end until it `fits`, within the quotation marks."""
    kept = things(words)
    said = joined(kept, say)
    while kept and not fits(said):
        *before, last = kept
        *others, cut = last
        cut = cut[:-1].rstrip()
        kept = [*before, *([[*others, *([cut] if cut else [])]] if others or cut else [])]
        shown = [[*each] for each in kept] or [[""]]
        shown[-1][-1] += "…"
        said = joined(shown, say)
    return said


def both_languages(say: Words) -> str:
    """How two words, and one of them in another language, are looked for, as they are kept: no search
    translates, and an alternative has all its words.
    """
    own = say.text("stadium")
    drone = alternatives(with_strokes(say.text(EXAMPLE), say))[0]
    translated = "stade" if say.language is Language.ENGLISH else "stadium"
    return f"{drone} {own} {_STROKE} {drone} {translated}"


def _ors(say: Words) -> frozenset[str]:
    return frozenset({say.text("or")}) | _ALSO.get(say.language, frozenset())

"""Words of which one or another is looked for: `drone or stadium`, in the officer's language, or
`drone | stadium`. Pure.

They are kept with a stroke between them (`drone | stadium`), so that they mean the same in every language and
to every part of the bot. What stands in quotation marks is one thing. The archive knows no "or": each
alternative is a search of its own.
"""

import re
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
    """The same within a line, each in quotation marks."""
    marked = (say.text("“{name}”", name=say.embed(each)) for each in alternatives(words))
    return f" {say.text('or')} ".join(marked)


def both_languages(say: Words) -> str:
    """How a word and its translation are looked for, with a word of this language: no search translates."""
    own = say.text("stadium")
    translated = "stade" if say.language is Language.ENGLISH else "stadium"
    return spoken(f"{own} {_STROKE} {translated}", say)


def _ors(say: Words) -> frozenset[str]:
    return frozenset({say.text("or")}) | _ALSO.get(say.language, frozenset())

"""Countries: said by name in the officer's language, and read by name in any language of the bot. Pure.

A part of a country (`DE-BE`) has no name of its own here: it is said as its country and its code.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from babel import Locale

from bots.parsing.commands import clean
from bots.wording.words import SPOKEN, Words
from schemas.errors import Code, OperationError
from subscribers.writing.countries import is_country

_CODE: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?\Z")
_APART: Final = re.compile("[,،、，;؛]")
_COMMON: Final = {
    "UK": "GB", "USA": "US", "США": "US", "EE. UU.": "US", "الإمارات": "AE", "السعودية": "SA", "UAE": "AE",
}  # fmt: skip
"""What people write for a country whose name or code is another."""
_JOINERS: Final = frozenset({"and", "et", "y", "e", "и", "و", "和"})
_WORDS_MAX: Final = 8
"""No name of a country has more words."""
_FILTER: Final = re.compile(r'\bregion:(?:["“«](?P<quoted>[^"”»]*)["”»]|(?P<bare>[^\s"“«]+))', re.IGNORECASE)


def place(code: str, say: Words) -> str:
    """`France`, or `Germany (DE-BE)`; the code itself for one that no country has."""
    country = code.partition("-")[0]
    name = say.locale.territories.get(country)
    if name is None:
        return code
    return str(name) if country == code else f"{name} ({code})"


def places(codes: Iterable[str], say: Words) -> str:
    """Several, one after the other, fit to stand within a line."""
    return say.listed(say.embed(place(each, say)) for each in codes)


def read(text: str) -> list[str]:
    """Codes, each once, from codes and names as they are typed: `France, DE-BE`, `السعودية`. Raises
    OperationError `bad_request` when any of it is neither.
    """
    apart = _APART.split(clean(text))
    found = list(dict.fromkeys(code for each in apart for code in _codes(each.split())))
    if not found:
        raise _unread()
    return found


def coded(text: str) -> str:
    """A typed search with the countries behind `region:` as codes; what is no country stays as it is."""

    def code(found: re.Match[str]) -> str:
        try:
            return "region:" + ",".join(read(found["quoted"] or found["bare"] or ""))
        except OperationError:
            return found[0]

    return _FILTER.sub(code, text)


def _codes(said: list[str]) -> Iterator[str]:
    """The longest names first; a word that joins two is none."""
    at = 0
    while at < len(said):
        if 0 < at < len(said) - 1 and said[at] in _JOINERS:
            at += 1
        ends = range(min(len(said), at + _WORDS_MAX), at, -1)
        code, at = next(((code, end) for end in ends if (code := _one(said[at:end]))), ("", at))
        if not code:
            raise _unread()
        yield code


def _one(said: list[str]) -> str | None:
    name = plain(" ".join(said))
    if code := _named().get(name) or _named().get(name.removeprefix("و")):  # "and" is written on to a name
        return code
    code = said[0].upper()
    known = len(said) == 1 and _CODE.match(code) and is_country(code.partition("-")[0])
    return code if known else None


def plain(name: str) -> str:
    """Letters and digits alone, without marks and case: `Côte d’Ivoire` is typed in many ways."""
    return "".join(each for each in unicodedata.normalize("NFKD", name) if each.isalnum()).casefold()


@cache
def _named() -> dict[str, str]:
    """The code of each country by its name in every language."""
    common = {plain(name): code for name, code in _COMMON.items()}
    return common | {
        plain(str(name)): code
        for language in SPOKEN
        for code, name in Locale(language.value).territories.items()
        if _CODE.match(code)
    }


def _unread() -> OperationError:
    return OperationError(Code.BAD_REQUEST, "those are no countries", "write names or codes: France, DE-BE")

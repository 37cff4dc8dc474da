"""From text in six languages to search terms, and from an officer's words to a full-text query. Pure.

Both sides go through the same folding, so that what was written one way is found when asked for in another:

- everything: NFKC, case folded, invisible characters dropped, digits of any script made ASCII;
- Latin: accents dropped, elided articles (`l'attaque`) and possessives cut, stemmed in the language of the
  text; a query does not say its language, so it asks for the stems of all three (English, French, Spanish);
- Russian: `ё` is `е`, stemmed;
- Arabic: diacritics and tatweel dropped, hamza forms, taa marbuta and alif maqsura folded, article prefixes
  and light endings cut;
- Chinese: one term for each character. Up to three in a row are asked for as a phrase; longer runs, which
  have no spaces to say where words end, as characters close to each other.

Terms consist of letters and digits only, and every term in a query stands in double quotes: nothing that a
user can give is ever syntax. Not brought together: simplified and traditional Chinese, and parts of words.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from threading import Lock
from typing import Final, NamedTuple

import Stemmer

from schemas.errors import Code, OperationError
from schemas.vocabulary import Language

QUERY_CHARACTERS_MAX: Final = 400
QUERY_TERMS_MAX: Final = 32
_HAN_PHRASE_MAX: Final = 3
_SHORT_MAX: Final = 48
_HAN_SLACK: Final = 6
"""How many other characters may stand among those of a long run."""

_HAN: Final = "\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_ARABIC: Final = "\u0620-\u064a\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f\u08a0-\u08b4"
_CYRILLIC: Final = "\u0400-\u052f"
_PIECE: Final = re.compile(
    f"(?P<han>[{_HAN}]+)|(?P<arabic>[{_ARABIC}]+)|(?P<russian>[{_CYRILLIC}]+)"
    f"|(?P<latin>[^\\W_{_HAN}{_ARABIC}{_CYRILLIC}]+)"
)
_MARKS: Final = "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed"
_INVISIBLE: Final = re.compile(
    f"[{_MARKS}\u00ad\u034f\u061c\u0640\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]"
)
_RUN: Final = re.compile(r"(?:[^\w\s]|[\uff9e\uff9f]){31,}")
"""More marks in a row than any writing has (UAX #15 allows 30 for a safe stream). To sort them takes the
square of their number: a few bulletins of nothing else would hold up every node that indexes them.
"""
_RUN_MAX: Final = 30
_APOSTROPHE: Final = "['\u2018\u2019\u02bc]"
_ELISION: Final = re.compile(rf"\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu){_APOSTROPHE}(?=\w)")
_POSSESSIVE: Final = re.compile(rf"(?<=\w){_APOSTROPHE}s\b")
_QUOTE: Final = '"\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d'
_QUOTED: Final = re.compile(f"[{_QUOTE}]([^{_QUOTE}]*)[{_QUOTE}]")

_LETTERS: Final = str.maketrans(
    {
        "ё": "е",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "ı": "i",
        # hamza on alif, waw and yaa; wasla; taa marbuta; alif maqsura; Persian kaf and yaa
        **dict(zip("أإآٱؤئةىکی", "ااااويهيكي", strict=True)),
        "ء": "",
    }
)
# After "light10" (Larkey, Ballesteros and Connell, 2007). The article may stand twice: words such as
# "الكتروني" begin like one, and must come out alike with and without it.
_ARABIC_BEGINNING: Final = re.compile("\\A[وف]?(?:[بك]?ال|لل)(?:ال)*(?=..)")
_ARABIC_ENDINGS: Final = ("ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي")
_ARABIC_LEFT_MIN: Final = 2
_ARABIC_JOINED: Final = ("", "و", "ل", "ب")
"""And, for, with: written as one word with what follows. Too easily part of the word itself to be cut."""

_SMALL_WORDS: Final = """
    a an and are as at by for from in is of on or the to was were with
    à au aux ce ces dans de des du en est et la le les ou par pour que qui sur un une
    al con del el los las o para por se su sus una uno y
    в во и из к ко на не о об от по при с со у за для что это как
    في من على إلى الى عن مع أن ان أو او هذا هذه التي الذي
"""
_SMALL: Final = frozenset(_SMALL_WORDS.split())
"""Words that say little: left out of a query that has others, never out of a phrase or a document."""
_HAN_SMALL: Final = frozenset("的了和与及在是")

_STEMMERS: Final = {name: Stemmer.Stemmer(name) for name in ("english", "french", "russian", "spanish")}
_STEMMING: Final = Lock()  # a stemmer keeps state, and texts are normalised in more than one thread
_LATIN: Final = {Language.FRENCH: "french", Language.SPANISH: "spanish"}
_LATIN_ALL: Final = ("english", "french", "spanish")


class _Term(NamedTuple):
    """A folded word before stemming, and its script as `_PIECE` names it; "other" is never stemmed."""

    text: str
    script: str

    def stem(self, latin: str) -> str:
        """The term as it stands in the index for a text whose Latin words are in `latin`."""
        match self.script:
            case "latin":
                return _stem(latin, self.text)
            case "russian":
                return _stem("russian", self.text)
            case "arabic":
                return _light(self.text)
            case _:
                return self.text


def document_terms(text: str, language: Language) -> str:
    """The search terms of `text`, in its order, with a space between any two."""
    latin = _LATIN.get(language, "english")
    terms = [(_short if len(word) <= _SHORT_MAX else _long)(word, latin) for word in _fold(text).split()]
    return " ".join(filter(None, terms))


def query_expression(words: str, *, prefix: bool = False) -> str:
    """The FTS5 expression that finds documents with all of `words`, and every "quoted phrase" as it stands.

    With `prefix` the last word may be the beginning of a longer one. Raises OperationError `bad_request` when
    there is nothing to look for, or too much (400 characters, 32 terms).
    """
    if len(words) > QUERY_CHARACTERS_MAX:
        raise _too_long()
    folded = _fold(words)
    phrases = [terms for quoted in _QUOTED.findall(folded) if (terms := list(_terms(quoted)))]
    units: list[list[_Term]] = []
    small: list[list[_Term]] = []
    for word in _QUOTED.sub(" ", folded).split():
        (small if word in _SMALL else units).extend(_units(_terms(word)))
    wanted = units or ([] if phrases else small)
    if sum(map(len, (*wanted, *phrases))) > QUERY_TERMS_MAX:
        raise _too_long()
    if not wanted and not phrases:
        raise OperationError(Code.BAD_REQUEST, "there is nothing to look for", "give at least one word")
    parts = [_phrase(each) for each in phrases] + [_unit(each) for each in wanted]
    if prefix and wanted:
        parts[-1] = f"({parts[-1]} OR {_quoted(term.text for term in wanted[-1])} *)"
    return " AND ".join(dict.fromkeys(parts))


def _too_long() -> OperationError:
    limits = f"{QUERY_CHARACTERS_MAX} characters and {QUERY_TERMS_MAX} terms"
    return OperationError(Code.BAD_REQUEST, f"a query has at most {limits}", "give fewer words")


def _fold(text: str) -> str:
    if text.isascii():  # most of most texts: nothing to compose, nothing invisible
        folded = text.lower()
        return _POSSESSIVE.sub("", _ELISION.sub("", folded)) if "'" in folded else folded
    text = _RUN.sub(lambda run: run[0][:_RUN_MAX], text)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _POSSESSIVE.sub("", _ELISION.sub("", _INVISIBLE.sub("", folded)))


def _terms(folded: str) -> Iterator[_Term]:
    for piece in _PIECE.finditer(folded):
        script = str(piece.lastgroup)
        if script == "han":
            yield from (_Term(character, script) for character in piece[0])
        elif (term := _word(piece[0], script)).text:
            yield term


def _long(word: str, latin: str) -> str:
    """The terms of what stands between two spaces."""
    return " ".join(filter(None, [term.stem(latin) for term in _terms(word)]))


_short: Final = lru_cache(maxsize=65_536)(_long)
"""Few words make up most of every text. Chinese has no spaces: whole lines of it would fill the cache."""


def _word(piece: str, script: str) -> _Term:
    if script == "russian":
        return _Term(piece.translate(_LETTERS), script)
    if script == "arabic":
        return _Term(_ARABIC_BEGINNING.sub("", piece.translate(_LETTERS), count=1), script)
    if piece.isascii():  # as most are, and every reference
        return _Term(piece, script if piece.isalpha() else "other")
    bare = "".join(c for c in unicodedata.normalize("NFD", piece) if not unicodedata.combining(c))
    plain = "".join(str(unicodedata.digit(c, c)) for c in unicodedata.normalize("NFC", bare)).translate(
        _LETTERS
    )
    return _Term(plain, script if plain.isascii() and plain.isalpha() else "other")


def _light(word: str) -> str:
    for ending in _ARABIC_ENDINGS:
        if word.endswith(ending) and len(word) >= len(ending) + _ARABIC_LEFT_MIN:
            word = word.removesuffix(ending)
    return word


def _stem(stemmer: str, word: str) -> str:
    with _STEMMING:
        return str(_STEMMERS[stemmer].stemWord(word))


def _units(terms: Iterable[_Term]) -> Iterator[list[_Term]]:
    """The terms of one written word, cut where Chinese begins or ends."""
    unit: list[_Term] = []
    for term in terms:
        if unit and (unit[-1].script == "han") != (term.script == "han"):
            yield unit
            unit = []
        unit.append(term)
    if unit:
        yield unit


def _unit(terms: Sequence[_Term]) -> str:
    if terms[0].script != "han" or len(terms) <= _HAN_PHRASE_MAX:
        return _phrase(terms)
    telling = [term.text for term in terms if term.text not in _HAN_SMALL] or [term.text for term in terms]
    return f"NEAR({' '.join(map(_quoted, telling))}, {len(terms) + _HAN_SLACK})"


def _phrase(terms: Sequence[_Term]) -> str:
    """The terms in a row, in each of the forms that a text may hold them in.

    Unstemmed as well: a stemmer sometimes cuts a word that is itself the stem of another.
    """
    forms = [" ".join(term.stem(latin) for term in terms) for latin in _LATIN_ALL]
    forms.append(" ".join(term.text for term in terms))
    if terms[0].script == "arabic":
        forms = [joined + form for joined in _ARABIC_JOINED for form in forms]
    distinct = list(dict.fromkeys(forms))
    return (
        f'"{distinct[0]}"'
        if len(distinct) == 1
        else "(" + " OR ".join(f'"{each}"' for each in distinct) + ")"
    )


def _quoted(terms: Iterable[str]) -> str:
    return f'"{" ".join(terms)}"'

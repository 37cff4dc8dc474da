"""What words were read as: a search finds other forms of a word too, and says which. Pure.

`ferri` finds `ferry`: both have one stem. A word that does not stand in what was found as it was typed is
said in the form that does. Case, accents, vowel signs and the Arabic article make no other form.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bots.showing.rendered import Button, Rows
from bots.wording.words import Words
from schemas.vocabulary import Language
from subscribers.records import Record
from subscribers.storage.normalise import document_terms

_WORD: Final = re.compile(r"[^\W_]+")
_HAN: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_ARTICLE: Final = re.compile("\\A[\u0648\u0641]?(?:[\u0628\u0643]?\u0627\u0644|\u0644\u0644)(?=..)")
_LABEL_MAX: Final = 30


@dataclass(frozen=True, slots=True)
class Reading:
    """The words as they were read; `exactly` is the data of a button that shows what has them as they were
    typed, if anything has.
    """

    typed: str
    read: str
    exactly: str = ""

    def said(self, say: Words) -> str:
        """Above the list."""
        if self.exactly:
            return say.text("Read as “{words}” too.", words=say.embed(self.read))
        return say.text("Read as “{words}”.", words=say.embed(self.read))

    def rows(self, say: Words) -> Rows:
        """The button for what was typed."""
        if not self.exactly:
            return ()
        label = "🔎 " + say.text("Only “{words}”", words=say.embed(self.typed[:_LABEL_MAX]))
        return ((Button(label, self.exactly),),)


def read_as(words: str, records: Sequence[Record]) -> str | None:
    """`words` as they stand in `records`, which were found by them; None where they stand there as typed."""
    forms = [_forms(each) for each in records]
    read = _WORD.sub(lambda word: _meant(word[0], forms), words)
    return read if read != words else None


def has_exactly(words: str, record: Record) -> bool:
    """Whether each word that any form of which stands in it stands there as it was typed."""
    return read_as(words, [record]) is None


def _meant(word: str, records: Sequence[dict[str, Counter[str]]]) -> str:
    """The word itself, or the form that most of those have which do not have it as typed."""
    if _HAN.search(word):
        return word
    bare, stems = _bare(word), {document_terms(word, each) for each in Language}
    others: Counter[str] = Counter()
    for forms in records:
        found = [form for stem in stems for form in forms.get(stem, ())]
        if found and not any(_bare(each) == bare for each in found):
            others.update(set(found))
    return min(others, key=lambda form: (-others[form], form)) if others else word


def _forms(record: Record) -> dict[str, Counter[str]]:
    """The words of its texts, by the term under which they are found."""
    forms: dict[str, Counter[str]] = {}
    for language, text in _texts(record):
        for word in set(_WORD.findall(text.lower())):
            forms.setdefault(document_terms(word, language), Counter())[word] += 1
    return forms


def _texts(record: Record) -> Iterable[tuple[Language, str]]:
    own = record.bulletin
    yield own.language, f"{own.title} {own.summary} {own.body}"
    for each in own.translations:
        yield each.language, f"{each.title} {each.summary} {each.body}"


def _bare(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold())
    return _ARTICLE.sub("", "".join(each for each in plain if not unicodedata.combining(each)))

"""Combining marks without end: normalising them takes the square of their number, so no run of them gets
there.
"""

import unicodedata

import pytest

from schemas.vocabulary import Language
from subscribers.storage.normalise import _fold, document_terms

MARKS = ("\u0591\u05a9", "\u0301\u0316", "\u20d0\u20e8", "\uff9e\u0301", "\U0001d165\U0001d17b")


@pytest.mark.parametrize("marks", MARKS)
def test_a_run_of_marks_is_cut_before_it_is_sorted(marks: str) -> None:
    text = "a" + marks * 10_000 + " drone"

    assert sum(map(bool, map(unicodedata.combining, _fold(text)))) <= 64
    assert document_terms(text, Language.ENGLISH).split()[-1] == "drone"


def test_what_people_write_stays_whole() -> None:
    line = "-" * 40
    assert document_terms(f"one\n{line}\ntwo", Language.ENGLISH) == "one two"
    assert document_terms("e\u0301te\u0301", Language.FRENCH) == document_terms("été", Language.FRENCH)

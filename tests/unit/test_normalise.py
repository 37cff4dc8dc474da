"""The search normaliser: what officers ask for finds what agencies wrote, and no text is ever syntax."""

import contextlib
import json
from collections import Counter
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Code, OperationError
from schemas.vocabulary import Language
from subscribers.storage.normalise import QUERY_CHARACTERS_MAX, document_terms, query_expression

# Bulletins as agencies write them, five a language, and queries that are inflected, spelled or ordered
# otherwise than the text: other cases and numbers, no accents, other tenses, with articles, Chinese without
# its particles.
PROBES = json.loads((Path(__file__).parent.parent / "support" / "search_probes.json").read_text("utf-8"))
WANTED = {"ar": 1.0, "zh": 1.0, "en": 0.9, "fr": 0.9, "es": 0.9, "ru": 0.9}


def index(*texts: tuple[str, Language]) -> apsw.Connection:
    """Rows 1, 2, ... hold the terms of `texts`."""
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(terms, content='', tokenize='ascii')")
    for row, (text, language) in enumerate(texts, start=1):
        connection.execute("INSERT INTO t(rowid, terms) VALUES (?, ?)", (row, document_terms(text, language)))
    return connection


def find(connection: apsw.Connection, words: str, *, prefix: bool = False) -> list[int]:
    expression = query_expression(words, prefix=prefix)
    rows = connection.execute("SELECT rowid FROM t WHERE terms MATCH ? ORDER BY rowid", (expression,))
    return [int(str(row[0])) for row in rows]


def test_probes_are_found_in_every_language_and_little_else_is() -> None:
    connection = index(*((f"{each['title']}\n{each['body']}", Language(each["language"])) for each in PROBES))
    asked: Counter[str] = Counter()
    found: Counter[str] = Counter()
    hits = 0
    for row, each in enumerate(PROBES, start=1):
        for query in each["queries"]:
            rows = find(connection, query)
            asked[each["language"]] += 1
            found[each["language"]] += row in rows
            hits += len(rows)
    recall = {language: found[language] / asked[language] for language in asked}
    assert {language for language in WANTED if recall[language] < WANTED[language]} == set(), recall
    assert hits <= 1.2 * found.total(), "queries must not find everything"


@pytest.mark.parametrize(
    "language,text,words",
    [
        (Language.FRENCH, "L’attaque contre l'école", "attaque ECOLE"),
        (Language.ENGLISH, "the embassy's gates", "embassy gate"),
        (Language.ENGLISH, "seen with T1566.001 and QDi.014", "t1566.001 qdi.014"),
        (Language.ENGLISH, "ﬁnancing in fullwidth ＡＢＣ", "financing abc"),
        (Language.ENGLISH, "a soft\u00adhyphen and a zero\u200bwidth space", "softhyphen zerowidth"),
        (Language.RUSSIAN, "ЁЛКА и учёт", "елки учета"),
        (Language.ARABIC, "الهجـــوم عام ٢٠٢٦", "هجوم 2026"),
        (Language.ARABIC, "كلمات", "كَلِمَة"),
        (Language.CHINESE, "使用GPS干扰器", "gps 干扰器"),
        (Language.CHINESE, "伪造的旅行证件", "伪造证件"),
        (Language.SPANISH, "señales de Ñuñoa", "senal nunoa"),
    ],
)
def test_one_form_finds_the_other(language: Language, text: str, words: str) -> None:
    assert find(index((text, language)), words) == [1]


def test_quotes_ask_for_a_phrase() -> None:
    connection = index(("drone attack", Language.ENGLISH), ("attack by drone", Language.ENGLISH))
    assert find(connection, "drone attack") == [1, 2]
    assert find(connection, '"drone attacks"') == [1]
    assert find(connection, "«drone attack»") == [1]


def test_small_words_are_left_out_unless_they_are_all() -> None:
    connection = index(("siege of a school", Language.ENGLISH), ("school siege", Language.ENGLISH))
    assert find(connection, "the siege of the school") == [1, 2]
    assert find(connection, "of") == [1]
    assert find(connection, '"siege of"') == [1]


def test_prefix_finds_what_is_still_being_typed() -> None:
    connection = index(("quadcopters over the harbour", Language.ENGLISH))
    assert find(connection, "harbour quadco") == []
    assert find(connection, "harbour quadco", prefix=True) == [1]


def test_syntax_is_only_text() -> None:
    connection = index(("alpha beta", Language.ENGLISH), ("alpha near not beta", Language.ENGLISH))
    assert find(connection, "alpha NOT beta") == [2]
    assert find(connection, "terms : alpha*") == []
    assert find(connection, "NEAR(alpha beta, 1)") == []
    assert find(connection, '"alpha') == [1, 2]


@pytest.mark.parametrize("words", ["", "   ", '""', "*", "()", "\x00", "\ud800", "‘’—", "ـ", "ء"])
def test_nothing_to_look_for_is_refused(words: str) -> None:
    with pytest.raises(OperationError) as refused:
        query_expression(words)
    assert refused.value.code is Code.BAD_REQUEST


@pytest.mark.parametrize(
    "words", ["a" * (QUERY_CHARACTERS_MAX + 1), "word " * 40, "袭" * 33, f'"{"w " * 33}"']
)
def test_too_much_to_look_for_is_refused(words: str) -> None:
    with pytest.raises(OperationError) as refused:
        query_expression(words)
    assert refused.value.code is Code.BAD_REQUEST


SYNTAX = st.sampled_from([*"\"'*()^+-:{}[],ANDORTEnear 的и\u064b\x00", " NEAR(", " OR ", " AND NOT "])


@given(st.one_of(st.text(max_size=60), st.lists(SYNTAX, max_size=30).map("".join)), st.booleans())
def test_no_text_makes_a_syntax_error(words: str, prefix: bool) -> None:
    connection = index(("alpha", Language.ENGLISH))
    with contextlib.suppress(OperationError):  # nothing to look for; a syntax error would be an apsw.SQLError
        find(connection, words, prefix=prefix)


@given(st.text(max_size=200), st.sampled_from(list(Language)))
def test_every_word_of_a_text_finds_it(text: str, language: Language) -> None:
    connection = index((text, language))
    for word in text.split()[:10]:
        with contextlib.suppress(OperationError):  # no letters and no digits in it
            assert find(connection, word[:30]) == [1] or len(word) > 30
    ascii_only = document_terms(text, language).encode("ascii", "ignore").replace(b" ", b"")
    assert ascii_only.isalnum() or not ascii_only, "the index's tokenizer must have nothing left to do"

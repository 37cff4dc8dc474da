"""What fuzzing found, and reading the code for it: each input, and what is said of it now."""

from collections.abc import Callable

import pytest

from bots.parsing.queries import parse
from bots.sandbox.entities import parse_html
from bots.sandbox.params import Params, json_fields
from bots.sandbox.refusals import ApiRefusal
from hub.claims import said
from schemas.encoding import from_instant, instant
from schemas.errors import Code, LiaisonError
from schemas.limits import JSON_DEPTH_MAX
from subscribers.records import read_record
from subscribers.service.examples import record
from subscribers.writing.draft_files import read_draft
from tests.fuzz import samples


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "0026-01-31T08:30:00Z", "0999-12-31T23:59:59Z"])
def test_a_time_before_the_year_1000_is_written_as_it_was_read(text: str) -> None:
    assert instant(from_instant(text)) == text


def draft(facts: str) -> bytes:
    return f"---\n{facts}\n---\n# Title\n".encode()


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(BOMB, id="aliases that stand for 9^9 words"),
        pytest.param("a: &a [*a]", id="a list that holds itself"),
        pytest.param("a: " + "[" * 5_000 + "]" * 5_000, id="deeper than the interpreter's stack"),
        pytest.param("a: " + "[" * (JSON_DEPTH_MAX + 1) + "]" * (JSON_DEPTH_MAX + 1), id="too deep"),
        pytest.param('a: "\\UFFFFFFFF"', id="an escape beyond Unicode"),
        pytest.param('a: "\\U00110000"', id="an escape just beyond Unicode"),
        pytest.param("{[a]: b}", id="a list for a name"),
    ],
)
def test_facts_that_no_draft_needs_are_refused(facts: str) -> None:
    with pytest.raises(LiaisonError) as refused:
        read_draft(draft(facts))
    assert refused.value.code is Code.BAD_DRAFT


@pytest.mark.parametrize("digits", ["²", "٣", "9" * 5_000])
def test_a_credibility_that_is_no_small_number_stays_text(digits: str) -> None:
    fields = read_draft(draft(f"grading: {{credibility: {digits}}}"))
    assert fields["grading"] == {"credibility": digits}


def test_facts_may_nest_as_far_as_any_draft_does() -> None:
    fields = read_draft(draft("a: " + "[" * (JSON_DEPTH_MAX - 2) + "]" * (JSON_DEPTH_MAX - 2)))
    assert isinstance(fields["a"], list)


@pytest.mark.parametrize("wrong", ['"issued":"2026-99-31T08:30:00Z"', '"issued":7'])
def test_a_record_with_a_time_that_is_none_is_refused_like_any_other(wrong: str) -> None:
    good = record(samples.examples()).model_dump_json()
    assert '"issued":"2026-01-31T08:30:00Z"' in good
    with pytest.raises(LiaisonError):
        read_record(good.replace('"issued":"2026-01-31T08:30:00Z"', wrong).encode())


@pytest.mark.parametrize("last", ["9999-12-31", "0000-01-01", "2026-02-30"])
def test_a_search_until_a_day_that_does_not_end_or_is_none_is_refused_like_any_other(last: str) -> None:
    with pytest.raises(LiaisonError) as refused:
        parse(f"until:{last}", 1_774_008_000.0, ())
    assert refused.value.code is Code.BAD_REQUEST


@pytest.mark.parametrize(
    "jwt", ["a.b.c", "e30.W10.AA", "e30.%.AA", "e30.e.AA", "one", "e30." + "W1tb" * 9 + ".AA"]
)
def test_claims_that_cannot_be_read_say_nothing(jwt: str) -> None:
    assert said(jwt) == {}


def test_a_character_reference_of_thousands_of_digits_stays_text() -> None:
    source = f"&#{'9' * 5_000};"
    assert parse_html(source)[0] == source


@pytest.mark.parametrize(
    "read", [lambda: json_fields("[" * 100_000), lambda: Params({"a": "[" * 100_000}, {}).json("a")]
)
def test_the_sandbox_refuses_json_of_any_depth(read: Callable[[], object]) -> None:
    with pytest.raises(ApiRefusal):
        read()

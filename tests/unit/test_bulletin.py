from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from schemas.bulletin import Bulletin, Draft, parse_bulletin, parse_draft
from schemas.card import Card, parse_card
from schemas.encoding import canonical_json
from schemas.errors import Code, DraftError
from schemas.limits import JSON_DEPTH_MAX
from schemas.vocabulary import Kind, Language, Precedence, Realm
from tests.support.federation import bulletin, code_of, uuid
from tests.support.json_values import TEXTS, VALUES

DRAFT: dict[str, Any] = {
    "kind": "tactic",
    "title": "A title",
    "language": "en",
    "severity": "low",
    "tlp": "TLP:AMBER",
}
LINK = {"relation": "amends", "id": uuid(1)}

PERSON = {"type": "person", "name": "N", "reference": "QDi.001"}
OF_PEOPLE = {"legal_basis": "Act, section 1", "review": "2027-01-01T00:00:00Z", "correction": "the office"}


def draft(**changes: Any) -> Draft:  # fields of the draft
    return parse_draft({**DRAFT, **changes})


@pytest.mark.parametrize(
    "changes,code",
    [
        ({"tlp": "TLP:AMBER+RED"}, Code.MISSING_MARKING),
        ({"tlp": None}, Code.MISSING_MARKING),
        ({"tlp": ["TLP:RED"]}, Code.MISSING_MARKING),
        ({"tlp": "TLP:RED", "history": "members"}, Code.RED_WITH_HISTORY),
        ({"language": "de"}, Code.UNKNOWN_LANGUAGE),
        ({"language": None}, Code.UNKNOWN_LANGUAGE),
        ({"language": ["en"]}, Code.UNKNOWN_LANGUAGE),
        ({"translations": [{"language": "de"}]}, Code.UNKNOWN_LANGUAGE),
        ({"translations": [{"language": {}}]}, Code.UNKNOWN_LANGUAGE),
        ({"translations": 5}, Code.BAD_DRAFT),
        ({"translations": ["fr"]}, Code.BAD_DRAFT),
        ({"translations": [{"language": "en", "official": True, "title": "T"}]}, Code.BAD_DRAFT),
        ({"translations": [{"language": "fr", "official": 1, "title": "T"}]}, Code.BAD_DRAFT),
        ({"title": ""}, Code.BAD_DRAFT),
        ({"title": "x" * 201}, Code.BAD_DRAFT),
        ({"title": "two\nlines"}, Code.BAD_DRAFT),
        ({"title": "turned \u202e round"}, Code.BAD_DRAFT),
        ({"body": "a \x00"}, Code.BAD_DRAFT),
        ({"body": "x" * 20_001}, Code.BAD_DRAFT),
        ({"severity": "urgent"}, Code.BAD_DRAFT),
        ({"kind": "rumour"}, Code.BAD_DRAFT),
        ({"exercise": 1}, Code.BAD_DRAFT),
        ({"unknown": 1}, Code.BAD_DRAFT),
        ({"kind": "amendment"}, Code.BAD_DRAFT),
        ({"kind": "amendment", "links": [{"relation": "retracts", "id": uuid(1)}]}, Code.BAD_DRAFT),
        ({"kind": "channel"}, Code.BAD_DRAFT),
        ({"channel": {"address": "x", "state": "reported"}}, Code.BAD_DRAFT),
        ({"kind": "event"}, Code.BAD_DRAFT),
        ({"kind": "subject"}, Code.BAD_DRAFT),
        ({"kind": "subject", "subjects": [PERSON]}, Code.BAD_DRAFT),
        ({"personal": {**OF_PEOPLE, "review": "2026-02-30T00:00:00Z"}}, Code.BAD_DRAFT),
        ({"personal": {"review": "2026-02-03T00:00:00Z"}}, Code.BAD_DRAFT),
        ({"links": [{"relation": "related", "id": "nonsense"}]}, Code.BAD_DRAFT),
        ({"valid_from": "2026-02-30T00:00:00Z"}, Code.BAD_DRAFT),
        ({"valid_until": "2026-02-30T00:00:00Z"}, Code.BAD_DRAFT),
        ({"valid_from": "2026-02-02T00:00:00Z", "valid_until": "2026-02-01T00:00:00Z"}, Code.BAD_DRAFT),
        (
            {"event": {"name": "E", "starts": "2026-02-02T00:00:00Z", "ends": "2026-02-01T00:00:00Z"}},
            Code.BAD_DRAFT,
        ),
        ({"grading": {"system": "admiralty", "reliability": "X", "credibility": 1}}, Code.BAD_DRAFT),
        ({"grading": {"system": "europol-4x4", "reliability": "D", "credibility": 1}}, Code.BAD_DRAFT),
        ({"grading": {"system": "europol-4x4", "reliability": "A", "credibility": 5}}, Code.BAD_DRAFT),
        ({"regions": ["France"]}, Code.BAD_DRAFT),
        ({"indicators": [{"pattern": "no brackets"}]}, Code.BAD_DRAFT),
        ({"subjects": [{"type": "person", "name": "N", "reference": "QD.1"}]}, Code.BAD_DRAFT),
        ({"tactics": [{"taxonomy": "mitre-attack", "id": "X1"}]}, Code.BAD_DRAFT),
    ],
)
def test_drafts_that_are_refused(changes: dict[str, Any], code: Code) -> None:
    with pytest.raises(DraftError) as error:
        draft(**changes)
    assert error.value.code is code
    assert error.value.fix


@pytest.mark.parametrize(
    "changes",
    [
        {"tlp": "TLP:RED", "history": "none"},
        {"history": "members"},
        {"kind": "amendment", "links": [LINK]},
        {"kind": "channel", "channel": {"address": "t.me/x", "state": "blocked"}},
        {
            "kind": "event",
            "event": {"name": "E", "starts": "2026-02-01T00:00:00Z", "ends": "2026-02-01T00:00:00Z"},
        },
        {"kind": "subject", "subjects": [PERSON], "personal": OF_PEOPLE},
        {"grading": {"system": "admiralty", "reliability": "F", "credibility": 6}},
        {"grading": {"system": "europol-4x4", "reliability": "X", "credibility": 4}},
        {"valid_from": "1970-01-01T00:00:00Z", "valid_until": "1970-01-01T00:00:00Z"},
        {"valid_until": "2026-02-01T00:00:00Z"},
        {"regions": ["FR", "JP-13"], "indicators": [{"pattern": "[url:value = 'x']"}]},
        {
            "tactics": [
                {"taxonomy": "mitre-attack", "id": "T1566.001"},
                {"taxonomy": "liaison", "id": "LT-0007"},
            ]
        },
        {"body": "lines\nand\ttabs", "title": "Ελληνικά 中文 عربي"},
    ],
)
def test_drafts_that_pass(changes: dict[str, Any]) -> None:
    parsed = draft(**changes)
    assert parse_draft(canonical_json(parsed.model_dump(mode="json", exclude_none=True))) == parsed


def test_a_missing_marking_has_its_own_code() -> None:
    without = {name: value for name, value in DRAFT.items() if name != "tlp"}
    assert code_of(parse_draft, without) is Code.MISSING_MARKING
    assert code_of(parse_draft, b'{"tlp":') is Code.BAD_JSON


def test_a_refusal_never_repeats_the_text() -> None:
    for changes in ({"body": "SECRET \x00"}, {"severity": "SECRET"}, {"SECRET": 1, "exercise": "SECRET"}):
        with pytest.raises(DraftError) as error:
            draft(**{"title": "SECRET", **changes})
        assert "SECRET" not in str(error.value).replace("SECRET: Extra", "")


def test_precedence_and_realm_follow_severity_and_exercise() -> None:
    assert draft().precedence is Precedence.ROUTINE
    assert draft(severity="flash").precedence is Precedence.FLASH
    assert draft().realm is Realm.LIVE
    assert draft(exercise=True).realm is Realm.EXERCISE


def test_a_bulletin_is_read_as_it_was_written() -> None:
    for kind in (Kind.TACTIC, Kind.NOTICE, Kind.THREAT):
        made = bulletin(1, kind=kind.value)
        assert parse_bulletin(made.to_bytes()) == made


def test_a_bulletin_beyond_64_kib() -> None:
    text = {"official": False, "title": "T", "body": "x" * 20_000}
    languages = ("fr", "es", "ru")
    made = bulletin(1, body="x" * 20_000, translations=[{**text, "language": each} for each in languages])
    with pytest.raises(DraftError) as error:
        made.to_bytes()
    assert error.value.code is Code.TOO_LARGE


@pytest.mark.parametrize(
    "changes",
    [
        {"issued": "2026-13-01T00:00:00Z"},
        {"id": "x"},
        {"ref": "FRA-26-1"},
        {"v": 2},
        {"v": True},
        {"v": None},
        {"valid_from": "2026-02-30T00:00:00Z"},
    ],
)
def test_bulletins_that_are_refused(changes: dict[str, Any]) -> None:
    fields = {**bulletin(1).model_dump(mode="json", exclude_none=True), **changes}
    assert code_of(parse_bulletin, canonical_json(fields)) in {Code.BAD_DOCUMENT, Code.BAD_ENCODING}


@given(st.sampled_from(sorted(Bulletin.model_fields)), VALUES | st.floats() | st.integers())
def test_plain_bytes_are_read_as_the_strict_parser_reads_them(name: str, value: object) -> None:
    fields = {**bulletin(1).model_dump(mode="json", exclude_none=True), name: value}
    data = to_json(fields, inf_nan_mode="constants")
    strict = data + b" "  # no writer of ours leaves a space
    assert code_of(parse_bulletin, data) == code_of(parse_bulletin, strict)
    if code_of(parse_bulletin, data) is None:
        assert parse_bulletin(data) == parse_bulletin(strict)


@pytest.mark.parametrize(
    "name,value,code",
    [
        ("v", "1.0", Code.BAD_JSON),
        ("v", "true", Code.BAD_DOCUMENT),
        ("exercise", "0.5", Code.BAD_JSON),
        ("exercise", "9007199254740992", Code.BAD_JSON),
        ("exercise", "[[[[[[[[[[[[[]]]]]]]]]]]]]", Code.BAD_JSON),
        ("drafter", '"A","drafter":"B"', Code.BAD_JSON),
    ],
)
def test_the_strict_parser_has_the_first_word(name: str, value: str, code: Code) -> None:
    fields = bulletin(1).model_dump(mode="json", exclude_none=True)
    fields.pop(name, None)
    data = canonical_json(fields)[:-1] + f',"{name}":{value}}}'.encode()
    assert code_of(parse_bulletin, data) is code


def test_the_model_bounds_numbers_and_depth_by_itself() -> None:
    """Why plain bytes may go to it past the strict parser."""
    schema = Bulletin.model_json_schema()

    def depth(part: Any) -> int:  # a reference to itself would never end
        if isinstance(part, list):
            return max(map(depth, part), default=0)
        if not isinstance(part, dict):
            return 0
        assert part.get("type") != "number"
        if part.get("type") == "integer":
            assert "const" in part or abs(part["minimum"]) <= part["maximum"] < 2**53, part
        if "$ref" in part:
            return depth(schema["$defs"][part["$ref"].rpartition("/")[2]])
        inner = max((depth(each) for name, each in part.items() if name != "$defs"), default=0)
        return inner + (part.get("type") in ("object", "array"))  # a field of its own may be named type

    assert 2 <= depth(schema) <= JSON_DEPTH_MAX


def test_text_in_a_language() -> None:
    text = {"language": "fr", "official": True, "title": "Titre", "summary": "", "body": ""}
    made = bulletin(1, translations=[text])
    assert made.text_in(Language.FRENCH).title == "Titre"
    assert made.text_in(Language.RUSSIAN).title == "Bulletin 1"


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_code(data: bytes) -> None:
    for parse in (parse_bulletin, parse_draft, parse_card):
        assert code_of(parse, data) is not None


@given(st.sampled_from(sorted(Draft.model_fields)), VALUES)
def test_any_value_in_any_field_is_taken_or_refused_with_a_code(name: str, value: object) -> None:
    assert code_of(parse_draft, {**DRAFT, name: value}) in {None, *Code}
    fields = {**bulletin(1).model_dump(mode="json", exclude_none=True), name: value}
    assert code_of(parse_bulletin, canonical_json(fields)) in {None, Code.BAD_DOCUMENT, Code.BAD_ENCODING}


def test_a_card_is_read_as_it_was_written() -> None:
    card = Card(slug="border", title="Border", rules="None\nof this")
    assert parse_card(card.to_bytes()) == card


@given(st.sampled_from(["slug", "title", "rules", "v", "x"]), VALUES | TEXTS)
def test_any_card_is_taken_or_refused_with_a_code(name: str, value: object) -> None:
    data = canonical_json({"v": 1, "slug": "border", "title": "Border", "rules": "", name: value})
    assert code_of(parse_card, data) in {None, Code.BAD_DOCUMENT, Code.BAD_ENCODING}

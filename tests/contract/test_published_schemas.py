"""What is published is what the code says, is valid by the standards, and says what the parsers do."""

import json
import runpy
import sys
import typing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from schemas import publish
from schemas.bulletin import parse_bulletin, parse_draft
from schemas.card import parse_card
from schemas.encoding import canonical_json
from schemas.errors import DraftError, LiaisonError
from schemas.frame import parse_header
from schemas.json_schemas import FIELDS, URN, Json, plain_schemas
from schemas.publish import PUBLISHED
from schemas.vocabulary import Kind
from subscribers import publish as agency
from subscribers.api import NodeApi, OwnersApi, RecallApi, RepliesApi, SharingApi
from subscribers.files.shapes import FilesApi
from subscribers.insight.shapes import InsightApi
from subscribers.keyring.identity_api import SuccessionApi
from subscribers.records import Record
from subscribers.service.examples import answer_examples, request_examples
from subscribers.service.requests import parse_request
from subscribers.service.roles import Verb

FILES = sorted(PUBLISHED.rglob("*.schema.json"))
EXAMPLES = publish.read_examples()
LINK_ID = "019c132c-0000-7000-8000-000000000000"


def load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(load(PUBLISHED / f"{name}.schema.json"))


@pytest.mark.parametrize("module", [publish, agency])
def test_nothing_has_drifted(module: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """The command as `make drift` runs it."""
    given = sys.argv
    sys.argv = ["publish", "--check"]
    try:
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(module.__file__), run_name="__main__")
    finally:
        sys.argv = given
    assert ended.value.code == 0, capsys.readouterr().err


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.removesuffix(".schema.json"))
def test_every_schema_is_valid_named_described_and_has_examples_that_hold(path: Path) -> None:
    schema = load(path)
    Draft202012Validator.check_schema(schema)
    assert schema["title"]
    assert schema["description"]
    assert schema["examples"]
    checker = Draft202012Validator(schema)
    for example in schema["examples"]:
        checker.validate(example)


def test_identifiers_are_stable_and_each_is_used_once() -> None:
    identifiers = {path.name: load(path)["$id"] for path in FILES}
    assert len(set(identifiers.values())) == len(identifiers)
    for name, identifier in identifiers.items():
        assert identifier.startswith(URN), name
        assert identifier.rpartition(":")[2] in name


@pytest.mark.parametrize("kind", sorted(FIELDS))
def test_the_header_schemas_name_the_fields_in_the_order_of_the_wire(kind: str) -> None:
    example = EXAMPLES[f"header-{kind}"]
    schema = load(PUBLISHED / f"header-{kind}.schema.json")
    assert list(example) == list(FIELDS[kind]) == list(schema["properties"]) == schema["required"]
    parse_header(json.dumps(example, separators=(",", ":")).encode())


@pytest.mark.parametrize("kind", sorted(FIELDS))
@pytest.mark.parametrize("field", ["v", "com", "seq", "prev", "pc", "iat"])
def test_a_header_that_its_schema_refuses_is_refused_by_the_parser(kind: str, field: str) -> None:
    values: tuple[object, ...] = (None, -1, 1.5, True, "x", [], "0" * 65)
    for wrong in values:
        header = {**EXAMPLES[f"header-{kind}"], field: wrong}
        if wrong == 1.5 or not validator(f"header-{kind}").is_valid(header):
            with pytest.raises(LiaisonError):
                parse_header(json.dumps(header, separators=(",", ":")).encode())


# One thing wrong with a draft; by the schema and by the parser alike.
WRONG_DRAFTS: dict[str, dict[str, Any]] = {
    "no_marking": {"tlp": None},
    "unknown_marking": {"tlp": "TLP:PINK"},
    "red_with_history": {"tlp": "TLP:RED", "history": "members"},
    "unknown_language": {"language": "de"},
    "unknown_field": {"colour": "red"},
    "empty_title": {"title": ""},
    "bell_in_title": {"title": "a\x07b"},
    "terminal_control_in_title": {"title": "a\x9b31mb"},
    "right_to_left_override": {"title": "a\u202eb"},
    "line_break_in_title": {"title": "a\nb"},
    "control_in_pattern": {"indicators": [{"pattern": "[a = 'b\x9b']"}]},
    "number_for_text": {"title": 1},
    "flag_for_number": {"grading": {"system": "admiralty", "reliability": "B", "credibility": True}},
    "amendment_of_nothing": {"kind": "amendment"},
    "response_with_another_link": {
        "kind": "response",
        "links": [{"relation": "amends", "id": LINK_ID}],
    },
    "channel_without_channel": {"kind": "channel"},
    "channel_in_a_tactic": {"channel": {"address": "t.me/x", "state": "reported"}},
    "event_without_event": {"kind": "event"},
    "subject_without_subjects": {"kind": "subject"},
    "subject_without_law": {"kind": "subject", "subjects": [{"type": "person", "name": "A. B."}]},
}


@pytest.mark.parametrize("name", sorted(WRONG_DRAFTS))
def test_a_wrong_draft_is_refused_by_schema_and_parser(name: str) -> None:
    draft = {**EXAMPLES["draft"], **WRONG_DRAFTS[name]}
    assert not validator("draft").is_valid(draft)
    with pytest.raises(DraftError):
        parse_draft(json.dumps(draft).encode())


RIGHT_DRAFTS: dict[Kind, dict[str, Any]] = {
    Kind.CHANNEL: {"channel": {"address": "t.me/x", "state": "blocked"}},
    Kind.EVENT: {"event": {"name": "Summit", "starts": "2026-02-01T00:00:00Z"}},
    Kind.SUBJECT: {
        "subjects": [{"type": "person", "name": "A. B.", "reference": "QDi.001"}],
        "personal": {"legal_basis": "Act", "review": "2027-01-01T00:00:00Z", "correction": "the office"},
    },
    Kind.CYBER: {"indicators": [{"pattern": "[domain-name:value = 'a.example']"}]},
    Kind.AMENDMENT: {"links": [{"relation": "amends", "id": LINK_ID}]},
    Kind.RETRACTION: {"links": [{"relation": "retracts", "id": LINK_ID}]},
    Kind.RESPONSE: {"links": [{"relation": "responds-to", "id": LINK_ID}]},
    Kind.ACKNOWLEDGEMENT: {"links": [{"relation": "acknowledges", "id": LINK_ID}]},
    Kind.SIGHTING: {"links": [{"relation": "sights", "id": LINK_ID}]},
    Kind.DIGEST: {"links": [{"relation": "contains", "id": LINK_ID}]},
}


@pytest.mark.parametrize("kind", list(Kind))
def test_a_bulletin_of_every_kind_holds_by_schema_and_parser(kind: Kind) -> None:
    fields = {"kind": kind.value, **RIGHT_DRAFTS.get(kind, {})}
    draft = {**EXAMPLES["draft"], **fields}
    bulletin = {**EXAMPLES["bulletin"], **fields}
    validator("draft").validate(draft)
    validator("bulletin").validate(bulletin)
    assert parse_draft(json.dumps(draft).encode()).kind is kind
    parsed = parse_bulletin(json.dumps(bulletin).encode())
    # What is written is what the schema says too.
    validator("bulletin").validate(json.loads(parsed.to_bytes()))


def test_the_card_example_is_a_card() -> None:
    assert parse_card(canonical_json(EXAMPLES["card"])).slug == EXAMPLES["card"]["slug"]


def test_every_verb_has_a_request_and_an_answer_and_they_hold() -> None:
    requests, answers = request_examples(EXAMPLES), answer_examples(EXAMPLES)
    assert set(requests) == set(answers) == set(agency.ANSWERS) == set(Verb)
    for verb in Verb:
        parse_request(verb, json.dumps(requests[verb]).encode())
        result = answers[verb][0]["result"]
        TypeAdapter(agency.ANSWERS[verb]).validate_json(json.dumps(result))


@pytest.mark.parametrize(
    "verb", sorted(set(Verb) - {Verb.WHOAMI, Verb.CLIENTS, Verb.CLIENT_ADD, Verb.CLIENT_REMOVE})
)
def test_the_answers_are_those_that_the_node_promises(verb: Verb) -> None:
    name = verb.value.replace("-", "_")
    apis = (NodeApi, InsightApi, OwnersApi, RepliesApi, RecallApi, SharingApi, SuccessionApi, FilesApi)
    (api,) = (each for each in apis if callable(getattr(each, name, None)))
    promised = typing.get_type_hints(getattr(api, name))["return"]
    assert agency.ANSWERS[verb] == (None if promised is type(None) else promised)


def test_a_record_of_the_feed_is_as_published() -> None:
    schema = load(PUBLISHED / "agency" / "record.schema.json")
    example = schema["examples"][0]
    record = Record.model_validate_json(json.dumps(example))
    Draft202012Validator(schema).validate(json.loads(record.model_dump_json(exclude_none=True)))
    del example["agency"]
    with pytest.raises(ValidationError):
        Record.model_validate_json(json.dumps(example))


def test_the_command_writes_names_what_drifted_and_takes_away_what_is_stale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made: dict[str, Json] = {"a.json": {"x": 1}, "b.json": {"y": "é"}}
    target = tmp_path / "new"
    assert publish.run([], target, lambda: made) == 0
    assert publish.run(["--check"], target, lambda: made) == 0
    (target / "a.json").write_text("{}", encoding="utf-8")
    (target / "stale.json").write_text("{}", encoding="utf-8")
    (target / publish.EXAMPLES).write_text("kept", encoding="utf-8")
    (target / "b.json").unlink()
    assert publish.run(["--check"], target, lambda: made) == 1
    told = capsys.readouterr().err
    assert [line.split()[0] for line in told.splitlines()] == ["new/a.json", "new/b.json", "new/stale.json"]
    assert publish.run([], target, lambda: made) == 0
    assert publish.run(["--check"], target, lambda: made) == 0
    assert (target / publish.EXAMPLES).read_text(encoding="utf-8") == "kept"
    assert publish.run(["--chekc"], target, lambda: made) == 2
    assert publish.run(["--help"], target, dict) == 0
    assert (target / "a.json").exists()


def test_what_is_published_is_all_that_there_is() -> None:
    assert {f"{name}.schema.json" for name in plain_schemas()} | {"hub.asyncapi.json"} == set(
        publish.documents()
    )

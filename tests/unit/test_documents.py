import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.documents import Root, parse_document, parse_enrolment, parse_membership, parse_witness_request
from schemas.encoding import canonical_json, parse_json, to_base64
from schemas.errors import Code
from schemas.limits import DOCUMENT_MAX
from schemas.signing import DOCUMENT_TYPE, ENROLMENT_TYPE, MEMBERSHIP_TYPE
from tests.support.federation import (
    AT,
    COM,
    FRA,
    JPN,
    REGISTRAR,
    by_owners,
    code_of,
    community,
    documents,
    entry,
    envelope,
    memberships,
    root,
)
from tests.support.json_values import VALUES
from tests.vectors.directory_cases import SMALL_ORDER

PARSERS = (
    (parse_document, DOCUMENT_TYPE),
    (parse_membership, MEMBERSHIP_TYPE),
    (parse_enrolment, ENROLMENT_TYPE),
    (parse_witness_request, ENROLMENT_TYPE),
)


def test_documents_are_read_as_they_were_written() -> None:
    for data in documents():
        signed = parse_document(data)
        assert signed.envelope.to_bytes() == data
        assert signed.document.to_bytes() == signed.envelope.payload
    for data in memberships()[COM]:
        assert parse_membership(data).envelope.to_bytes() == data


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_a_code(data: bytes) -> None:
    for parse, _ in PARSERS:
        assert code_of(parse, data) is not None


@given(
    st.dictionaries(st.sampled_from(["type", "v", "version", "issued", "id", "name", "code", "keys"]), VALUES)
)
def test_any_json_is_refused_with_a_code(fields: dict[str, object]) -> None:
    for parse, type in PARSERS:
        data = envelope(fields, REGISTRAR, type=type)
        assert code_of(parse, data) is not None


@given(st.sampled_from([root(), FRA.agency(), FRA.keys(), FRA.revoke(), community()]), st.data())
def test_any_value_in_any_field_is_taken_or_refused_with_a_code(
    document: object, data: st.DataObject
) -> None:
    fields = document.model_dump(mode="json")  # type: ignore[attr-defined]  # one of the five models above
    name = data.draw(st.sampled_from(sorted(fields)))
    changed = {**fields, name: data.draw(VALUES)}
    code = code_of(parse_document, envelope(changed, REGISTRAR))
    assert code is not None or parse_document(
        envelope(changed, REGISTRAR)
    ).document.to_bytes() == canonical_json(changed)


@given(st.sampled_from(["com", "index", "prev", "issued", "op", "id", "role", "nbf", "v"]), VALUES)
def test_the_same_for_membership(name: str, value: object) -> None:
    changed = {**entry([]).model_dump(mode="json"), name: value}
    data = envelope(changed, FRA.identity, type=MEMBERSHIP_TYPE)
    code = code_of(parse_membership, data)
    assert code is not None or parse_membership(data).entry.to_bytes() == canonical_json(changed)


def test_the_schema_of_a_root_asks_for_every_field_but_the_cooldown() -> None:
    schema = Root.model_json_schema(mode="serialization")
    asked_for = {"version", "issued", "root", "registrar", "witnesses", "quorum", "freshness"}
    assert set(schema["required"]) == asked_for
    assert set(schema["properties"]) - asked_for == {"v", "type", "cooldown"}
    keywords = {"$defs", "additionalProperties", "description", "properties", "required", "title", "type"}
    assert set(schema) == keywords


@pytest.mark.parametrize("point", SMALL_ORDER.values(), ids=SMALL_ORDER)
def test_no_key_of_the_secretariat_a_witness_or_the_hub_is_weak(point: str) -> None:
    weak = to_base64(bytes.fromhex(point))
    good = parse_json(root().to_bytes(), DOCUMENT_MAX)
    role, watch = good["root"], good["witnesses"]
    for document in (
        {**good, "root": {**role, "keys": [*role["keys"], weak]}},
        {**good, "registrar": {**good["registrar"], "keys": [weak]}},
        {**good, "witnesses": [*watch, {**watch[0], "key": weak}]},
        {"v": 1, "type": "hub", "version": 1, "issued": AT, "name": "Hub", "key": weak},
    ):
        assert code_of(parse_document, envelope(document, FRA.identity)) is Code.BAD_KEY


def test_a_community_may_not_be_owned_by_nobody() -> None:
    fields = community().model_dump(mode="json")
    changes: list[dict[str, object]] = [
        {"owners": []},
        {"threshold": 0},
        {"owners": ["fra"] * 17},
        {"id": "C0" * 16},
    ]
    for change in changes:
        assert code_of(parse_document, envelope({**fields, **change}, FRA.identity)) is Code.BAD_DOCUMENT


def test_an_entry_signed_as_another_type_is_not_read() -> None:
    data = envelope(entry([]), FRA.identity, JPN.identity)
    assert code_of(parse_membership, data) is Code.BAD_DOCUMENT
    assert code_of(parse_document, by_owners(entry([]))) is Code.BAD_DOCUMENT
    assert code_of(parse_membership, by_owners(entry([]))) is None
    assert len(to_base64(FRA.kem.public)) == 1624

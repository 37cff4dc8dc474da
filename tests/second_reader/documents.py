"""Documents: the payloads of directory documents, membership entries and enrolment requests."""

from collections.abc import Mapping
from typing import Any

from . import fields
from .encoding import AGENCY_CODE, AGENCY_ID, ENDPOINT, USER, demand_canonical, from_base64, strict_json
from .limits import (
    COOL_DOWN,
    COOL_DOWN_MAX,
    DOCUMENT_MAX,
    IDENTITY_LOGS_MAX,
    OWNERS_MAX,
    SECRETARIAT_KEYS_MAX,
    WITNESSES_MAX,
)
from .refusals import demand
from .signatures import Envelope, key_field, public_key

Document = dict[str, Any]

_ENCRYPTION_KEY_SIZE = 1216
_ENCRYPTION_KEY_CHARACTERS = 1624

_ROLE = fields.record(
    {
        "v": fields.one_of(1),
        "keys": fields.array(key_field, 1, SECRETARIAT_KEYS_MAX),
        "threshold": fields.integer(1, SECRETARIAT_KEYS_MAX),
    }
)
_WITNESS = fields.record({"v": fields.one_of(1), "name": fields.name, "key": key_field})
_AGENCY_ID = fields.matching(AGENCY_ID)
_LOG = fields.record({"v": fields.one_of(1), "com": fields.hex_of(16), "size": fields.integer()})
_REALM = fields.one_of("live", "exercise")

_FIELDS: dict[str, dict[str, fields.Check]] = {
    "root": {
        "version": fields.integer(1),
        "issued": fields.integer(),
        "root": _ROLE,
        "registrar": _ROLE,
        "witnesses": fields.array(_WITNESS, 0, WITNESSES_MAX),
        "quorum": fields.integer(0, WITNESSES_MAX),
        "freshness": fields.integer(1),
    },
    "hub": {
        "version": fields.integer(1),
        "issued": fields.integer(),
        "name": fields.line,
        "key": key_field,
    },
    "agency": {
        "version": fields.integer(1),
        "issued": fields.integer(),
        "id": _AGENCY_ID,
        "name": fields.line,
        "code": fields.matching(AGENCY_CODE),
        "identity": key_field,
    },
    "keys": {
        "version": fields.integer(1),
        "issued": fields.integer(),
        "agency": _AGENCY_ID,
        "endpoint": fields.matching(ENDPOINT),
        "signing": key_field,
        "kem": fields.string_of(_ENCRYPTION_KEY_CHARACTERS),
    },
    "revoke": {
        "issued": fields.integer(),
        "agency": _AGENCY_ID,
        "kid": fields.hex_of(16),
    },
    "community": {
        "issued": fields.integer(),
        "id": fields.hex_of(16),
        "realm": _REALM,
        "owners": fields.array(_AGENCY_ID, 1, OWNERS_MAX),
        "threshold": fields.integer(1, OWNERS_MAX),
    },
    "replace": {
        "issued": fields.integer(),
        "agency": _AGENCY_ID,
        "identity": key_field,
        "nbf": fields.integer(),
    },
    "object": {
        "issued": fields.integer(),
        "agency": _AGENCY_ID,
        "identity": key_field,
    },
    "identity": {
        "issued": fields.integer(),
        "agency": _AGENCY_ID,
        "identity": key_field,
        "logs": fields.array(_LOG, 0, IDENTITY_LOGS_MAX),
    },
}
_DEFAULTED: dict[str, dict[str, fields.Check]] = {"root": {"cooldown": fields.integer(1, COOL_DOWN_MAX)}}

_ENROLMENT_FIELDS: dict[str, dict[str, fields.Check]] = {
    "enrolment": {
        "issued": fields.integer(),
        "id": _AGENCY_ID,
        "name": fields.line,
        "code": fields.matching(AGENCY_CODE),
        "identity": key_field,
        "user": fields.matching(USER),
    },
    "witness": {
        "issued": fields.integer(),
        "name": fields.name,
        "key": key_field,
        "user": fields.matching(USER),
    },
}


def _typed(tables: Mapping[str, Mapping[str, fields.Check]]) -> dict[str, fields.Check]:
    return {
        kind: fields.record(
            {"v": fields.one_of(1), "type": fields.one_of(kind), **table}, _DEFAULTED.get(kind, fields.NONE)
        )
        for kind, table in tables.items()
    }


_DIRECTORY = _typed(_FIELDS)
_ENROLMENT = _typed(_ENROLMENT_FIELDS)
_ENTRY = fields.record(
    {
        "v": fields.one_of(1),
        "com": fields.hex_of(16),
        "index": fields.integer(),
        "prev": fields.hex_of(32),
        "issued": fields.integer(),
        "op": fields.one_of("add", "remove"),
        "id": _AGENCY_ID,
        "role": fields.one_of("member", "reader"),
        "nbf": fields.integer(),
    }
)


def _read_typed(payload: bytes, checks: Mapping[str, fields.Check]) -> Document:
    document = strict_json(payload, DOCUMENT_MAX)
    kind = document.get("type")
    demand(isinstance(kind, str) and kind in checks, "bad_document")
    checks[document["type"]](document)
    demand(document.get("cooldown") != COOL_DOWN, "bad_encoding")
    demand_canonical(document, payload)
    return document


def witness_keys(root: Document) -> list[bytes]:
    """The keys of the witnesses that a root names."""
    return [public_key(witness["key"]) for witness in root["witnesses"]]


def role_keys(role: Document) -> list[bytes]:
    """The keys of a role."""
    return [public_key(key) for key in role["keys"]]


def encryption_key(keys: Document) -> bytes:
    """The X-Wing key of a `keys` document."""
    key = from_base64(keys["kem"])
    demand(len(key) == _ENCRYPTION_KEY_SIZE, "bad_encoding")
    return key


def _check_keys(document: Document) -> None:
    match document["type"]:
        case "root":
            role_keys(document["root"])
            role_keys(document["registrar"])
            witness_keys(document)
        case "hub" | "witness":
            public_key(document["key"])
        case "agency" | "enrolment" | "replace" | "object" | "identity":
            public_key(document["identity"])
        case "keys":
            public_key(document["signing"])
            encryption_key(document)


def read_document(envelope: Envelope) -> Document:
    """The payload of a directory document, with its keys checked and no rule applied yet."""
    document = _read_typed(envelope.payload, _DIRECTORY)
    _check_keys(document)
    return document


def read_entry(envelope: Envelope) -> Document:
    """The payload of a membership entry."""
    entry = strict_json(envelope.payload, DOCUMENT_MAX)
    _ENTRY(entry)
    demand_canonical(entry, envelope.payload)
    return entry


def read_enrolment(envelope: Envelope) -> Document:
    """The payload of an agency's or a witness's request, signed by the key in it."""
    request = _read_typed(envelope.payload, _ENROLMENT)
    _check_keys(request)
    envelope.demand_signer(public_key(request["identity" if request["type"] == "enrolment" else "key"]))
    return request

"""JSON Schemas (2020-12) of everything that travels, made from the models; by hand where there is no model.

A schema says less than FORMAT.md: that base64 and hex are canonical, that keys are sound, that signatures
hold and who may say what is for the parsers. What it accepts may therefore still be refused; what it refuses
always is.
"""

from typing import Any, Final, Literal

from pydantic import BaseModel

from schemas.bulletin import NEEDED_RELATION, Bulletin, Draft
from schemas.card import Card
from schemas.documents import (
    Agency,
    Community,
    Enrolment,
    Hub,
    Identity,
    Keys,
    Membership,
    Object,
    Replace,
    Revoke,
    Root,
)
from schemas.errors import Code
from schemas.evidence import Evidence
from schemas.exports import Export, Proof
from schemas.frame import BULLETIN, CARD, EPOCH, HEARTBEAT, Header
from schemas.history import HistoryRequest
from schemas.limits import INTEGER_MAX, SECRETARIAT_KEYS_MAX
from schemas.operations import OPERATION_TYPE, Operation
from schemas.pages import PageRequest
from schemas.receipts import ADMITTED
from schemas.signing import DOCUMENT_TYPE, ENROLMENT_TYPE, HISTORY_TYPE, MEMBERSHIP_TYPE
from schemas.vocabulary import History, Kind, Precedence, Realm, Tlp

Json = dict[str, Any]
Mode = Literal["validation", "serialization"]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
URN: Final = "urn:liaison:schema:v1:"
REF: Final = "#/$defs/{model}"

_PLAIN: Final = Header._fields[: Header._fields.index("pc") + 1]
FIELDS: Final = {
    BULLETIN: _PLAIN,
    CARD: _PLAIN,
    EPOCH: (*_PLAIN, "dir", "mem", "kc", "hist"),
    HEARTBEAT: (*_PLAIN, "dir", "mem", "heads"),
}
"""The fields of each kind of frame's header, in the order in which they stand."""

_COUNT: Final[Json] = {"type": "integer", "minimum": 0, "maximum": INTEGER_MAX}
_HEX16: Final[Json] = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_HEX32: Final[Json] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_SIGNATURE: Final[Json] = {"type": "string", "pattern": "^[A-Za-z0-9+/]{86}==$"}
_KINDS: Final = {
    BULLETIN: "a bulletin, sealed in the body",
    CARD: "a community's card, sealed in the body",
    EPOCH: "the announcement of an epoch; no body",
    HEARTBEAT: "a heartbeat; no body",
}


def model_schema(model: type[BaseModel], mode: Mode, ref: str = REF) -> Json:
    """The schema of a model; with the rules between its fields where the model is a draft or a bulletin."""
    schema: Json = model.model_json_schema(mode=mode, ref_template=ref)
    if issubclass(model, Draft):
        schema["allOf"] = between_fields(given=model is Draft)
    return schema


def between_fields(*, given: bool) -> list[Json]:
    """What fields of a bulletin demand of each other, as far as a schema can say it; and what more is asked
    of a draft that is `given` to a node.
    """

    def when(field: str, value: str, then: Json) -> Json:
        return {"if": {"properties": {field: {"const": value}}, "required": [field]}, "then": then}

    of_people: Json = {"required": ["subjects"], "properties": {"subjects": {"minItems": 1}}}
    if given:
        of_people["required"].append("personal")
        of_people["properties"].update(_present("personal"))
    rules = [
        when("tlp", Tlp.RED.value, {"properties": {"history": {"const": History.NONE.value}}}),
        {
            **when("kind", Kind.CHANNEL.value, {"required": ["channel"], "properties": _present("channel")}),
            "else": {"properties": {"channel": {"type": "null"}}},
        },
        when("kind", Kind.EVENT.value, {"required": ["event"], "properties": _present("event")}),
        when("kind", Kind.SUBJECT.value, of_people),
    ]
    for kind, relation in NEEDED_RELATION.items():
        link = {"properties": {"relation": {"const": relation.value}}, "required": ["relation"]}
        rules.append(
            when("kind", kind.value, {"required": ["links"], "properties": {"links": {"contains": link}}})
        )
    return rules


def _present(field: str) -> Json:
    return {field: {"not": {"type": "null"}}}


def header_schema(kind: str) -> Json:
    """The header of one kind of frame."""
    head = {
        "type": "array",
        "description": "[size, root or hash]",
        "prefixItems": [_COUNT, _HEX32],
        "minItems": 2,
        "maxItems": 2,
        "items": False,
    }
    commitment = _HEX32 if kind in {BULLETIN, CARD} else {"const": "0" * 64}
    fields: Json = {
        "v": {"const": 1},
        "k": {"const": kind},
        "rl": {"enum": [each.value for each in Realm]},
        "pr": {"enum": [each.value for each in Precedence]},
        "com": _HEX16,
        "pub": {"type": "string", "pattern": "^A[A-Z2-7]{55}$"},
        "kid": _HEX16,
        "ep": _COUNT,
        "seq": _COUNT,
        "prev": _HEX32,
        "id": {
            "type": "string",
            "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
        },
        "iat": _COUNT,
        "exp": _COUNT,
        "pc": commitment,
        "dir": head,
        "mem": head,
        "kc": _HEX32,
        "hist": {"enum": [each.value for each in History]},
        "heads": {"type": "array", "prefixItems": [head, head], "minItems": 2, "maxItems": 2, "items": False},
    }
    names = FIELDS[kind]
    return {
        "title": f"Frame header {kind}",
        "description": f"The signed header of {_KINDS[kind]}. Fields in this order, without spaces.",
        **_exactly({name: fields[name] for name in names}),
    }


def envelope_schema() -> Json:
    """A DSSE envelope."""
    signature = _exactly({"keyid": _HEX16, "sig": _SIGNATURE})
    return {
        "title": "Envelope",
        "description": "A DSSE envelope: a document, an entry, a request (enrolment, history), a record.",
        **_exactly(
            {
                "payload": {
                    "type": "string",
                    "contentEncoding": "base64",
                    "pattern": "^[A-Za-z0-9+/]*={0,2}$",
                },
                "payloadType": {
                    "enum": [DOCUMENT_TYPE, MEMBERSHIP_TYPE, ENROLMENT_TYPE, HISTORY_TYPE, OPERATION_TYPE]
                },
                "signatures": {
                    "type": "array",
                    "items": signature,
                    "minItems": 1,
                    "maxItems": SECRETARIAT_KEYS_MAX,
                },
            }
        ),
    }


def receipt_schema() -> Json:
    """The hub's answers to one publisher."""
    item = _exactly(
        {
            "at": {**_COUNT, "description": "Unix milliseconds"},
            "code": {"enum": [ADMITTED, *(code.value for code in Code)]},
            "index": _COUNT,
            "path": {"type": "array", "items": _HEX32, "maxItems": 53},
            "sha256": {**_HEX32, "description": "of the submitted message"},
        }
    )
    return {
        "title": "Receipt",
        "description": "The hub's signed answers to one publisher's submissions in a batch.",
        **_exactly(
            {
                "items": {"type": "array", "items": item},
                "root": _HEX32,
                "sig": _SIGNATURE,
                "size": _COUNT,
                "v": {"const": 1},
            }
        ),
    }


def _exactly(properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def plain_schemas() -> dict[str, Json]:
    """Name to schema, without identifier and examples.

    Drafts and bulletins are what a reader accepts; documents have one form, so all their fields are required.
    """
    documents = (Root, Hub, Agency, Keys, Revoke, Community, Replace, Object, Identity)
    return {
        "draft": model_schema(Draft, "validation"),
        "bulletin": model_schema(Bulletin, "validation"),
        "card": model_schema(Card, "serialization"),
        **{f"document-{each.__name__.lower()}": model_schema(each, "serialization") for each in documents},
        "membership": model_schema(Membership, "serialization"),
        "enrolment": model_schema(Enrolment, "serialization"),
        "history-request": model_schema(HistoryRequest, "serialization"),
        "operation": model_schema(Operation, "serialization"),
        "page-request": model_schema(PageRequest, "serialization"),
        "envelope": envelope_schema(),
        "directory-export": model_schema(Export, "serialization"),
        "directory-proof": model_schema(Proof, "serialization"),
        **{f"header-{kind}": header_schema(kind) for kind in FIELDS},
        "receipt": receipt_schema(),
        "evidence": model_schema(Evidence, "serialization"),
    }


def named(name: str, schema: Json, examples: list[Any]) -> Json:
    """The schema with its dialect, its stable identifier and examples."""
    return {"$schema": DIALECT, "$id": URN + name, **schema, "examples": examples}

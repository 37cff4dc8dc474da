"""Operational records: what the hub says of its own service."""

from typing import Any

from . import fields
from .encoding import ENDPOINT, demand_canonical, strict_json
from .limits import DOCUMENT_MAX
from .refusals import CODES, demand
from .signatures import OPERATION, Envelope

_RECORD = fields.record(
    {
        "v": fields.one_of(1),
        "type": fields.one_of("operation"),
        "at": fields.integer(),
        "kind": fields.one_of("lag", "silence", "quota", "refused", "disk", "expiry"),
        "about": fields.matching(f"({ENDPOINT})?"),
        "state": fields.one_of("raised", "cleared"),
        "value": fields.integer(),
        "limit": fields.integer(),
        "code": fields.string,
    }
)
_OF_HUB = {("disk", ""), ("expiry", "certificate")}
_OF_ENDPOINTS = {("lag", ""), ("silence", ""), ("quota", ""), ("expiry", "key")}


def read_operation(data: bytes, hub_key: bytes) -> dict[str, Any]:
    """A record under the hub's signature."""
    envelope = Envelope.read(data, OPERATION)
    record: dict[str, Any] = strict_json(envelope.payload, DOCUMENT_MAX)
    _RECORD(record)
    kind, code = record["kind"], record["code"]
    if record["about"]:
        demand((kind, code) in _OF_ENDPOINTS or (kind == "refused" and code in CODES), "bad_document")
    else:
        demand((kind, code) in _OF_HUB, "bad_document")
    demand_canonical(record, envelope.payload)
    envelope.demand_signer(hub_key)
    return record

"""Replies: answers and reports that nobody but the originator of a bulletin reads, and their writer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import fields
from .bulletin import read_bulletin
from .content import Opened, check_agreement, unseal
from .encoding import UUID7, demand_canonical, strict_json
from .epochs import derived
from .frame import BODY_SIZES, Header
from .limits import LIST_MAX, PAYLOAD_MAX, REPLY_KEYS_MAX, WRAP_CIPHERTEXT_SIZE
from .refusals import demand
from .signatures import sha256
from .wraps import Keyring

REPLY_HIST = "none"
REPORT = "report"

_MAGIC = b"liaison/1 reply\0"
_COMMITMENT_AT, _COUNT_AT, _KEYS_AT = 16, 48, 49
_KINDS = ("acknowledgement", "sighting")
_CHANGES = ("amendment", "retraction")
_CHANGE = fields.record(
    {
        "id": fields.matching(UUID7),
        "received": fields.integer(),
        "applied": fields.nullable(fields.integer()),
        "archive": fields.one_of("applied", "absent"),
        "local": fields.one_of("applied", "failed"),
        "sinks": fields.one_of("applied", "failed", "none"),
    }
)
_REPORT = fields.record(
    {"v": fields.one_of(1), "type": fields.one_of(REPORT), "changes": fields.array(_CHANGE, 1, LIST_MAX)}
)


def is_sealed(payload: bytes) -> bool:
    """Whether a payload says that it is a sealed reply."""
    return payload.startswith(_MAGIC)


def reply_commitment(opened: Opened) -> bytes:
    """The commitment to a reply."""
    return sha256(b"liaison/1 reply commitment\0", opened.salt, opened.payload)


@dataclass(frozen=True)
class Sealed:
    """A sealed reply, in its place or wherever it was carried."""

    commitment: bytes
    keys: list[bytes]
    body: bytes

    @classmethod
    def read(cls, payload: bytes, header: Header, hist: str) -> Sealed:
        """Read a sealed reply in a frame under an epoch of that history."""
        demand(is_sealed(payload) and len(payload) >= _KEYS_AT, "bad_document")
        count = payload[_COUNT_AT]
        body_at = _KEYS_AT + count * WRAP_CIPHERTEXT_SIZE
        demand(1 <= count <= REPLY_KEYS_MAX and len(payload) - body_at in BODY_SIZES, "bad_document")
        demand(header.pr == "routine" and hist == REPLY_HIST, "content_mismatch")
        starts = range(_KEYS_AT, body_at, WRAP_CIPHERTEXT_SIZE)
        keys = [payload[at : at + WRAP_CIPHERTEXT_SIZE] for at in starts]
        return cls(payload[_COMMITMENT_AT:_COUNT_AT], keys, payload[body_at:])

    def open(self, header: Header, keyring: Keyring) -> Opened | None:
        """What it says to who has one of these keys; nothing where it is for others."""
        context = _MAGIC + (header.com + header.id + header.pub).encode()
        key = keyring.try_all(self.keys, context)
        if key is None:
            return None
        opened = unseal(self.body, context, derived(key, b"liaison/1 reply"))
        self.demand_committed(opened)
        return opened

    def demand_committed(self, opened: Opened) -> None:
        """Refuse a reply other than that which was committed to."""
        demand(reply_commitment(opened) == self.commitment, "commitment_mismatch")


@dataclass(frozen=True)
class Reply:
    """What a reply is, a report or a bulletin of some kind, and the ids of the bulletins that it is about."""

    kind: str
    targets: list[str]

    @classmethod
    def read(cls, data: bytes, header: Header, code: str) -> Reply:
        """A reply that stands in a frame with that header, by an agency of that code."""
        if strict_json(data, PAYLOAD_MAX).get("type") == REPORT:
            return cls(REPORT, _changed(data))
        reply = read_bulletin(data)
        demand(reply["kind"] in _KINDS and len(reply["links"]) == 1, "not_a_reply")
        check_agreement(reply, header, REPLY_HIST, code)
        return cls(reply["kind"], [reply["links"][0]["id"]])

    def demand_about(self, own: Mapping[str, str]) -> None:
        """Refuse a reply that is not about these bulletins of its reader, whose kinds are given by id."""
        demand(own.keys() >= set(self.targets), "not_a_reply")
        changes = all(own[target] in _CHANGES for target in self.targets)
        demand(self.kind != REPORT or changes, "not_a_reply")


def _changed(data: bytes) -> list[str]:
    """The ids of the changes that a report is on."""
    report = strict_json(data, PAYLOAD_MAX)
    _REPORT(report)
    for change in report["changes"]:
        failed = "failed" in (change["local"], change["sinks"])
        demand((change["applied"] is None) == failed, "bad_document")
    ids = [change["id"] for change in report["changes"]]
    demand(len(set(ids)) == len(ids), "bad_document")
    demand_canonical(report, data)
    return ids

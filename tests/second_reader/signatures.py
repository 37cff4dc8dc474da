"""Signatures: Ed25519 over the encoding of DSSE, names of keys, and envelopes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from nacl.bindings import crypto_core_ed25519_is_valid_point, crypto_sign_open
from nacl.exceptions import BadSignatureError

from . import fields
from .encoding import demand_canonical, from_base64, strict_json
from .limits import DOCUMENT_MAX, SECRETARIAT_KEYS_MAX
from .refusals import demand

FRAME = "application/vnd.liaison.frame.v1"
DIRECTORY = "application/vnd.liaison.directory.v1+json"
MEMBERSHIP = "application/vnd.liaison.membership.v1+json"
ENROLMENT = "application/vnd.liaison.enrolment.v1+json"
HISTORY = "application/vnd.liaison.history.v1+json"
RELEASE = "application/vnd.liaison.release.v1+json"
OPERATION = "application/vnd.liaison.operation.v1+json"
RECEIPT = "application/vnd.liaison.receipt.v1"

_KEY_CHARACTERS = 44
_SIGNATURE_CHARACTERS = 88
_SIGNATURE = fields.record({"keyid": fields.hex_of(16), "sig": fields.string_of(_SIGNATURE_CHARACTERS)})
_ENVELOPE = fields.record(
    {
        "payload": fields.string,
        "payloadType": fields.string,
        "signatures": fields.array(_SIGNATURE, 1, SECRETARIAT_KEYS_MAX),
    }
)

key_field = fields.string_of(_KEY_CHARACTERS)


def sha256(*parts: bytes) -> bytes:
    """SHA-256 of byte strings one after another."""
    return hashlib.sha256(b"".join(parts)).digest()


def pae(kind: str, payload: bytes) -> bytes:
    """The pre-authentication encoding of DSSE version 1."""
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)


def holds(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a bare Ed25519 signature holds."""
    try:
        crypto_sign_open(signature + message, key)
    except BadSignatureError:
        return False
    return True


def key_id(key: bytes) -> bytes:
    """The name of a key."""
    return sha256(key)[:16]


def public_key(text: str) -> bytes:
    """The Ed25519 key that a document names."""
    key = from_base64(text)
    demand(len(key) <= 32, "bad_encoding")
    demand(len(key) == 32 and crypto_core_ed25519_is_valid_point(key), "bad_key")
    return key


@dataclass(frozen=True)
class Envelope:
    """A payload under its signatures, of which nothing is believed yet."""

    payload: bytes
    kind: str
    signatures: dict[bytes, bytes]

    @classmethod
    def read(cls, data: bytes, kind: str) -> Envelope:
        """Read an envelope of the type that is expected here."""
        value = strict_json(data, DOCUMENT_MAX)
        _ENVELOPE(value)
        demand(value["payloadType"] == kind, "bad_document")
        payload = from_base64(value["payload"])
        signatures = {}
        for entry in value["signatures"]:
            signature = from_base64(entry["sig"])
            demand(len(signature) == 64, "bad_document")
            signatures[bytes.fromhex(entry["keyid"])] = signature
        demand(len(signatures) == len(value["signatures"]), "bad_document")
        demand_canonical(value, data)
        return cls(payload, kind, signatures)

    def signers(self, keys: Iterable[bytes]) -> int:
        """How many different keys among these have signed."""
        message = pae(self.kind, self.payload)
        return sum(
            holds(key, self.signatures[key_id(key)], message)
            for key in set(keys)
            if key_id(key) in self.signatures
        )

    def demand_signers(self, keys: Iterable[bytes], threshold: int) -> None:
        """Refuse unless a threshold of keys has signed."""
        demand(self.signers(keys) >= threshold, "below_threshold")

    def demand_signer(self, key: bytes) -> None:
        """Refuse unless one key has signed."""
        demand(self.signers([key]) == 1, "bad_signature")

"""NATS keys ("nkeys") and the JWTs of operator mode, version 2.

The format is small: base32 keys with a kind and a checksum, and `header.claims.signature` over Ed25519. It is
written here rather than taken from `nats-jwt` because that package reads the clock itself, misspells the
JetStream memory limits and has no types. Sources: the NATS documents "NKeys" and "JSON Web Tokens", and what
nats-server 2.15.1 accepts.
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, Final, Self

from nacl.signing import SigningKey

from schemas.errors import Code, FormatError

_SEED_PREFIX: Final = 18 << 3
_KEY_SIZE: Final = 32
_HEADER: Final = {"typ": "JWT", "alg": "ed25519-nkey"}
CLAIMS_VERSION: Final = 2


class KeyKind(IntEnum):
    """The kind of an nkey: the byte that makes its text begin with O, A or U."""

    OPERATOR = 14 << 3
    ACCOUNT = 0
    USER = 20 << 3


class NKey:
    """A private nkey. Its text is only ever taken out by `seed`, to write it to a private file."""

    __slots__ = ("_signing", "kind", "public")

    def __init__(self, kind: KeyKind, raw: bytes) -> None:
        self.kind = kind
        self._signing = SigningKey(raw)
        self.public = _text(bytes([kind]) + bytes(self._signing.verify_key))

    @classmethod
    def generate(cls, kind: KeyKind, random: Callable[[int], bytes] = os.urandom) -> Self:
        """A new key of 32 bytes from `random`."""
        return cls(kind, random(_KEY_SIZE))

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Read the text that `seed` gives. Raises `FormatError` BAD_KEY."""
        data = _data(seed.decode("ascii", "replace").strip())
        if len(data) != 2 + _KEY_SIZE or data[0] & 0xF8 != _SEED_PREFIX:
            raise FormatError(
                Code.BAD_KEY, "this is not an nkey seed", "restore the key file from its backup"
            )
        prefix = (data[0] & 7) << 5 | data[1] >> 3
        if prefix not in set(KeyKind):
            raise FormatError(
                Code.BAD_KEY, "this nkey seed is of an unknown kind", "restore the key file from its backup"
            )
        return cls(KeyKind(prefix), data[2:])

    @property
    def seed(self) -> bytes:
        """The secret text ("SO...", "SA...", "SU...")."""
        head = bytes([_SEED_PREFIX | self.kind >> 5, (self.kind & 31) << 3])
        return _text(head + bytes(self._signing)).encode()

    def sign(self, data: bytes) -> bytes:
        """The 64-byte Ed25519 signature of `data`."""
        return self._signing.sign(data).signature

    def __repr__(self) -> str:
        return f"<NKey {self.public}>"


def check_public(kind: KeyKind, text: str) -> str:
    """`text` if it is, in its one spelling, a public nkey of `kind`. Raises `FormatError` BAD_KEY."""
    data = _data(text)
    if len(data) != 1 + _KEY_SIZE or data[0] != kind or _text(data) != text:
        raise FormatError(
            Code.BAD_KEY,
            f"this is not a public {kind.name.lower()} nkey",
            "send the enrolment request file unchanged",
        )
    return text


def mint(signer: NKey, subject: str, name: str, issued_at: int, nats: Mapping[str, Any]) -> str:
    """A JWT by `signer` about the key `subject`; `issued_at` in Unix seconds, `nats` the claims of its
    kind.
    """
    claims = {"iat": issued_at, "iss": signer.public, "name": name, "sub": subject}
    claims["nats"] = {**nats, "version": CLAIMS_VERSION}
    digest = hashlib.sha256(_json(claims)).digest()
    claims["jti"] = base64.b32encode(digest).rstrip(b"=").decode()
    signed = _base64(_json(_HEADER)) + b"." + _base64(_json(claims))
    return (signed + b"." + _base64(signer.sign(signed))).decode()


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _text(data: bytes) -> str:
    checksum = binascii.crc_hqx(data, 0).to_bytes(2, "little")
    return base64.b32encode(data + checksum).rstrip(b"=").decode()


def _data(text: str) -> bytes:
    """Undo `_text`; empty if the text is not base32 or its checksum is wrong, so that callers have one
    test.
    """
    try:
        data = base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError:
        return b""
    body, checksum = data[:-2], data[-2:]
    return body if binascii.crc_hqx(body, 0).to_bytes(2, "little") == checksum else b""

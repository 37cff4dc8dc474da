"""Wraps: an epoch's key, sealed to one reader; and bundles of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite

from .limits import WRAP_CIPHERTEXT_SIZE, WRAP_SIZE, WRAPS_PER_BUNDLE
from .refusals import Refused, demand
from .signatures import key_id

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_VERSION = 1
_HASH_SIZE, _KID_SIZE = 32, 16
_ML_KEM_SEED_SIZE = 64


def expand(seed: bytes) -> bytes:
    """The 96 bytes of an X-Wing seed: an ML-KEM seed and an X25519 scalar."""
    return hashlib.shake_256(seed).digest(96)


@dataclass(frozen=True)
class DecryptionKey:
    """A reader's X-Wing key."""

    ml_kem: MLKEM768PrivateKey
    x25519: X25519PrivateKey

    @classmethod
    def from_seed(cls, seed: bytes) -> DecryptionKey:
        """The key of a seed."""
        expanded = expand(seed)
        return cls(
            MLKEM768PrivateKey.from_seed_bytes(expanded[:_ML_KEM_SEED_SIZE]),
            X25519PrivateKey.from_private_bytes(expanded[_ML_KEM_SEED_SIZE:]),
        )

    @property
    def public(self) -> bytes:
        """The public key, as it stands in a `keys` document."""
        return self.ml_kem.public_key().public_bytes_raw() + self.x25519.public_key().public_bytes_raw()

    def open(self, ciphertext: bytes, info: bytes) -> bytes:
        """The key that is sealed to this one."""
        private = MLKEM768X25519PrivateKey(self.ml_kem, self.x25519)
        try:
            key = _SUITE.decrypt(ciphertext, private, info)
        except (InvalidTag, ValueError) as error:
            raise Refused("bad_wrap") from error
        return key


@dataclass(frozen=True)
class Wrap:
    """A wrap as it reaches its reader."""

    announcement: bytes
    kid: bytes
    ciphertext: bytes

    @classmethod
    def read(cls, data: bytes) -> Wrap:
        """Read a wrap."""
        demand(len(data) == WRAP_SIZE, "bad_wrap")
        kid_end = _HASH_SIZE + _KID_SIZE
        return cls(data[:_HASH_SIZE], data[_HASH_SIZE:kid_end], data[kid_end:])

    def info(self, endpoint: str) -> bytes:
        """What its ciphertext is bound to."""
        return b"liaison/1 wrap\0" + self.announcement + self.kid + endpoint.encode()


class Keyring:
    """The encryption keys of one endpoint, those included that it has replaced and still keeps."""

    def __init__(self, endpoint: str, seeds: list[bytes]) -> None:
        self._endpoint = endpoint
        self._keys = {key_id(key.public): key for key in map(DecryptionKey.from_seed, seeds)}

    def open(self, wrap: Wrap) -> bytes:
        """The key in a wrap that is for one of these keys."""
        demand(wrap.kid in self._keys, "bad_wrap")
        return self._keys[wrap.kid].open(wrap.ciphertext, wrap.info(self._endpoint))

    def try_all(self, ciphertexts: list[bytes], context: bytes) -> bytes | None:
        """The key in the first ciphertext that one of these keys opens."""
        for ciphertext in ciphertexts:
            for kid, key in self._keys.items():
                try:
                    return key.open(ciphertext, context + kid + self._endpoint.encode())
                except Refused:
                    continue
        return None


def read_bundle(data: bytes) -> list[Wrap]:
    """The wraps of a bundle."""
    demand(data[:1] == bytes([_VERSION]), "bad_version")
    announcement, rest = data[1 : 1 + _HASH_SIZE], data[1 + _HASH_SIZE :]
    each = _KID_SIZE + WRAP_CIPHERTEXT_SIZE
    demand(len(rest) <= WRAPS_PER_BUNDLE * each, "too_large")
    demand(len(rest) > 0 and len(rest) % each == 0, "bad_wrap")
    wraps = [Wrap.read(announcement + rest[at : at + each]) for at in range(0, len(rest), each)]
    demand(len({wrap.kid for wrap in wraps}) == len(wraps), "bad_wrap")
    return wraps

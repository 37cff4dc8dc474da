"""Epoch keys on their way to their readers: bundles from a publisher, single wraps from the hub. FORMAT.md,
"Wraps".

A wrap is `SHA256(e-frame)[32] || recipient kid[16] || HPKE ciphertext[1168]`. A bundle is up to 256 of them
for one announcement.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from schemas.errors import Code, FormatError
from schemas.limits import WRAP_CIPHERTEXT_SIZE, WRAP_SIZE, WRAPS_PER_BUNDLE
from schemas.signing import KID_SIZE

_HASH_SIZE: Final = 32
_ENTRY_SIZE: Final = KID_SIZE + WRAP_CIPHERTEXT_SIZE
BUNDLE_MAX: Final = 1 + _HASH_SIZE + WRAPS_PER_BUNDLE * _ENTRY_SIZE
_VERSION: Final = 1


class Wrap(NamedTuple):
    """One epoch key for one endpoint. `announcement` is the SHA-256 of the e-frame, `kid` names the
    recipient's encryption key.
    """

    announcement: bytes
    kid: bytes
    ciphertext: bytes

    def to_bytes(self) -> bytes:
        """The 1,216 bytes that travel."""
        return self.announcement + self.kid + self.ciphertext


def parse_wrap(data: bytes) -> Wrap:
    """A wrap from untrusted bytes; FormatError `bad_wrap`."""
    if len(data) != WRAP_SIZE:
        raise FormatError(Code.BAD_WRAP, f"a wrap has {WRAP_SIZE} bytes, not {len(data)}")
    return Wrap(data[:_HASH_SIZE], data[_HASH_SIZE : _HASH_SIZE + KID_SIZE], data[_HASH_SIZE + KID_SIZE :])


def bundle(wraps: Sequence[Wrap]) -> bytes:
    """`u8 version || SHA256(e-frame) || (kid || ciphertext) ...` of 1 to 256 wraps for one announcement."""
    return bytes((_VERSION,)) + wraps[0].announcement + b"".join(wrap.kid + wrap.ciphertext for wrap in wraps)


def parse_bundle(data: bytes) -> list[Wrap]:
    """The wraps of a bundle from untrusted bytes; FormatError `bad_wrap`, `too_large` or `bad_version`."""
    if len(data) > BUNDLE_MAX:
        raise FormatError(
            Code.TOO_LARGE,
            f"{len(data)} bytes, {BUNDLE_MAX} is the most a bundle of wraps can have",
            "split the bundle",
        )
    if data[:1] != bytes((_VERSION,)):
        raise FormatError(Code.BAD_VERSION, "not a bundle of wraps of version 1")
    entries = data[1 + _HASH_SIZE :]
    if not entries or len(entries) % _ENTRY_SIZE:
        raise FormatError(Code.BAD_WRAP, "the bundle does not hold a whole number of wraps")
    announcement = data[1 : 1 + _HASH_SIZE]
    cut = (entries[at : at + _ENTRY_SIZE] for at in range(0, len(entries), _ENTRY_SIZE))
    wraps = [Wrap(announcement, each[:KID_SIZE], each[KID_SIZE:]) for each in cut]
    if len({wrap.kid for wrap in wraps}) != len(wraps):
        raise FormatError(Code.BAD_WRAP, "the bundle names a recipient twice")
    return wraps


def kem_key_id(public: bytes) -> bytes:
    """16 bytes that name an X-Wing public key (1,216 bytes)."""
    return sha256(public).digest()[:KID_SIZE]

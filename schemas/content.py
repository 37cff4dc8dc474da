"""What lies under the ciphertext: padding, the commitment, and the keys derived from an epoch key. FORMAT.md,
"Content" and "Epochs".

Hashing only; the ciphers live with the agencies (subscribers/sealing.py).
"""

from hashlib import blake2b, sha256
from typing import Final

from schemas.errors import Code, SealError
from schemas.limits import LENGTH_SIZE, NONCE_SIZE, PAYLOAD_MAX, PAYLOAD_ROOM_MIN, SALT_SIZE, TAG_SIZE

EPOCH_KEY_SIZE: Final = 32
COMMITMENT_LABEL: Final = b"liaison/1 plaintext commitment\x00"
WRAP_LABEL: Final = b"liaison/1 wrap\x00"
_AEAD_PERSON: Final = b"liaison/1 aead"
_COMMIT_PERSON: Final = b"liaison/1 commit"


def aead_key(epoch_key: bytes) -> bytes:
    """The key under which an epoch's content is encrypted (32 bytes)."""
    return blake2b(key=epoch_key, person=_AEAD_PERSON, digest_size=32).digest()


def key_commitment(epoch_key: bytes) -> bytes:
    """`kc`: what the signed announcement says of the epoch key, so that nobody can be given another (32
    bytes).
    """
    return blake2b(key=epoch_key, person=_COMMIT_PERSON, digest_size=32).digest()


def plaintext_commitment(salt: bytes, payload: bytes) -> bytes:
    """`pc`: what the signed header says of the plaintext (32 bytes)."""
    return sha256(COMMITMENT_LABEL + salt + payload).digest()


def room_for(length: int) -> int:
    """The payload's room: the smallest power of two from 1 KiB to 64 KiB that holds it. SealError `too_large`
    beyond.
    """
    if length > PAYLOAD_MAX:
        raise SealError(
            Code.TOO_LARGE,
            f"a payload of {length} bytes, {PAYLOAD_MAX} is the most",
            "attach large content as a file",
        )
    return max(PAYLOAD_ROOM_MIN, 1 << max(length - 1, 0).bit_length())


def pad(salt: bytes, payload: bytes) -> bytes:
    """`salt[32] || u32be length || payload || zeros` up to the room."""
    return (
        salt
        + len(payload).to_bytes(LENGTH_SIZE, "big")
        + payload
        + bytes(room_for(len(payload)) - len(payload))
    )


def unpad(padded: bytes) -> tuple[bytes, bytes]:
    """Salt and payload. SealError `bad_padding` when the room is not the smallest or the padding is not all
    zeros.
    """
    start = SALT_SIZE + LENGTH_SIZE
    length = int.from_bytes(padded[SALT_SIZE:start], "big") if len(padded) >= start else PAYLOAD_MAX + 1
    if (
        length > PAYLOAD_MAX
        or len(padded) != start + room_for(length)
        or not padded.endswith(bytes(len(padded) - start - length))
    ):
        raise SealError(Code.BAD_PADDING, "the padding is not what the format says")
    return padded[:SALT_SIZE], padded[start : start + length]


def body_size(length: int) -> int:
    """Size of a frame's body for a payload of this length."""
    return NONCE_SIZE + SALT_SIZE + LENGTH_SIZE + room_for(length) + TAG_SIZE


BODY_SIZES: Final = frozenset(body_size(room) for room in (1 << n for n in range(10, 17)))
"""The only sizes that a body can have: one for each power of two from 1 to 64 KiB."""


def wrap_info(announcement: bytes, kid: bytes, recipient: str) -> bytes:
    """The HPKE `info`: `label || SHA256(e-frame)[32] || recipient kid[16] || recipient PK`."""
    return WRAP_LABEL + announcement + kid + recipient.encode("ascii")

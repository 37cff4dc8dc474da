"""A reply that the originator alone can read, inside an ordinary bulletin frame. FORMAT.md, "Replies".

What the epoch's readers see is a commitment, keys for readers who are not named, and a ciphertext of one of
the padded sizes. Bytes and hashing only; the ciphers live with the agencies (subscribers/sealing.py).
"""

from hashlib import blake2b, sha256
from typing import Final, NamedTuple

from schemas.agreement import check_agreement
from schemas.bulletin import Bulletin, parse_bulletin
from schemas.content import BODY_SIZES
from schemas.encoding import parse_json
from schemas.errors import Code, FormatError, TrustError
from schemas.frame import Header
from schemas.limits import PAYLOAD_MAX, REPLY_KEYS_MAX, WRAP_CIPHERTEXT_SIZE
from schemas.report import KIND as REPORT
from schemas.report import Report, parse_report
from schemas.vocabulary import History, Kind, Precedence

REPLY_LABEL: Final = b"liaison/1 reply\x00"
REPLY_COMMITMENT_LABEL: Final = b"liaison/1 reply commitment\x00"
KINDS: Final = frozenset({Kind.ACKNOWLEDGEMENT, Kind.SIGHTING})
"""What may be said to an originator alone."""
_PERSON: Final = b"liaison/1 reply"
_HASH_SIZE: Final = 32
_HEAD_SIZE: Final = len(REPLY_LABEL) + _HASH_SIZE + 1


class SealedReply(NamedTuple):
    """The payload of a frame as everybody in the community opens it.

    `commitment` is of the reply (32 bytes), `keys` are HPKE outputs of 1,168 bytes for readers who are not
    named, `body` is nonce and ciphertext.
    """

    commitment: bytes
    keys: tuple[bytes, ...]
    body: bytes

    def to_bytes(self) -> bytes:
        """The payload. FormatError `too_large` where it would not fit into a frame."""
        size = _HEAD_SIZE + len(self.keys) * WRAP_CIPHERTEXT_SIZE + len(self.body)
        if len(self.keys) > REPLY_KEYS_MAX or size > PAYLOAD_MAX:
            message = f"a sealed reply of {size} bytes for {len(self.keys)} readers does not fit into a frame"
            raise FormatError(Code.TOO_LARGE, message, "shorten it")
        count = bytes((len(self.keys),))
        return REPLY_LABEL + self.commitment + count + b"".join(self.keys) + self.body


def is_sealed(payload: bytes) -> bool:
    """Whether an opened payload is a sealed reply, and so no bulletin: JSON cannot begin like this."""
    return payload.startswith(REPLY_LABEL)


def parse_sealed(payload: bytes) -> SealedReply:
    """A sealed reply from the opened payload of a frame. FormatError `bad_document`."""
    count = payload[_HEAD_SIZE - 1] if is_sealed(payload) and len(payload) >= _HEAD_SIZE else 0
    if not 1 <= count <= REPLY_KEYS_MAX:
        raise FormatError(Code.BAD_DOCUMENT, f"a sealed reply has 1 to {REPLY_KEYS_MAX} keys")
    end = _HEAD_SIZE + count * WRAP_CIPHERTEXT_SIZE
    body = payload[end:]
    if len(body) not in BODY_SIZES:
        raise FormatError(Code.BAD_DOCUMENT, "the ciphertext of a sealed reply has none of the padded sizes")
    starts = range(_HEAD_SIZE, end, WRAP_CIPHERTEXT_SIZE)
    keys = tuple(payload[start : start + WRAP_CIPHERTEXT_SIZE] for start in starts)
    return SealedReply(payload[len(REPLY_LABEL) : _HEAD_SIZE - 1], keys, body)


def check_place(header: Header, hist: str) -> None:
    """Where a sealed reply may stand: in the routine chain, under an epoch that no later member is given.
    TrustError `content_mismatch`.
    """
    if (header.pr, hist) != (Precedence.ROUTINE.value, History.NONE.value):
        message = "a sealed reply stands under another precedence or history than it may"
        raise TrustError(Code.CONTENT_MISMATCH, message)


def reply_context(community: str, id: str, publisher: str) -> bytes:
    """What binds a sealed reply to its frame, and stays when the frame is made again further on in its
    chain.
    """
    return REPLY_LABEL + f"{community}{id}{publisher}".encode("ascii")


def reply_info(context: bytes, kid: bytes, recipient: str) -> bytes:
    """The HPKE `info`: `context || recipient kid[16] || recipient PK`."""
    return context + kid + recipient.encode("ascii")


def reply_aead_key(key: bytes) -> bytes:
    """The key under which the reply is encrypted (32 bytes)."""
    return blake2b(key=key, person=_PERSON, digest_size=32).digest()


def reply_commitment(salt: bytes, reply: bytes) -> bytes:
    """What the sealed reply says of its text to everybody (32 bytes)."""
    return sha256(REPLY_COMMITMENT_LABEL + salt + reply).digest()


def parse_reply(data: bytes, header: Header, code: str) -> Bulletin | Report:
    """The reply itself, opened by its reader. `code` is the publisher's agency's.

    Raises FormatError; TrustError `not_a_reply`, `exercise_mismatch` or `content_mismatch`.
    """
    fields = parse_json(data, PAYLOAD_MAX)
    if fields.get("type") == REPORT:
        return parse_report(data, fields)
    bulletin = parse_bulletin(data)
    if bulletin.kind not in KINDS or len(bulletin.links) != 1:
        raise TrustError(Code.NOT_A_REPLY, "neither an acknowledgement nor a sighting of one bulletin")
    check_agreement(bulletin, header, History.NONE.value, code)
    return bulletin

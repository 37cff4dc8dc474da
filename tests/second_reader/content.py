"""Content: what is inside a frame's body, and cards."""

from dataclasses import dataclass

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt
from nacl.exceptions import CryptoError

from . import fields
from .bulletin import Bulletin
from .encoding import SLUG, demand_canonical, strict_json
from .frame import Frame, Header
from .limits import BODY_MAX, LENGTH_SIZE, NONCE_SIZE, PAYLOAD_MAX, PAYLOAD_ROOM_MIN, SALT_SIZE
from .refusals import Refused, demand
from .signatures import sha256

_CARD = fields.record(
    {
        "v": fields.one_of(1),
        "slug": fields.matching(SLUG),
        "title": fields.line,
        "rules": fields.text(BODY_MAX),
    }
)


@dataclass(frozen=True)
class Opened:
    """What a body holds."""

    salt: bytes
    payload: bytes


def commitment(opened: Opened) -> bytes:
    """The commitment to a plaintext."""
    return sha256(b"liaison/1 plaintext commitment\0", opened.salt, opened.payload)


def open_body(frame: Frame, key: bytes) -> Opened:
    """Decrypt a body with the key of its epoch's AEAD, and check what comes out."""
    opened = unseal(frame.body, frame.header_bytes, key)
    demand(commitment(opened) == frame.header.pc, "commitment_mismatch")
    return opened


def unseal(body: bytes, associated: bytes, key: bytes) -> Opened:
    """Decrypt nonce and ciphertext, and take the padding off."""
    nonce, ciphertext = body[:NONCE_SIZE], body[NONCE_SIZE:]
    try:
        plain = crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, associated, nonce, key)
    except CryptoError as error:
        raise Refused("decryption_failed") from error
    return _unpad(plain)


def _unpad(plain: bytes) -> Opened:
    """Salt and payload of a padded plaintext."""
    payload_at = SALT_SIZE + LENGTH_SIZE
    length = int.from_bytes(plain[SALT_SIZE:payload_at])
    room = len(plain) - payload_at
    demand(length <= PAYLOAD_MAX and room == room_for(length), "bad_padding")
    demand(not any(plain[payload_at + length :]), "bad_padding")
    return Opened(plain[:SALT_SIZE], plain[payload_at : payload_at + length])


def room_for(length: int) -> int:
    """The smallest room for a payload."""
    room = PAYLOAD_ROOM_MIN
    while room < length:
        room *= 2
    return room


def check_agreement(bulletin: Bulletin, header: Header, hist: str, code: str) -> None:
    """Refuse a bulletin that says other than its header, its epoch or its publisher."""
    demand(bulletin["exercise"] == (header.rl == "exercise"), "exercise_mismatch")
    demand(bulletin["id"] == header.id, "content_mismatch")
    demand((bulletin["severity"] == "flash") == (header.pr == "flash"), "content_mismatch")
    demand(bulletin["history"] == hist, "content_mismatch")
    demand(bulletin["ref"].split("-")[0] == code, "content_mismatch")


def read_card(payload: bytes) -> dict[str, str]:
    """A community's card."""
    card = strict_json(payload, PAYLOAD_MAX)
    _CARD(card)
    demand_canonical(card, payload)
    return card

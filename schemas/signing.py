"""Ed25519 and DSSE: what a signature covers, who a key is, and the strict check. FORMAT.md, "Signatures".

Private keys never come in here: whoever signs passes a `Signer`.
"""

from collections.abc import Iterable
from hashlib import sha256, sha512
from typing import Final, NamedTuple, Protocol

from nacl.bindings import crypto_core_ed25519_is_valid_point, crypto_sign_open
from nacl.exceptions import BadSignatureError

from schemas.encoding import canonical_json, from_base64, from_hex, parse_json, to_base64
from schemas.errors import Code, FormatError, TrustError
from schemas.limits import DOCUMENT_MAX, SECRETARIAT_KEYS_MAX, SIGNATURE_SIZE

KEY_SIZE: Final = 32
KID_SIZE: Final = 16
FINGERPRINT_GROUPS: Final = 8
FINGERPRINT_LABEL: Final = b"liaison/1 fingerprint\x00"
FRAME_TYPE: Final = b"application/vnd.liaison.frame.v1"
DOCUMENT_TYPE: Final = "application/vnd.liaison.directory.v1+json"
MEMBERSHIP_TYPE: Final = "application/vnd.liaison.membership.v1+json"
ENROLMENT_TYPE: Final = "application/vnd.liaison.enrolment.v1+json"
RELEASE_TYPE: Final = "application/vnd.liaison.release.v1+json"
HISTORY_TYPE: Final = "application/vnd.liaison.history.v1+json"
RECEIPT_TYPE: Final = "application/vnd.liaison.receipt.v1"


class Signer(Protocol):
    """Somebody who holds an Ed25519 private key."""

    @property
    def public(self) -> bytes:
        """The 32-byte public key."""

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature."""


def pae(payload_type: bytes, payload: bytes) -> bytes:
    """DSSE v1 pre-authentication encoding (https://github.com/secure-systems-lab/dsse, protocol.md)."""
    return b"DSSEv1 %d %b %d %b" % (len(payload_type), payload_type, len(payload), payload)


def key_id(public: bytes) -> bytes:
    """16 bytes that name a public key: the first half of its SHA-256."""
    return sha256(public).digest()[:KID_SIZE]


def fingerprint(public: bytes) -> str:
    """A public key to read aloud: eight groups of five digits (132 bits), the same in every language.

    Each group is five bytes of `SHA512(label || key)`, big-endian, modulo 100,000.
    """
    digest = sha512(FINGERPRINT_LABEL + public).digest()
    groups = (digest[at : at + 5] for at in range(0, 5 * FINGERPRINT_GROUPS, 5))
    return " ".join(f"{int.from_bytes(group, 'big') % 100_000:05d}" for group in groups)


def check_public_key(public: bytes) -> bytes:
    """The key itself when it is a canonical point of the main subgroup; TrustError `bad_key` for small or
    mixed order.
    """
    if len(public) != KEY_SIZE or not crypto_core_ed25519_is_valid_point(public):
        raise TrustError(Code.BAD_KEY, "not a valid Ed25519 public key", "make a new key pair")
    return public


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature holds. libsodium refuses S >= L and small-order points; the GIL is released
    meanwhile.
    """
    if len(public) != KEY_SIZE or len(signature) != SIGNATURE_SIZE:
        return False
    try:
        crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True


class Envelope(NamedTuple):
    """A DSSE envelope: signatures are over `pae(payload_type, payload)`, each with the id of its key."""

    payload_type: str
    payload: bytes
    signatures: tuple[tuple[bytes, bytes], ...]

    def to_bytes(self) -> bytes:
        """Canonical JSON of the envelope."""
        signatures = [{"keyid": kid.hex(), "sig": to_base64(sig)} for kid, sig in self.signatures]
        return canonical_json(
            {"payload": to_base64(self.payload), "payloadType": self.payload_type, "signatures": signatures}
        )

    def signed_by(self, keys: Iterable[bytes]) -> frozenset[bytes]:
        """Which of these public keys have signed. A key counts once however often it signs."""
        by_id = {key_id(key): key for key in keys}
        message = pae(self.payload_type.encode(), self.payload)
        return frozenset(
            by_id[kid] for kid, sig in self.signatures if kid in by_id and verify(by_id[kid], message, sig)
        )

    def countersigned(self, signer: Signer) -> "Envelope":
        """The same envelope with one more signature, or this one when that key has signed."""
        kid = key_id(signer.public)
        if any(kid == each for each, _ in self.signatures):
            return self
        signature = signer.sign(pae(self.payload_type.encode(), self.payload))
        return self._replace(signatures=(*self.signatures, (kid, signature)))


def sign_envelope(payload_type: str, payload: bytes, signers: Iterable[Signer]) -> Envelope:
    """An envelope signed by each of the signers."""
    envelope = Envelope(payload_type, payload, ())
    for signer in signers:
        envelope = envelope.countersigned(signer)
    return envelope


def parse_envelope(data: bytes, payload_type: str) -> Envelope:
    """A strict DSSE envelope of the one expected type, in its canonical form. FormatError otherwise; nothing
    is verified yet.
    """
    fields = parse_json(data, DOCUMENT_MAX)
    signatures = fields.get("signatures")
    if fields.keys() != {"payload", "payloadType", "signatures"} or not isinstance(signatures, list):
        raise FormatError(Code.BAD_DOCUMENT, "an envelope has exactly payload, payloadType and signatures")
    if fields["payloadType"] != payload_type:
        raise FormatError(
            Code.BAD_DOCUMENT,
            f"an envelope of another payload type: {payload_type} was expected",
            "give the file of that kind",
        )
    if not 1 <= len(signatures) <= SECRETARIAT_KEYS_MAX:
        raise FormatError(Code.BAD_DOCUMENT, f"1 to {SECRETARIAT_KEYS_MAX} signatures were expected")
    envelope = Envelope(
        payload_type, from_base64(fields["payload"], DOCUMENT_MAX), tuple(map(_signature, signatures))
    )
    if len({kid for kid, _ in envelope.signatures}) != len(signatures):
        raise FormatError(Code.BAD_DOCUMENT, "a key signs twice")
    if envelope.to_bytes() != data:
        raise FormatError(Code.BAD_ENCODING, "the envelope is not in its canonical form")
    return envelope


def _signature(entry: object) -> tuple[bytes, bytes]:
    if not isinstance(entry, dict) or entry.keys() != {"keyid", "sig"}:
        raise FormatError(Code.BAD_DOCUMENT, "a signature has exactly keyid and sig")
    signature = from_base64(entry["sig"], SIGNATURE_SIZE)
    if len(signature) != SIGNATURE_SIZE:
        raise FormatError(Code.BAD_DOCUMENT, f"a signature has {SIGNATURE_SIZE} bytes")
    return from_hex(entry["keyid"], KID_SIZE), signature

"""How a late joiner asks for old keys, and how they are passed on. FORMAT.md, "History". Pure.

A request is signed by the joiner's signing key and names one holder. What is passed on is a bundle of wraps
for one reader, of epochs of one publisher; the hub cuts it into the wraps that every reader knows.
"""

from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from schemas.bulletin import where
from schemas.directory import Directory
from schemas.documents import Account, Keys, Milliseconds
from schemas.encoding import canonical_json, from_base64, parse_json
from schemas.errors import Code, FormatError, TrustError
from schemas.limits import DOCUMENT_MAX, WRAP_CIPHERTEXT_SIZE, WRAPS_PER_BUNDLE
from schemas.particulars import CommunityId
from schemas.signing import (
    HISTORY_TYPE,
    KEY_SIZE,
    KID_SIZE,
    Envelope,
    Signer,
    parse_envelope,
    sign_envelope,
)
from schemas.subjects import is_publisher
from schemas.wraps import Wrap

_VERSION: Final = 1
_HASH_SIZE: Final = 32
_COMMUNITY_SIZE: Final = 16
_PUBLISHER_SIZE: Final = 56
_ENTRY_SIZE: Final = _HASH_SIZE + WRAP_CIPHERTEXT_SIZE
_HEAD_SIZE: Final = 1 + _COMMUNITY_SIZE + _PUBLISHER_SIZE + KID_SIZE
HANDOVER_MAX: Final = _HEAD_SIZE + WRAPS_PER_BUNDLE * _ENTRY_SIZE

Announcement = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class HistoryRequest(BaseModel):
    """Who asks whom for which old keys. `epochs` are the SHA-256 of `e` frames of `publisher`, in hex."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    v: Literal[1] = 1
    type: Literal["history"] = "history"
    issued: Milliseconds
    com: CommunityId
    endpoint: Account
    """Who asks."""
    holder: Account
    """Who is asked."""
    publisher: Account
    """Whose epochs they are."""
    epochs: Annotated[list[Announcement], Field(min_length=1, max_length=WRAPS_PER_BUNDLE)]

    def to_bytes(self) -> bytes:
        """Canonical JSON: what the envelope carries."""
        return canonical_json(self.model_dump(mode="json"))


class SignedRequest(NamedTuple):
    """A parsed request with its envelope."""

    request: HistoryRequest
    envelope: Envelope


def sign_request(request: HistoryRequest, signer: Signer) -> bytes:
    """The envelope that is submitted."""
    return sign_envelope(HISTORY_TYPE, request.to_bytes(), [signer]).to_bytes()


def parse_request(data: bytes) -> SignedRequest:
    """A request from untrusted bytes. FormatError; its signature is not checked."""
    envelope = parse_envelope(data, HISTORY_TYPE)
    try:
        request = HistoryRequest.model_validate(parse_json(envelope.payload, DOCUMENT_MAX))
    except ValidationError as error:
        raise FormatError(Code.BAD_DOCUMENT, where(error)) from None
    if len(set(request.epochs)) != len(request.epochs):
        raise FormatError(Code.BAD_DOCUMENT, "the request names an epoch twice")
    if request.to_bytes() != envelope.payload:
        raise FormatError(Code.BAD_ENCODING, "the request is not in its canonical form")
    return SignedRequest(request, envelope)


def check_request(directory: Directory, signed: SignedRequest, now: int) -> Keys:
    """The keys document of who asks. TrustError: the endpoint's current key has signed, and its agency is in
    the community at `now` (Unix ms).
    """
    request = signed.request
    keys = directory.endpoints.get(request.endpoint)
    if keys is None:
        raise TrustError(Code.UNKNOWN_PUBLISHER, "this endpoint has no keys in the directory")
    if directory.kid_of(keys) in directory.revoked:
        raise TrustError(Code.REVOKED_KEY, "the key of who asks is revoked")
    if not signed.envelope.signed_by([from_base64(keys.signing, KEY_SIZE)]):
        raise TrustError(Code.BAD_SIGNATURE, "the request is not signed by the endpoint's current key")
    log = directory.communities.get(request.com)
    if log is None:
        raise TrustError(Code.UNKNOWN_COMMUNITY, "the directory knows no such community")
    if log.role(keys.agency, now) is None:
        raise TrustError(Code.NOT_MEMBER, f"{keys.agency} is not in the community, so it is given no history")
    return keys


class Handover(NamedTuple):
    """Old keys of one publisher in one community for one reader: `kid` names its encryption key."""

    community: str
    publisher: str
    kid: bytes
    wraps: tuple[Wrap, ...]

    def to_bytes(self) -> bytes:
        """`u8 version || community || publisher || kid || (SHA256(e frame) || ciphertext) ...`"""
        head = bytes.fromhex(self.community) + self.publisher.encode() + self.kid
        return (
            bytes((_VERSION,)) + head + b"".join(each.announcement + each.ciphertext for each in self.wraps)
        )


def parse_handover(data: bytes) -> Handover:
    """From untrusted bytes; FormatError `too_large`, `bad_version` or `bad_wrap`."""
    if len(data) > HANDOVER_MAX:
        raise FormatError(Code.TOO_LARGE, f"{HANDOVER_MAX} bytes is the most that is handed over at once")
    if data[:1] != bytes((_VERSION,)):
        raise FormatError(Code.BAD_VERSION, "no keys of version 1 are handed over here")
    entries = data[_HEAD_SIZE:]
    if not entries or len(entries) % _ENTRY_SIZE:
        raise FormatError(Code.BAD_WRAP, "it does not hold a whole number of wraps")
    at = 1 + _COMMUNITY_SIZE
    community, named = data[1:at].hex(), data[at : at + _PUBLISHER_SIZE]
    publisher, kid = named.decode("ascii", "replace"), data[at + _PUBLISHER_SIZE : _HEAD_SIZE]
    if not is_publisher(publisher):
        raise FormatError(Code.BAD_WRAP, "it names no publisher")
    cut = (entries[at : at + _ENTRY_SIZE] for at in range(0, len(entries), _ENTRY_SIZE))
    wraps = tuple(Wrap(each[:_HASH_SIZE], kid, each[_HASH_SIZE:]) for each in cut)
    if len({each.announcement for each in wraps}) != len(wraps):
        raise FormatError(Code.BAD_WRAP, "it names an epoch twice")
    return Handover(community, publisher, kid, wraps)

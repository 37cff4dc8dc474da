"""The documents of the directory and the entries of a membership log: shapes only. FORMAT.md, "Directory".

Every document is canonical JSON inside a DSSE envelope. Who must have signed it is for directory.py and
membership.py.
"""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from schemas.bulletin import where
from schemas.encoding import canonical_json, from_base64, parse_json
from schemas.errors import Code, FormatError
from schemas.limits import (
    COOL_DOWN,
    COOL_DOWN_MAX,
    DOCUMENT_MAX,
    IDENTITY_LOGS_MAX,
    INTEGER_MAX,
    SECRETARIAT_KEYS_MAX,
    TITLE_MAX,
    WITNESSES_MAX,
)
from schemas.particulars import CommunityId, Line
from schemas.signing import (
    DOCUMENT_TYPE,
    ENROLMENT_TYPE,
    KEY_SIZE,
    MEMBERSHIP_TYPE,
    Envelope,
    check_public_key,
    parse_envelope,
)
from schemas.vocabulary import Realm

KEM_KEY_SIZE = 1216
"""X-Wing public key: ML-KEM-768 (1184) and X25519 (32)."""

AgencyId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")]
AgencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,7}$")]
KeyName = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=TITLE_MAX,
        pattern=r"^[^\s+\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$",
    ),
]
"""A line without white space and plus signs: the name of a key in a C2SP note."""
Key = Annotated[str, StringConstraints(min_length=44, max_length=44)]
KemKey = Annotated[str, StringConstraints(min_length=1624, max_length=1624)]
Account = Annotated[str, StringConstraints(pattern=r"^A[A-Z2-7]{55}$")]
User = Annotated[str, StringConstraints(pattern=r"^U[A-Z2-7]{55}$")]
Milliseconds = Annotated[int, Field(ge=0, le=INTEGER_MAX)]
Version = Annotated[int, Field(ge=1, le=INTEGER_MAX)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    v: Literal[1] = 1

    def to_bytes(self) -> bytes:
        """Canonical JSON: what the envelope carries."""
        return canonical_json(self.model_dump(mode="json"))


class Role(_Document):
    """m of n keys."""

    keys: Annotated[list[Key], Field(min_length=1, max_length=SECRETARIAT_KEYS_MAX)]
    threshold: Annotated[int, Field(ge=1, le=SECRETARIAT_KEYS_MAX)]


class Witness(_Document):
    """Somebody who signs which head of the directory it saw. `name` is that of its key in a C2SP note."""

    name: KeyName
    key: Key


def _may_lack_cooldown(schema: dict[str, Any]) -> None:
    """A root that leaves `cooldown` out says `COOL_DOWN`."""
    schema["required"] = [name for name in schema["required"] if name != "cooldown"]


class Root(_Document):
    """Who speaks for the secretariat, and whose word on the log's head counts. Signed by its own root role
    and, from version 2 on, the one before.

    A head holds for `freshness` ms after the time that `quorum` of the witnesses have reached. Between
    the word that an agency's identity key is to be replaced and the replacement lie `cooldown` ms.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, json_schema_extra=_may_lack_cooldown)

    type: Literal["root"] = "root"
    version: Version
    issued: Milliseconds
    root: Role
    registrar: Role
    witnesses: Annotated[list[Witness], Field(max_length=WITNESSES_MAX)]
    quorum: Annotated[int, Field(ge=0, le=WITNESSES_MAX)]
    freshness: Annotated[int, Field(ge=1, le=INTEGER_MAX)]
    cooldown: Annotated[int, Field(ge=1, le=COOL_DOWN_MAX)] = COOL_DOWN

    def to_bytes(self) -> bytes:
        """Canonical JSON. `cooldown` stands there only where it is not `COOL_DOWN`: a value has one form."""
        fields = self.model_dump(mode="json")
        if self.cooldown == COOL_DOWN:
            del fields["cooldown"]
        return canonical_json(fields)


class Hub(_Document):
    """The hub's receipt key. Signed by the registrar role."""

    type: Literal["hub"] = "hub"
    version: Version
    issued: Milliseconds
    name: Line
    key: Key


class Agency(_Document):
    """Who an agency is: its name and its own identity key. Signed by the registrar role.

    `code` begins the references of its bulletins (FRA-2026-0042) and belongs to no other agency.
    """

    type: Literal["agency"] = "agency"
    version: Version
    issued: Milliseconds
    id: AgencyId
    name: Line
    code: AgencyCode
    identity: Key


class Keys(_Document):
    """The keys of one endpoint, and the NATS account that the hub minted for it. Signed by the agency's
    identity key.
    """

    type: Literal["keys"] = "keys"
    version: Version
    issued: Milliseconds
    agency: AgencyId
    endpoint: Account
    signing: Key
    kem: KemKey


class Revoke(_Document):
    """An endpoint's signing key that no longer counts. Signed by the agency's identity key."""

    type: Literal["revoke"] = "revoke"
    issued: Milliseconds
    agency: AgencyId
    kid: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class Community(_Document):
    """A need-to-know group: a random id, its realm, its owners and how many of them must agree. Signed by
    that many owners.
    """

    type: Literal["community"] = "community"
    issued: Milliseconds
    id: CommunityId
    realm: Realm = Field(strict=False)
    owners: Annotated[list[AgencyId], Field(min_length=1, max_length=16)]
    threshold: Annotated[int, Field(ge=1, le=16)]


class Replace(_Document):
    """That an agency's identity key is to be another one, from `nbf` on at the earliest. Signed by the
    registrar role; after an objection by the root role as well.
    """

    type: Literal["replace"] = "replace"
    issued: Milliseconds
    agency: AgencyId
    identity: Key
    nbf: Milliseconds


class Object(_Document):
    """That the replacement by the key `identity` shall not be. Signed by the agency's present identity key,
    or by the registrar role, which takes it back.
    """

    type: Literal["object"] = "object"
    issued: Milliseconds
    agency: AgencyId
    identity: Key


class LogSize(_Document):
    """How many entries of a community's membership log stand under the keys before."""

    com: CommunityId
    size: Milliseconds


class Identity(_Document):
    """That the replacement is done: `identity` is the agency's key from here on. Signed by that key, and
    before `nbf` by the present one as well.

    `logs` says of each community that the agency owns how long its membership log is: what comes after needs
    the new key.
    """

    type: Literal["identity"] = "identity"
    issued: Milliseconds
    agency: AgencyId
    identity: Key
    logs: Annotated[list[LogSize], Field(max_length=IDENTITY_LOGS_MAX)]


class Membership(_Document):
    """One change in a community. `index` and `prev` (SHA-256 of the entry before, or 64 zeros) fix its place
    in the log.
    """

    com: CommunityId
    index: Annotated[int, Field(ge=0, le=INTEGER_MAX)]
    prev: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    issued: Milliseconds
    op: Literal["add", "remove"]
    id: AgencyId
    role: Literal["member", "reader"]
    nbf: Milliseconds


class Enrolment(_Document):
    """What an agency asks the secretariat and the hub for. Signed by its identity key, to prove that it holds
    it.
    """

    type: Literal["enrolment"] = "enrolment"
    issued: Milliseconds
    id: AgencyId
    name: Line
    code: AgencyCode
    identity: Key
    user: User
    """The public NATS user key with which its node will connect."""


class WitnessRequest(_Document):
    """What a witness asks the secretariat and the hub for. Signed by its own key, to prove that it holds
    it.
    """

    type: Literal["witness"] = "witness"
    issued: Milliseconds
    name: KeyName
    key: Key
    user: User
    """The public NATS user key with which it will connect."""


AnyDocument = Root | Hub | Agency | Keys | Revoke | Community | Replace | Object | Identity
Document = Annotated[AnyDocument, Field(discriminator="type")]
_DOCUMENT: TypeAdapter[AnyDocument] = TypeAdapter(Document)


class SignedDocument(NamedTuple):
    """A parsed directory document with the envelope whose signatures are still to be checked."""

    document: AnyDocument
    envelope: Envelope


class SignedMembership(NamedTuple):
    """A parsed membership entry with its envelope."""

    entry: Membership
    envelope: Envelope


class SignedEnrolment(NamedTuple):
    """A parsed enrolment request with its envelope."""

    request: Enrolment
    envelope: Envelope


class SignedWitnessRequest(NamedTuple):
    """A parsed request of a witness with its envelope."""

    request: WitnessRequest
    envelope: Envelope


def parse_document(data: bytes) -> SignedDocument:
    """A directory document from untrusted bytes. FormatError; keys in it are valid points, signatures are not
    checked.
    """
    envelope = parse_envelope(data, DOCUMENT_TYPE)
    fields = parse_json(envelope.payload, DOCUMENT_MAX)
    try:
        document = _DOCUMENT.validate_python(fields)
    except ValidationError as error:
        raise FormatError(Code.BAD_DOCUMENT, where(error)) from None
    _check_canonical(document, envelope)
    for key in _signing_keys(document):
        check_public_key(from_base64(key, KEY_SIZE))
    if isinstance(document, Keys):
        from_base64(document.kem, KEM_KEY_SIZE)  # 1,624 characters hold no fewer bytes
    return SignedDocument(document, envelope)


def parse_membership(data: bytes) -> SignedMembership:
    """A membership entry from untrusted bytes. FormatError; signatures are not checked."""
    envelope = parse_envelope(data, MEMBERSHIP_TYPE)
    try:
        entry = Membership.model_validate(parse_json(envelope.payload, DOCUMENT_MAX))
    except ValidationError as error:
        raise FormatError(Code.BAD_DOCUMENT, where(error)) from None
    _check_canonical(entry, envelope)
    return SignedMembership(entry, envelope)


def parse_enrolment(data: bytes) -> SignedEnrolment:
    """An enrolment request from untrusted bytes. FormatError; its signature is not checked."""
    envelope = parse_envelope(data, ENROLMENT_TYPE)
    try:
        request = Enrolment.model_validate(parse_json(envelope.payload, DOCUMENT_MAX))
    except ValidationError as error:
        raise FormatError(Code.BAD_DOCUMENT, where(error)) from None
    _check_canonical(request, envelope)
    check_public_key(from_base64(request.identity, KEY_SIZE))
    return SignedEnrolment(request, envelope)


def parse_witness_request(data: bytes) -> SignedWitnessRequest:
    """A witness's request from untrusted bytes. FormatError; its signature is not checked."""
    envelope = parse_envelope(data, ENROLMENT_TYPE)
    try:
        request = WitnessRequest.model_validate(parse_json(envelope.payload, DOCUMENT_MAX))
    except ValidationError as error:
        raise FormatError(Code.BAD_DOCUMENT, where(error)) from None
    _check_canonical(request, envelope)
    check_public_key(from_base64(request.key, KEY_SIZE))
    return SignedWitnessRequest(request, envelope)


def _check_canonical(document: _Document, envelope: Envelope) -> None:
    if document.to_bytes() != envelope.payload:
        raise FormatError(Code.BAD_ENCODING, "the document is not in its canonical form")


def _signing_keys(document: AnyDocument) -> list[str]:
    match document:
        case Root():
            return [*document.root.keys, *document.registrar.keys, *(each.key for each in document.witnesses)]
        case Hub():
            return [document.key]
        case Agency() | Replace() | Object() | Identity():
            return [document.identity]
        case Keys():
            return [document.signing]
        case _:
            return []

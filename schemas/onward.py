"""Letting a bulletin go on to another community: the originator's grant, and the release that stands on it.
FORMAT.md, "Onward release". Pure.

A release carries what the originator signed in the first community, so that readers of the second verify
its own words; the grant says who may carry them where, and until when. Nothing else is believed.
"""

from typing import Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.agreement import check_agreement
from schemas.bulletin import Bulletin, Release, parse_bulletin, where
from schemas.content import plaintext_commitment
from schemas.directory import Directory
from schemas.documents import Account, AgencyId, Milliseconds
from schemas.encoding import canonical_json, from_base64, from_hex, parse_json
from schemas.errors import Code, FormatError, TrustError
from schemas.evidence import Hash
from schemas.frame import BULLETIN, Header, parse_header
from schemas.limits import DOCUMENT_MAX, SALT_SIZE, SIGNATURE_SIZE
from schemas.particulars import CommunityId, Uuid7
from schemas.signing import (
    FRAME_TYPE,
    KEY_SIZE,
    RELEASE_TYPE,
    Envelope,
    Signer,
    pae,
    parse_envelope,
    sign_envelope,
    verify,
)
from schemas.vocabulary import Kind, Relation, Tlp

FOLLOWS: Final = {Kind.AMENDMENT: Relation.AMENDS, Kind.RETRACTION: Relation.RETRACTS}
"""What an originator says later of a bulletin goes with it: how it names that one."""
OWN: Final = frozenset(
    {"v", "id", "ref", "issued", "links", "drafter", "releaser", "onward", "grant", "release"}
)
"""Fields of a release that are its carrier's. All others are the originator's, word for word."""


class Grant(BaseModel):
    """The originator's word: who may carry which bulletin from where to where, until when (Unix ms). `pc` is
    its frame's commitment, `publisher` the endpoint that published it.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    v: Literal[1] = 1
    type: Literal["release"] = "release"
    issued: Milliseconds
    bulletin: Uuid7
    pc: Hash
    publisher: Account
    source: CommunityId
    target: CommunityId
    carrier: AgencyId
    until: Milliseconds

    def to_bytes(self) -> bytes:
        """Canonical JSON: what the envelope carries."""
        return canonical_json(self.model_dump(mode="json"))


class SignedGrant(NamedTuple):
    """A parsed grant with its envelope."""

    grant: Grant
    envelope: Envelope


def sign_grant(grant: Grant, signer: Signer) -> str:
    """The envelope, as bulletins hold it."""
    return sign_envelope(RELEASE_TYPE, grant.to_bytes(), [signer]).to_bytes().decode()


def parse_grant(text: str) -> SignedGrant:
    """A grant from untrusted text. FormatError; its signature is not checked."""
    envelope = parse_envelope(text.encode(), RELEASE_TYPE)
    try:
        grant = Grant.model_validate(parse_json(envelope.payload, DOCUMENT_MAX))
    except ValidationError as error:
        raise FormatError(Code.BAD_DOCUMENT, f"not a grant: {where(error)}") from None
    if grant.to_bytes() != envelope.payload:
        raise FormatError(Code.BAD_ENCODING, "the grant is not in its canonical form")
    return SignedGrant(grant, envelope)


class Original(NamedTuple):
    """What was published in the first community: its signed header, its text, and whose it is."""

    header: Header
    bulletin: Bulletin
    agency: str


def check_onward(directory: Directory, community: str, iat: int, agency: str, bulletin: Bulletin) -> None:
    """What a bulletin says of going on to another community. `community` and `iat` are those of its own
    frame, `agency` its publisher. Raises FormatError or TrustError.
    """
    if bulletin.grant is not None:
        check_grant(directory, parse_grant(bulletin.grant), agency, community)
    if bulletin.release is not None:
        grant = _check_release(directory, bulletin, bulletin.release)
        if (grant.target, grant.carrier) != (community, agency):
            raise TrustError(
                Code.NOT_GRANTED, "the grant is for another community or carrier", "ask for this one"
            )
        if iat >= grant.until:
            raise TrustError(Code.GRANT_EXPIRED, "the grant has ended", "ask the originator again")


def check_grant(directory: Directory, signed: SignedGrant, agency: str, source: str) -> None:
    """Whether `agency` signed this grant for a bulletin of its own in the community `source`. TrustError
    `bad_signature`, `not_granted`.
    """
    grant = signed.grant
    publisher = directory.endpoints.get(grant.publisher)
    if publisher is None or publisher.agency != agency or grant.source != source:
        raise TrustError(Code.NOT_GRANTED, "the grant is about a bulletin of another agency or community")
    keys = [
        from_base64(each.signing, KEY_SIZE)
        for kid, each in directory.signers.items()
        if each.agency == agency and kid not in directory.revoked
    ]
    if not signed.envelope.signed_by(keys):
        raise TrustError(Code.BAD_SIGNATURE, "the grant is not signed by its originator")


def open_release(directory: Directory, release: Release) -> Original:
    """The original in a release, verified as its originator's. Raises FormatError or TrustError."""
    header = parse_header(release.header.encode())
    if header.k != BULLETIN:
        raise FormatError(Code.BAD_DOCUMENT, "a release carries a bulletin, and nothing else")
    keys = directory.signers.get(header.kid)
    if keys is None or keys.endpoint != header.pub:
        raise TrustError(Code.UNKNOWN_KEY, "the directory does not bind the original's key to its publisher")
    if header.kid in directory.revoked:
        raise TrustError(Code.REVOKED_KEY, "the key that signed the original is revoked")
    message = pae(FRAME_TYPE, release.header.encode() + from_hex(release.digest, KEY_SIZE))
    if not verify(
        from_base64(keys.signing, KEY_SIZE), message, from_base64(release.signature, SIGNATURE_SIZE)
    ):
        raise TrustError(Code.BAD_SIGNATURE, "the original's signature does not hold")
    payload = release.payload.encode()
    if plaintext_commitment(from_hex(release.salt, SALT_SIZE), payload).hex() != header.pc:
        raise TrustError(Code.COMMITMENT_MISMATCH, "the text is not the one that its originator signed")
    bulletin = parse_bulletin(payload)
    check_agreement(bulletin, header, bulletin.history.value, directory.agencies[keys.agency].code)
    return Original(header, bulletin, keys.agency)


def check_allowed(original: Original) -> None:
    """Whether a bulletin may go on at all. TrustError `red_onward`, `not_granted`."""
    bulletin = original.bulletin
    if bulletin.tlp is Tlp.RED:
        raise TrustError(Code.RED_ONWARD, "TLP:RED stays with those to whom it was given")
    if bulletin.release is not None:
        raise TrustError(
            Code.NOT_GRANTED, "this was carried here itself", "ask its originator, where it comes from"
        )


def _check_release(directory: Directory, bulletin: Bulletin, release: Release) -> Grant:
    original = open_release(directory, release)
    check_allowed(original)
    signed = parse_grant(release.grant)
    check_grant(directory, signed, original.agency, original.header.com)
    if not _covers(signed.grant, original):
        raise TrustError(Code.NOT_GRANTED, "the grant is for another bulletin", "ask for this one")
    said, meant = (each.model_dump(mode="json", exclude=set(OWN)) for each in (bulletin, original.bulletin))
    if said != meant:
        wrong = sorted(name for name in said if said[name] != meant[name])
        raise TrustError(
            Code.CONTENT_MISMATCH, f"the release says other than its original: {', '.join(wrong)}"
        )
    return signed.grant


def _covers(grant: Grant, original: Original) -> bool:
    header, bulletin = original.header, original.bulletin
    if header.id == grant.bulletin:
        return (header.pc, header.pub) == (grant.pc, grant.publisher)
    relation = FOLLOWS.get(bulletin.kind)
    return any(link.relation is relation and link.id == grant.bulletin for link in bulletin.links)

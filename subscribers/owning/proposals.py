"""Proposals: a change that several owners must sign, as a file that goes from owner to owner. Pure.

The file is the envelope that will stand in the log (FORMAT.md, "Membership" and "Directory"), byte for byte,
with the signatures so far. What an owner signs is read out of those bytes, and nothing in them is taken on
trust: a signature that does not hold, or is no owner's, refuses the whole file.
"""

from typing import NamedTuple

from schemas.directory import Directory
from schemas.documents import Community, Membership, parse_document, parse_membership
from schemas.encoding import parse_json
from schemas.errors import Code, FormatError, TrustError
from schemas.limits import DOCUMENT_MAX
from schemas.signing import DOCUMENT_TYPE, MEMBERSHIP_TYPE, Envelope, key_id, pae, verify
from subscribers.owning.communities import Owner, check_notice, nobody

AGAIN = "propose it again: `liaison-agency community propose`"


class Standing(NamedTuple):
    """A proposal that may be signed or handed in now. `signed`: the owners who have, in their order."""

    content: Community | Membership
    envelope: Envelope
    owners: tuple[str, ...]
    threshold: int
    signed: tuple[str, ...]

    @property
    def may_sign(self) -> tuple[str, ...]:
        """The owners who have not signed."""
        return tuple(each for each in self.owners if each not in self.signed)

    @property
    def lacking(self) -> int:
        """How many signatures it still needs."""
        return max(0, self.threshold - len(self.signed))


def examine(directory: Directory, data: bytes, now: int, delay: int) -> Standing:
    """A proposal from untrusted bytes, `delay` being the notice (milliseconds) that this agency demands.

    Raises FormatError; TrustError `not_next`, `already_known`, `expired`, `forbidden`, `bad_signature`,
    `unknown_key` and what the directory says of communities and agencies.
    """
    kind = parse_json(data, DOCUMENT_MAX).get("payloadType")
    if kind == MEMBERSHIP_TYPE:
        content, envelope = parse_membership(data)
        community = _check_entry(directory, content, now, delay)
        return _signed(directory, content, community, envelope)
    if kind != DOCUMENT_TYPE:
        raise FormatError(Code.BAD_DOCUMENT, "this file is no proposal", "ask for the file again")
    document, envelope = parse_document(data)
    if not isinstance(document, Community):
        raise FormatError(
            Code.BAD_DOCUMENT, f"a {document.type} document, not a proposal", "ask for the file again"
        )
    _check_founding(directory, document)
    return _signed(directory, document, document, envelope)


def countersign(directory: Directory, data: bytes, now: int, delay: int, owner: Owner) -> bytes:
    """The proposal with this owner's signature added. Raises as `examine`; `already_known` for a second
    signature, `forbidden` for one who is no owner.
    """
    standing = examine(directory, data, now, delay)
    check_owner(standing, owner.agency)
    if owner.agency in standing.signed:
        raise TrustError(
            Code.ALREADY_KNOWN, f"{owner.agency} has signed this", "pass the file on to another owner"
        )
    return standing.envelope.countersigned(owner.signer).to_bytes()


def check_complete(standing: Standing) -> None:
    """That enough owners have signed. TrustError `below_threshold` names those who may."""
    if standing.lacking:
        raise TrustError(
            Code.BELOW_THRESHOLD,
            f"{len(standing.signed)} of the {standing.threshold} owners' signatures that it needs",
            f"have it signed by {standing.lacking} more of: {', '.join(standing.may_sign)}",
        )


def check_owner(standing: Standing, agency: str) -> None:
    """That an agency is one of the owners. TrustError `forbidden`."""
    if agency not in standing.owners:
        raise TrustError(
            Code.FORBIDDEN,
            f"{agency} does not own the community",
            f"pass the file to an owner: {', '.join(standing.owners)}",
        )


def _check_entry(directory: Directory, entry: Membership, now: int, delay: int) -> Community:
    log = directory.communities.get(entry.com)
    if log is None:
        raise TrustError(
            Code.UNKNOWN_COMMUNITY, "no such community", "wait until its document is in the directory"
        )
    if entry in log.entries:
        raise TrustError(
            Code.ALREADY_KNOWN, "this change is in the log", "see `liaison-agency community log`"
        )
    if entry.index != log.tree.size or entry.prev != log.last:
        raise TrustError(
            Code.NOT_NEXT, f"the log has gone on: entry {entry.index} cannot be its next one", AGAIN
        )
    if entry.id not in directory.agencies:
        raise nobody(directory.agencies, entry.id)
    # A change that began before anybody could know of it would be judged differently by those who read in
    # time and those who read later (FORMAT.md, Membership: at the frame's `iat`).
    if entry.nbf < now:
        raise TrustError(
            Code.EXPIRED, "it was to take effect before it had its signatures", f"{AGAIN}, with more --after"
        )
    check_notice(entry.op, entry.nbf, now, delay)
    return log.community


def _check_founding(directory: Directory, document: Community) -> None:
    if document.id in directory.communities:
        raise TrustError(Code.ALREADY_KNOWN, "this community is in the directory", "nothing is left to do")
    unknown = [each for each in document.owners if each not in directory.agencies]
    if unknown:
        raise nobody(directory.agencies, unknown[0])
    if len(set(document.owners)) != len(document.owners) or document.threshold > len(document.owners):
        raise TrustError(
            Code.BELOW_THRESHOLD, "its owners could never give these signatures", "found it again"
        )


def _signed(
    directory: Directory, content: Community | Membership, community: Community, envelope: Envelope
) -> Standing:
    # FORMAT.md, Directory: in a log the identity key that counts at the entry's place; else the present one.
    by_owner = {each: directory.identity(each) for each in community.owners}
    if isinstance(content, Membership):
        by_owner = directory.owners_at(directory.communities[content.com], content.index)
    keys = {key_id(key): (each, key) for each, key in by_owner.items()}
    message = pae(envelope.payload_type.encode(), envelope.payload)
    for kid, signature in envelope.signatures:
        if kid not in keys:
            raise TrustError(Code.UNKNOWN_KEY, "it bears a signature that is no owner's", AGAIN)
        if not verify(keys[kid][1], message, signature):
            raise TrustError(
                Code.BAD_SIGNATURE, f"the signature of {keys[kid][0]} does not hold", "ask for the file again"
            )
    signed = tuple(keys[kid][0] for kid, _ in envelope.signatures)
    return Standing(content, envelope, tuple(community.owners), community.threshold, signed)

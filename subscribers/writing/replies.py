"""A private reply on its way into the archive, and out of it into a frame: who can read it, and what it must
be. Pure; keys and clock are passed in. FORMAT.md, "Replies".
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from schemas.directory import Directory
from schemas.documents import Keys
from schemas.errors import Code, TrustError
from schemas.reply import parse_reply, reply_context
from schemas.report import Report
from subscribers.judging.kept import Proof, SealedProof
from subscribers.judging.verdicts import Opened, Sealed
from subscribers.keys import KemKey
from subscribers.sealing import open_reply, seal_reply
from subscribers.storage.archive_rows import Flag, NewRecord


class Reported(NamedTuple):
    """What `agency` says of changes of ours in a community; it came at `at` (Unix milliseconds)."""

    agency: str
    community: str
    report: Report
    at: int


def record_of(
    sealed: Sealed, kems: Sequence[KemKey], endpoint: str, agency: str, now: int
) -> NewRecord | Reported | None:
    """What is kept of a sealed reply: None of one that is for others, and of our own reports. `kems` are the
    encryption keys of `endpoint`, which is `agency`'s; `now` in Unix milliseconds.

    Raises SealError and TrustError as FORMAT.md says, FormatError for a reply that is none.
    """
    header = sealed.frame.header
    context = reply_context(header.com, header.id, header.pub)
    opened = open_reply(sealed.reply, context, kems, endpoint)
    if opened is None:
        return None
    salt, content = opened
    bulletin = parse_reply(content, header, sealed.code)
    if isinstance(bulletin, Report):
        return Reported(sealed.agency, header.com, bulletin, now) if sealed.agency != agency else None
    own = header.pub == endpoint
    return NewRecord(
        bulletin,
        content,
        header.com,
        sealed.agency,
        now,
        own,
        flags_of(sealed) | {"private"},
        Proof.of(sealed.frame, sealed.salt, own=own),
        SealedProof(sealed.payload, salt),
        to=None if sealed.agency == agency else agency,
    )


def flags_of(verdict: Opened | Sealed) -> frozenset[Flag]:
    """What there is to say of the frame that a bulletin came in."""
    flags: set[Flag] = set()
    if verdict.expired:
        flags.add("expired")
    if verdict.missing:
        flags.add("gap_before")
    return frozenset(flags)


def sealed_payload(
    reply: bytes, id: str, community: str, publisher: str, originator: str, recipients: Sequence[Keys]
) -> bytes:
    """The payload of the frame `id` of `publisher` (an endpoint) that holds this reply for these endpoints
    alone.

    TrustError `no_reader` when none of them is one of `originator` that can be encrypted to.
    """
    sealed, able = seal_reply(reply, reply_context(community, id, publisher), recipients)
    if not any(each.endpoint in able for each in recipients if each.agency == originator):
        raise TrustError(
            Code.NO_READER,
            f"{originator} has no endpoint that could read it",
            "reply to the whole community, or ask the originator for new keys",
        )
    return sealed.to_bytes()


def recipients_of(directory: Directory, agencies: Collection[str]) -> list[Keys]:
    """The endpoints of these agencies that a reply is sealed to, in a fixed order."""
    found = (each for each in directory.endpoints.values() if each.agency in agencies)
    usable = (each for each in found if directory.kid_of(each) not in directory.revoked)
    return sorted(usable, key=lambda each: each.endpoint)

"""Subjects on the hub's NATS (outer) and on an agency's own (local). FORMAT.md, "Subjects".

Outer subjects show a realm, an opaque community, a precedence bit and the publisher: nothing that people
read. `PK` is an endpoint's NATS account key (56 characters, starting with A), which the server itself puts in
its place.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from schemas.errors import Code, FormatError
from schemas.vocabulary import Kind, Precedence, Realm, Severity, Tlp

INTAKE: Final = "INTAKE"
TRAFFIC: Final = "TRAFFIC"
DIRECTORY: Final = "DIRECTORY"
QUARANTINE: Final = "QUARANTINE"
CHUNKS: Final = "CHUNKS"
BULLETINS: Final = "BULLETINS"

DIRECTORY_DOCUMENTS: Final = "d.doc"
DIRECTORY_HEAD: Final = "d.head"
"""Where the hub puts checkpoints of the directory with their cosignatures."""
DIRECTORY_OFFER: Final = "d.offer"
"""Where the hub puts checkpoints that witnesses are asked to cosign."""

_PUBLISHER = re.compile(r"A[A-Z2-7]{55}\Z")
_COMMUNITY = re.compile(r"[0-9a-f]{32}\Z")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\Z")
_REALMS = {each.value: each for each in Realm}
_PRECEDENCES = {each.value: each for each in Precedence}

_SUBJECTS_KEPT: Final = 4096
"""Every frame of a publisher's chain comes on the same subject."""


class FrameSubject(NamedTuple):
    """Where a frame stands: what its subject says, to be held against its header."""

    realm: Realm
    community: str
    precedence: Precedence
    publisher: str

    def intake(self) -> str:
        """`in.<realm>.<community>.<precedence>.<PK>`"""
        return ".".join(("in", *self))

    def traffic(self) -> str:
        """`f.<realm>.<community>.<precedence>.<PK>`"""
        return ".".join(("f", *self))


@lru_cache(_SUBJECTS_KEPT)
def parse_frame_subject(subject: str) -> FrameSubject:
    """The parts of an `in.` or `f.` subject; FormatError `bad_subject` when it is neither."""
    parts = subject.split(".")
    if len(parts) == 5 and parts[0] in {"in", "f"}:  # noqa: PLR2004 - the five tokens of the pattern above
        realm, precedence = _REALMS.get(parts[1]), _PRECEDENCES.get(parts[3])
        if realm and precedence and is_community(parts[2]) and is_publisher(parts[4]):
            return FrameSubject(realm, parts[2], precedence, parts[4])
    raise FormatError(
        Code.BAD_SUBJECT, "the subject is not <in|f>.<realm>.<community>.<precedence>.<publisher>"
    )


def is_publisher(token: str) -> bool:
    """Whether this has the shape of a NATS account key."""
    return bool(_PUBLISHER.match(token))


def is_community(token: str) -> bool:
    """Whether this has the shape of a community id: 16 bytes in hex."""
    return bool(_COMMUNITY.match(token))


def is_slug(token: str) -> bool:
    """Whether this may be a community's short name: 1 to 40 of a-z, 0-9 and inner hyphens."""
    return bool(_SLUG.match(token))


def document_submission(publisher: str) -> str:
    """Where an endpoint submits a directory document or a membership entry."""
    return f"s.doc.{publisher}"


def wrap_submission(publisher: str) -> str:
    """Where an endpoint submits a bundle of wraps."""
    return f"s.wrap.{publisher}"


def cosignature_submission(publisher: str) -> str:
    """Where a witness submits a checkpoint with its cosignature."""
    return f"s.cosig.{publisher}"


def history_submission(publisher: str) -> str:
    """Where an endpoint submits a request for old keys."""
    return f"s.history.{publisher}"


def handover_submission(publisher: str) -> str:
    """Where an endpoint submits old keys for another."""
    return f"s.rewrap.{publisher}"


def history_for(holder: str) -> str:
    """Where the hub puts requests for old keys that an endpoint is asked for."""
    return f"h.{holder}"


def pages_for(reader: str) -> str:
    """Where an endpoint asks the hub for old frames; the answer is a page, and no stream keeps either."""
    return f"past.{reader}"


def chunk_upload(publisher: str) -> str:
    """Where an endpoint asks the hub to store a chunk of an attachment."""
    return f"u.{publisher}"


def chunk_at(address: str) -> str:
    """Where the hub keeps the chunk with that SHA-256, in hex."""
    return f"c.{address}"


def chunk_request(address: str) -> str:
    """Where an endpoint asks for the chunk with that SHA-256, in hex."""
    return f"$JS.API.DIRECT.GET.{CHUNKS}.{chunk_at(address)}"


def wraps_for(recipient: str) -> str:
    """Where the hub puts one wrap for its one reader."""
    return f"w.{recipient}"


def receipts_for(publisher: str) -> str:
    """Where the hub puts a publisher's signed receipts."""
    return f"r.{publisher}"


def membership_log(community: str) -> str:
    """Where a community's membership entries stand, in order."""
    return f"m.{community}"


def quarantined(publisher: str, code: Code) -> str:
    """Where a refused submission is kept with its reason."""
    return f"q.{publisher}.{code}"


def traffic_filters(publisher: str, entitlements: frozenset[tuple[Realm, str]]) -> tuple[str, ...]:
    """The filters of an endpoint's durable on TRAFFIC: its wraps, its receipts, what it is asked for, its
    communities' frames.
    """
    frames = (f"f.{realm}.{community}.*.*" for realm, community in sorted(entitlements))
    return (wraps_for(publisher), receipts_for(publisher), history_for(publisher), *frames)


def directory_filters(entitlements: frozenset[tuple[Realm, str]]) -> tuple[str, ...]:
    """The filters of an endpoint's durable on DIRECTORY: documents, heads, its communities' membership
    logs.
    """
    return (
        DIRECTORY_DOCUMENTS,
        DIRECTORY_HEAD,
        *(membership_log(community) for _, community in sorted(entitlements)),
    )


def local_change(realm: Realm, slug: str, kind: Kind, severity: Severity, tlp: Tlp) -> str:
    """`change.<realm>.<community slug>.<kind>.<severity>.<tlp slug>` of the bulletin that was changed."""
    return f"change.{realm}.{slug}.{kind}.{severity}.{tlp.slug}"


def local_bulletin(realm: Realm, slug: str, kind: Kind, severity: Severity, tlp: Tlp) -> str:
    """`bulletin.<realm>.<community slug>.<kind>.<severity>.<tlp slug>`, inside an agency only."""
    return f"bulletin.{realm}.{slug}.{kind}.{severity}.{tlp.slug}"

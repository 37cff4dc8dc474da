"""What a third party is handed: a frame, its text, and all that binds the key which signed it to an agency.
FORMAT.md, "Evidence".

Shapes and strict parsing only. `schemas/proof.py` says what such a file proves; it needs nothing but the file
and the root's fingerprint.
"""

from typing import Annotated, Final, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from schemas.bulletin import where
from schemas.documents import Milliseconds, Version
from schemas.encoding import canonical_json, from_base64, parse_json, to_base64
from schemas.errors import Code, FormatError
from schemas.frame import BULLETIN, CARD, EPOCH, Frame, Header, join, parse_frame, parse_header
from schemas.limits import (
    EVIDENCE_DOCUMENTS_MAX,
    EVIDENCE_MAX,
    EVIDENCE_MEMBERSHIP_MAX,
    FRAME_MAX,
    HEADER_MAX,
    NOTE_MAX,
    PAYLOAD_MAX,
    SECRETARIAT_KEYS_MAX,
    SIGNATURE_SIZE,
)
from schemas.merkle import Head
from schemas.signing import Envelope

PATH_MAX: Final = 53
"""Hashes in a Merkle path: a log has at most 2^53 - 1 entries."""

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Signature = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{86}==$")]
Path = Annotated[list[Hash], Field(max_length=PATH_MAX)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Signed(_Part):
    """A DSSE envelope as it stands in the log: its canonical JSON is the log's leaf."""

    class Signature(_Part):
        """One key's signature."""

        keyid: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
        sig: Signature

    payload: Annotated[str, StringConstraints(max_length=65536)]
    payloadType: Annotated[str, StringConstraints(max_length=64)]  # noqa: N815 - DSSE's name
    signatures: Annotated[list[Signature], Field(min_length=1, max_length=SECRETARIAT_KEYS_MAX)]

    @classmethod
    def of(cls, envelope: Envelope) -> Self:
        """From an envelope that was parsed."""
        return cls.model_validate_json(envelope.to_bytes())

    def to_bytes(self) -> bytes:
        """The leaf."""
        return canonical_json(self.model_dump())


class LogEntry(_Part):
    """A directory document, its place in the log, and its path to the file's head (leaf to root)."""

    index: Milliseconds
    document: Signed
    path: Path


class HeadPart(_Part):
    """A head of the directory."""

    size: Version
    root: Hash


class FramePart(_Part):
    """A frame, or what its signature covers: the header's bytes and the SHA-256 of the body.

    `body` is base64 of the whole body (sealed), where the frame's own hash matters; null otherwise.
    """

    header: Annotated[str, StringConstraints(max_length=HEADER_MAX)]
    signature: Signature
    digest: Hash
    body: Annotated[str, StringConstraints(max_length=4 * (FRAME_MAX + 2) // 3)] | None = None

    @classmethod
    def of(cls, frame: Frame, digest: bytes, *, whole: bool) -> Self:
        """From a frame; `digest` is the SHA-256 of its body."""
        body = to_base64(frame.body) if whole else None
        text = frame.header_bytes.decode("ascii")
        return cls(header=text, signature=to_base64(frame.signature), digest=digest.hex(), body=body)


class ContentPart(_Part):
    """What the frame's commitment is of: salt and payload, the payload as the text that it is."""

    salt: Hash
    payload: Annotated[str, StringConstraints(max_length=PAYLOAD_MAX)]


class ReplyPart(ContentPart):
    """The same of a reply that was sealed to its originator: `payload` is the reply, `reply_salt` that of its
    own commitment; `sealed` is the payload (base64) to which the frame commits with `salt`.
    """

    sealed: Annotated[str, StringConstraints(max_length=4 * (PAYLOAD_MAX + 2) // 3)]
    reply_salt: Hash


class AnnouncementPart(_Part):
    """An `e` frame of the publisher; its body is empty."""

    header: Annotated[str, StringConstraints(max_length=HEADER_MAX)]
    signature: Signature


class ReceiptPart(_Part):
    """A receipt of the hub with the one answer that concerns the frame."""

    class Item(_Part):
        """The answer."""

        at: Milliseconds
        code: Annotated[str, StringConstraints(max_length=64)]
        index: Milliseconds
        path: Path
        sha256: Hash

    items: Annotated[list[Item], Field(min_length=1, max_length=1)]
    root: Hash
    sig: Signature
    size: Version
    v: Literal[1]

    def to_bytes(self) -> bytes:
        """As `schemas.receipts.read` takes it."""
        return canonical_json(self.model_dump())


class Evidence(_Part):
    """An evidence file. `frame` shows one frame, `equivocation` two of one publisher that cannot both be."""

    v: Literal[1] = 1
    type: Literal["frame", "equivocation"]
    frames: Annotated[list[FramePart], Field(min_length=1, max_length=2)]
    content: ReplyPart | ContentPart | None = None
    documents: Annotated[list[LogEntry], Field(min_length=1, max_length=EVIDENCE_DOCUMENTS_MAX)]
    head: HeadPart
    checkpoint: Annotated[str, StringConstraints(max_length=NOTE_MAX)] | None = None
    announcement: AnnouncementPart | None = None
    consistency: Path | None = None
    membership: Annotated[list[Signed], Field(max_length=EVIDENCE_MEMBERSHIP_MAX)] | None = None
    receipt: ReceiptPart | None = None

    def to_bytes(self) -> bytes:
        """Canonical JSON, every field included: the file."""
        return canonical_json(self.model_dump())


class Statement(NamedTuple):
    """A frame of the file, taken apart; `whole` when its body is there, and so its own hash."""

    header: Header
    header_bytes: bytes
    signature: bytes
    digest: bytes
    whole: Frame | None


class Opened(NamedTuple):
    """An evidence file whose parts are well formed and belong together. Nothing is believed yet."""

    evidence: Evidence
    statements: tuple[Statement, ...]
    announcement: Statement | None

    @property
    def head(self) -> Head:
        """The head that the documents' paths lead to."""
        return Head(self.evidence.head.size, bytes.fromhex(self.evidence.head.root))


def parse_evidence(data: bytes) -> Opened:
    """An evidence file from untrusted bytes. FormatError, `bad_evidence` where no other code fits better."""
    parse_json(data, EVIDENCE_MAX)
    try:
        evidence = Evidence.model_validate_json(data)
    except ValidationError as error:
        raise _bad(where(error)) from None
    if evidence.to_bytes() != data:
        raise FormatError(Code.BAD_ENCODING, "the file is not in its canonical form", "export it again")
    announcement = None
    if evidence.announcement:
        announcement = _statement(FramePart(**evidence.announcement.model_dump(), digest=_EMPTY, body=""))
    opened = Opened(evidence, tuple(map(_statement, evidence.frames)), announcement)
    _check_together(opened)
    return opened


_EMPTY: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""SHA-256 of nothing."""


def _statement(part: FramePart) -> Statement:
    header = part.header.encode()
    signature, digest = from_base64(part.signature, SIGNATURE_SIZE), bytes.fromhex(part.digest)
    if len(header) > HEADER_MAX:
        raise FormatError(Code.TOO_LARGE, f"a header of more than {HEADER_MAX} bytes")
    whole = None
    if part.body is not None:
        whole = parse_frame(join(header, signature, from_base64(part.body, FRAME_MAX)))
    return Statement(parse_header(header), header, signature, digest, whole)


def _check_together(opened: Opened) -> None:
    evidence, kinds = opened.evidence, [each.header.k for each in opened.statements]
    wanted = 2 if evidence.type == "equivocation" else 1
    if len(kinds) != wanted:
        raise _bad(f"evidence of this type has {wanted} frame(s)")
    if len({(each.header.pub, each.header.com) for each in opened.statements}) != 1:
        raise _bad("the frames are not of one publisher in one community")
    if evidence.type == "equivocation" and any(each.whole is None for each in opened.statements):
        raise _bad("two frames that contradict each other are shown whole")
    if evidence.content and kinds != [BULLETIN]:
        raise _bad("only a bulletin is shown with its text")
    if evidence.checkpoint is None and opened.announcement is None:
        raise _bad("neither a checkpoint nor an announcement: nothing says where the head comes from")
    if (evidence.consistency is not None) != (
        evidence.checkpoint is not None and opened.announcement is not None
    ):
        raise _bad("a consistency proof stands between a checkpoint and an announcement, and only there")
    if opened.announcement:
        _check_announcement(opened.announcement.header, opened.statements[0].header)
    if [each.index for each in evidence.documents] != sorted({each.index for each in evidence.documents}):
        raise _bad("the documents are not in the order of the log")


def _check_announcement(header: Header, shown: Header) -> None:
    if (header.k, header.pub, header.com) != (EPOCH, shown.pub, shown.com):
        raise _bad("the announcement is not one of this publisher in this community")
    if shown.k in {BULLETIN, CARD} and (header.ep, header.pr) != (shown.ep, shown.pr):
        raise _bad("the announcement is of another epoch than the frame's")


def _bad(reason: str) -> FormatError:
    return FormatError(Code.BAD_EVIDENCE, f"not evidence: {reason}", "ask for the file again")

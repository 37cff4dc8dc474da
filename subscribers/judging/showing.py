"""Evidence for a third party, put together from what the node kept. FORMAT.md, "Evidence".

`compose` is pure: it chooses the documents, the head and the membership entries that the file needs, and
makes the proofs. `Shelf` reads what it is made of from the store.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

import apsw

from schemas.checkpoint import parse_note
from schemas.directory import Directory
from schemas.documents import (
    Agency,
    Community,
    Hub,
    Identity,
    Keys,
    Object,
    Replace,
    Revoke,
    Root,
    parse_document,
    parse_membership,
)
from schemas.encoding import to_base64
from schemas.errors import Code, OperationError, TrustError
from schemas.evidence import (
    AnnouncementPart,
    ContentPart,
    Evidence,
    FramePart,
    HeadPart,
    LogEntry,
    ReceiptPart,
    ReplyPart,
    Signed,
    parse_evidence,
)
from schemas.frame import BULLETIN, CARD, Header, join, parse_frame, parse_header
from schemas.limits import EVIDENCE_MAX
from schemas.merkle import Head, Log
from schemas.proof import check
from schemas.receipts import alone
from schemas.signing import DOCUMENT_TYPE, MEMBERSHIP_TYPE, parse_envelope
from subscribers.judging.kept import Proof
from subscribers.storage.store import Row, Store


class Kept(NamedTuple):
    """What a file is about: one frame or two, the text of the first, and what was kept beside them."""

    frames: tuple[FramePart, ...]
    content: ContentPart | None
    announcement: AnnouncementPart | None
    receipt: ReceiptPart | None

    @property
    def header(self) -> Header:
        """Of the frame that it is about."""
        return parse_header(self.frames[-1].header.encode())

    @property
    def cited(self) -> Header | None:
        """The announcement's header."""
        return parse_header(self.announcement.header.encode()) if self.announcement else None


def compose(
    kept: Kept, documents: Sequence[bytes], entries: Sequence[bytes], directory: Directory, note: bytes | None
) -> Evidence:
    """The file. `documents` are the directory's, in order; `entries` the community's membership log, or empty
    to withhold it. OperationError `not_found` where nothing kept leads to a head, `too_large`.
    """
    log, needed = Log(documents), _Needed(directory, kept.header, membership=bool(entries))
    shown = [(index, data) for index, data in enumerate(documents) if needed.has(data)]
    checkpoint, head = _head(kept, needed, shown, note, log.size)
    evidence = Evidence(
        type="equivocation" if len(kept.frames) > 1 else "frame",
        frames=list(kept.frames),
        content=kept.content,
        documents=[
            LogEntry(
                index=index,
                document=Signed.of(parse_envelope(data, DOCUMENT_TYPE)),
                path=[each.hex() for each in log.inclusion(index, head.size)],
            )
            for index, data in shown
            if index < head.size
        ],
        head=HeadPart(size=head.size, root=head.root.hex()),
        checkpoint=checkpoint,
        announcement=kept.announcement,
        consistency=_continuity(log, kept, head) if checkpoint else None,
        membership=_membership(entries, needed.agency, kept) if entries else None,
        receipt=kept.receipt,
    )
    if len(evidence.to_bytes()) > EVIDENCE_MAX:
        raise OperationError(
            Code.TOO_LARGE, "the file would be too large", "leave the membership out: --without-membership"
        )
    return evidence


def check_signed(evidence: Evidence) -> Evidence:
    """The file itself, when its signature holds: one that does not proves nothing against anybody. TrustError
    with the code of what fails.
    """
    opened = parse_evidence(evidence.to_bytes())
    report = check(opened, sha256(evidence.documents[0].document.to_bytes()).digest())
    for each in report.findings:
        if each.code and each.check in {"signature", "key"}:
            raise TrustError(Code(each.code), each.text, "there is nothing to show anybody")
    return evidence


class _Needed:
    """Which documents bind a frame's key to an agency, and that agency to its community."""

    def __init__(self, directory: Directory, header: Header, *, membership: bool) -> None:
        keys = directory.signers.get(header.kid)
        if keys is None:
            raise OperationError(Code.UNKNOWN_KEY, "the directory does not know the key of this frame")
        self.agency = keys.agency
        self._kid = header.kid
        self._endpoint = header.pub
        self._community = header.com if membership else None
        log = directory.communities.get(header.com) if membership else None
        self._agencies = {self.agency, *(log.community.owners if log else ())}

    def has(self, data: bytes) -> bool:
        document = parse_document(data).document
        match document:
            case Root() | Hub():
                return True
            case Agency():
                return document.id in self._agencies
            case Replace() | Object() | Identity():
                return document.agency in self._agencies
            case Keys():
                return document.endpoint == self._endpoint
            case Revoke():
                return document.kid == self._kid
            case Community():
                return document.id == self._community

    def is_vital(self, data: bytes) -> bool:
        """Whether the file means nothing under a head from before this document."""
        document = parse_document(data).document
        if isinstance(document, Keys):
            return Directory.kid_of(document) == self._kid
        return isinstance(document, Community)


def _head(
    kept: Kept, needed: _Needed, shown: Sequence[tuple[int, bytes]], note: bytes | None, size: int
) -> tuple[str | None, Head]:
    """The newest checkpoint where it reaches far enough, else the head in the publisher's announcement."""
    least = 1 + max(index for index, data in shown if needed.is_vital(data))
    if note is not None and least <= (head := parse_note(note).checkpoint.head).size <= size:
        return note.decode(), head
    if kept.cited is None or kept.cited.dir.size < least:
        raise OperationError(
            Code.NOT_FOUND,
            "no checkpoint reaches to the publisher's keys yet, and its announcement was not kept",
            "ask again when the hub has published a checkpoint",
        )
    return None, kept.cited.dir


def _continuity(log: Log, kept: Kept, head: Head) -> list[str] | None:
    if kept.cited is None:
        return None
    old, new = sorted((kept.cited.dir.size, head.size))
    return [each.hex() for each in log.consistency(old, new)]


def _membership(entries: Sequence[bytes], agency: str, kept: Kept) -> list[Signed]:
    """The log as far as the publisher cited it, and on to the last entry about it that had taken effect."""
    count = kept.cited.mem.size if kept.cited else len(entries)
    for index, data in enumerate(entries):
        entry = parse_membership(data).entry
        if entry.id == agency and entry.nbf <= kept.header.iat:
            count = max(count, index + 1)
    return [Signed.of(parse_envelope(each, MEMBERSHIP_TYPE)) for each in entries[:count]]


class Shelf:
    """Reads the kept parts."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def bulletin(self, id: str, *, text: bool) -> Kept:
        """Of a bulletin in the archive, by its id. OperationError `not_found` when it came before proofs were
        kept.
        """
        return await self._store.read(lambda connection: _bulletin(connection, id, text=text))

    async def refused(self, number: int) -> Kept:
        """Of a refused frame, by its number in the quarantine. OperationError `not_found`; FormatError."""
        return await self._store.read(lambda connection: _refused(connection, number))

    async def logs(self, community: str) -> tuple[list[bytes], list[bytes]]:
        """The directory's documents, and the membership entries of a community, each in their order."""

        def find(connection: apsw.Connection) -> tuple[list[bytes], list[bytes]]:
            sql = "SELECT data FROM directory WHERE membership = ? ORDER BY number"
            found: list[list[bytes]] = []
            for kind in (0, 1):
                rows: list[Row] = connection.execute(sql, (kind,)).fetchall()
                found.append([data for (data,) in rows])
            documents, entries = found
            return documents, [each for each in entries if parse_membership(each).entry.com == community]

        return await self._store.read(find)


def _bulletin(connection: apsw.Connection, id: str, *, text: bool) -> Kept:
    sql = """SELECT header, signature, digest, proofs.salt, body, payloads.payload, s.payload, s.salt
        FROM proofs JOIN payloads USING (position) LEFT JOIN sealed s USING (position)
        WHERE position = (SELECT position FROM bulletins WHERE id = ?)"""
    rows: list[Row] = connection.execute(sql, (id,)).fetchall()
    if not rows:
        raise OperationError(
            Code.NOT_FOUND,
            "this bulletin was archived before the node kept what proves it",
            "ask another member whose node opened it later",
        )
    *parts, payload, sealed, reply_salt = rows[0]
    proof = Proof(*parts)
    receipt = _receipt(connection, proof)
    frame = FramePart(
        header=proof.header.decode("ascii"),
        signature=to_base64(proof.signature),
        digest=proof.digest.hex(),
        body=to_base64(proof.body) if receipt and proof.body else None,
    )
    content = ContentPart(salt=proof.salt.hex(), payload=payload.decode()) if text else None
    if content and sealed is not None:
        content = ReplyPart(**content.model_dump(), sealed=to_base64(sealed), reply_salt=reply_salt.hex())
    return Kept((frame,), content, _announcement(connection, parse_header(proof.header)), receipt)


def _refused(connection: apsw.Connection, number: int) -> Kept:
    rows: list[Row] = connection.execute("SELECT data FROM quarantine WHERE number = ?", (number,)).fetchall()
    if not rows:
        raise OperationError(
            Code.NOT_FOUND, f"no refusal has the number {number}", "see `liaison-agency quarantine`"
        )
    frame = parse_frame(rows[0][0])
    rivals: list[Row] = connection.execute("SELECT raw FROM rivals WHERE number = ?", (number,)).fetchall()
    both = [*(parse_frame(raw) for (raw,) in rivals), frame]
    parts = [FramePart.of(each, sha256(each.body).digest(), whole=bool(rivals)) for each in both]
    return Kept(tuple(parts), None, _announcement(connection, frame.header), None)


def _announcement(connection: apsw.Connection, header: Header) -> AnnouncementPart | None:
    # Of the frame's own epoch; for what needs none, the publisher's newest here.
    sql = """SELECT ep, header, signature FROM announcements WHERE publisher = ? AND community = ?
        ORDER BY ep = ? DESC, ep DESC LIMIT 1"""
    rows: list[Row] = connection.execute(sql, (header.pub, header.com, header.ep)).fetchall()
    if not rows:
        return None
    (ep, data, signature), sealed = rows[0], header.k in {BULLETIN, CARD}
    if sealed and (ep, parse_header(data).pr) != (header.ep, header.pr):
        return None
    return AnnouncementPart(header=data.decode("ascii"), signature=to_base64(signature))


def _receipt(connection: apsw.Connection, proof: Proof) -> ReceiptPart | None:
    if proof.body is None:
        return None
    digest = sha256(join(proof.header, proof.signature, proof.body)).hexdigest()
    sql = "SELECT data FROM receipts JOIN own_receipts USING (number) WHERE sha256 = ?"
    rows: list[Row] = connection.execute(sql, (digest,)).fetchall()
    return ReceiptPart.model_validate_json(alone(rows[0][0], digest)) if rows else None

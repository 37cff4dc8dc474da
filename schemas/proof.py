"""What an evidence file proves, line by line, to somebody who holds nothing but the file and the root's
fingerprint. FORMAT.md, "Evidence".

Pure: no clock, no network, no secret. The same directory rules judge the documents of the file as judge the
whole log at a node; what they cannot show (that a later document is missing) is said among the limits.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Final, Literal, NamedTuple

from schemas.chain import contradiction
from schemas.checkpoint import check_note, origin_of, parse_note
from schemas.directory import Directory
from schemas.documents import (
    Agency,
    Community,
    Identity,
    Keys,
    Object,
    Replace,
    Revoke,
    parse_document,
    parse_membership,
)
from schemas.encoding import from_base64, instant
from schemas.errors import Code, FormatError, LiaisonError, TrustError
from schemas.evidence import LogEntry, Opened, Statement
from schemas.frame import BULLETIN
from schemas.identities import binder
from schemas.membership import MembershipLog
from schemas.merkle import check_consistency, root_from_path
from schemas.receipts import ADMITTED, read
from schemas.shown_text import shown_text
from schemas.signing import FRAME_TYPE, KEY_SIZE, fingerprint, pae, verify

Status = Literal["proved", "failed", "not_shown", "not_checked"]


class Finding(NamedTuple):
    """One line of the verdict; `code` where it failed."""

    check: str
    status: Status
    text: str
    code: str | None = None


class Report(NamedTuple):
    """The verdict: findings in the order in which one reads them, and what the file does not prove."""

    findings: tuple[Finding, ...]
    limits: tuple[str, ...]

    @property
    def proved(self) -> bool:
        """Whether everything that the file shows holds. What it does not show counts neither way."""
        return all(each.status in {"proved", "not_shown"} for each in self.findings)


class _Case(NamedTuple):
    """The file with the directory that its documents make."""

    opened: Opened
    pinned: bytes
    directory: Directory

    @property
    def shown(self) -> Statement:
        return self.opened.statements[-1]

    def keys(self, statement: Statement) -> Keys:
        keys = self.directory.signers.get(statement.header.kid)
        if keys is None or keys.endpoint != statement.header.pub:
            raise TrustError(Code.UNKNOWN_KEY, "no document of the file binds this key to the publisher")
        return keys

    def agency(self) -> Agency:
        return self.directory.agencies[self.keys(self.shown).agency]

    def hub_key(self, code: Code) -> bytes:
        if self.directory.hub is None:
            raise TrustError(code, "no document of the file names the hub's key")
        return from_base64(self.directory.hub.key, KEY_SIZE)


_Told = tuple[Literal["proved", "not_shown"], str]


def check(opened: Opened, root_fingerprint: bytes) -> Report:
    """The verdict on an evidence file. `root_fingerprint`: the SHA-256 of root version 1, learned by other
    means. Raises nothing.
    """
    steps = _EQUIVOCATION if opened.evidence.type == "equivocation" else _FRAME
    try:
        directory = _replay(opened.evidence.documents, root_fingerprint)
    except _DocumentError as failure:
        found = [_unchecked(name) for name, _ in steps]
        at = [name for name, _ in steps].index(failure.check)
        found[at] = _failed(failure.check, failure.error)
        return Report(tuple(found), _limits(opened))
    case = _Case(opened, root_fingerprint, directory)
    return Report(tuple(_run(case, name, step) for name, step in steps), _limits(opened))


class _DocumentError(Exception):
    def __init__(self, check: str, error: LiaisonError) -> None:
        super().__init__(check)
        self.check = check
        self.error = error


def _replay(documents: list[LogEntry], root_fingerprint: bytes) -> Directory:
    """The directory of these documents alone, each judged by those before it."""
    first, *rest = (each.document.to_bytes() for each in documents)
    try:
        if documents[0].index != 0:
            raise TrustError(
                Code.ROOT_MISMATCH, "the file does not begin with the directory's first document"
            )
        directory = Directory.pinned(first, root_fingerprint)
    except LiaisonError as error:
        raise _DocumentError("root", error) from None
    for data in rest:
        try:
            directory = directory.apply(data)
        except LiaisonError as error:
            raise _DocumentError(_line_of(data), error) from None
    return directory


def _line_of(data: bytes) -> str:
    try:
        document = parse_document(data).document
    except FormatError:
        return "log"
    except TrustError:
        return "key"  # only a key that is no point is refused so
    match document:
        case Agency() | Replace() | Object() | Identity():
            return "agency"
        case Keys() | Revoke():
            return "key"
        case Community():
            return "membership"
        case _:
            return "root"


def _run(case: _Case, name: str, step: Callable[[_Case], _Told]) -> Finding:
    try:
        return Finding(name, *step(case))
    except LiaisonError as error:
        return _failed(name, error)


def _failed(name: str, error: LiaisonError) -> Finding:
    return Finding(name, "failed", error.message, str(error.code))


def _unchecked(name: str) -> Finding:
    return Finding(name, "not_checked", "Not looked at: the documents of the file do not hold.")


def _text(case: _Case) -> _Told:
    content, header = case.opened.evidence.content, case.shown.header
    if content is None:
        return "not_shown", _SILENT.get(
            header.k, f"The text is withheld. The frame commits to it: {header.pc}."
        )
    hist = case.opened.announcement.header.hist if case.opened.announcement else None
    bulletin, said = shown_text(content, header, hist, case.agency().code)
    return "proved", (
        f"This is the text that was signed, to the byte: {said} {bulletin.ref}, “{bulletin.title}”, "
        f"{bulletin.tlp}, {len(content.payload.encode())} bytes."
    )


_SILENT: Final = {
    "c": "The frame is a community's card; its text is not shown.",
    "e": "The frame announces an epoch. It has no text.",
    "h": "The frame is a heartbeat. It has no text.",
}


def _contradiction(case: _Case) -> _Told:
    first, second = (each.whole for each in case.opened.statements)
    why = contradiction(first, second) if first and second else None
    if why is None:
        raise TrustError(Code.BAD_PROOF, "The two frames do not contradict each other.")
    return "proved", f"The publisher signed two histories: {why}."


def _signature(case: _Case) -> _Told:
    for each in case.opened.statements:
        _check_signature(case, each)
    kids = ", ".join(sorted({each.header.kid for each in case.opened.statements}))
    return "proved", f"The signature (Ed25519) holds under the key {kids}."


def _check_signature(case: _Case, statement: Statement) -> None:
    # FORMAT.md, Frame: the signature covers the header and the SHA-256 of the body.
    key = from_base64(case.keys(statement).signing, KEY_SIZE)
    message = pae(FRAME_TYPE, statement.header_bytes + statement.digest)
    bound = statement.whole is None or sha256(statement.whole.body).digest() == statement.digest
    if not bound or not verify(key, message, statement.signature):
        raise TrustError(Code.BAD_SIGNATURE, "The signature does not hold for what is shown.")


def _key(case: _Case) -> _Told:
    keys = [case.keys(each) for each in case.opened.statements][-1]
    return "proved", (
        f"The key was bound to the endpoint {keys.endpoint} of the agency {keys.agency} by that agency's own "
        f"identity key ({_identity(case, keys)}), on {_when(keys.issued)} as the document says."
    )


def _identity(case: _Case, keys: Keys) -> str:
    documents = (each.document.to_bytes() for each in case.opened.evidence.documents)
    held = case.directory.identities.all_of(keys.agency)
    key = binder(documents, keys, held)
    return f"fingerprint {fingerprint(key)}{'' if key == held[-1] else ', since replaced by another'}"


def _revocation(case: _Case) -> _Told:
    if any(each.header.kid in case.directory.revoked for each in case.opened.statements):
        raise TrustError(
            Code.REVOKED_KEY,
            "The agency has revoked the key. The signature does not tell whether it was made before that.",
        )
    return "proved", "No document of the file revokes the key."


def _agency(case: _Case) -> _Told:
    agency = case.agency()
    return "proved", f"The registrar signed who that is: “{agency.name}” ({agency.id}, code {agency.code})."


def _root(case: _Case) -> _Told:
    version = case.directory.root.version
    return "proved", (
        f"The directory begins with the root whose fingerprint you gave; {version} version(s) of it, each "
        "after the first signed by the one before."
    )


def _log(case: _Case) -> _Told:
    # FORMAT.md, Proofs: RFC 9162, 2.1.3.2.
    size, root = case.opened.head
    for each in case.opened.evidence.documents:
        path = [bytes.fromhex(step) for step in each.path]
        if root_from_path(each.document.to_bytes(), each.index, size, path) != root:
            raise TrustError(Code.BAD_PROOF, f"Document {each.index} is not in the log under the head shown.")
    count = len(case.opened.evidence.documents)
    return (
        "proved",
        f"Its {count} documents stand in the directory's log of {size} entries, root {root.hex()}.",
    )


def _head(case: _Case) -> _Told:
    evidence, announcement = case.opened.evidence, case.opened.announcement
    if announcement:
        _check_signature(case, announcement)
    if evidence.checkpoint is None and announcement:
        if announcement.header.dir != case.opened.head:
            raise TrustError(Code.BAD_PROOF, "The publisher's own announcement cites another head.")
        return "proved", (
            "No checkpoint is shown. The head is the one that the publisher itself cited, under its "
            f"signature, on {_when(announcement.header.iat)} as it says."
        )
    return "proved", _checkpoint(case) + _continuity(case)


def _checkpoint(case: _Case) -> str:
    root = case.directory.root
    note = parse_note((case.opened.evidence.checkpoint or "").encode())
    key = case.hub_key(Code.BAD_CHECKPOINT)
    cosigned = check_note(note, origin_of(case.pinned), key, root.witnesses, root.quorum)
    if cosigned.head != case.opened.head:
        raise TrustError(Code.BAD_CHECKPOINT, "The checkpoint is of another head than the documents' paths.")
    if not cosigned.times:
        return "The hub signed this head. No witness did, and the root demands none."
    return (
        f"The hub and {len(cosigned.times)} witness(es) signed this head (the root demands {root.quorum}), "
        f"the latest on {_when(cosigned.times[0])}."
    )


def _continuity(case: _Case) -> str:
    if case.opened.announcement is None:
        return ""
    old, new = sorted((case.opened.announcement.header.dir, case.opened.head))
    proof = [bytes.fromhex(each) for each in case.opened.evidence.consistency or []]
    if not check_consistency(old, new, proof):
        raise TrustError(Code.BAD_PROOF, "The head that the publisher cited is not of the same log.")
    return " The publisher itself cited a head of the same log."


def _membership(case: _Case) -> _Told:
    header = case.shown.header
    if case.opened.evidence.membership is None:
        return "not_shown", "Who was in the community is withheld."
    log = _members(case)
    if log.community.realm.value != header.rl:
        raise TrustError(Code.WRONG_REALM, f"The community belongs to the realm {log.community.realm.value}.")
    agency, when = case.agency(), _when(header.iat)
    role = log.role(agency.id, header.iat)
    if role != "member":
        code = Code.READ_ONLY_MEMBER if role else Code.NOT_MEMBER
        raise TrustError(code, f"{agency.id} could not write in the community on {when}.")
    return "proved", (
        f"{agency.id} was a member of the community {header.com} with the right to write on {when}, by "
        f"{len(log.entries)} entries that its owners signed ({', '.join(log.community.owners)})."
    )


def _members(case: _Case) -> MembershipLog:
    # FORMAT.md, Membership: the whole log from its beginning, up to where it is shown.
    directory, announcement = case.directory, case.opened.announcement
    log = directory.communities.get(case.shown.header.com)
    if log is None:
        raise TrustError(Code.UNKNOWN_COMMUNITY, "No document of the file makes this community.")
    for each in case.opened.evidence.membership or []:
        signed = parse_membership(each.to_bytes())
        log.check(signed, directory.owners_at(log, signed.entry.index), [signed.entry.id])
        log = log.append(signed)
    if announcement:
        size, root = announcement.header.mem
        if size >= len(log.roots) or log.roots[size] != root:
            raise TrustError(Code.BAD_PROOF, "The membership log is not the one that the publisher cited.")
    return log


def _receipt(case: _Case) -> _Told:
    receipt, whole = case.opened.evidence.receipt, case.shown.whole
    if receipt is None:
        return (
            "not_shown",
            "There is no receipt of the hub: when the frame was sent is its sender's own claim.",
        )
    (answer,) = read(receipt.to_bytes(), case.shown.header.pub, case.hub_key(Code.BAD_RECEIPT))
    if whole is None or (answer.sha256, answer.code) != (whole.hash, ADMITTED):
        raise TrustError(Code.BAD_RECEIPT, "The receipt is not one that admits this frame.")
    return "proved", f"The hub signed that it admitted this frame on {_when(answer.at)}."


_Step = tuple[str, Callable[[_Case], _Told]]
_COMMON: Final[tuple[_Step, ...]] = (
    ("signature", _signature),
    ("key", _key),
    ("revocation", _revocation),
    ("agency", _agency),
    ("root", _root),
    ("log", _log),
    ("head", _head),
    ("membership", _membership),
    ("receipt", _receipt),
)
_FRAME: Final[tuple[_Step, ...]] = (("text", _text), *_COMMON)
_EQUIVOCATION: Final[tuple[_Step, ...]] = (("contradiction", _contradiction), *_COMMON)


def _limits(opened: Opened) -> tuple[str, ...]:
    evidence, header = opened.evidence, opened.statements[-1].header
    said = [
        f"When it was made: {_when(header.iat)} is the sender's own claim."
        + (" The hub's receipt is the hub's word, not a witness's." if evidence.receipt else ""),
        (
            f"What the directory holds beyond entry {evidence.head.size}, or holds and this file does not "
            "show, such as a revocation of the key. Whoever made the file chose its documents."
        ),
        "Which person wrote it, or that what it says is true: the key is an agency's machine's.",
        "That anybody received or read it.",
    ]
    if evidence.membership is not None and opened.announcement is None:
        said.append(
            "That the membership log goes no further: no announcement of the publisher says how long it was."
        )
    if evidence.type == "frame" and header.k != BULLETIN:
        said.append("Why the reader refused the frame: only its signature is shown.")
    return tuple(said)


def _when(milliseconds: int) -> str:
    """A time for people; the bare number where the calendar ends."""
    try:
        return instant(milliseconds)
    except (ValueError, OverflowError, OSError):
        return f"{milliseconds} ms after 1970"

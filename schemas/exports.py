"""The directory in a file, to be verified without a hub: whole, or one agency's documents with proofs.
FORMAT.md, "Exports".

Pure: a file's bytes and a root's fingerprint go in, what they prove comes out, or a refusal.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from schemas.bulletin import where
from schemas.checkpoint import (
    Cosigned,
    check_not_after,
    check_not_ahead,
    check_note,
    fresh_until,
    origin_of,
    parse_note,
)
from schemas.directory import Directory
from schemas.documents import Agency, Hub, Root, parse_document
from schemas.encoding import canonical_json, from_base64, parse_json
from schemas.errors import Code, FormatError, LiaisonError, TrustError
from schemas.limits import DOCUMENT_MAX, EXPORT_MAX, INTEGER_MAX, NOTE_MAX
from schemas.merkle import Head, Log, check_consistency, root_from_path
from schemas.signing import KEY_SIZE

PATH_MAX: Final = 53
"""Bits of the largest size: an inclusion proof has at most as many steps, a consistency proof one more."""

_EVIDENCE: Final = "stop; keep both as evidence, and compare heads with another agency by other means"

Size = Annotated[int, Field(ge=0, le=INTEGER_MAX)]
Envelope = Annotated[str, StringConstraints(max_length=DOCUMENT_MAX)]
NoteText = Annotated[str, StringConstraints(max_length=NOTE_MAX)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Path = Annotated[list[Hash], Field(max_length=PATH_MAX + 1)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    v: Literal[1] = 1

    def to_bytes(self) -> bytes:
        """Canonical JSON: what the file holds."""
        return canonical_json(self.model_dump(mode="json"))


class Export(_File):
    """Every document of the directory in order, membership entries in the order of their logs, and the
    newest checkpoint.
    """

    type: Literal["directory"] = "directory"
    documents: Annotated[list[Envelope], Field(min_length=1)]
    memberships: list[Envelope]
    note: NoteText | None


class Proven(_File):
    """A document, its place in the log, and its path to the root of the checkpoint."""

    index: Size
    document: Envelope
    path: Path


class Continued(_File):
    """That the checkpoint continues the log of `size` documents."""

    size: Size
    path: Path


class Proof(_File):
    """All that a light client needs: roots and hub, one agency's documents, the checkpoint that they are
    under.
    """

    type: Literal["directory-proof"] = "directory-proof"
    documents: Annotated[list[Proven], Field(min_length=1)]
    note: NoteText
    since: Continued | None


_FILE: Final[TypeAdapter[Export | Proof]] = TypeAdapter(
    Annotated[Export | Proof, Field(discriminator="type")]
)


class Checked(NamedTuple):
    """A checkpoint that holds: what it says, how many witnesses it needed, and until when (Unix ms) it is
    fresh.
    """

    cosigned: Cosigned
    quorum: int
    fresh_until: int

    @property
    def head(self) -> Head:
        """Size and root."""
        return self.cosigned.head

    def check_fresh(self, now: int) -> None:
        """That it is neither stale nor from the future at `now` (Unix ms); TrustError `stale_head`,
        `from_the_future`.
        """
        check_not_ahead(self.cosigned, self.quorum, now)
        check_not_after(self.fresh_until, now)


class Verified(NamedTuple):
    """What a file proves. Of a proof, `directory` knows roots, hub and one agency, and its head is not the
    log's.
    """

    directory: Directory
    checked: Checked | None


def parse_file(data: bytes) -> Export | Proof:
    """A file from untrusted bytes, in its canonical form. FormatError; nothing is verified yet."""
    fields = parse_json(data, EXPORT_MAX)
    try:
        found = _FILE.validate_python(fields)
    except ValidationError as error:
        raise FormatError(Code.BAD_DOCUMENT, where(error), "give a file of `directory export`") from None
    if found.to_bytes() != data:
        raise FormatError(Code.BAD_ENCODING, "the file is not in its canonical form")
    return found


def verify_export(export: Export, fingerprint: bytes) -> Verified:
    """The directory of the file, every document and entry checked in order, and its checkpoint.

    Raises FormatError or TrustError; `log_behind` when the checkpoint is of more documents than there are,
    `split_view` when it is of others.
    """
    note = parse_note(export.note.encode()) if export.note is not None else None
    size = note.checkpoint.head.size if note else 0
    if size > len(export.documents):
        raise TrustError(
            Code.LOG_BEHIND, f"the checkpoint is of {size} documents, the file has {len(export.documents)}"
        )
    directory = at = Directory.pinned(export.documents[0].encode(), fingerprint)
    for index, document in enumerate(export.documents[1:], 1):
        with _told(f"document {index}"):
            directory = directory.apply(document.encode())
        at = directory if index < size else at
    for index, entry in enumerate(export.memberships):
        with _told(f"membership entry {index}"):
            directory = directory.apply_membership(entry.encode())
    if export.note is None:
        return Verified(directory, None)
    checked = _check(export.note, at, fingerprint)
    continues(directory, checked.head)
    return Verified(directory, checked)


def continues(directory: Directory, old: Head) -> None:
    """That a whole directory begins with what it was at `old`. TrustError `rollback` or `split_view`."""
    if old.size > directory.head.size:
        raise TrustError(
            Code.ROLLBACK,
            f"the log has {directory.head.size} documents, and had {old.size} before",
            _EVIDENCE,
        )
    if directory.roots[old.size] != old.root:
        raise _split_view(old.size)


def verify_proof(proof: Proof, fingerprint: bytes) -> Verified:
    """The roots, the hub and the agency of the file: each document checked, and that the checkpoint's log
    has it in its place.

    That the log has no further documents about the agency is not shown by this: only a whole log shows that.
    Raises FormatError or TrustError; `bad_proof` for a path that does not lead to the checkpoint's root.
    """
    places = [each.index for each in proof.documents]
    if places[0] != 0 or any(a >= b for a, b in pairwise(places)):
        raise TrustError(Code.BAD_PROOF, "the documents do not begin with the first, or not in order")
    directory = Directory.pinned(proof.documents[0].document.encode(), fingerprint)
    for each in proof.documents[1:]:
        with _told(f"document {each.index}"):
            directory = directory.apply(each.document.encode())
    checked = _check(proof.note, directory, fingerprint)
    for each in proof.documents:
        path = list(map(bytes.fromhex, each.path))
        found = root_from_path(each.document.encode(), each.index, checked.head.size, path)
        if found != checked.head.root:
            raise TrustError(
                Code.BAD_PROOF,
                f"document {each.index} is not under the checkpoint",
                "treat whoever made the file as hostile or broken",
            )
    return Verified(directory, checked)


def check_since(proof: Proof, old: Head, new: Head) -> None:
    """That the checkpoint at `new` continues `old`, by the file's consistency proof. TrustError `rollback`,
    `split_view`, `not_found` (the file has no such proof) or `bad_proof`.
    """
    if old.size > new.size:
        raise TrustError(
            Code.ROLLBACK, f"the checkpoint is of {new.size} documents, and one was of {old.size} before"
        )
    if old.size == new.size:
        if old.root != new.root:
            raise _split_view(old.size)
        return
    if proof.since is None or proof.since.size != old.size:
        raise TrustError(
            Code.NOT_FOUND,
            f"the file has no consistency proof from {old.size} documents on",
            "make it with `directory export --agency ID --since OLD`",
        )
    if not check_consistency(old, new, list(map(bytes.fromhex, proof.since.path))):
        raise TrustError(
            Code.BAD_PROOF, f"the checkpoint does not continue the log of {old.size} documents", _EVIDENCE
        )


def prove(export: Export, agency: str, since: int | None = None) -> Proof:
    """What a light client needs of an export to know one agency, under the export's checkpoint; `since` adds
    that it continues the log of that many documents. The export is one of our own, or verified.

    Raises LiaisonError `not_found` without a checkpoint, `unknown_agency`, or `rollback`.
    """
    if export.note is None:
        fix = "wait until the hub has published one"
        raise LiaisonError(Code.NOT_FOUND, "there is no checkpoint yet to prove it by", fix)
    size = parse_note(export.note.encode()).checkpoint.head.size
    documents = [each.encode() for each in export.documents[:size]]
    found = [n for n, each in enumerate(documents) if _concerns(each, agency)]
    if not any(isinstance(parse_document(documents[n]).document, Agency) for n in found):
        raise LiaisonError(
            Code.UNKNOWN_AGENCY, f"no agency is called {agency}", "check the id in the directory"
        )
    if since is not None and since > size:
        raise LiaisonError(Code.ROLLBACK, f"the checkpoint is of {size} documents, and one was of {since}")
    log = Log(documents)
    proven = [
        Proven(index=n, document=documents[n].decode(), path=_hex(log.inclusion(n, size))) for n in found
    ]
    continued = None if since is None else Continued(size=since, path=_hex(log.consistency(since, size)))
    return Proof(documents=proven, note=export.note, since=continued)


def heads_of(data: bytes) -> list[Head]:
    """The heads that an older file or checkpoint stood for, to hold a newer one against. FormatError.

    Nothing is verified: who kept the file believes it.
    """
    if not data.startswith(b"{"):
        return [parse_note(data).checkpoint.head]
    found = parse_file(data)
    heads = [parse_note(found.note.encode()).checkpoint.head] if found.note is not None else []
    if isinstance(found, Export):
        heads.append(Log(each.encode() for each in found.documents).head)
    return heads


def _check(text: str, directory: Directory, fingerprint: bytes) -> Checked:
    """The note by the root and hub of `directory`, which are those in force at its size."""
    note, root = parse_note(text.encode()), directory.root
    if directory.hub is None:
        raise TrustError(Code.BAD_CHECKPOINT, "there is no hub in the directory that could have signed it")
    key = from_base64(directory.hub.key, KEY_SIZE)
    cosigned = check_note(note, origin_of(fingerprint), key, root.witnesses, root.quorum)
    return Checked(cosigned, root.quorum, fresh_until(cosigned, root.quorum, root.freshness))


def _concerns(data: bytes, agency: str) -> bool:
    """Whether a light client that wants to know the agency needs the document."""
    document = parse_document(data).document
    if isinstance(document, (Root, Hub)):
        return True
    return (document.id if isinstance(document, Agency) else getattr(document, "agency", None)) == agency


@contextmanager
def _told(place: str) -> Iterator[None]:
    """Say which document was refused, with the same code."""
    try:
        yield
    except LiaisonError as error:
        raise TrustError(error.code, f"{place}: {error.message}", error.fix) from None


def _split_view(size: int) -> TrustError:
    return TrustError(Code.SPLIT_VIEW, f"two different logs of {size} documents", _EVIDENCE)


def _hex(path: Iterable[bytes]) -> list[str]:
    return [step.hex() for step in path]

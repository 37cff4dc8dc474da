"""Evidence: files that show a third party who signed a frame, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from . import fields
from .bulletin import read_bulletin
from .checkpoints import Checkpoint
from .content import Opened, check_agreement, commitment
from .directory import Binding, Directory
from .documents import Document
from .encoding import canonical_json, demand_canonical, from_base64, strict_json
from .frame import Frame, Header, LogHead, assemble, signed_bytes
from .limits import (
    EVIDENCE_DOCUMENTS_MAX,
    EVIDENCE_MAX,
    EVIDENCE_MEMBERSHIP_MAX,
    PAYLOAD_MAX,
    SALT_SIZE,
    SIGNATURE_SIZE,
)
from .membership import Memberships
from .proofs import check_consistency, check_inclusion
from .receipts import read_receipt
from .refusals import Refused, demand, renamed
from .replies import REPLY_HIST, Reply, Sealed
from .signatures import holds, sha256

HOLDS, WITHHELD = "holds", "withheld"

_SIGNATURE = fields.base64_of(SIGNATURE_SIZE)
_HASH = fields.hex_of(32)
_PATH = fields.array(_HASH)


def _object(value: object) -> None:
    demand(isinstance(value, dict), "bad_document")


_EVIDENCE = fields.record(
    {
        "v": fields.one_of(1),
        "type": fields.one_of("frame", "equivocation"),
        "frames": fields.array(
            fields.record(
                {
                    "header": fields.string,
                    "signature": _SIGNATURE,
                    "digest": _HASH,
                    "body": fields.nullable(fields.string),
                }
            ),
            1,
            2,
        ),
        "content": fields.nullable(
            fields.record(
                {"salt": fields.hex_of(SALT_SIZE), "payload": fields.string},
                defaulted={"sealed": fields.string, "reply_salt": fields.hex_of(SALT_SIZE)},
            )
        ),
        "documents": fields.array(
            fields.record({"index": fields.integer(), "document": _object, "path": _PATH}),
            1,
            EVIDENCE_DOCUMENTS_MAX,
        ),
        "head": fields.record({"size": fields.integer(1), "root": _HASH}),
        "checkpoint": fields.nullable(fields.string),
        "announcement": fields.nullable(fields.record({"header": fields.string, "signature": _SIGNATURE})),
        "consistency": fields.nullable(_PATH),
        "membership": fields.nullable(fields.array(_object, 0, EVIDENCE_MEMBERSHIP_MAX)),
        "receipt": fields.nullable(_object),
    }
)


def _hashes(path: list[str]) -> list[bytes]:
    return [bytes.fromhex(digest) for digest in path]


@dataclass(frozen=True)
class _Shown:
    """A frame as far as it is shown."""

    header: Header
    header_bytes: bytes
    signature: bytes
    digest: bytes
    whole: Frame | None

    @classmethod
    def read(cls, value: Document) -> _Shown:
        """Read a frame of the file."""
        header, signature = value["header"].encode(), from_base64(value["signature"])
        whole = None
        if value["body"] is not None:
            whole = Frame.read(assemble(header, signature, from_base64(value["body"])))
        return cls(Header.read(header), header, signature, bytes.fromhex(value["digest"]), whole)


class Evidence:
    """An evidence file that is well formed, of which each line is judged by itself."""

    def __init__(self, file: Document) -> None:
        self._file = file
        self._frames = [_Shown.read(value) for value in file["frames"]]
        self._header = self._frames[0].header
        self._equivocation = file["type"] == "equivocation"
        self._head: LogHead = file["head"]["size"], bytes.fromhex(file["head"]["root"])
        self._announcement: Frame | None = None
        if shown := file["announcement"]:
            written = assemble(shown["header"].encode(), from_base64(shown["signature"]), b"")
            self._announcement = Frame.read(written)
        self._demand_parts_belong_together()

    @classmethod
    def read(cls, data: bytes) -> Evidence:
        """Read an evidence file."""
        file = strict_json(data, EVIDENCE_MAX)
        with renamed("bad_document", "bad_evidence"):
            _EVIDENCE(file)
        demand_canonical(file, data)
        return cls(file)

    def _demand_parts_belong_together(self) -> None:
        file, header = self._file, self._header
        demand(len(self._frames) == (2 if self._equivocation else 1), "bad_evidence")
        for shown in self._frames:
            demand((shown.header.pub, shown.header.com) == (header.pub, header.com), "bad_evidence")
            demand(shown.whole is not None or not self._equivocation, "bad_evidence")
        content = file["content"]
        demand(content is None or header.k == "b", "bad_evidence")
        if content is not None:
            demand(("sealed" in content) == ("reply_salt" in content), "bad_evidence")
            from_base64(content.get("sealed", ""))
        indexes = [placed["index"] for placed in file["documents"]]
        demand(indexes[0] == 0 and all(a < b for a, b in pairwise(indexes)), "bad_evidence")
        announcement = self._announcement
        demand(announcement is not None or file["checkpoint"] is not None, "bad_evidence")
        both = announcement is not None and file["checkpoint"] is not None
        demand((file["consistency"] is not None) == both, "bad_evidence")
        demand(file["receipt"] is None or len(file["receipt"].get("items", [])) == 1, "bad_evidence")
        if announcement:
            announced = announcement.header
            demand(announced.k == "e", "bad_evidence")
            demand((announced.pub, announced.com) == (header.pub, header.com), "bad_evidence")
            same = (announced.pr, announced.ep) == (header.pr, header.ep)
            demand(same or not header.has_body, "bad_evidence")

    def lines(self, fingerprint: bytes) -> dict[str, str]:
        """Each line: that it holds, that it is withheld, or the code for which it fails."""
        directory = Directory(fingerprint)
        lines = {"documents": self._line(lambda: self._apply(directory))}
        checks: dict[str, Callable[[Directory], None] | None] = {
            "text": self._text if self._file["content"] else None,
            "signature": self._signature,
            "key": self._key,
            "revocation": self._revocation,
            "log": self._log,
            "head": self._head_holds,
            "membership": self._membership if self._file["membership"] is not None else None,
            "receipt": self._receipt if self._file["receipt"] is not None else None,
        }
        if self._equivocation:
            checks["contradiction"] = self._contradiction
        for name, check in checks.items():
            lines[name] = self._line(partial(check, directory)) if check else WITHHELD
        return lines

    @staticmethod
    def _line(check: Callable[[], None]) -> str:
        try:
            check()
        except Refused as refused:
            return refused.code
        return HOLDS

    def _apply(self, directory: Directory) -> None:
        for placed in self._file["documents"]:
            directory.append(canonical_json(placed["document"]))

    def _binding(self, header: Header, directory: Directory) -> Binding:
        endpoint = directory.endpoints.get(header.pub)
        binding = endpoint.bindings.get(header.kid) if endpoint else None
        if binding is None:
            raise Refused("unknown_key")
        return binding

    def _agency(self, directory: Directory) -> str:
        self._binding(self._header, directory)
        return directory.endpoints[self._header.pub].agency

    def _text(self, directory: Directory) -> None:
        content, header = self._file["content"], self._header
        said = content["payload"].encode()
        payload = from_base64(content["sealed"]) if "sealed" in content else said
        opened = Opened(bytes.fromhex(content["salt"]), payload)
        demand(len(payload) <= PAYLOAD_MAX, "too_large")
        demand(commitment(opened) == header.pc, "commitment_mismatch")
        announced = self._announcement.header.hist if self._announcement else None
        if "sealed" in content:
            sealed = Sealed.read(payload, header, announced or REPLY_HIST)
            sealed.demand_committed(Opened(bytes.fromhex(content["reply_salt"]), said))
            Reply.read(said, header, self._code(directory))
        else:
            bulletin = read_bulletin(payload)
            check_agreement(bulletin, header, announced or bulletin["history"], self._code(directory))

    def _code(self, directory: Directory) -> str:
        code: str = directory.agencies[self._agency(directory)]["code"]
        return code

    def _signature(self, directory: Directory) -> None:
        for shown in self._frames:
            digest_holds = shown.whole is None or sha256(shown.whole.body) == shown.digest
            binding = self._binding(shown.header, directory)
            message = signed_bytes(shown.header_bytes, shown.digest)
            demand(digest_holds and holds(binding.key, shown.signature, message), "bad_signature")

    def _key(self, directory: Directory) -> None:
        for shown in self._frames:
            self._binding(shown.header, directory)

    def _revocation(self, directory: Directory) -> None:
        for shown in self._frames:
            demand(shown.header.kid not in directory.revoked, "revoked_key")

    def _log(self, _: Directory) -> None:
        size, root = self._head
        for placed in self._file["documents"]:
            data = canonical_json(placed["document"])
            check_inclusion(data, placed["index"], size, _hashes(placed["path"]), root)

    def _head_holds(self, directory: Directory) -> None:
        if note := self._file["checkpoint"]:
            demand(directory.tree.size > 0, "bad_checkpoint")
            authority = directory.authority(directory.tree.size)
            head = Checkpoint.read(note.encode()).judge(directory.fingerprint, authority)
            demand((head.size, head.root) == self._head, "bad_proof")
        if announcement := self._announcement:
            binding = self._binding(announcement.header, directory)
            demand(holds(binding.key, announcement.signature, announcement.signed), "bad_signature")
            cited = announcement.header.logs["directory"]
            if self._file["consistency"] is None:
                demand(cited == self._head, "bad_proof")
                return
            shorter, longer = sorted((cited, self._head), key=lambda head: head[0])
            check_consistency(*shorter, *longer, _hashes(self._file["consistency"]))

    def _membership(self, directory: Directory) -> None:
        header = self._header
        demand(header.com in directory.communities, "unknown_community")
        memberships = Memberships(directory, strangers=True)
        for entry in self._file["membership"]:
            demand(memberships.append(canonical_json(entry))["com"] == header.com, "bad_document")
        log = memberships.of(header.com)
        if self._announcement is None:
            raise Refused("bad_proof")
        size, root = self._announcement.header.logs["membership"]
        demand(size <= log.tree.size and log.tree.roots[size] == root, "bad_proof")
        agency = self._agency(directory)
        for shown in self._frames:
            role = log.role(agency, shown.header.iat)
            demand(role is not None, "not_member")
            demand(role == "member", "read_only_member")
            demand(directory.communities[header.com]["realm"] == shown.header.rl, "wrong_realm")

    def _receipt(self, directory: Directory) -> None:
        key = directory.authority(directory.tree.size).log_key if directory.tree.size else None
        if key is None:
            raise Refused("bad_receipt")
        answer = read_receipt(canonical_json(self._file["receipt"]), self._header.pub, key)[0]
        admitted = {shown.whole.hash.hex() for shown in self._frames if shown.whole}
        demand(answer.code == "admitted" and answer.sha256 in admitted, "bad_receipt")

    def _contradiction(self, _: Directory) -> None:
        demand(any(self._contradictions()), "bad_proof")

    def _contradictions(self) -> Iterator[bool]:
        first, second = (shown.whole for shown in self._frames)
        assert first is not None and second is not None
        before, after = first.header, second.header
        same_chain = before.chain == after.chain
        yield same_chain and before.seq == after.seq and first.hash != second.hash
        yield same_chain and before.seq + 1 == after.seq and after.prev != first.hash
        last = after.heads.get(before.pr)
        yield last is not None and last[0] == before.seq + 1 and last[1] != first.hash

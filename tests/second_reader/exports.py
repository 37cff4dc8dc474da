"""Exports: a directory, or what proves a part of it, in a file."""

from itertools import pairwise

from . import fields
from .checkpoints import Checkpoint, Head
from .directory import Directory
from .documents import Document
from .encoding import demand_canonical, strict_json
from .limits import EXPORT_MAX, INTEGER_MAX
from .membership import Memberships
from .proofs import check_consistency, check_inclusion
from .refusals import demand

_ANY_NUMBER = INTEGER_MAX
_PATH = fields.array(fields.hex_of(32))
_ENVELOPES = fields.array(fields.string, 0, _ANY_NUMBER)
_PLACED = fields.record(
    {"v": fields.one_of(1), "index": fields.integer(), "document": fields.string, "path": _PATH}
)
_SINCE = fields.record({"v": fields.one_of(1), "size": fields.integer(), "path": _PATH})

_TYPES = {
    "directory": fields.record(
        {
            "v": fields.one_of(1),
            "type": fields.one_of("directory"),
            "documents": fields.array(fields.string, 1, _ANY_NUMBER),
            "memberships": _ENVELOPES,
            "note": fields.nullable(fields.string),
        }
    ),
    "directory-proof": fields.record(
        {
            "v": fields.one_of(1),
            "type": fields.one_of("directory-proof"),
            "documents": fields.array(_PLACED, 1, _ANY_NUMBER),
            "note": fields.string,
            "since": fields.nullable(_SINCE),
        }
    ),
}

_ABOUT_AN_AGENCY = {
    "agency": "id",
    **dict.fromkeys(("replace", "object", "identity", "keys", "revoke"), "agency"),
}


def verify_file(data: bytes, fingerprint: bytes, now: int, old: tuple[int, bytes] | None) -> Head | None:
    """Verify an exported file; what it shows is its checkpoint's head, if it has one."""
    file = strict_json(data, EXPORT_MAX)
    kind = file.get("type")
    demand(isinstance(kind, str) and kind in _TYPES, "bad_document")
    _TYPES[file["type"]](file)
    demand_canonical(file, data)
    if kind == "directory":
        return _verify_directory(file, fingerprint, now, old)
    return _verify_proof(file, fingerprint, now, old)


def _verify_directory(
    file: Document, fingerprint: bytes, now: int, old: tuple[int, bytes] | None
) -> Head | None:
    directory = Directory(fingerprint)
    for document in file["documents"]:
        directory.append(document.encode())
    memberships = Memberships(directory)
    for entry in file["memberships"]:
        memberships.append(entry.encode())
    roots = directory.tree.roots
    head = None
    if file["note"] is not None:
        checkpoint = Checkpoint.read(file["note"].encode())
        head = checkpoint.judge(fingerprint, directory.authority(checkpoint.size))
        head.demand_fresh(now)
        demand(head.size < len(roots), "log_behind")
        demand(roots[head.size] == head.root, "split_view")
    if old:
        demand(old[0] < len(roots), "rollback")
        demand(roots[old[0]] == old[1], "split_view")
    return head


def _verify_proof(file: Document, fingerprint: bytes, now: int, old: tuple[int, bytes] | None) -> Head:
    places = [placed["index"] for placed in file["documents"]]
    demand(places[0] == 0 and all(a < b for a, b in pairwise(places)), "bad_proof")
    directory = Directory(fingerprint)
    documents = [directory.append(placed["document"].encode()) for placed in file["documents"]]
    _demand_one_agency(documents)
    head = Checkpoint.read(file["note"].encode()).judge(fingerprint, directory.authority(len(documents)))
    head.demand_fresh(now)
    for placed in file["documents"]:
        path = [bytes.fromhex(p) for p in placed["path"]]
        check_inclusion(placed["document"].encode(), placed["index"], head.size, path, head.root)
    if old:
        _compare(file["since"], old, head)
    return head


def _demand_one_agency(documents: list[Document]) -> None:
    about = [document for document in documents if document["type"] not in ("root", "hub")]
    demand(all(document["type"] in _ABOUT_AN_AGENCY for document in about), "bad_document")
    demand(len({document[_ABOUT_AN_AGENCY[document["type"]]] for document in about}) <= 1, "bad_document")


def _compare(since: Document | None, old: tuple[int, bytes], head: Head) -> None:
    size, root = old
    demand(size <= head.size, "rollback")
    if size == head.size:
        demand(root == head.root, "split_view")
        return
    demand(since is not None and since["size"] == size, "not_found")
    assert since is not None
    check_consistency(size, root, head.size, head.root, [bytes.fromhex(p) for p in since["path"]])

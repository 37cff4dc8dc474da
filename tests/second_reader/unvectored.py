"""Clauses without vectors: edges of proofs, parcels, evidence and stale heads, made of the vectors' parts."""

import base64
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .content import Opened, open_body
from .encoding import canonical_json
from .epochs import aead_key
from .evidence import HOLDS, WITHHELD, Evidence
from .frame import Frame
from .parcels import Intake, Parcel
from .proofs import Tree, check_consistency, check_inclusion, leaf_hash, node_hash
from .signatures import sha256
from .unvectored_sharing import Result, check_sharing, code_of, read_case
from .world import Case, read_message, receiver_of, written


def _root(hashes: Sequence[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return node_hash(_root(hashes[:half]), _root(hashes[half:]))


def _path(hashes: Sequence[bytes], index: int) -> list[str]:
    if len(hashes) == 1:
        return []
    half = 1 << (len(hashes) - 1).bit_length() - 1
    if index < half:
        return [*_path(hashes[:half], index), _root(hashes[half:]).hex()]
    return [*_path(hashes[half:], index - half), _root(hashes[:half]).hex()]


def _parcel(number: int, previous: bytes, pieces: list[tuple[str, int, bytes]], endpoint: str) -> bytes:
    header = canonical_json(
        {
            "v": 1,
            "endpoint": endpoint,
            "direction": "in",
            "number": number,
            "previous": previous.hex(),
            "received": -1,
            "made": 0,
        }
    )
    written = b"liaison/1 parcel\0" + len(header).to_bytes(4) + header
    for subject, sequence, data in pieces:
        written += b"\1" + len(subject).to_bytes(2) + sequence.to_bytes(8) + len(data).to_bytes(4)
        written += subject.encode() + data
    written += b"\0" + len(pieces).to_bytes(8)
    return written + sha256(written)


def check_parcels(base: Case) -> list[Result]:
    """Parcels, whole and not."""
    endpoint = base["agencies"]["jpn"]["endpoint"]
    pieces = [("d.doc", 7, b"one"), (f"w.{endpoint}", 8, b"")]
    first = _parcel(0, bytes(32), pieces, endpoint)
    read = Parcel.read(first)
    second = Parcel.read(_parcel(1, read.digest, [], endpoint))
    third = Parcel.read(_parcel(2, second.digest, [], endpoint))
    other = Parcel.read(_parcel(1, sha256(), [], endpoint))
    intake = Intake(endpoint, "in")
    flipped = first[:-1] + bytes([first[-1] ^ 1])
    codes = [code_of(partial(Parcel.read, first[:end])) for end in range(len(first))]
    return [
        ("parcel, its pieces", pieces, [(p.subject, p.sequence, p.data) for p in intake.take(read)]),
        ("parcel, again", [], intake.take(read)),
        ("parcel, one missing", "gap", code_of(lambda: intake.take(third))),
        ("parcel, another past", "fork", code_of(lambda: intake.take(other))),
        ("parcel, the next", [], intake.take(second)),
        ("parcel, cut anywhere", {"truncated"}, set(codes)),
        ("parcel, a byte more", "bad_parcel", code_of(lambda: Parcel.read(first + b"\0"))),
        ("parcel, flipped", "bad_parcel", code_of(lambda: Parcel.read(flipped))),
    ]


def _shown(frame: Frame, whole: bool) -> Case:
    return {
        "header": frame.header_bytes.decode(),
        "signature": base64.b64encode(frame.signature).decode(),
        "digest": sha256(frame.body).hex(),
        "body": base64.b64encode(frame.body).decode() if whole else None,
    }


def _evidence(base: Case, case: Case) -> Case:
    announcement, frame = (
        Frame.read(base64.b64decode(data)) for _, data in (case["before"][0], case["message"])
    )
    hashes = [leaf_hash(document.encode()) for document in base["documents"]]
    entries = [json.loads(entry) for entry in base["entries"]]
    log = [entry for entry in entries if frame.header.com in str(base64.b64decode(entry["payload"]))]
    return {
        "v": 1,
        "type": "frame",
        "frames": [_shown(frame, whole=False)],
        "content": None,
        "documents": [
            {"index": index, "document": json.loads(document), "path": _path(hashes, index)}
            for index, document in enumerate(base["documents"])
        ],
        "head": {"size": len(hashes), "root": _root(hashes).hex()},
        "checkpoint": None,
        "announcement": {
            "header": announcement.header_bytes.decode(),
            "signature": base64.b64encode(announcement.signature).decode(),
        },
        "consistency": None,
        "membership": log,
        "receipt": None,
    }


def _opened(case: Case) -> Opened:
    frame = Frame.read(base64.b64decode(case["message"][1]))
    return open_body(frame, aead_key(bytes.fromhex(case["keys"][0])))


def check_evidence(base: Case, vectors: Path) -> list[Result]:
    """Evidence of one bulletin, with one thing wrong at a time; and of a fork."""
    case = read_case(vectors, "good_bulletin")
    fork = read_case(vectors, "chain_fork_at_head")
    fingerprint = bytes.fromhex(base["fingerprint"])
    opened = _opened(case)
    content = {"salt": opened.salt.hex(), "payload": opened.payload.decode()}
    good = _evidence(base, case) | {"content": content}

    def failing(**changed: Any) -> Any:
        file = canonical_json(good | changed)
        lines = code_of(lambda: Evidence.read(file).lines(fingerprint))
        if isinstance(lines, str):
            return lines
        return {name: code for name, code in lines.items() if code not in (HOLDS, WITHHELD)}

    frame = good["frames"][0]
    messages = [*(message for message in fork["before"][1:]), fork["message"]]
    forked = [_shown(Frame.read(base64.b64decode(data)), whole=True) for _, data in messages[-2:]]
    salt = {**good["content"], "salt": "00" * 32}
    return [
        ("evidence, good", {}, failing()),
        ("evidence, other salt", {"text": "commitment_mismatch"}, failing(content=salt)),
        (
            "evidence, other digest",
            {"signature": "bad_signature"},
            failing(frames=[frame | {"digest": "00" * 32}]),
        ),
        (
            "evidence, other head",
            {"log": "bad_proof", "head": "bad_proof"},
            failing(head=good["head"] | {"root": "00" * 32}),
        ),
        ("evidence, entry left out", {"membership": "not_next"}, failing(membership=good["membership"][1:])),
        ("evidence, one entry", {"membership": "bad_proof"}, failing(membership=good["membership"][:1])),
        ("evidence, no head signed", "bad_evidence", failing(announcement=None)),
        ("evidence, body that is none", "bad_padding", failing(frames=[frame | {"body": "AAAA"}])),
        ("evidence, fork", {}, failing(type="equivocation", frames=forked, content=None)),
        (
            "evidence, no fork",
            {"contradiction": "bad_proof"},
            failing(type="equivocation", frames=[forked[0], forked[0]], content=None),
        ),
    ]


def check_sealed_evidence(base: Case, vectors: Path) -> list[Result]:
    """Evidence of a sealed reply."""
    case = read_case(vectors, "reply_good")
    receiver, message = receiver_of(base, case), read_message(case["message"])
    receiver.receive(message, case["now"])
    found, sealed = receiver.open_reply(message[1]), _opened(case)
    assert found is not None
    said, _ = found
    content = {
        "salt": sealed.salt.hex(),
        "sealed": base64.b64encode(sealed.payload).decode(),
        "payload": said.payload.decode(),
        "reply_salt": said.salt.hex(),
    }
    file = _evidence(base, case)

    def text(**changed: str) -> Any:
        read = Evidence.read(canonical_json(file | {"content": content | changed}))
        return read.lines(bytes.fromhex(base["fingerprint"]))["text"]

    more = canonical_json(file | {"content": {**content, "extra": ""}})
    return [
        ("evidence, sealed reply", HOLDS, text()),
        ("evidence, other reply", "commitment_mismatch", text(payload="{}")),
        ("evidence, other salt of a reply", "commitment_mismatch", text(reply_salt="00" * 32)),
        ("evidence, a field more", "bad_evidence", code_of(lambda: Evidence.read(more))),
    ]


def check_proofs() -> list[Result]:
    """Proofs that the steps of the text alone would let pass: no such place, and another first root."""
    entries = [bytes([number]) for number in range(7)]
    tree, hashes = Tree(), [leaf_hash(entry) for entry in entries]
    for entry in entries:
        tree.append(entry)
    path = [bytes.fromhex(digest) for digest in _path(hashes, 0)]
    beyond = code_of(lambda: check_inclusion(entries[0], 8, 7, path, tree.root))
    from_three = [hashes[2], hashes[3], _root(hashes[:2]), _root(hashes[4:])]
    good = code_of(lambda: check_consistency(3, tree.roots[3], 7, tree.root, from_three))
    other = code_of(lambda: check_consistency(3, tree.roots[2], 7, tree.root, from_three))
    return [
        ("inclusion, no such place", "bad_proof", beyond),
        ("consistency, from three", None, good),
        ("consistency, another first root", "bad_proof", other),
    ]


def check_stale(base: Case, vectors: Path) -> list[Result]:
    """A key that came after the newest head: while that is stale, it neither speaks nor vouches."""
    case = read_case(vectors, "catch_up_replaced_key")
    note = json.loads((vectors / "log" / "checkpoint_cosigned.json").read_text("utf-8"))
    messages = [read_message(message) for message in case["messages"]]
    wanted = case["expect"]["verdicts"]
    codes = ("bad_signature", "stale_head", "stale_head")
    refused = [{"verdict": "refused", "code": code, "moves": False} for code in codes]
    results: list[Result] = []
    for after, expected in ((-1, wanted), (0, wanted[:1] + refused)):
        receiver = receiver_of(base, case)
        head = receiver.accept_checkpoint(base64.b64decode(note["note"]), note["now"])
        got = [written(verdict) for verdict in receiver.catch_up(messages, head.fresh_until + after)]
        results.append((f"head, {after} after it is stale", expected, got))
    return results


def check_unvectored(vectors: Path) -> list[Result]:
    """What is wanted and what comes out here, of each self-made case."""
    base = json.loads((vectors / "base.json").read_text("utf-8"))
    results = check_proofs() + check_parcels(base) + check_evidence(base, vectors)
    results += check_sealed_evidence(base, vectors)
    return results + check_stale(base, vectors) + check_sharing(base, vectors)

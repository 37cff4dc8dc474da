"""Run all vectors, the worked example and what has no vectors: `python -m tests.second_reader.run VECTORS`."""

import base64
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from .checkpoints import Checkpoint
from .directory import Authority, Directory
from .documents import read_enrolment
from .example import check_example
from .exports import verify_file
from .receipts import read_receipt
from .receiver import Verdict
from .refusals import Refused
from .replies import REPORT
from .signatures import ENROLMENT, Envelope, sha256
from .unvectored import check_unvectored
from .world import Case, World, read_message, receiver_of, written
from .wraps import read_bundle


def _receive(base: Case, case: Case) -> Verdict:
    return written(receiver_of(base, case).receive(read_message(case["message"]), case["now"]))


def _reply(base: Case, case: Case) -> Case:
    receiver = receiver_of(base, case)
    message = read_message(case["message"])
    verdict = receiver.receive(message, case["now"])
    if verdict["verdict"] != "sealed":
        return verdict
    said = receiver.open_reply(message[1])
    if said is None:
        return {"reply": None}
    opened, reply = said
    digest = sha256(opened.payload).hex()
    if reply.kind == REPORT:
        return {"report": digest, "changes": len(reply.targets)}
    return {"reply": digest, "kind": reply.kind, "target": reply.targets[0]}


def _catch_up(base: Case, case: Case) -> Case:
    messages = [read_message(message) for message in case["messages"]]
    verdicts = receiver_of(base, case).catch_up(messages, case["now"])
    return {"verdicts": [written(verdict) for verdict in verdicts]}


def _wrap(base: Case, case: Case) -> Case:
    announcement, key = receiver_of(base, case).take_wrap(base64.b64decode(case["wrap"]))
    return {"announcement": announcement.hex(), "key": key.hex()}


def _bundle(_: Case, case: Case) -> Case:
    wraps = read_bundle(base64.b64decode(case["bundle"]))
    return {"announcement": wraps[0].announcement.hex(), "recipients": [wrap.kid.hex() for wrap in wraps]}


def _document(base: Case, case: Case) -> Case:
    world = World(base, case)
    world.directory.append(case["document"].encode())
    return world.head()


def _membership(base: Case, case: Case) -> Case:
    world = World(base, case)
    world.memberships.append(case["entry"].encode())
    log = world.memberships.of(case["community"])
    return {"size": log.tree.size, "root": log.tree.root.hex(), "members": log.members(case["now"])}


def _pinned(_: Case, case: Case) -> Case:
    directory = Directory(bytes.fromhex(case["fingerprint"]))
    directory.append(case["document"].encode())
    return {"size": directory.tree.size, "root": directory.tree.root.hex()}


def _enrolment(_: Case, case: Case) -> Case:
    return {"id": read_enrolment(Envelope.read(case["request"].encode(), ENROLMENT))["id"]}


def _receipt(_: Case, case: Case) -> Case:
    key = bytes.fromhex(case["key"])
    answers = read_receipt(case["receipt"].encode(), case["publisher"], key)
    return {"answers": [[answer.sha256, answer.code] for answer in answers]}


def _checkpoint(_: Case, case: Case) -> Case:
    witnesses = {witness["name"]: base64.b64decode(witness["key"]) for witness in case["witnesses"]}
    authority = Authority(base64.b64decode(case["hub"]), witnesses, case["quorum"], case["freshness"])
    checkpoint = Checkpoint.read(base64.b64decode(case["note"]))
    head = checkpoint.judge(bytes.fromhex(case["fingerprint"]), authority)
    head.demand_fresh(case["now"])
    return {
        "size": head.size,
        "root": head.root.hex(),
        "times": head.times,
        "fresh_until": head.fresh_until,
    }


def _file(_: Case, case: Case) -> Case:
    old = case.get("since")
    head = verify_file(
        case["file"].encode(),
        bytes.fromhex(case["fingerprint"]),
        case["now"],
        (old[0], bytes.fromhex(old[1])) if old else None,
    )
    if head is None:
        return {"head": None, "fresh_until": None}
    return {"head": [head.size, head.root.hex()], "fresh_until": head.fresh_until}


OPERATIONS: dict[str, Callable[[Case, Case], Case]] = {
    "receive": _receive,
    "catch_up": _catch_up,
    "reply": _reply,
    "wrap": _wrap,
    "bundle": _bundle,
    "document": _document,
    "membership": _membership,
    "pinned": _pinned,
    "enrolment": _enrolment,
    "receipt": _receipt,
    "checkpoint": _checkpoint,
    "file": _file,
}


def outcome(base: Case, case: Case) -> Case:
    """What comes of a case."""
    try:
        return OPERATIONS[case["op"]](base, case)
    except Refused as refused:
        return {"code": refused.code}


def _cases(vectors: Path) -> Iterator[Case]:
    for folder in ("cases", "log"):
        for path in sorted((vectors / folder).glob("*.json")):
            yield json.loads(path.read_text("utf-8"))


def main(vectors: Path) -> int:
    """Run everything, tell what differs, and count."""
    base = json.loads((vectors / "base.json").read_text("utf-8"))
    results = [(case["name"], case["expect"], outcome(base, case)) for case in _cases(vectors)]
    results += check_example(vectors.parent) + check_unvectored(vectors)
    failures = [result for result in results if result[1] != result[2]]
    for name, wanted, got in failures:
        print(f"{name}: wanted {wanted}, got {got}")
    print(f"{len(results) - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""Run all vectors, the worked example and what has no vectors: `python -m tests.second_reader.run VECTORS`."""

import base64
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from .attachments import ATTACHMENT
from .bulletin import read_bulletin
from .checkpoints import Checkpoint
from .chunks import chunk_count, padded, read_file, tree
from .directory import Authority, Directory
from .documents import read_enrolment
from .example import check_example
from .exports import verify_file
from .frame import Frame
from .history import Handover, Page, Request
from .onward import Place, check_onward
from .operations import read_operation
from .past import Past
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


def _operation(_: Case, case: Case) -> Case:
    record = read_operation(case["record"].encode(), bytes.fromhex(case["key"]))
    return {name: record[name] for name in ("kind", "about", "state", "code")}


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


def _onward(base: Case, case: Case) -> Case:
    bulletin = read_bulletin(case["bulletin"].encode())
    place = Place(case["community"], case["iat"], case["agency"])
    original = check_onward(bulletin, place, World(base, case).directory)
    return {"originator": original.agency, "ref": original.bulletin["ref"]} if original else {}


def _request(base: Case, case: Case) -> Case:
    world = World(base, case)
    request = Request.read(case["request"].encode())
    request.demand_allowed(world.directory, world.memberships, case["now"])
    agency = world.directory.endpoints[request.endpoint].agency
    return {"agency": agency, "epochs": len(request.epochs)}


def _handover(_: Case, case: Case) -> Case:
    handover = Handover.read(base64.b64decode(case["handover"]))
    return {
        "community": handover.community,
        "publisher": handover.publisher,
        "kid": handover.wraps[0].kid.hex(),
        "epochs": len(handover.wraps),
    }


def _page(_: Case, case: Case) -> Case:
    page = Page.read(base64.b64decode(case["page"]), case["after"])
    return {
        "last": page.last,
        "more": page.more,
        "sequences": [frame.sequence for frame in page.frames],
    }


def _past(base: Case, case: Case) -> Case:
    publisher, community, precedence = case["chain"]
    frames = [base64.b64decode(frame) for frame in case["frames"]]
    live = [Frame.read(base64.b64decode(case["anchor"]))] if "anchor" in case else []
    realm = World(base, case).directory.communities[community]["realm"]
    subject = f"f.{realm}.{community}.{precedence}.{publisher}"
    past = Past(receiver_of(base, case), (publisher, community, precedence), live)
    outcomes, gaps = past.read([(subject, frame) for frame in frames], case["now"])
    return {
        "outcomes": [" ".join(filter(None, (each.name, each.code))) for each in outcomes],
        "missing": [[first, last + 1] for first, last in gaps],
    }


def _padded(_: Case, case: Case) -> Case:
    return {"table": [[size, padded(size), chunk_count(size)] for size in case["sizes"]]}


def _tree(_: Case, case: Case) -> Case:
    root, lists = tree([sha256(number.to_bytes(4)) for number in range(case["chunks"])])
    return {"root": root.hex(), "lists": len(lists)}


def _attachment(_: Case, case: Case) -> Case:
    ATTACHMENT(case["attachment"])
    file = read_file(case["attachment"], lambda place: case["hub"].get(place.hex()))
    return {"sha256": sha256(file).hex(), "size": len(file)}


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
    "operation": _operation,
    "checkpoint": _checkpoint,
    "file": _file,
    "onward": _onward,
    "request": _request,
    "handover": _handover,
    "page": _page,
    "past": _past,
    "padded": _padded,
    "tree": _tree,
    "attachment": _attachment,
}
FOLDERS = ("cases", "log", "sharing", "attachments")


def outcome(base: Case, case: Case) -> Case:
    """What comes of a case."""
    try:
        return OPERATIONS[case["op"]](base, case)
    except Refused as refused:
        return {"code": refused.code}


def read_cases(folder: Path) -> Iterator[Case]:
    """The cases of a folder; where a hub answers with blobs, their bytes stand in the place of their names."""
    for path in sorted(folder.glob("*.json")):
        case = json.loads(path.read_text("utf-8"))
        for place, name in case.get("hub", {}).items() if case["op"] == "attachment" else ():
            case["hub"][place] = (folder / "blobs" / f"{name}.bin").read_bytes()
        yield case


def main(vectors: Path) -> int:
    """Run everything, tell what differs, and count."""
    base = json.loads((vectors / "base.json").read_text("utf-8"))
    cases = [case for folder in FOLDERS for case in read_cases(vectors / folder)]
    results = [(case["name"], case["expect"], outcome(base, case)) for case in cases]
    results += check_example(vectors.resolve().parents[1] / "schemas") + check_unvectored(vectors)
    failures = [result for result in results if result[1] != result[2]]
    for name, wanted, got in failures:
        print(f"{name}: wanted {wanted}, got {got}")
    print(f"{len(results) - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""Run one case: what the file says goes into the real code, and what comes out is put as the file puts it."""

import base64
import json
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from hub.admission import View, decide, open_frame
from schemas.attachments import (
    Attachment,
    Seal,
    check_blob,
    chunk_count,
    levels,
    list_sizes,
    padded,
    read_list,
    tree,
)
from schemas.bulletin import parse_bulletin
from schemas.chain import ChainHead, ChainKey
from schemas.checkpoint import check_fresh, check_note, fresh_until, origin_of, parse_note
from schemas.directory import Directory
from schemas.documents import Witness, parse_enrolment
from schemas.errors import Code, LiaisonError, OperationError
from schemas.exports import Export, check_since, continues, parse_file, verify_export, verify_proof
from schemas.frame import parse_frame
from schemas.history import check_request, parse_handover, parse_request
from schemas.merkle import Head
from schemas.onward import check_onward, open_release
from schemas.operations import read_operation
from schemas.pages import parse_page
from schemas.receipts import read
from schemas.subjects import parse_frame_subject
from schemas.wraps import parse_bundle
from subscribers.attachments import Opener
from subscribers.directory.heads import judge_head
from subscribers.directory.vouched import Vouched
from subscribers.judging.past import Join, PastChain, Step, vouchers
from subscribers.judging.trust import (
    Announced,
    Beat,
    Carded,
    LogBehind,
    Opened,
    Refused,
    Sealed,
    Skipped,
    Verdict,
    accept_wrap,
)
from subscribers.keys import KemKey
from subscribers.sealing import EpochKey
from subscribers.writing.replies import Reported, record_of
from tests.support.federation import Party, Station

FOLDER: Final = Path(__file__).resolve().parent
CASES: Final = FOLDER / "cases"
LOG_CASES: Final = FOLDER / "log"
SHARING_CASES: Final = FOLDER / "sharing"
HUB_CASES: Final = FOLDER / "hub"
ATTACHMENT_CASES: Final = FOLDER / "attachments"
BLOBS: Final = ATTACHMENT_CASES / "blobs"
BASE: Final = FOLDER / "base.json"


@cache
def base() -> dict[str, Any]:
    """The directory that every case starts from, and the private keys of its agencies."""
    found: dict[str, Any] = json.loads(BASE.read_text(encoding="utf-8"))
    return found


@cache
def base_directory() -> Directory:
    """The same, verified."""
    first, *rest = (each.encode() for each in base()["documents"])
    directory = Directory.pinned(first, bytes.fromhex(base()["fingerprint"]))
    for each in rest:
        directory = directory.apply(each)
    for each in base()["entries"]:
        directory = directory.apply_membership(each.encode())
    return directory


def run(case: dict[str, Any]) -> dict[str, Any]:
    """What the code makes of a case, in the form of its `expect`."""
    try:
        return _OPERATIONS[case["op"]](case)
    except LiaisonError as error:
        return {"code": str(error.code)}


def _grown(case: dict[str, Any]) -> Directory:
    directory = base_directory()
    for each in case.get("documents", ()):
        directory = directory.apply(each.encode())
    for each in case.get("entries", ()):
        directory = directory.apply_membership(each.encode())
    return directory


def _station(case: dict[str, Any]) -> Station:
    keys = [EpochKey(bytes.fromhex(each)) for each in case.get("keys", ())]
    party, directory = Party(case["reader"], ""), _grown(case)
    withheld = _withheld(case, directory) if "note" in case else frozenset[str]()
    return Station(party, directory, keys={key.commitment: key for key in keys}, withheld=withheld)


def _withheld(case: dict[str, Any], directory: Directory) -> frozenset[str]:
    """The keys that are not believed under the head that the case's reader has."""
    first, *rest = (each.encode() for each in (*base()["documents"], *case.get("documents", ())))
    vouched, known = Vouched(), Directory.pinned(first, bytes.fromhex(base()["fingerprint"]))
    vouched.grown(None, known, first)
    for each in rest:
        grown = known.apply(each)
        vouched.grown(known, grown, each)
        known = grown
    note = parse_note(base64.b64decode(case["note"]))
    vouched.kept = judge_head(directory, vouched.origin, None, note, case["now"])
    return vouched.withheld(directory, case["now"])


def _follow(station: Station, case: dict[str, Any]) -> None:
    for subject, raw in case.get("before", ()):
        verdict = station.take(subject, base64.b64decode(raw), case["now"])
        if isinstance(verdict, Refused):
            raise verdict.error


def _receive(case: dict[str, Any]) -> dict[str, Any]:
    station = _station(case)
    _follow(station, case)
    subject, raw = case["message"]
    return _said(station.judge(subject, base64.b64decode(raw), case["now"]))


def _admit(case: dict[str, Any]) -> dict[str, Any]:
    view = View.of(_grown(case), frozenset(case.get("suspended", ())), case["now"])
    subject, raw = case["message"]
    place = parse_frame_subject(subject)
    opened = open_frame(base64.b64decode(raw), view.keys)
    admitted = decide(opened, place, view, ChainHead(*case["head"]), case["now"])
    return {"head": list(admitted.head), "repeated": admitted.repeated}


def _catch_up(case: dict[str, Any]) -> dict[str, Any]:
    messages = [(subject, base64.b64decode(raw)) for subject, raw in case["messages"]]
    return {"verdicts": [_said(each) for each in _station(case).read(messages, case["now"])]}


def _said(verdict: Verdict) -> dict[str, Any]:
    match verdict:
        case Opened():
            digest = sha256(verdict.payload).hexdigest()
            facts = {"sha256": digest, "missing": list(verdict.missing), "expired": verdict.expired}
            return {"verdict": "opened", **facts}
        case Sealed():
            facts = {"missing": list(verdict.missing), "expired": verdict.expired}
            return {"verdict": "sealed", "readers": len(verdict.reply.keys), **facts}
        case Carded():
            return {"verdict": "carded", "slug": verdict.card.slug}
        case Announced():
            return {"verdict": "announced", "ep": verdict.id.ep, "due": verdict.epoch.due}
        case Beat():
            behind = [f"{key.publisher} {key.community} {key.precedence}" for key in verdict.behind]
            return {"verdict": "beat", "behind": behind}
        case Skipped():
            moves = verdict.chain is not None
            return {"verdict": "skipped", "code": str(verdict.code), "moves": moves}
        case LogBehind():
            return {"verdict": "log_behind", "log": verdict.log, "size": verdict.size}
        case Refused():
            moves = verdict.chain is not None
            return {"verdict": "refused", "code": str(verdict.error.code), "moves": moves}


def _reply(case: dict[str, Any]) -> dict[str, Any]:
    station = _station(case)
    _follow(station, case)
    subject, raw = case["message"]
    verdict = station.judge(subject, base64.b64decode(raw), case["now"])
    if not isinstance(verdict, Sealed):
        return _said(verdict)
    seeds = base()["agencies"][case["reader"]]
    kem, endpoint = KemKey(bytes.fromhex(seeds["kem"])), seeds["endpoint"]
    made = record_of(verdict, [kem], endpoint, case["reader"], case["now"])
    if made is None:
        return {"reply": None}
    if isinstance(made, Reported):
        digest = sha256(made.report.to_bytes()).hexdigest()
        return {"report": digest, "changes": len(made.report.changes)}
    digest, (link,) = sha256(made.payload).hexdigest(), made.bulletin.links
    return {"reply": digest, "kind": made.bulletin.kind.value, "target": link.id}


def _wrap(case: dict[str, Any]) -> dict[str, Any]:
    station = _station(case)
    _follow(station, case)
    seeds = base()["agencies"][case["reader"]]
    announced = {epoch.announcement: epoch for epoch in station.epochs.values()}
    raw = base64.b64decode(case["wrap"])
    announcement, key = accept_wrap(raw, announced, [KemKey(bytes.fromhex(seeds["kem"]))], seeds["endpoint"])
    return {"announcement": announcement.hex(), "key": bytes(key).hex()}


def _bundle(case: dict[str, Any]) -> dict[str, Any]:
    wraps = parse_bundle(base64.b64decode(case["bundle"]))
    return {"announcement": wraps[0].announcement.hex(), "recipients": [each.kid.hex() for each in wraps]}


def _document(case: dict[str, Any]) -> dict[str, Any]:
    head = _grown(case).apply(case["document"].encode()).head
    return {"size": head.size, "root": head.root.hex()}


def _pinned(case: dict[str, Any]) -> dict[str, Any]:
    head = Directory.pinned(case["document"].encode(), bytes.fromhex(case["fingerprint"])).head
    return {"size": head.size, "root": head.root.hex()}


def _membership(case: dict[str, Any]) -> dict[str, Any]:
    directory = _grown(case).apply_membership(case["entry"].encode())
    head = directory.communities[case["community"]].head
    members = directory.communities[case["community"]].members(case["now"])
    return {"size": head.size, "root": head.root.hex(), "members": members}


def _enrolment(case: dict[str, Any]) -> dict[str, Any]:
    return {"id": parse_enrolment(case["request"].encode()).request.id}


def _receipt(case: dict[str, Any]) -> dict[str, Any]:
    answers = read(case["receipt"].encode(), case["publisher"], bytes.fromhex(case["key"]))
    return {"answers": [[answer.sha256, answer.code] for answer in answers]}


def _operation(case: dict[str, Any]) -> dict[str, Any]:
    record = read_operation(case["record"].encode(), bytes.fromhex(case["key"]))
    return {"kind": str(record.kind), "about": record.about, "state": str(record.state), "code": record.code}


def _checkpoint(case: dict[str, Any]) -> dict[str, Any]:
    note = parse_note(base64.b64decode(case["note"]))
    witnesses = [Witness.model_validate(each) for each in case["witnesses"]]
    origin, hub = origin_of(bytes.fromhex(case["fingerprint"])), base64.b64decode(case["hub"])
    cosigned = check_note(note, origin, hub, witnesses, case["quorum"])
    check_fresh(cosigned, case["quorum"], case["freshness"], case["now"])
    until = fresh_until(cosigned, case["quorum"], case["freshness"])
    head, times = cosigned
    return {"size": head.size, "root": head.root.hex(), "times": list(times), "fresh_until": until}


def _file(case: dict[str, Any]) -> dict[str, Any]:
    file, told = parse_file(case["file"].encode()), bytes.fromhex(case["fingerprint"])
    old = Head(case["since"][0], bytes.fromhex(case["since"][1])) if "since" in case else None
    if isinstance(file, Export):
        directory, checked = verify_export(file, told)
        if old:
            continues(directory, old)
    else:
        _, checked = verify_proof(file, told)
        if old and checked:
            check_since(file, old, checked.head)
    if checked is None:
        return {"head": None, "fresh_until": None}
    checked.check_fresh(case["now"])
    return {"head": [checked.head.size, checked.head.root.hex()], "fresh_until": checked.fresh_until}


def _request(case: dict[str, Any]) -> dict[str, Any]:
    signed = parse_request(case["request"].encode())
    keys = check_request(_grown(case), signed, case["now"])
    return {"agency": keys.agency, "epochs": len(signed.request.epochs)}


def _handover(case: dict[str, Any]) -> dict[str, Any]:
    found = parse_handover(base64.b64decode(case["handover"]))
    facts = {"community": found.community, "publisher": found.publisher}
    return {**facts, "kid": found.kid.hex(), "epochs": len(found.wraps)}


def _page(case: dict[str, Any]) -> dict[str, Any]:
    found = parse_page(base64.b64decode(case["page"]), case["after"])
    return {"last": found.last, "more": found.more, "sequences": [each.sequence for each in found.frames]}


def _onward(case: dict[str, Any]) -> dict[str, Any]:
    directory, bulletin = _grown(case), parse_bulletin(case["bulletin"].encode())
    check_onward(directory, case["community"], case["iat"], case["agency"], bulletin)
    if bulletin.release is None:
        return {}
    original = open_release(directory, bulletin.release)
    return {"originator": original.agency, "ref": original.bulletin.ref}


def _past(case: dict[str, Any]) -> dict[str, Any]:
    directory, raws = _grown(case), [base64.b64decode(each) for each in case["frames"]]
    join = Join.at(parse_frame(base64.b64decode(case["anchor"])).header_bytes) if "anchor" in case else None
    headers = [(parse_frame(raw).header, parse_frame(raw).hash) for raw in raws]
    steps = [Step(header.seq, hash, header.prev, header.kid) for header, hash in headers]
    past = PastChain.of(ChainKey(*case["chain"]), case["reader"], join, ())
    outcomes = []
    for raw, by in zip(raws, vouchers(directory, steps, join), strict=True):
        outcome = past.read(directory, raw, by, frozenset(), case["now"])
        if isinstance(outcome, LogBehind):
            raise LiaisonError(Code.LOG_BEHIND, "a longer log is cited")
        outcomes.append(f"refused {outcome.error.code}" if outcome.error else outcome.state)
    past.close()
    return {"outcomes": outcomes, "missing": [[each.start, each.stop] for each in past.missing]}


def _padded(case: dict[str, Any]) -> dict[str, Any]:
    return {"table": [[size, padded(size), chunk_count(size)] for size in case["sizes"]]}


def _tree(case: dict[str, Any]) -> dict[str, Any]:
    made = tree([sha256(index.to_bytes(4, "big")).digest() for index in range(case["chunks"])])
    sizes = list_sizes(case["chunks"])
    if [len(each) for each in made.lists] != sizes:
        raise ValueError("the lists have other sizes than they must have")
    return {"root": made.root.hex(), "lists": len(sizes)}


def _attachment(case: dict[str, Any]) -> dict[str, Any]:
    said = Attachment.model_validate(case["attachment"])
    seal = Seal.model_validate(case["attachment"]["seal"])

    def get(address: bytes) -> bytes:
        name = case["hub"].get(address.hex())
        if name is None:
            raise OperationError(Code.MISSING_CHUNK, "the hub does not have it")
        return check_blob((BLOBS / f"{name}.bin").read_bytes(), address)

    level = [bytes.fromhex(seal.root)]
    for _, below in pairwise(levels(chunk_count(said.size))):
        lists = map(get, level)
        level = [each for at, blob in enumerate(lists) for each in read_list(blob, at, below)]
    opener = Opener(seal, said.size)
    data = b"".join(opener.open(get(address)) for address in level)
    opener.check(said.sha256)
    return {"sha256": sha256(data).hexdigest(), "size": len(data)}


_OPERATIONS: Final = {
    "padded": _padded,
    "tree": _tree,
    "attachment": _attachment,
    "receive": _receive,
    "admit": _admit,
    "catch_up": _catch_up,
    "reply": _reply,
    "wrap": _wrap,
    "bundle": _bundle,
    "document": _document,
    "pinned": _pinned,
    "membership": _membership,
    "enrolment": _enrolment,
    "receipt": _receipt,
    "operation": _operation,
    "checkpoint": _checkpoint,
    "file": _file,
    "request": _request,
    "handover": _handover,
    "page": _page,
    "past": _past,
    "onward": _onward,
}

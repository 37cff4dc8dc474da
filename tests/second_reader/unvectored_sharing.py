"""Clauses without vectors: replies at their originator, identities and history, made of vectors' parts."""

import base64
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nacl.bindings import crypto_sign, crypto_sign_seed_keypair

from .alarms import Watch
from .encoding import canonical_json, to_base64
from .frame import Frame, assemble
from .history import Handover, Page, Request
from .limits import SIGNATURE_SIZE, WRAP_CIPHERTEXT_SIZE
from .past import Outcome, Past
from .refusals import Refused
from .signatures import DIRECTORY, HISTORY, key_id, pae
from .world import Case, World, read_message, receiver_of

Result = tuple[str, Any, Any]

_LIVE = "c0" * 16


def code_of(action: Callable[[], Any]) -> Any:
    """What comes of an action: its value, or the code with which it is refused."""
    try:
        return action()
    except Refused as refused:
        return refused.code


def read_case(vectors: Path, name: str) -> Case:
    """A case of the vectors."""
    case: Case = json.loads((vectors / "cases" / f"{name}.json").read_text("utf-8"))
    return case


def _envelope(value: Case, kind: str, seeds: Sequence[str]) -> bytes:
    payload = canonical_json(value)
    signatures = []
    for seed in seeds:
        public, secret = crypto_sign_seed_keypair(bytes.fromhex(seed))
        signature = crypto_sign(pae(kind, payload), secret)[:SIGNATURE_SIZE]
        signatures.append({"keyid": key_id(public).hex(), "sig": to_base64(signature)})
    return canonical_json({"payload": to_base64(payload), "payloadType": kind, "signatures": signatures})


def _check_replies(base: Case, vectors: Path) -> list[Result]:
    case, own = read_case(vectors, "reply_good"), read_case(vectors, "reply_own")
    receiver, sender = receiver_of(base, case), receiver_of(base, own)
    for reader in (receiver, sender):
        reader.receive(read_message(case["message"]), case["now"])
    target, data = case["expect"]["target"], read_message(case["message"])[1]
    return [
        ("reply, to another's bulletin", "not_a_reply", code_of(lambda: receiver.open_reply(data, {}))),
        ("reply, to its reader's", True, receiver.open_reply(data, {target: "tactic"}) is not None),
        ("reply, the sender's copy", True, sender.open_reply(data, {}) is not None),
    ]


def _check_reports(base: Case, vectors: Path) -> list[Result]:
    case = read_case(vectors, "reply_report")
    receiver, message = receiver_of(base, case), read_message(case["message"])
    receiver.receive(message, case["now"])
    said = receiver.open_reply(message[1])
    assert said is not None
    first, second = said[1].targets

    def refusal(own: dict[str, str]) -> Any:
        return code_of(lambda: receiver.open_reply(message[1], own) is not None)

    return [
        ("report, on our changes", True, refusal({first: "amendment", second: "retraction"})),
        ("report, on another's change", "not_a_reply", refusal({first: "amendment"})),
        ("report, on no change", "not_a_reply", refusal({first: "amendment", second: "threat"})),
    ]


def _check_identities(base: Case, vectors: Path) -> list[Result]:
    """What is refused changes nothing: a replacement by a key that is taken does not wait."""
    taken, good = read_case(vectors, "replace_by_other"), read_case(vectors, "replace")
    directory = World(base, {}).directory
    refused = code_of(lambda: directory.append(taken["document"].encode()))
    directory.append(good["document"].encode())
    unsorted = read_case(vectors, "identity")
    document = json.loads(base64.b64decode(json.loads(unsorted["document"])["payload"]))
    document["logs"].reverse()
    signed = _envelope(document, DIRECTORY, [base["agencies"]["jpn"]["identity"]])
    return [
        ("replacement, refused", "bad_key", refused),
        ("replacement, after one that was refused", good["expect"]["size"], directory.tree.size),
        ("logs out of order, by another key", "bad_signature", code_of(lambda: directory.append(signed))),
    ]


def _check_alarms(base: Case, vectors: Path) -> list[Result]:
    """When people are alarmed, where there is a quorum of witnesses."""
    begun, agreed = read_case(vectors, "replace")["document"], read_case(vectors, "identity_agreed")
    alone = read_case(vectors, "identity")
    nbf = json.loads(base64.b64decode(json.loads(begun)["payload"]))["nbf"]

    def alarm(document: str, now: int) -> Any:
        watch = Watch(World(base, {}).directory)
        notice = watch.append(begun.encode(), now)
        assert notice is not None and not notice.alarm
        last = watch.append(document.encode(), now)
        return last and last.alarm

    return [
        ("identity, before its time", True, alarm(alone["document"], nbf - 1)),
        ("identity, in time", False, alarm(alone["document"], nbf)),
        ("identity, before its time with the present key", False, alarm(agreed["document"], nbf - 1)),
    ]


def _page(sequences: Sequence[int], last: int, more: int) -> bytes:
    pieces = [n.to_bytes(8) + b"\x02" + (3).to_bytes(4) + b"f." + b"abc" for n in sequences]
    return b"\x01" + last.to_bytes(8) + bytes([more]) + b"".join(pieces)


def _check_pages() -> list[Result]:
    def outcome(data: bytes) -> Any:
        return code_of(lambda: [frame.sequence for frame in Page.read(data, 5).frames])

    return [
        ("page", [6, 9], outcome(_page([6, 9], 9, 1))),
        ("page, none", [], outcome(_page([], 9, 0))),
        ("page, none but more", "bad_page", outcome(_page([], 9, 1))),
        ("page, from before", "bad_page", outcome(_page([5], 9, 0))),
        ("page, beyond its end", "bad_page", outcome(_page([6, 10], 9, 0))),
        ("page, not ascending", "bad_page", outcome(_page([7, 6], 9, 0))),
        ("page, other flag", "bad_page", outcome(_page([6], 9, 2))),
        ("page, cut", "bad_page", outcome(_page([6], 9, 0)[:-1])),
        ("page, refused", "not_member", outcome(b"\x00not_member")),
        ("page, refused without a code", "bad_page", outcome(b"\x00sorry")),
        ("page, empty", "bad_page", outcome(b"")),
        ("page, other subject", "bad_page", outcome(_page([6], 9, 0).replace(b"f.", b"s."))),
        ("page, too many frames", "bad_page", outcome(_page(range(6, 263), 300, 0))),
    ]


def _check_requests(base: Case, vectors: Path) -> list[Result]:
    case = read_case(vectors, "good_bulletin")
    agencies, world, now = base["agencies"], World(base, {}), case["now"]
    asker, holder = agencies["jpn"], agencies["fra"]["endpoint"]
    good = {
        "v": 1,
        "type": "history",
        "issued": now,
        "com": _LIVE,
        "endpoint": asker["endpoint"],
        "holder": holder,
        "publisher": holder,
        "epochs": ["00" * 32, "11" * 32],
    }

    def outcome(seed: str = asker["signing"], hist: str | None = "members", **changed: Any) -> Any:
        def ask() -> int:
            request = Request.read(_envelope(good | changed, HISTORY, [seed]))
            request.demand_allowed(world.directory, world.memberships, now)
            return len(request.answerable(holder, lambda *_: hist))

        return code_of(ask)

    return [
        ("request", 2, outcome()),
        ("request, of epochs unknown here", 0, outcome(hist=None)),
        ("request, of what is kept", "history_none", outcome(hist="none")),
        ("request, by another key", "bad_signature", outcome(agencies["unx"]["signing"])),
        ("request, by an identity", "bad_signature", outcome(asker["identity"])),
        ("request, to another", "subject_mismatch", outcome(holder=agencies["unx"]["endpoint"])),
        ("request, to a stranger", "not_member", outcome(holder=agencies["bra"]["endpoint"])),
        ("request, of no community", "unknown_community", outcome(com="dd" * 16)),
        ("request, of nothing", "bad_document", outcome(epochs=[])),
        ("request, of one twice", "bad_document", outcome(epochs=["00" * 32] * 2)),
    ]


def _check_handovers(base: Case) -> list[Result]:
    head = b"\x01" + bytes.fromhex(_LIVE) + base["agencies"]["fra"]["endpoint"].encode() + bytes(16)
    wraps = [bytes([number % 256]) * 32 + bytes(WRAP_CIPHERTEXT_SIZE) for number in range(257)]

    def outcome(data: bytes) -> Any:
        return code_of(lambda: len(Handover.read(data).wraps))

    return [
        ("handover", 2, outcome(head + wraps[0] + wraps[1])),
        ("handover of 256", 256, outcome(head + b"".join(wraps[:256]))),
        ("handover of 257", "too_large", outcome(head + b"".join(wraps))),
        ("handover of none", "bad_wrap", outcome(head)),
        ("handover of one twice", "bad_wrap", outcome(head + wraps[0] + wraps[0])),
        ("handover, cut", "bad_wrap", outcome((head + wraps[0])[:-1])),
        ("handover, other version", "bad_version", outcome(b"\x02" + head[1:] + wraps[0])),
        ("handover, no publisher", "bad_wrap", outcome(head.replace(b"A", b"B") + wraps[0])),
    ]


def _check_past(base: Case, vectors: Path) -> list[Result]:
    """A past of three frames, whole and with what must not be."""
    case = read_case(vectors, "chain_gap")
    messages = [read_message(message) for message in [*case["before"], case["message"]]]
    frames = [Frame.read(data) for _, data in messages]
    alone = case | {"before": [], "keys": []}

    def outcome(places: Sequence[int], live: Sequence[Frame] = (), announced: Sequence[Frame] = ()) -> Any:
        past = Past(receiver_of(base, alone), frames[0].header.chain, live, announced)
        return past.read([messages[place] for place in places], case["now"])

    passed, waits = Outcome("passed"), Outcome("waits")
    unread = waits if frames[0].header.hist == "members" else Outcome("withheld")
    seqs = [frame.header.seq for frame in frames]
    gap = [(seqs[-2] + 1, seqs[-1] - 1)]
    rest = [unread] * (len(frames) - 1)
    every = range(len(frames))
    flipped = (messages[0][0], messages[0][1][:-1] + bytes([messages[0][1][-1] ^ 1]))
    forged = Past(receiver_of(base, alone), frames[0].header.chain).read([flipped], case["now"])
    fork = Frame.read(read_message(read_case(vectors, "chain_fork_at_head")["message"])[1])
    number_taken = outcome([0], announced=[_renumbered(frames[0])])
    return [
        ("past", ([passed, *rest], gap), outcome(every)),
        ("past, forged", ([Outcome("refused", "bad_signature")], []), forged),
        ("past, another frame than live", "fork", outcome(range(2), [fork])[0][1].code),
        ("past, a number that is taken", "not_next", number_taken[0][0].code),
    ]


def _renumbered(frame: Frame) -> Frame:
    """Another announcement of the same number."""
    header = frame.header_bytes.replace(frame.header.id.encode(), b"019c132c-df40-7000-8000-0000000000ff")
    return Frame.read(assemble(header, frame.signature, frame.body))


def check_sharing(base: Case, vectors: Path) -> list[Result]:
    """What is wanted and what comes out here, of each self-made case."""
    results = _check_replies(base, vectors) + _check_reports(base, vectors) + _check_pages()
    results += _check_identities(base, vectors) + _check_alarms(base, vectors)
    results += _check_requests(base, vectors) + _check_handovers(base)
    return results + _check_past(base, vectors)

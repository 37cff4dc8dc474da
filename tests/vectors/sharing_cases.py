# ruff: noqa: ANN401 - what a case is given goes into it as it is
"""Cases about what goes further than to those who were there: history for late joiners."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from schemas.chain import ChainHead
from schemas.encoding import canonical_json
from schemas.errors import Code
from schemas.frame import CARD, parse_frame
from schemas.history import Handover, HistoryRequest, sign_request
from schemas.limits import WRAP_CIPHERTEXT_SIZE, WRAPS_PER_BUNDLE
from schemas.pages import OldFrame, Page, refusal_page
from schemas.signing import HISTORY_TYPE
from schemas.vocabulary import History
from schemas.wraps import Wrap, kem_key_id
from tests.support import federation as fed
from tests.support.federation import AT, BRA, COM, DAY, FRA, JPN, UNX, Publisher
from tests.vectors.recipe import Case, b64, case, code


def sharing_cases() -> Iterator[Case]:
    """All of them."""
    yield from _requests()
    yield from _handovers()
    yield from _pages()
    yield from _pasts()


def _asked(**changes: Any) -> HistoryRequest:
    fields = {"issued": AT, "com": COM, "endpoint": JPN.endpoint, "holder": FRA.endpoint}
    epochs = ["ab" * 32, "cd" * 32]
    return HistoryRequest.model_validate({**fields, "publisher": FRA.endpoint, "epochs": epochs, **changes})


def _requests() -> Iterator[Case]:
    def given(name: str, what: str, expect: dict[str, Any], request: bytes, **more: Any) -> Case:
        return case(f"request_{name}", what, "request", expect, request=request.decode(), now=AT, **more)

    def raw(changes: dict[str, Any]) -> bytes:
        return fed.envelope({**_asked().model_dump(mode="json"), **changes}, JPN.signing, type=HISTORY_TYPE)

    good = {"agency": "jpn", "epochs": 2}
    yield given("good", "a member asks", good, sign_request(_asked(), JPN.signing))
    reader = sign_request(_asked(endpoint=UNX.endpoint), UNX.signing)
    yield given("by_a_reader", "an agency that may only read asks", {**good, "agency": "unx"}, reader)
    wrong = code(Code.BAD_SIGNATURE)
    yield given("signed_by_another", "signed by another endpoint", wrong, sign_request(_asked(), UNX.signing))
    replaced = sign_request(_asked(), JPN.signing)
    documents = [JPN.successor().decode()]
    yield given("by_a_replaced_key", "signed by a replaced key", wrong, replaced, documents=documents)
    documents = [JPN.revocation().decode()]
    yield given(
        "by_a_revoked_key", "signed by a revoked key", code(Code.REVOKED_KEY), replaced, documents=documents
    )
    outsider = sign_request(_asked(endpoint=BRA.endpoint), BRA.signing)
    yield given("by_an_outsider", "an agency that is not in it asks", code(Code.NOT_MEMBER), outsider)
    log = fed.memberships()[COM]
    gone = [fed.by_owners(fed.entry(log, op="remove", nbf=AT)).decode()]
    yield given("by_a_former_member", "a removed agency asks", code(Code.NOT_MEMBER), replaced, entries=gone)
    later = [fed.by_owners(fed.entry(log, op="remove", nbf=AT + DAY)).decode()]
    yield given("before_a_removal", "an agency asks that will be removed", good, replaced, entries=later)
    elsewhere = sign_request(_asked(com="99" * 16), JPN.signing)
    yield given("of_no_community", "of a community that is not", code(Code.UNKNOWN_COMMUNITY), elsewhere)
    nobody = sign_request(_asked(endpoint="A" * 56), JPN.signing)
    yield given("by_nobody", "by an endpoint without keys", code(Code.UNKNOWN_PUBLISHER), nobody)
    bad = code(Code.BAD_DOCUMENT)
    yield given("of_no_epochs", "it names no epochs", bad, raw({"epochs": []}))
    yield given("epoch_twice", "it names an epoch twice", bad, raw({"epochs": ["ab" * 32] * 2}))
    many = [f"{number:064x}" for number in range(WRAPS_PER_BUNDLE + 1)]
    yield given("of_257", "it names 257 epochs", bad, raw({"epochs": many}))
    yield given("field_more", "it has a field more", bad, raw({"more": 1}))
    spaced = canonical_json(_asked().model_dump(mode="json")).replace(b",", b", ")
    yield given("spaced", "with spaces", code(Code.BAD_ENCODING), _enveloped(spaced))


def _enveloped(payload: bytes) -> bytes:
    @dataclasses.dataclass
    class Raw:
        def to_bytes(self) -> bytes:
            return payload

    return fed.envelope(Raw(), JPN.signing, type=HISTORY_TYPE)


def _handovers() -> Iterator[Case]:
    kid = kem_key_id(JPN.kem.public)

    def wrap(number: int) -> Wrap:
        return Wrap(number.to_bytes(32), kid, bytes(WRAP_CIPHERTEXT_SIZE))

    def given(name: str, what: str, expect: dict[str, Any], data: bytes) -> Case:
        return case(f"handover_{name}", what, "handover", expect, handover=b64(data))

    def of(*numbers: int) -> bytes:
        return Handover(COM, FRA.endpoint, kid, tuple(map(wrap, numbers))).to_bytes()

    good = of(1, 2)
    facts = {"community": COM, "publisher": FRA.endpoint, "kid": kid.hex(), "epochs": 2}
    yield given("good", "two keys for one reader", facts, good)
    bad = code(Code.BAD_WRAP)
    yield given("of_none", "no keys", bad, good[:89])
    yield given("cut", "a byte short", bad, good[:-1])
    yield given("appended", "a byte too long", bad, good + b"\x00")
    yield given("epoch_twice", "the same epoch twice", bad, of(1, 1))
    yield given("of_no_publisher", "no publisher's name", bad, good[:17] + b"a" * 56 + good[73:])
    yield given("empty", "no bytes at all", code(Code.BAD_VERSION), b"")
    yield given("version_2", "version 2", code(Code.BAD_VERSION), b"\x02" + good[1:])
    most = of(*range(WRAPS_PER_BUNDLE + 1))
    yield given("of_257", "257 keys", code(Code.TOO_LARGE), most)


def _pages() -> Iterator[Case]:
    subject = Publisher().subject
    frames = (OldFrame(3, subject, b"one"), OldFrame(9, subject, b"two"))
    good = Page(12, more=True, frames=frames).to_bytes()

    def given(name: str, what: str, expect: dict[str, Any], data: bytes, after: int = 2) -> Case:
        return case(f"page_{name}", what, "page", expect, page=b64(data), after=after)

    facts = {"last": 12, "more": True, "sequences": [3, 9]}
    yield given("good", "two frames, and more to come", facts, good)
    empty = Page(2, more=False, frames=())
    yield given("empty", "nothing is left", {"last": 2, "more": False, "sequences": []}, empty.to_bytes())
    yield given("refused", "the hub refuses", code(Code.NOT_MEMBER), refusal_page(Code.NOT_MEMBER))
    bad = code(Code.BAD_PAGE)
    yield given("version_2", "version 2", bad, b"\x02" + good[1:])
    yield given("cut", "a byte short", bad, good[:-1])
    yield given("appended", "a byte too long", bad, good + b"\x00")
    yield given("more_is_2", "neither more nor not", bad, good[:9] + b"\x02" + good[10:])
    for name, what, page in (
        ("backwards", "its frames stand backwards", Page(12, more=True, frames=frames[::-1])),
        ("twice", "a frame stands in it twice", Page(12, more=True, frames=frames[:1] * 2)),
        ("beyond_the_end", "a frame stands behind the end", Page(8, more=True, frames=frames)),
        ("more_of_nothing", "more is to come, and nothing is here", Page(12, more=True, frames=())),
        ("no_frame", "a wrap in it", Page(12, more=True, frames=(OldFrame(3, f"w.{JPN.endpoint}", b""),))),
    ):
        yield given(name, what, bad, page.to_bytes())
    yield given("before", "a frame that was not asked for", bad, good, after=3)


def _past() -> tuple[Publisher, bytes]:
    p = Publisher()
    p.send(p.announcement())
    p.send(p.bulletin(1))
    p.ep = 1
    p.send(p.announcement(History.NONE))
    p.send(p.bulletin(2, history="none"))
    p.send(p.beat())
    p.send(p.sealed(b"{}", 3, kind=CARD))
    p.ep = 0
    p.send(p.bulletin(4))
    p.ep = 2
    return p, p.announcement()


def _pasts() -> Iterator[Case]:
    p, anchor = _past()
    whole = ["passed", "waits", "passed", "withheld", "passed", "passed", "waits"]

    def given(name: str, what: str, outcomes: Sequence[str], frames: Sequence[bytes], **more: Any) -> Case:
        missing = more.pop("missing", [])
        anchored = {"anchor": b64(more.pop("anchor"))} if "anchor" in more else {}
        fields = {"reader": "jpn", "now": AT, "chain": [FRA.endpoint, COM, "routine"]}
        expect = {"outcomes": list(outcomes), "missing": missing}
        sent = [b64(each) for each in frames]
        return case(f"past_{name}", what, "past", expect, **fields, frames=sent, **anchored, **more)

    yield given("good", "it leads to the anchor", whole, p.sent, anchor=anchor)
    yield given("without_anchor", "the chain has not begun anew", whole, p.sent)
    lost = "its first frame has not come"
    rest = ["passed", *whole[2:6], "passed"]
    yield given("beginning_missing", lost, rest, p.sent[1:], anchor=anchor, missing=[[0, 2]])
    yield given("middle_missing", "a frame in it has not come", [*whole[:3], *whole[4:]],
                [*p.sent[:3], *p.sent[4:]], anchor=anchor, missing=[[3, 4]])  # fmt: skip
    yield given("end_missing", "the frame before the anchor has not come", whole[:6], p.sent[:6],
                anchor=anchor, missing=[[6, 7]])  # fmt: skip
    yield given("all_missing", "nothing of it has come", [], [], anchor=anchor, missing=[[0, 7]])
    other = dataclasses.replace(p, head=ChainHead(5, parse_frame(p.sent[5]).hash), ep=0)
    yield given("leads_elsewhere", "another frame stands before the anchor", [*whole[:6], "refused fork"],
                [*p.sent[:6], other.bulletin(9)], anchor=anchor, missing=[[6, 7]])  # fmt: skip
    branch = dataclasses.replace(p, head=ChainHead(0, parse_frame(p.sent[0]).hash), ep=0)
    yield given("forked", "two frames in one place", [*whole[:2], "refused fork", *whole[2:]],
                [*p.sent[:2], branch.bulletin(9), *p.sent[2:]], anchor=anchor)  # fmt: skip
    unsigned = [p.sent[0], fed.unsigned(p.sent[1]), *p.sent[2:]]
    yield given("unsigned", "the signature of a frame does not hold, though a later one cites it",
                ["passed", "refused bad_signature", *whole[2:]], unsigned, anchor=anchor,
                missing=[[1, 2]])  # fmt: skip
    yield from _revoked(given)


def _revoked(given: Any) -> Iterator[Case]:
    q = Publisher()
    q.send(q.announcement())
    q.send(q.bulletin(1))
    documents = [each.decode() for each in (FRA.successor(), FRA.revocation())]
    alone = ["refused revoked_key"] * 2
    yield given("of_a_revoked_key", "its key is revoked", alone, q.sent, documents=documents)
    q.rekey()
    anchor = q.sent.pop()
    what = "its key is revoked, and the anchor is a successor's"
    yield given("of_a_succeeded_key", what, ["passed", "waits"], q.sent, anchor=anchor, documents=documents)

"""Cases about what goes further than to those who were there: history for late joiners, onward release."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from schemas.bulletin import Bulletin
from schemas.chain import ChainHead
from schemas.encoding import canonical_json
from schemas.errors import Code
from schemas.frame import CARD, parse_frame
from schemas.history import Handover, HistoryRequest, sign_request
from schemas.limits import WRAP_CIPHERTEXT_SIZE, WRAPS_PER_BUNDLE
from schemas.onward import sign_grant
from schemas.pages import OldFrame, Page, refusal_page
from schemas.signing import HISTORY_TYPE, RELEASE_TYPE
from schemas.vocabulary import History
from schemas.wraps import Wrap, kem_key_id
from tests.support import federation as fed
from tests.support.federation import AT, BRA, COM, DAY, EXE, FRA, JPN, OTHER, UNX, Publisher
from tests.support.onward import Scene
from tests.vectors.attachment_cases import described
from tests.vectors.recipe import Case, b64, case, code


def sharing_cases() -> Iterator[Case]:
    """All of them."""
    yield from _requests()
    yield from _handovers()
    yield from _pages()
    yield from _pasts()
    yield from _releases()
    yield from _grants()


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
    latin = good.replace(b"f.live.", b"f.l\xefve.", 1)
    yield given("subject_not_ascii", "a subject that is not ASCII", bad, latin)
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


def _carried(name: str, what: str, expect: dict[str, Any], said: Bulletin, **more: Any) -> Case:
    place = {"community": OTHER, "iat": AT, "agency": "jpn", **more}
    return case(name, what, "onward", expect, bulletin=said.to_bytes().decode(), **place)


def _releases() -> Iterator[Case]:
    scene = Scene()
    released, good = scene.released(), {"originator": "fra", "ref": scene.original.ref}

    def given(name: str, what: str, expect: dict[str, Any], said: Bulletin, **more: Any) -> Case:
        return _carried(f"release_{name}", what, expect, said, **more)

    def granted(**changes: Any) -> Bulletin:
        return scene.carried(scene.released(grant=sign_grant(scene.grant(**changes), FRA.signing)))

    yield given("good", "its originator let it go on", good, scene.carried())
    missing = code(Code.NOT_GRANTED)
    for name, what, changes in (
        ("of_another_bulletin", "the grant is for another bulletin", {"bulletin": fed.uuid(2)}),
        ("of_another_text", "the grant is for another text", {"pc": "ab" * 32}),
        ("to_another_community", "the grant is for another community", {"target": EXE}),
        ("by_another_carrier", "the grant is for another carrier", {"carrier": "unx"}),
        ("from_another_community", "the grant is for another place of origin", {"source": EXE}),
        ("of_another_publisher", "the grant is for another publisher", {"publisher": JPN.endpoint}),
    ):
        yield given(name, what, missing, granted(**changes))
    yield given("ended", "the grant has ended", code(Code.GRANT_EXPIRED), granted(until=AT))
    by_carrier = scene.carried(scene.released(grant=sign_grant(scene.grant(), JPN.signing)))
    yield given(
        "granted_by_its_carrier", "the carrier signed the grant", code(Code.BAD_SIGNATURE), by_carrier
    )
    text = released.payload.replace("Bulletin 1", "Bulletin 2")
    for name, what, wrong, changed in (
        ("of_changed_text", "the text was changed", Code.COMMITMENT_MISMATCH, {"payload": text}),
        ("of_changed_body", "the digest was changed", Code.BAD_SIGNATURE, {"digest": "00" * 32}),
        (
            "of_changed_header",
            "the header was changed",
            Code.BAD_SIGNATURE,
            {"header": released.header.replace('"seq":1', '"seq":2')},
        ),
        ("without_grant", "what stands for the grant is none", Code.BAD_DOCUMENT, {"grant": "{}"}),
    ):
        yield given(name, what, code(wrong), scene.carried(released.model_copy(update=changed)))
    other = code(Code.CONTENT_MISMATCH)
    yield given("with_another_title", "it says other than its original", other, scene.carried(title="Other"))
    what = "it is marked otherwise than its original"
    yield given("with_another_marking", what, other, scene.carried(tlp="TLP:GREEN"))
    red = Scene(tlp="TLP:RED", history="none")
    yield given("of_red", "TLP:RED", code(Code.RED_ONWARD), red.carried())
    documents = [each.decode() for each in (FRA.successor(), FRA.revocation())]
    what = "the key of the original was revoked"
    yield from _other_originals(given)
    yield given("of_a_revoked_key", what, code(Code.REVOKED_KEY), scene.carried(), documents=documents)


def _other_originals(given: Any) -> Iterator[Case]:
    good = {"originator": "fra", "ref": "FRA-2026-0001"}
    later = Scene(kind="amendment", links=[{"relation": "amends", "id": fed.uuid(7)}])
    grant = sign_grant(later.grant(bulletin=fed.uuid(7), pc="ab" * 32), FRA.signing)
    said = later.carried(later.released(grant=grant))
    yield given("of_an_amendment", "it amends what the grant is for", good, said)
    asking = Scene(kind="request", onward={"bulletin": fed.uuid(7), "community": EXE})
    what = "the original itself asks to let something go on"
    yield given("of_a_request", what, good, asking.carried(onward=None))
    files = [described(5, b"\x05" * 32)]
    kept = Scene(attachments=files)
    yield given("with_its_file", "the original has a file", good, kept.carried())
    what, other = "a file of the original is another", code(Code.CONTENT_MISMATCH)
    changed = kept.carried(attachments=[{**files[0], "name": "other.pdf"}])
    yield given("with_another_file", what, other, changed)
    twice = Scene(release=Scene().released().model_dump())
    what = "the original was carried itself"
    yield given("of_a_release", what, code(Code.NOT_GRANTED), twice.carried())


def _grants() -> Iterator[Case]:
    scene = Scene()

    def given(name: str, what: str, expect: dict[str, Any], grant: str, agency: str = "fra") -> Case:
        links = [{"relation": "responds-to", "id": fed.uuid(5)}]
        said = fed.bulletin(6, FRA, kind="response", history="none", links=links, grant=grant)
        return _carried(f"grant_{name}", what, expect, said, community=COM, agency=agency)

    good = sign_grant(scene.grant(), FRA.signing)
    yield given("good", "the originator lets a bulletin go on", {}, good)
    yield given("by_another", "another agency gives it", code(Code.NOT_GRANTED), good, "jpn")
    wrong = sign_grant(scene.grant(), UNX.signing)
    yield given("signed_by_another", "another agency signed it", code(Code.BAD_SIGNATURE), wrong)
    elsewhere = sign_grant(scene.grant(source=OTHER), FRA.signing)
    yield given("of_elsewhere", "for a bulletin of another community", code(Code.NOT_GRANTED), elsewhere)
    fields = {**scene.grant().model_dump(mode="json"), "more": 1}
    more = fed.envelope(fields, FRA.signing, type=RELEASE_TYPE).decode()
    yield given("field_more", "it has a field more", code(Code.BAD_DOCUMENT), more)

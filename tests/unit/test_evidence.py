"""What an evidence file proves, and that nothing in it can be changed: schemas/evidence.py and proof.py."""

import copy
from collections.abc import Iterator
from functools import cache, cached_property
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.bulletin import Bulletin
from schemas.chain import ChainHead, contradiction
from schemas.checkpoint import cosign, parse_note
from schemas.documents import Root, parse_document
from schemas.encoding import canonical_json, instant, parse_json, to_base64
from schemas.errors import Code, LiaisonError
from schemas.evidence import AnnouncementPart, FramePart, LogEntry, ReplyPart, Signed, parse_evidence
from schemas.frame import Frame, parse_frame
from schemas.limits import EVIDENCE_MAX, HEADER_MAX
from schemas.merkle import Log
from schemas.proof import Report, check
from schemas.receipts import Answer, issue
from schemas.reply import reply_context
from schemas.report import Applied
from schemas.report import Report as ChangeReport
from schemas.signing import DOCUMENT_TYPE, fingerprint, parse_envelope
from subscribers.judging.showing import Kept, compose
from subscribers.keys import KemKey
from subscribers.sealing import open_reply, seal_reply
from tests.support.federation import forge, random_from, replaced
from tests.support.format_example import AT, COMMUNITY, World, seed, signing_key

WORLD = World()
PINNED = sha256(WORLD.root).digest()
Json = Any


@cache
def example() -> bytes:
    return WORLD.evidence.to_bytes()


def fields() -> Json:
    return parse_json(example(), EVIDENCE_MAX)


def report(shown: Json, pinned: bytes = PINNED) -> Report:
    return check(parse_evidence(canonical_json(shown)), pinned)


def codes(shown: Json, pinned: bytes = PINNED) -> dict[str, str]:
    """Line to code, of the lines that failed."""
    return {each.check: each.code for each in report(shown, pinned).findings if each.code}


def refused(shown: Json | bytes) -> Code:
    with pytest.raises(LiaisonError) as caught:
        parse_evidence(shown if isinstance(shown, bytes) else canonical_json(shown))
    return caught.value.code


def outcome(shown: Json) -> set[str]:
    """The codes with which a file is refused or its lines fail; nothing when it is proved."""
    try:
        found = report(shown)
    except LiaisonError as error:
        return {error.code}
    failed = {each.code for each in found.findings if each.code}
    assert found.proved != bool(failed)
    return failed


def shown_of(
    raw: bytes, *, announced: bytes | None = None, note: bytes | None = WORLD.note, **more: Json
) -> Json:
    """A file about another frame of the example's world."""
    frame, announcement = parse_frame(raw), None
    if announced:
        first = parse_frame(announced)
        header, signature = first.header_bytes.decode(), to_base64(first.signature)
        announcement = AnnouncementPart(header=header, signature=signature)
    part = FramePart.of(frame, sha256(frame.body).digest(), whole=False)
    kept = Kept((part,), None, announcement, None)
    made = compose(kept, WORLD.documents, WORLD.entries, WORLD.directory, note)
    return {**parse_json(made.to_bytes(), EVIDENCE_MAX), **more}


def logged(documents: list[bytes]) -> Json:
    """These documents as a whole log, and its head."""
    log = Log(documents)
    parts = [
        LogEntry(
            index=index,
            document=Signed.of(parse_envelope(data, DOCUMENT_TYPE)),
            path=[each.hex() for each in log.inclusion(index, log.size)],
        ).model_dump()
        for index, data in enumerate(documents)
    ]
    return {"documents": parts, "head": {"size": log.size, "root": log.head.root.hex()}}


def rotated(version: int) -> bytes:
    """A later `keys` document of the publisher."""
    signing = to_base64(signing_key(f"fra signing {version}").public)
    keys = WORLD.keys("fra").model_copy(update={"version": version, "signing": signing})
    return WORLD.document(keys, "fra identity")


def test_the_example_proves_every_line() -> None:
    found = report(fields())
    assert found.proved
    assert {each.status for each in found.findings} == {"proved"}
    assert [each.check for each in found.findings] == [
        "text", "signature", "key", "revocation", "agency", "root", "log", "head", "membership", "receipt",
    ]  # fmt: skip
    assert "FRA-2026-0042" in found.findings[0].text
    assert any("sender's own claim" in each for each in found.limits)


def leaves(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inner = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    )
    if inner is None:
        yield path
    else:
        for key, each in inner:
            yield from leaves(each, (*path, key))


def changed(value: Json, path: tuple[str | int, ...]) -> Json:
    """The same with one leaf changed to another of its kind."""
    made = copy.deepcopy(value)
    at = made
    for key in path[:-1]:
        at = at[key]
    old = at[path[-1]]
    if isinstance(old, int):
        at[path[-1]] = old + 1
    else:
        place = min(
            len(old) // 2, 40
        )  # in a checkpoint: within the head, not in a witness that may be missing
        at[path[-1]] = old[:place] + ("0" if old[place] != "0" else "1") + old[place + 1 :]
    return made


PATHS = list(leaves(parse_json(WORLD.evidence.to_bytes(), EVIDENCE_MAX)))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_every_field_that_is_changed_is_refused_with_a_code(path: tuple[str | int, ...]) -> None:
    tampered = changed(fields(), path)
    assert outcome(tampered)


def lists(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(each, (dict, list)):
            if isinstance(each, list) and each:
                yield (*path, key)
            yield from lists(each, (*path, key))


# A path of the head itself may lose nothing; a witness beyond the quorum may be missing: that is not a field.
@pytest.mark.parametrize("path", list(lists(fields())), ids=lambda path: ".".join(map(str, path)))
def test_nothing_can_be_taken_out_of_a_list(path: tuple[str | int, ...]) -> None:
    made = fields()
    at = made
    for key in path:
        at = at[key]
    del at[0]
    assert outcome(made)


@given(st.integers(0, len(WORLD.evidence.to_bytes()) - 1), st.integers(1, 255))
def test_a_changed_byte_never_proves_another_thing(at: int, mask: int) -> None:
    data = example()
    tampered = data[:at] + bytes((data[at] ^ mask,)) + data[at + 1 :]
    try:
        found = check(parse_evidence(tampered), PINNED)
    except LiaisonError:
        return
    # Only in a witness's line beyond the quorum can a byte differ and the rest still hold.
    same = parse_json(tampered, EVIDENCE_MAX) | {"checkpoint": None} == fields() | {"checkpoint": None}
    assert not found.proved or same


@given(st.binary(max_size=2_000))
def test_nothing_but_coded_refusals_leaves_the_parser(data: bytes) -> None:
    with pytest.raises(LiaisonError):
        parse_evidence(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(PATHS), json_values)
def test_no_value_in_any_place_escapes_the_error_root(path: tuple[str | int, ...], value: Json) -> None:
    made = fields()
    at = made
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    assert outcome(made) <= set(Code) if _encodes(made) else True


def _encodes(value: Json) -> bool:
    try:
        canonical_json(value)
    except UnicodeEncodeError:
        return False
    return True


def test_what_is_withheld_is_told_and_counts_neither_way() -> None:
    withheld = fields() | {"content": None, "membership": None, "receipt": None}
    found = {each.check: each.status for each in report(withheld).findings}
    assert report(withheld).proved
    assert [name for name, status in found.items() if status == "not_shown"] == [
        "text",
        "membership",
        "receipt",
    ]


def test_another_root_proves_nothing_at_all() -> None:
    found = report(fields(), bytes(32)).findings
    assert {each.check: each.code for each in found if each.code} == {"root": "root_mismatch"}
    assert {each.status for each in found if each.check != "root"} == {"not_checked"}
    assert [each.check for each in found] == [each.check for each in report(fields()).findings]
    assert all(each.text for each in found)


def test_a_body_is_put_into_a_file_only_where_it_is_asked_for() -> None:
    frame = parse_frame(WORLD.frame)
    digest = sha256(frame.body).digest()
    assert FramePart.of(frame, digest, whole=False).body is None
    assert FramePart.of(frame, digest, whole=True).body == to_base64(frame.body)


def test_the_first_document_is_the_first_of_the_log() -> None:
    made = fields()
    made["documents"] = made["documents"][1:]
    assert codes(made) == {"root": "root_mismatch"}
    made = fields()
    made["documents"][0]["index"] = 0
    made["documents"][0]["document"] = made["documents"][1]["document"]
    assert codes(made) == {"root": "root_mismatch"}


def test_a_revoked_key_is_no_proof() -> None:
    made = fields() | logged([*WORLD.documents, WORLD.revoke])
    made |= {"checkpoint": None, "consistency": None}
    assert codes(made)["revocation"] == "revoked_key"


def test_without_its_keys_document_nobody_signed() -> None:
    made = fields()
    made["documents"] = [each for each in made["documents"] if each["index"] != 4]
    found = codes(made)
    assert (found["key"], found["signature"], found["agency"]) == ("unknown_key",) * 3


def test_without_the_hubs_key_neither_checkpoint_nor_receipt_holds() -> None:
    made = fields()
    made["documents"] = [each for each in made["documents"] if each["index"] != 1]
    assert codes(made) == {"head": "bad_checkpoint", "receipt": "bad_receipt"}


def test_a_document_of_another_log_is_not_in_this_one() -> None:
    made = fields()
    made["documents"][-1]["path"][0] = "0" * 64
    assert codes(made) == {"log": "bad_proof"}


@pytest.mark.parametrize("index, line", [(1, "root"), (2, "agency"), (4, "key"), (6, "membership")], ids=str)
def test_a_document_that_was_not_signed_fails_its_own_line(index: int, line: str) -> None:
    made = fields()
    (at,) = [each for each in made["documents"] if each["index"] == index]
    at["document"]["signatures"][0]["sig"] = to_base64(bytes(64))
    found = codes(made)
    assert list(found) == [line]
    assert found[line] in {"below_threshold", "bad_signature"}


def test_a_document_that_is_none_fails_the_log() -> None:
    made = fields()
    made["documents"][2]["document"]["payload"] = to_base64(b"{}")
    assert list(codes(made)) == ["log"]


def test_a_key_that_is_no_point_fails_the_key() -> None:
    made = fields()
    agency = World().keys("fra").model_copy(update={"signing": to_base64(bytes(32))})
    data = WORLD.document(agency, "fra identity")
    made["documents"][3]["document"] = Signed.of(parse_envelope(data, DOCUMENT_TYPE)).model_dump()
    assert codes(made) == {"key": "bad_key"}


def test_a_checkpoint_of_another_head_is_none() -> None:
    made = fields()
    shorter = logged(WORLD.documents[:6])
    made |= {"documents": [shorter["documents"][each] for each in (0, 1, 2, 4)], "head": shorter["head"]}
    made |= {"membership": None, "content": None}
    assert codes(made) == {"head": "bad_checkpoint"}


def test_the_head_may_be_the_one_that_the_publisher_cited() -> None:
    made = fields() | {"checkpoint": None, "consistency": None}
    assert report(made).proved
    head = next(each for each in report(made).findings if each.check == "head")
    assert "publisher itself cited" in head.text
    longer = fields() | logged([*WORLD.documents, rotated(2)])
    assert codes(longer | {"checkpoint": None, "consistency": None}) == {"head": "bad_proof"}


class Unwatched(World):
    """The example without witnesses."""

    @cached_property
    def root(self) -> bytes:
        document = parse_document(World().root).document
        assert isinstance(document, Root)
        alone = document.model_copy(update={"witnesses": [], "quorum": 0})
        return self.document(alone, "root 1", "root 2")


def test_a_root_without_witnesses_leaves_the_hubs_word_and_says_so() -> None:
    world = Unwatched()
    found = check(parse_evidence(world.evidence.to_bytes()), sha256(world.root).digest())
    assert found.proved
    assert "No witness did" in next(each.text for each in found.findings if each.check == "head")


def test_the_publishers_head_must_be_of_the_same_log() -> None:
    assert codes(fields() | {"consistency": ["0" * 64]}) == {"head": "bad_proof"}


def test_a_checkpoint_alone_will_do_and_says_what_is_missing() -> None:
    made = fields() | {"announcement": None, "consistency": None}
    found = report(made)
    assert found.proved
    assert any("goes no further" in each for each in found.limits)
    assert codes(made | {"membership": []}) == {"membership": "not_member"}


def test_the_verdict_names_what_was_checked() -> None:
    found = {each.check: each.text for each in report(fields()).findings}
    assert f"(fingerprint {fingerprint(signing_key('fra identity').public)}), on" in found["key"]
    assert f"Its {len(fields()['documents'])} documents stand" in found["log"]
    assert "; 1 version(s) of it" in found["root"]
    assert parse_frame(WORLD.frame).header.kid in found["signature"]
    assert "since replaced" not in found["key"]
    assert found["head"].endswith(" The publisher itself cited a head of the same log.")
    withheld = {each.check: each.text for each in report(fields() | {"content": None}).findings}
    assert parse_frame(WORLD.frame).header.pc in withheld["text"]
    announced = {each.check: each.text for each in report(shown_of(WORLD.announcement)).findings}
    assert announced["text"] == "The frame announces an epoch. It has no text."


def test_what_failed_is_said_with_its_reason() -> None:
    (failed,) = (each for each in report(fields() | {"consistency": ["0" * 64]}).findings if each.code)
    assert (failed.check, failed.status) == ("head", "failed")
    assert "not of the same log" in failed.text
    (root, *_) = (each for each in report(fields(), bytes(32)).findings if each.code)
    assert (root.check, root.status) == ("root", "failed")
    assert root.text


def test_what_a_file_does_not_prove_is_said_of_each() -> None:
    word, short, refused = ("the hub's word", "goes no further", "refused the frame")
    made = {
        "whole": fields(),
        "no receipt": fields() | {"receipt": None},
        "no announcement": fields() | {"announcement": None, "consistency": None},
        "nothing of membership": fields() | {"membership": None, "announcement": None, "consistency": None},
    }
    said = {name: " ".join(report(each).limits) for name, each in made.items()}
    found = {name: {each for each in (word, short, refused) if each in text} for name, text in said.items()}
    assert found == {
        "whole": {word},
        "no receipt": set(),
        "no announcement": {word, short},
        "nothing of membership": {word},
    }
    assert report(fields() | {"receipt": None}).limits[0].endswith("claim.")
    assert report(fields(), bytes(32)).limits == report(fields()).limits


def test_the_latest_word_of_a_witness_is_told() -> None:
    note = parse_note(WORLD.note)
    (name, seconds) = (note.signatures[-1].name, AT // 1000 + 3_600)
    later = cosign(note.checkpoint, name, seconds, signing_key(f"witness {name}"))
    made = fields() | {"checkpoint": note._replace(signatures=(*note.signatures, later)).to_bytes().decode()}
    found = {each.check: each.text for each in report(made).findings}
    assert f"the latest on {instant(seconds * 1000)}." in found["head"]
    alone = made | {"announcement": None, "consistency": None}
    assert {each.check: each.text for each in report(alone).findings}["head"].endswith("Z.")


def test_the_history_of_a_shown_text_is_the_announced_one() -> None:
    raw = replaced(WORLD.announcement, signing_key("fra signing"), hist="none")
    frame = parse_frame(raw)
    shown = {"header": frame.header_bytes.decode(), "signature": to_base64(frame.signature)}
    assert codes(fields() | {"announcement": shown})["text"] == "content_mismatch"


def test_a_membership_log_that_was_cut_short_is_not_the_one_that_was_cited() -> None:
    made = fields()
    made["membership"] = made["membership"][:1]
    assert codes(made) == {"membership": "bad_proof"}


def test_a_community_that_no_document_makes_has_no_members() -> None:
    made = fields()
    made["documents"] = made["documents"][:-1]
    assert codes(made) == {"membership": "unknown_community"}


def test_who_may_only_read_did_not_write() -> None:
    kid = World().directory.kid_of(WORLD.keys("jpn"))
    raw = replaced(WORLD.frame, signing_key("jpn signing"), pub=WORLD.jpn, kid=kid)
    assert codes(shown_of(raw)) == {"membership": "read_only_member"}


def test_the_realm_is_the_communitys() -> None:
    raw = replaced(WORLD.frame, signing_key("fra signing"), rl="exercise")
    assert codes(shown_of(raw)) == {"membership": "wrong_realm"}


def test_a_text_that_was_not_committed_to_is_not_the_text() -> None:
    made = fields()
    made["content"]["payload"] = made["content"]["payload"].replace("Two", "Ten")
    assert codes(made) == {"text": "commitment_mismatch"}


def test_a_text_that_says_other_than_its_header_is_refused() -> None:
    raw = replaced(WORLD.frame, signing_key("fra signing"), pr="flash")
    assert codes(shown_of(raw) | {"content": fields()["content"]}) == {"text": "content_mismatch"}


def private(said: bytes | None = None, **changes: Json) -> Json:
    """A file about a private reply of the example's publisher, its announcement withheld."""
    id, place = "019c132c-df41-7a10-8b5e-3f0a6d2c9e71", (COMMUNITY, WORLD.fra)
    link = {"relation": "acknowledges", "id": WORLD.bulletin.id}
    fields = {"kind": "acknowledgement", "title": "Acknowledged", "language": "en", "severity": "info"}
    marks = {"tlp": "TLP:AMBER", "links": [link], "id": id, "ref": "FRA-2026-0043", "issued": instant(AT)}
    said = said or Bulletin.model_validate({**fields, **marks}).to_bytes()
    context = reply_context(place[0], id, place[1])
    sealed, _ = seal_reply(said, context, [WORLD.keys("jpn")], random_from("private"))
    raw = WORLD.sealed("b", id, sealed.to_bytes())
    found = open_reply(sealed, context, [KemKey(seed("jpn encryption"))], WORLD.jpn)
    assert found
    content = ReplyPart(
        salt=WORLD.salt.hex(),
        payload=said.decode(),
        sealed=to_base64(sealed.to_bytes()),
        reply_salt=found[0].hex(),
    )
    return shown_of(raw, content=content.model_dump(), **changes)


def test_a_private_reply_is_shown_by_its_reader() -> None:
    found = report(private())
    assert found.proved
    assert "private reply FRA-2026-0043" in found.findings[0].text
    made = private()
    for name, wrong in (("reply_salt", "00" * 32), ("salt", "00" * 32), ("payload", "{}")):
        assert codes({**made, "content": {**made["content"], name: wrong}}) == {"text": "commitment_mismatch"}
    lacking = {name: value for name, value in made["content"].items() if name != "sealed"}
    assert refused({**made, "content": lacking}) is Code.BAD_EVIDENCE


def test_a_report_is_no_bulletin_to_be_shown() -> None:
    done = {"archive": "applied", "local": "applied", "sinks": "none", "received": AT, "applied": AT}
    said = ChangeReport(changes=[Applied.model_validate({"id": WORLD.bulletin.id, **done})]).to_bytes()
    assert codes(private(said)) == {"text": "not_a_reply"}


def test_a_private_reply_under_an_epoch_for_later_members_is_none() -> None:
    first = parse_frame(WORLD.announcement)
    part = {"header": first.header_bytes.decode(), "signature": to_base64(first.signature)}
    shown = private(announcement=part, consistency=fields()["consistency"])
    assert codes(shown) == {"text": "content_mismatch"}


@pytest.mark.parametrize("name", ["announcement", "card_frame", "beat"])
def test_a_frame_without_a_text_shows_its_signature(name: str) -> None:
    found = report(shown_of(getattr(WORLD, name)))
    assert found.proved
    assert found.findings[0].status == "not_shown"
    assert any("refused the frame" in each for each in found.limits)


def test_a_body_that_is_shown_is_the_one_that_was_signed() -> None:
    other = parse_frame(WORLD.sealed("b", WORLD.bulletin.id, b"{}"))
    made = fields() | {"receipt": None}
    made["frames"][0]["body"] = to_base64(other.body)
    assert codes(made) == {"signature": "bad_signature"}


def test_a_receipt_is_of_this_frame_shown_whole_and_admits_it() -> None:
    made = fields()
    made["frames"][0]["body"] = None
    assert codes(made) == {"receipt": "bad_receipt"}
    frame = parse_frame(WORLD.frame)
    for digest, code in ((sha256(b"").hexdigest(), "admitted"), (frame.hash, "expired")):
        answer = issue([Answer(WORLD.fra, digest, code, AT)], signing_key("hub"))[WORLD.fra]
        assert codes(fields() | {"receipt": parse_json(answer, EVIDENCE_MAX)}) == {"receipt": "bad_receipt"}


def test_a_time_beyond_the_calendar_is_told_as_a_number() -> None:
    far = 2**53 - 1
    raw = replaced(WORLD.frame, signing_key("fra signing"), iat=far - 1, exp=far)
    assert f"{far - 1} ms after 1970" in report(shown_of(raw)).limits[0]


def twice(first: bytes, second: bytes) -> Json:
    made = shown_of(second, announced=WORLD.announcement)
    parts = [parse_frame(each) for each in (first, second)]
    frames = [FramePart.of(each, sha256(each.body).digest(), whole=True).model_dump() for each in parts]
    return made | {"type": "equivocation", "frames": frames}


def test_two_frames_that_cannot_both_be_prove_equivocation() -> None:
    made = twice(WORLD.frame, WORLD.card_frame)
    assert report(made).proved
    assert "place 1" in report(made).findings[0].text
    assert codes(twice(WORLD.announcement, WORLD.frame)) == {"contradiction": "bad_proof"}


def frame(**changes: Json) -> Frame:
    return parse_frame(replaced(WORLD.frame, signing_key("fra signing"), **changes))


def test_what_contradicts_what() -> None:
    first = parse_frame(WORLD.frame)
    beat = parse_frame(WORLD.beat)
    assert contradiction(first, first) is None
    assert contradiction(first, frame(com="0" * 32)) is None
    assert contradiction(first, frame(pr="flash")) is None
    assert contradiction(first, frame(exp=AT + 1))
    assert contradiction(first, frame(seq=2, prev=first.hash)) is None
    assert contradiction(first, frame(seq=2, prev="1" * 64))
    assert contradiction(first, frame(seq=3, prev="1" * 64)) is None
    assert contradiction(first, beat) is None
    routine, flash = ChainHead(1, "1" * 64), ChainHead()
    other = beat.header._replace(seq=7, heads=((routine.seq + 1, routine.hash), (flash.seq + 1, flash.hash)))
    assert contradiction(first, parse_frame(forge(other, b"", signing_key("fra signing"))))


@pytest.mark.parametrize(
    "change",
    [
        {"type": "equivocation"},
        {"checkpoint": None},
        {"consistency": None},
        {"checkpoint": None, "announcement": None},
        {"documents": []},
        {"v": 2},
        {"more": 1},
    ],
    ids=str,
)
def test_parts_that_do_not_belong_together_are_no_evidence(change: Json) -> None:
    made = fields() | change
    if change == {"checkpoint": None, "announcement": None}:
        made["consistency"] = None
    assert refused(made) is Code.BAD_EVIDENCE


def test_only_a_bulletin_is_shown_with_a_text() -> None:
    assert refused(shown_of(WORLD.beat) | {"content": fields()["content"]}) is Code.BAD_EVIDENCE


def test_the_frames_are_of_one_publisher_and_whole() -> None:
    raw = replaced(WORLD.frame, signing_key("fra signing"), com="0" * 32)
    made = twice(WORLD.frame, WORLD.card_frame)
    other = parse_frame(raw)
    made["frames"][0] = FramePart.of(other, sha256(other.body).digest(), whole=True).model_dump()
    assert refused(made) is Code.BAD_EVIDENCE
    made = twice(WORLD.frame, WORLD.card_frame)
    made["frames"][1]["body"] = None
    assert refused(made) is Code.BAD_EVIDENCE


@pytest.mark.parametrize("change", [{"com": "0" * 32}, {"ep": 1}, {"pr": "flash"}], ids=str)
def test_the_announcement_is_of_the_frames_own_epoch(change: Json) -> None:
    raw = replaced(WORLD.announcement, signing_key("fra signing"), **change)
    header = parse_frame(raw)
    part = {"header": header.header_bytes.decode(), "signature": to_base64(header.signature)}
    assert refused(fields() | {"announcement": part}) is Code.BAD_EVIDENCE


def test_an_announcement_is_a_frame_without_a_body() -> None:
    shown = parse_frame(WORLD.frame)
    part = {"header": shown.header_bytes.decode(), "signature": to_base64(shown.signature)}
    assert refused(fields() | {"announcement": part}) is Code.BAD_PADDING


def test_documents_stand_in_the_order_of_the_log() -> None:
    made = fields()
    made["documents"][1:3] = made["documents"][2:0:-1]
    assert refused(made) is Code.BAD_EVIDENCE


def test_there_is_one_form_of_a_file() -> None:
    assert refused(example() + b" ") is Code.BAD_ENCODING
    assert refused(b" " * (EVIDENCE_MAX + 1)) is Code.TOO_LARGE
    made = fields()
    made["frames"][0]["header"] = "é" * HEADER_MAX
    assert refused(made) is Code.TOO_LARGE
    made["frames"][0]["header"] = "e" * HEADER_MAX
    assert refused(made) is Code.BAD_HEADER


def test_what_came_after_the_publishers_own_head_is_not_shown() -> None:
    kept = Kept(tuple(WORLD.evidence.frames), WORLD.evidence.content, WORLD.evidence.announcement, None)
    made = compose(kept, [*WORLD.documents, rotated(2), rotated(3)], WORLD.entries, WORLD.directory, None)
    assert made.head.size == len(WORLD.documents)
    assert [each.index for each in made.documents] == [0, 1, 2, 4, 6]

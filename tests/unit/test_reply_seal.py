"""Replies for the originator alone: what is sealed is opened by those for whom it is, and by nobody else."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.agreement import check_agreement
from schemas.bulletin import Bulletin
from schemas.chain import ChainHead
from schemas.content import BODY_SIZES
from schemas.documents import KEM_KEY_SIZE
from schemas.encoding import to_base64
from schemas.errors import Code, TrustError
from schemas.frame import parse_frame
from schemas.reply import (
    SealedReply,
    check_place,
    is_sealed,
    parse_reply,
    parse_sealed,
    reply_commitment,
    reply_context,
)
from schemas.vocabulary import History
from subscribers.judging.trust import Chain, Sealed
from subscribers.keys import KemKey
from subscribers.sealing import open_reply, seal_reply
from subscribers.storage.archive import NewRecord
from subscribers.writing.replies import recipients_of, record_of, sealed_payload
from tests.support import federation as fed
from tests.support.federation import COM, FRA, JPN, UNX, Party, Publisher, Station, code_of

CONTEXT = reply_context(COM, fed.uuid(1), FRA.endpoint)
TARGET = fed.uuid(90)


def acknowledgement(**changes: Any) -> Bulletin:
    link = {"relation": "acknowledges", "id": TARGET}
    fields = {"kind": "acknowledgement", "title": "Acknowledged", "history": "none", "links": [link]}
    return fed.bulletin(1, FRA, **{**fields, **changes})


def opened(sealed: SealedReply, party: Party, context: bytes = CONTEXT) -> bytes | None:
    found = open_reply(sealed, context, [party.kem], party.endpoint)
    return found[1] if found else None


@settings(max_examples=30)
@given(st.binary(max_size=3000))
def test_a_reply_opens_for_its_readers_and_for_nobody_else(content: bytes) -> None:
    sealed, able = seal_reply(content, CONTEXT, [JPN.keys(), FRA.keys()])
    assert able == {JPN.endpoint, FRA.endpoint}
    assert parse_sealed(sealed.to_bytes()) == sealed
    assert (opened(sealed, JPN), opened(sealed, FRA), opened(sealed, UNX)) == (content, content, None)
    for other in (
        reply_context(COM, fed.uuid(2), FRA.endpoint),
        reply_context(COM, fed.uuid(1), UNX.endpoint),
    ):
        assert opened(sealed, JPN, other) is None
    assert open_reply(sealed, CONTEXT, [JPN.kem], UNX.endpoint) is None


def test_a_replaced_key_still_opens_what_was_on_its_way() -> None:
    sealed, _ = seal_reply(b"seen", CONTEXT, [JPN.keys()])
    newer = KemKey(fed.seed("newer"))
    found = open_reply(sealed, CONTEXT, [newer, JPN.kem], JPN.endpoint)
    assert found is not None
    assert reply_commitment(*found) == sealed.commitment


def test_nothing_in_a_sealed_reply_tells_its_readers_or_its_length() -> None:
    short, _ = seal_reply(b"", CONTEXT, [JPN.keys()])
    long, _ = seal_reply(bytes(1024), CONTEXT, [JPN.keys()])
    assert len(short.to_bytes()) == len(long.to_bytes())
    assert len(short.body) in BODY_SIZES
    for name in (JPN.endpoint.encode(), JPN.kem.kid, JPN.kem.kid.hex().encode()):
        assert name not in long.to_bytes()


@settings(max_examples=200)
@given(st.data())
def test_every_flipped_byte_is_noticed(data: st.DataObject) -> None:
    made, _ = seal_reply(b"seen", CONTEXT, [JPN.keys()])
    raw = made.to_bytes()
    at = data.draw(st.integers(0, len(raw) - 1))
    wrong = fed.changed(raw, at, data.draw(st.integers(1, 255)))
    refusals = {Code.BAD_DOCUMENT, Code.DECRYPTION_FAILED, Code.COMMITMENT_MISMATCH}
    if (code := code_of(parse_sealed, wrong)) or (code := code_of(opened, parse_sealed(wrong), JPN)):
        assert code in refusals
    else:
        assert opened(parse_sealed(wrong), JPN) is None


@given(st.binary(max_size=2600))
def test_any_bytes_are_refused_with_a_code(data: bytes) -> None:
    for raw in (data, b"liaison/1 reply\0" + data):
        assert code_of(parse_sealed, raw) in {Code.BAD_DOCUMENT, None}


def test_a_sealed_reply_has_one_of_the_sizes() -> None:
    sealed, _ = seal_reply(b"seen", CONTEXT, [JPN.keys()])
    for body in (b"", sealed.body[:-1], sealed.body + b"\x00"):
        assert code_of(parse_sealed, sealed._replace(body=body).to_bytes()) is Code.BAD_DOCUMENT


def test_a_bulletin_is_no_sealed_reply() -> None:
    payload = acknowledgement().to_bytes()
    assert not is_sealed(payload)
    assert code_of(parse_sealed, payload) is Code.BAD_DOCUMENT


def test_what_does_not_fit_is_not_sent() -> None:
    many = [JPN.keys()] * 17
    sealed, _ = seal_reply(b"", CONTEXT, many)
    assert len(sealed.keys) == 1  # an endpoint once, however often it is named
    crowd = SealedReply(bytes(32), tuple([bytes(1168)] * 17), sealed.body)
    assert code_of(crowd.to_bytes) is Code.TOO_LARGE
    long, _ = seal_reply(bytes(65_000), CONTEXT, [JPN.keys()])
    assert code_of(long.to_bytes) is Code.TOO_LARGE
    assert code_of(seal_reply, bytes(65_537), CONTEXT, [JPN.keys()]) is Code.TOO_LARGE


def test_nobody_seals_to_an_originator_that_cannot_read() -> None:
    weak = JPN.keys(kem=to_base64(JPN.kem.public[:1184] + bytes(32)))
    seal = (acknowledgement().to_bytes(), fed.uuid(1), COM, FRA.endpoint)
    assert code_of(sealed_payload, *seal, "jpn", [weak, FRA.keys()]) is Code.NO_READER
    assert code_of(sealed_payload, *seal, "jpn", [FRA.keys()]) is Code.NO_READER
    payload = sealed_payload(*seal, "jpn", [weak, JPN.keys(), FRA.keys()])
    assert opened(parse_sealed(payload), JPN) == acknowledgement().to_bytes()


def test_replies_are_sealed_to_endpoints_whose_key_stands() -> None:
    known = fed.directory()
    assert [each.agency for each in recipients_of(known, {"jpn"})] == ["jpn"]
    assert {each.agency for each in recipients_of(known, {"jpn", "fra"})} == {"jpn", "fra"}
    assert recipients_of(fed.directory([JPN.revocation()]), {"jpn"}) == []


@pytest.mark.parametrize(
    "changes, code",
    [
        ({}, None),
        ({"kind": "sighting", "links": [{"relation": "sights", "id": TARGET}]}, None),
        ({"kind": "threat"}, Code.NOT_A_REPLY),
        ({"links": [{"relation": "acknowledges", "id": TARGET}] * 2}, Code.NOT_A_REPLY),
        ({"id": fed.uuid(2)}, Code.CONTENT_MISMATCH),
        ({"severity": "flash"}, Code.CONTENT_MISMATCH),
        ({"exercise": True}, Code.EXERCISE_MISMATCH),
    ],
)
def test_what_a_reply_may_be(changes: dict[str, Any], code: Code | None) -> None:
    header = parse_frame(Publisher().sealed(b"", 1)).header
    assert code_of(parse_reply, acknowledgement(**changes).to_bytes(), header, "FRA") is code
    assert code_of(parse_reply, acknowledgement().to_bytes(), header, "JPN") is Code.CONTENT_MISMATCH


def test_a_bulletin_that_is_not_its_frame_s_says_where_they_differ() -> None:
    header = parse_frame(Publisher().sealed(b"", 1)).header
    said = acknowledgement()
    check_agreement(said, header, said.history.value, "FRA")
    for other, hist, code, names in (
        (header._replace(id=fed.uuid(2)), "none", "FRA", "id"),
        (header._replace(pr="flash"), "none", "FRA", "severity"),
        (header, "members", "FRA", "history"),
        (header, "none", "JPN", "ref"),
        (header._replace(id=fed.uuid(2)), "none", "JPN", "id, ref"),
    ):
        with pytest.raises(TrustError, match=f"^content_mismatch: .*: {names}$"):
            check_agreement(said, other, hist, code)


def test_where_a_sealed_reply_may_stand() -> None:
    header = parse_frame(Publisher().sealed(b"", 1)).header
    check_place(header, "none")
    assert code_of(check_place, header, "members") is Code.CONTENT_MISMATCH
    assert code_of(check_place, header._replace(pr="flash"), "none") is Code.CONTENT_MISMATCH


def test_what_the_originator_keeps_of_it() -> None:
    chain = Publisher()
    chain.send(chain.announcement(hist=History.NONE))
    said = acknowledgement()
    payload = sealed_payload(said.to_bytes(), said.id, COM, FRA.endpoint, "jpn", [JPN.keys(), FRA.keys()])
    raw = chain.sealed(payload, 1)
    kept = {}
    for party in (JPN, FRA, UNX):
        station = Station(party)
        station.follow(chain)
        verdict = station.take(chain.subject, raw)
        assert isinstance(verdict, Sealed)
        frame = parse_frame(raw)
        assert verdict[:4] == (frame, Chain(ChainHead(1, frame.hash), 0), range(0), False)
        assert verdict[5:] == (payload, parse_sealed(payload), "fra", "FRA")
        kept[party.id] = record_of(verdict, [party.kem], party.endpoint, party.id, fed.AT + 5)
    assert kept["unx"] is None
    theirs, ours = kept["jpn"], kept["fra"]
    assert isinstance(theirs, NewRecord)
    assert isinstance(ours, NewRecord)
    assert (theirs.bulletin, theirs.agency, theirs.own, theirs.to) == (said, "fra", False, "jpn")
    assert (ours.bulletin, ours.agency, ours.own, ours.to) == (said, "fra", True, None)
    assert theirs.flags == {"private"}
    assert theirs.sealed
    assert theirs.sealed.payload == payload


def test_a_key_that_nobody_can_encrypt_to_is_passed_over_wherever_it_stands() -> None:
    broken = FRA.keys(kem=to_base64(b"\xff" * KEM_KEY_SIZE))
    for recipients in ([broken, JPN.keys()], [JPN.keys(), broken]):
        sealed, able = seal_reply(b"{}", CONTEXT, recipients)
        assert able == {JPN.endpoint}
        assert opened(sealed, JPN) == b"{}"

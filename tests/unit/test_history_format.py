"""FORMAT.md, "History": requests for old keys, keys that are handed over, pages of old frames."""

import contextlib
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.encoding import canonical_json
from schemas.errors import Code, FormatError, LiaisonError
from schemas.history import (
    HANDOVER_MAX,
    Handover,
    HistoryRequest,
    check_request,
    parse_handover,
    parse_request,
    sign_request,
)
from schemas.limits import DOCUMENT_MAX, PAGE_MAX, WRAP_CIPHERTEXT_SIZE, WRAPS_PER_BUNDLE
from schemas.pages import OldFrame, Page, PageRequest, parse_page, parse_page_request, refusal_page
from schemas.signing import HISTORY_TYPE, Signer, key_id
from schemas.wraps import Wrap
from tests.support.federation import (
    AT,
    BRA,
    COM,
    DAY,
    FRA,
    JPN,
    UNX,
    by_owners,
    code_of,
    directory,
    entry,
    envelope,
    memberships,
)

EPOCHS = ["ab" * 32, "cd" * 32]


def request(**changes: object) -> HistoryRequest:
    fields = {"issued": AT, "com": COM, "endpoint": JPN.endpoint, "holder": FRA.endpoint}
    return HistoryRequest.model_validate({**fields, "publisher": FRA.endpoint, "epochs": EPOCHS, **changes})


def wrap_of(number: int, kid: bytes = bytes(16)) -> Wrap:
    return Wrap(number.to_bytes(32), kid, bytes((number % 256,)) * WRAP_CIPHERTEXT_SIZE)


def test_a_request_comes_back_as_it_was_signed() -> None:
    signed = parse_request(sign_request(request(), JPN.signing))
    assert signed.request == request()
    assert check_request(directory(), signed, AT) == JPN.keys()


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"epochs": []}, Code.BAD_DOCUMENT),
        ({"epochs": EPOCHS[:1] * 2}, Code.BAD_DOCUMENT),
        ({"epochs": ["AB" * 32]}, Code.BAD_DOCUMENT),
        ({"epochs": [f"{number:064x}" for number in range(WRAPS_PER_BUNDLE + 1)]}, Code.BAD_DOCUMENT),
        ({"holder": "A"}, Code.BAD_DOCUMENT),
        ({"type": "keys"}, Code.BAD_DOCUMENT),
        ({"v": True}, Code.BAD_ENCODING),
        ({"more": 1}, Code.BAD_DOCUMENT),
    ],
)
def test_what_is_no_request(changes: dict[str, object], code: Code) -> None:
    fields = {**request().model_dump(mode="json"), **changes}
    assert code_of(parse_request, envelope(fields, JPN.signing, type=HISTORY_TYPE)) is code


def test_a_request_in_another_form_or_of_another_type() -> None:
    fields = request().model_dump(mode="json")
    spaced = canonical_json(fields).replace(b",", b", ")

    @dataclasses.dataclass
    class Spaced:
        def to_bytes(self) -> bytes:
            return spaced

    assert code_of(parse_request, envelope(Spaced(), JPN.signing, type=HISTORY_TYPE)) is Code.BAD_ENCODING
    assert code_of(parse_request, envelope(fields, JPN.signing)) is Code.BAD_DOCUMENT


def test_the_largest_request_fits_into_an_envelope() -> None:
    epochs = [f"{number:064x}" for number in range(WRAPS_PER_BUNDLE)]
    data = sign_request(request(epochs=epochs), JPN.signing)
    assert len(data) < DOCUMENT_MAX
    assert parse_request(data).request.epochs == epochs


def test_who_may_ask() -> None:
    def code(
        asked: HistoryRequest, signer: Signer = JPN.signing, now: int = AT, **more: list[bytes]
    ) -> Code | None:
        return code_of(check_request, directory(**more), parse_request(sign_request(asked, signer)), now)

    assert code(request()) is None
    assert code(request(endpoint=UNX.endpoint), UNX.signing) is None  # a reader may read
    assert code(request(), UNX.signing) is Code.BAD_SIGNATURE
    assert code(request(), more=[JPN.successor()]) is Code.BAD_SIGNATURE  # the current key, and no other
    assert code(request(), JPN.next_signing, more=[JPN.successor()]) is None
    assert code(request(), more=[JPN.revocation()]) is Code.REVOKED_KEY
    assert code(request(com="99" * 16)) is Code.UNKNOWN_COMMUNITY
    assert code(request(endpoint=BRA.endpoint), BRA.signing) is Code.NOT_MEMBER
    assert code(request(endpoint="A" * 56), BRA.signing) is Code.UNKNOWN_PUBLISHER
    log = memberships()[COM]
    gone = by_owners(entry(log, op="remove", nbf=AT + DAY))
    assert code(request(), entries=[gone]) is None
    assert code(request(), now=AT + DAY, entries=[gone]) is Code.NOT_MEMBER


def test_keys_are_handed_over() -> None:
    kid = key_id(JPN.kem.public)
    handover = Handover(COM, FRA.endpoint, kid, tuple(wrap_of(number, kid) for number in range(3)))
    assert parse_handover(handover.to_bytes()) == handover
    full = Handover(COM, FRA.endpoint, kid, tuple(wrap_of(number, kid) for number in range(WRAPS_PER_BUNDLE)))
    assert len(full.to_bytes()) == HANDOVER_MAX
    assert parse_handover(full.to_bytes()) == full


def test_what_is_no_handover() -> None:
    good = Handover(COM, FRA.endpoint, bytes(16), (wrap_of(1), wrap_of(2))).to_bytes()
    twice = Handover(COM, FRA.endpoint, bytes(16), (wrap_of(1), wrap_of(1))).to_bytes()
    assert code_of(parse_handover, good) is None
    for data, code in (
        (b"", Code.BAD_VERSION),
        (b"\2" + good[1:], Code.BAD_VERSION),
        (good[:-1], Code.BAD_WRAP),
        (good + b"\0", Code.BAD_WRAP),
        (good[:89], Code.BAD_WRAP),
        (good[:17] + b"a" * 56 + good[73:], Code.BAD_WRAP),
        (good[:17] + b"\xff" * 56 + good[73:], Code.BAD_WRAP),
        (twice, Code.BAD_WRAP),
        (good + bytes(HANDOVER_MAX), Code.TOO_LARGE),
    ):
        assert code_of(parse_handover, data) is code


@given(st.binary(max_size=4000))
def test_any_bytes_are_a_handover_or_refused(data: bytes) -> None:
    for given_ in (data, b"\1" + bytes(16) + FRA.endpoint.encode() + data):
        with contextlib.suppress(FormatError):
            assert parse_handover(given_).to_bytes() == given_


def test_a_page_is_asked_for() -> None:
    asked = PageRequest(com=COM, after=7)
    assert parse_page_request(asked.to_bytes()) == asked
    for fields in (
        {"com": COM, "after": -1},
        {"com": "c", "after": 1},
        {"com": COM},
        {"com": COM, "after": True},
    ):
        assert code_of(parse_page_request, canonical_json(fields)) is Code.BAD_DOCUMENT
    assert code_of(parse_page_request, b"{") is Code.BAD_JSON
    assert code_of(parse_page_request, b" " * 300) is Code.TOO_LARGE


SUBJECT = f"f.live.{COM}.routine.{FRA.endpoint}"


def test_pages_come_back_as_they_were_given() -> None:
    frames = (OldFrame(3, SUBJECT, b"one"), OldFrame(9, SUBJECT, b""))
    for page in (
        Page(9, more=False, frames=frames),
        Page(12, more=True, frames=frames),
        Page(2, more=False, frames=()),
    ):
        assert parse_page(page.to_bytes(), 2) == page


def test_what_is_no_page() -> None:
    frames = (OldFrame(3, SUBJECT, b"one"), OldFrame(9, SUBJECT, b"two"))
    good = Page(12, more=True, frames=frames).to_bytes()
    assert code_of(parse_page, good, 2) is None
    for data in (
        b"",
        b"\2" + good[1:],
        good[:9],
        good[:9] + b"\2" + good[10:],
        good[:-1],
        good + b"\0" * 5,
        good + bytes(PAGE_MAX),
        Page(12, more=True, frames=frames[::-1]).to_bytes(),
        Page(12, more=True, frames=frames[:1] * 2).to_bytes(),
        Page(8, more=True, frames=frames).to_bytes(),
        Page(12, more=True, frames=()).to_bytes(),
        Page(2**60, more=True, frames=frames).to_bytes(),
        Page(12, more=True, frames=(OldFrame(3, "w.x", b""),)).to_bytes(),
    ):
        assert code_of(parse_page, data, 2) is Code.BAD_PAGE
    assert code_of(parse_page, good, 3) is Code.BAD_PAGE


def test_a_hub_that_gives_no_page_says_why() -> None:
    assert code_of(parse_page, refusal_page(Code.NOT_MEMBER), 0) is Code.NOT_MEMBER
    assert code_of(parse_page, b"\0nonsense", 0) is Code.INTERNAL
    assert code_of(parse_page, b"\0\xff", 0) is Code.INTERNAL


@given(st.binary(max_size=400), st.integers(0, 20))
def test_any_bytes_are_a_page_or_refused(data: bytes, after: int) -> None:
    for given_ in (data, b"\1" + bytes(7) + b"\20\0" + data):
        with contextlib.suppress(LiaisonError):
            assert parse_page(given_, after).to_bytes() == given_

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Code, FormatError, LiaisonError, TrustError
from schemas.limits import SECRETARIAT_KEYS_MAX
from schemas.signing import (
    DOCUMENT_TYPE,
    Envelope,
    check_public_key,
    fingerprint,
    key_id,
    pae,
    parse_envelope,
    sign_envelope,
    verify,
)
from subscribers.keys import SigningKey
from tests.support.federation import changed, seed
from tests.vectors.directory_cases import SMALL_ORDER
from tests.vectors.frame_cases import GROUP_ORDER

KEYS = [SigningKey(seed(f"signing {number}")) for number in range(3)]


@given(st.binary(max_size=20), st.binary(max_size=20), st.binary(max_size=20), st.binary(max_size=20))
def test_pae_tells_type_and_payload_apart(one: bytes, two: bytes, three: bytes, four: bytes) -> None:
    assert (pae(one, two) == pae(three, four)) == ((one, two) == (three, four))


@pytest.mark.parametrize("point", SMALL_ORDER.values(), ids=SMALL_ORDER)
def test_weak_keys(point: str) -> None:
    with pytest.raises(TrustError) as error:
        check_public_key(bytes.fromhex(point))
    assert error.value.code is Code.BAD_KEY
    # With R of small order and S = 0, a key of small order would "verify" any message under a careless check.
    for other in SMALL_ORDER.values():
        assert not verify(bytes.fromhex(point), b"message", bytes.fromhex(other) + bytes(32))


def test_a_good_key_passes() -> None:
    assert check_public_key(KEYS[0].public) == KEYS[0].public
    for wrong in (b"", KEYS[0].public[:31], KEYS[0].public + b"\x00"):
        with pytest.raises(TrustError):
            check_public_key(wrong)


def test_a_signature_has_one_form() -> None:
    key, message = KEYS[0], b"message"
    good = key.sign(message)
    assert verify(key.public, message, good)
    s = int.from_bytes(good[32:], "little")
    for multiple in range(1, 8):
        assert not verify(
            key.public, message, good[:32] + (s + multiple * GROUP_ORDER).to_bytes(32, "little")
        )
    for at in range(64):
        assert not verify(key.public, message, changed(good, at))
    assert not verify(key.public, message + b"x", good)
    assert not verify(KEYS[1].public, message, good)
    for odd in (b"", good[:63], good + b"\x00"):
        assert not verify(key.public, message, odd)
    assert not verify(key.public[:31], message, good)
    # The two are put together for the check: a message must not bring its own signature.
    assert not verify(key.public, good + message, b"")
    assert not verify(key.public, good[32:] + message, good[:32])


def test_a_key_counts_once() -> None:
    envelope = sign_envelope(DOCUMENT_TYPE, b"{}", [KEYS[0], KEYS[0], KEYS[1]])
    assert len(envelope.signatures) == 2
    assert envelope.signed_by(key.public for key in KEYS) == {KEYS[0].public, KEYS[1].public}
    assert envelope.signed_by([KEYS[2].public]) == frozenset()
    assert envelope.countersigned(KEYS[2]).signed_by([KEYS[2].public]) == {KEYS[2].public}


def test_an_envelope_is_read_as_it_was_written() -> None:
    envelope = sign_envelope(DOCUMENT_TYPE, b'{"a":1}', KEYS)
    assert parse_envelope(envelope.to_bytes(), DOCUMENT_TYPE) == envelope


def test_an_envelope_has_as_many_signatures_as_a_role_has_keys() -> None:
    made = tuple((bytes((number,)) * 16, bytes(64)) for number in range(SECRETARIAT_KEYS_MAX + 1))
    most, more = Envelope(DOCUMENT_TYPE, b"{}", made[:-1]), Envelope(DOCUMENT_TYPE, b"{}", made)
    assert parse_envelope(most.to_bytes(), DOCUMENT_TYPE) == most
    with pytest.raises(FormatError):
        parse_envelope(more.to_bytes(), DOCUMENT_TYPE)


def test_every_change_in_an_envelope_is_noticed() -> None:
    envelope = sign_envelope(DOCUMENT_TYPE, b'{"a":1}', KEYS[:1])
    data = envelope.to_bytes()
    for at in range(len(data)):
        for wrong in (changed(data, at), data[:at]):
            try:
                parsed = parse_envelope(wrong, DOCUMENT_TYPE)
            except FormatError:
                continue
            assert not parsed.signed_by([KEYS[0].public])


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_code(data: bytes) -> None:
    with pytest.raises(LiaisonError):
        parse_envelope(data, DOCUMENT_TYPE)


def test_a_fingerprint_can_be_read_aloud() -> None:
    groups = fingerprint(KEYS[0].public).split(" ")
    assert [len(group) for group in groups] == [5] * 8
    assert all(group.isdecimal() and group.isascii() for group in groups)
    assert fingerprint(bytes(32)) == "92541 50896 30360 42254 81230 33449 38467 60194"
    assert len({fingerprint(key.public) for key in KEYS}) == 3
    assert len(key_id(KEYS[0].public)) == 16

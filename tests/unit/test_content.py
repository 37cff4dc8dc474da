import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.content import (
    BODY_SIZES,
    aead_key,
    body_size,
    key_commitment,
    pad,
    plaintext_commitment,
    room_for,
    unpad,
    wrap_info,
)
from schemas.errors import Code, SealError
from schemas.limits import PAYLOAD_MAX
from tests.support.federation import code_of

SALT = bytes(range(32))


@pytest.mark.parametrize(
    "length,room",
    [
        (0, 1024),
        (1, 1024),
        (1023, 1024),
        (1024, 1024),
        (1025, 2048),
        (32768, 32768),
        (65535, 65536),
        (65536, 65536),
    ],
)
def test_padding_at_its_edges(length: int, room: int) -> None:
    payload = bytes((7,)) * length
    padded = pad(SALT, payload)
    assert len(padded) == 32 + 4 + room
    assert room_for(length) == room
    assert body_size(length) == 24 + len(padded) + 16
    assert body_size(length) in BODY_SIZES
    assert unpad(padded) == (SALT, payload)


def test_a_payload_of_65537_bytes_is_refused() -> None:
    with pytest.raises(SealError) as error:
        pad(SALT, bytes(PAYLOAD_MAX + 1))
    assert error.value.code is Code.TOO_LARGE


@given(st.binary(max_size=5000))
def test_padding_round_trip(payload: bytes) -> None:
    assert unpad(pad(SALT, payload)) == (SALT, payload)


@given(st.binary(max_size=1100), st.data())
def test_no_other_padding_is_read(payload: bytes, data: st.DataObject) -> None:
    """Change any byte outside the salt and the text: only the length's bytes and the zeros are left."""
    padded = pad(SALT, payload)
    places = [*range(32, 36), *range(36 + len(payload), len(padded))]
    at = data.draw(st.sampled_from(places))
    mask = data.draw(st.integers(min_value=1, max_value=255))
    changed = padded[:at] + bytes((padded[at] ^ mask,)) + padded[at + 1 :]
    code = code_of(unpad, changed)
    assert code in {None, Code.BAD_PADDING}
    if code is None:  # a longer length over zeros, or a shorter one over the text's own: then pc is another
        assert unpad(changed)[1] != payload


@pytest.mark.parametrize("size", [0, 1, 35, 36, 1059, 1061, 4096])
def test_a_plaintext_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(SealError) as error:
        unpad(bytes(size))
    assert error.value.code is Code.BAD_PADDING


def test_keys_and_commitments_are_bound_to_what_they_are_for() -> None:
    key = bytes(32)
    assert aead_key(key).hex() == "b7fdecc19cadb2797b58cbca103e9862da3bb8c7ca19e8a8efc8e52aac85e87a"
    assert key_commitment(key).hex() == "c8749a47ce9c9ae775eeeec2cbf9b8bd4bb6ffd447bf736b87301172385707c2"
    assert (
        len({aead_key(key), key_commitment(key), aead_key(b"\x01" * 32), key_commitment(b"\x01" * 32)}) == 4
    )
    assert plaintext_commitment(SALT, b"a") != plaintext_commitment(SALT, b"b")
    assert plaintext_commitment(SALT, b"a") != plaintext_commitment(bytes(32), b"a")
    assert wrap_info(bytes(32), bytes(16), "A") == b"liaison/1 wrap\x00" + bytes(48) + b"A"

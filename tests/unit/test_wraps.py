import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Code, FormatError
from schemas.limits import WRAP_SIZE, WRAPS_PER_BUNDLE
from schemas.wraps import Wrap, bundle, kem_key_id, parse_bundle, parse_wrap
from tests.support.federation import FRA, JPN, code_of


def wraps(count: int) -> list[Wrap]:
    announcement = os.urandom(32)
    return [Wrap(announcement, number.to_bytes(16, "big"), os.urandom(1168)) for number in range(count)]


@pytest.mark.parametrize("count", [1, 2, WRAPS_PER_BUNDLE])
def test_a_bundle_is_read_as_it_was_written(count: int) -> None:
    made = wraps(count)
    assert parse_bundle(bundle(made)) == made


def test_a_wrap_has_one_size() -> None:
    (made,) = wraps(1)
    data = made.to_bytes()
    assert len(data) == WRAP_SIZE == 1216
    assert parse_wrap(data) == made
    for wrong in (data[:-1], data + b"\x00", b""):
        with pytest.raises(FormatError) as error:
            parse_wrap(wrong)
        assert error.value.code is Code.BAD_WRAP


@given(st.binary(max_size=1300))
def test_any_bytes_are_refused_with_a_code(data: bytes) -> None:
    for raw in (data, b"\x01" + data):
        assert code_of(parse_bundle, raw) in {Code.BAD_WRAP, Code.BAD_VERSION, None}


def test_key_ids_differ() -> None:
    assert kem_key_id(FRA.kem.public) == FRA.kem.kid
    assert FRA.kem.kid != JPN.kem.kid

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.encoding import (
    canonical_json,
    check_uuid7,
    from_base64,
    from_hex,
    from_instant,
    instant,
    parse_json,
    plain_json,
    to_base64,
)
from schemas.errors import Code, FormatError, LiaisonError
from tests.support.json_values import TEXTS, VALUES


def refusal(error: pytest.ExceptionInfo[LiaisonError]) -> Code:
    return error.value.code


@given(st.dictionaries(TEXTS, VALUES, max_size=6))
def test_what_is_written_is_read(value: dict[str, object]) -> None:
    data = canonical_json(value)
    assert parse_json(data, len(data)) == value
    assert canonical_json(parse_json(data, len(data))) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"nul",
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":-0}',
        b'{"a":01}',
        b'{"a":9007199254740992}',
        b'{"a":-9007199254740992}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b'{"a":"\n"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":1}x',
        b"{'a':1}",
        b"[" * 30_000,
        b'{"a":' * 30_000,
        b'{"a":' + b"[" * 12 + b"]" * 12 + b"}",
    ],
    ids=lambda data: data[:24].decode("latin-1"),
)
def test_bad_json(data: bytes) -> None:
    with pytest.raises(FormatError) as error:
        parse_json(data, 1_000_000)
    assert refusal(error) is Code.BAD_JSON


@given(st.dictionaries(TEXTS, VALUES, max_size=6), st.booleans(), st.booleans())
def test_plain_json_is_what_the_strict_parser_says(
    value: dict[str, object], dense: bool, escaped: bool
) -> None:
    separators = (",", ":") if dense else (", ", ": ")
    data = json.dumps(value, separators=separators, ensure_ascii=escaped).encode()
    plain = plain_json(data, len(data))
    assert plain in (None, parse_json(data, len(data)))
    assert plain_json(canonical_json(value), 1_000_000) == value
    assert dense or len(value) == 0 or plain is None


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"{", b"[]", b'"text"', b"1", b"null", b'{"a":1}x', b'{"a":1} ', b'{"a": 1}', b"{'a':1}"),
        *(b'{"a":1,"a":1}', b'{"a":{"b":1,"b":2}}', b'{"a":1,"\\u0061":1}', b'{"\\u0061":1}'),
        *(b'{"a":NaN}', b'{"a":Infinity}', b'{"a":1e3}', b'{"a":1.50}', b'{"a":-0}', b'{"a":01}'),
        *(b'{"a":"\\ud800"}', b'{"a":"\xff"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\n"}', b'{"a":"\\/"}'),
        *(b'\xef\xbb\xbf{"a":1}', b"[" * 30_000, b'{"a":' * 30_000),
    ],
    ids=lambda data: data[:24].decode("latin-1"),
)
def test_what_is_not_plain(data: bytes) -> None:
    assert plain_json(data, 1_000_000) is None


def test_plain_json_has_a_limit() -> None:
    assert plain_json(b'{"a":1}', 7) == {"a": 1}
    assert plain_json(b'{"a":1}', 6) is None


def test_depth_and_numbers_at_their_limits() -> None:
    deepest = b'{"a":' + b"[" * 11 + b"]" * 11 + b"}"
    assert parse_json(deepest, 100)
    assert parse_json(b'{"a":9007199254740991,"b":-9007199254740991}', 100) == {
        "a": 2**53 - 1,
        "b": 1 - 2**53,
    }
    assert parse_json(b'{"a":"\\u00e9"}', 100) == {"a": "é"}


def test_what_stands_where_an_object_should_is_named() -> None:
    with pytest.raises(FormatError, match="an object was expected, not array"):
        parse_json(b"[]", 2)
    with pytest.raises(FormatError, match="not JSON: UnicodeDecodeError"):
        parse_json(b"\xff", 2)


def test_what_is_no_number_is_not_written() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON compliant"):
            canonical_json({"a": value})


def test_too_large() -> None:
    assert parse_json(b'{"a":1}', 7) == {"a": 1}
    with pytest.raises(FormatError) as error:
        parse_json(b'{"a":1}', 6)
    assert refusal(error) is Code.TOO_LARGE


@pytest.mark.parametrize("text", ["", "0", "00 ", "0G", "AA", "00\n", "000", None, 1, b"00", "٠٠"])
def test_hex_has_one_form(text: object) -> None:
    assert from_hex("0a", 1) == b"\n"
    with pytest.raises(FormatError, match="2 lower-case hex digits") as error:
        from_hex(text, 1)
    assert refusal(error) is Code.BAD_ENCODING


@pytest.mark.parametrize(
    "text", ["QQ", "QQ=", "QR==", "QQ==\n", " QQ==", "Q Q==", "_w==", "====", None, 1, "QUJDRA==", "QUJD" * 9]
)
def test_base64_has_one_form(text: object) -> None:
    assert from_base64("QQ==", 3) == b"A"
    with pytest.raises(FormatError) as error:
        from_base64(text, 3)
    assert refusal(error) is Code.BAD_ENCODING


def test_base64_keeps_to_its_limit_within_a_group() -> None:
    assert from_base64(to_base64(bytes(32)), 32) == bytes(32)
    for size in (33, 34):
        with pytest.raises(FormatError):
            from_base64(to_base64(bytes(size)), 32)


@given(st.binary(max_size=80))
def test_base64_round_trip(data: bytes) -> None:
    assert from_base64(to_base64(data), len(data)) == data


@pytest.mark.parametrize(
    "text",
    [
        "019c132c-df40-4000-8000-000000000001",
        "019c132c-df40-7000-c000-000000000001",
        "019C132C-DF40-7000-8000-000000000001",
        "019c132cdf4070008000000000000001",
        "019c132c-df40-7000-8000-000000000001\n",
        "",
        None,
        7,
    ],
)
def test_an_id_is_a_uuid_of_version_7(text: object) -> None:
    assert check_uuid7("019c132c-df40-7000-8000-000000000001")
    with pytest.raises(FormatError) as error:
        check_uuid7(text)
    assert refusal(error) is Code.BAD_ENCODING


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T08:30:00",
        "2026-01-31 08:30:00Z",
        "2026-01-31T08:30:00.0Z",
        "2026-01-31T08:30:00+00:00",
        "2026-01-31t08:30:00z",
        "2026-02-30T08:30:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T08:30:60Z",
        "0000-01-31T08:30:00Z",
        "٢٠٢٦-01-31T08:30:00Z",
        "2026-01-31T08:30:00Z\n",
        None,
        0,
    ],
)
def test_a_time_has_one_form(text: object) -> None:
    with pytest.raises(FormatError) as error:
        from_instant(text)
    assert refusal(error) is Code.BAD_ENCODING


@given(st.integers(min_value=0, max_value=253_402_300_799))
def test_times_round_trip(seconds: int) -> None:
    assert from_instant(instant(seconds * 1000)) == seconds * 1000
    assert instant(seconds * 1000 + 999) == instant(seconds * 1000)


def test_an_error_says_code_message_and_fix() -> None:
    error = LiaisonError(Code.GAP, "frames are missing", "send them")
    assert str(error) == "gap: frames are missing (send them)"
    assert str(LiaisonError(Code.GAP, "frames are missing")) == "gap: frames are missing"
    assert error.as_dict() == {"code": "gap", "message": "frames are missing", "fix": "send them"}

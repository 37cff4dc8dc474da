"""One encoding per thing: strict JSON, hex, base64, times and identifiers.

Python's decoders accept more than one form of the same value (padding bits in base64, duplicate keys, `1.0`,
`NaN`). Here each value has one form; the check is to decode, re-encode and compare. FORMAT.md, "Encodings".
"""

import base64
import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NoReturn

from pydantic_core import from_json, to_json

from schemas.errors import Code, FormatError
from schemas.limits import INTEGER_MAX, JSON_DEPTH_MAX

_TYPE_NAMES = {
    dict: "object",
    list: "array",
    str: "string",
    int: "integer",
    bool: "boolean",
    type(None): "null",
}

_HEX = re.compile(r"(?:[0-9a-f]{2})*\Z")
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
_INSTANT = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z\Z")


def _refuse_number(_: str) -> NoReturn:
    raise FormatError(
        Code.BAD_JSON, "numbers must be whole", "write whole numbers, without a point or an exponent"
    )


def _integer(text: str) -> int:
    if len(text) > 17 or abs(value := int(text)) > INTEGER_MAX or text == "-0":  # noqa: PLR2004 - 16 digits and a sign
        raise FormatError(Code.BAD_JSON, "a number is too large or is minus zero", "stay within 2^53 - 1")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FormatError(Code.BAD_JSON, "an object names the same key twice", "give each key once")
    return found


def _check_depth(value: dict[str, Any] | list[Any], room: int = JSON_DEPTH_MAX) -> None:
    if room == 0:
        raise FormatError(
            Code.BAD_JSON, f"nested deeper than {JSON_DEPTH_MAX} levels", "flatten the document"
        )
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, (dict, list)):  # not `dict | list`: it is made anew, and this is a hot loop
            _check_depth(inner, room - 1)


# Made once: `json.loads` with hooks makes a decoder at each call.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=_refuse_number,
    parse_constant=_refuse_number,
    parse_int=_integer,
)


def parse_json(data: bytes, limit: int) -> dict[str, Any]:
    """Strict JSON object from untrusted bytes.

    UTF-8 without a byte order mark or lone surrogates, no duplicate keys, no floats, integers within 2^53-1,
    bounded depth. Raises FormatError `too_large` or `bad_json`.
    """
    if len(data) > limit:
        raise FormatError(
            Code.TOO_LARGE,
            f"{len(data)} bytes where at most {limit} are allowed",
            "shorten it, or attach a file",
        )
    try:
        text = data.decode("utf-8")
        if text.startswith("\ufeff"):
            raise ValueError
        value = _DECODER.decode(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode(
                "utf-8"
            )  # a lone surrogate written as an escape fails here
    except (ValueError, RecursionError) as error:
        raise FormatError(
            Code.BAD_JSON, f"not JSON: {type(error).__name__}", "send one UTF-8 JSON object"
        ) from None
    if not isinstance(value, dict):
        raise FormatError(
            Code.BAD_JSON, f"an object was expected, not {_TYPE_NAMES[type(value)]}", "send one JSON object"
        )
    if text.count("{") + text.count("[") > JSON_DEPTH_MAX:  # with fewer there is no need to walk through it
        _check_depth(value)
    return value


def plain_json(data: bytes, limit: int) -> dict[str, Any] | None:
    """The JSON object in `data`, if these are the very bytes that are written for it; None if they are not.

    So no key stands twice and nothing is escaped without need. It is a quick first try, not the whole check:
    what is not plain may be right still, and numbers may be fractions or beyond 2^53-1 and depth beyond the
    limit, so the model that takes it has to bound all three, and `parse_json` says what is wrong.
    """
    if len(data) > limit:
        return None
    try:
        value = from_json(data, allow_inf_nan=False)
        return value if isinstance(value, dict) and to_json(value) == data else None
    except ValueError:
        return None


def canonical_json(value: object) -> bytes:
    """The one form in which Liaison writes JSON: sorted keys, no spaces, UTF-8 unescaped."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode("utf-8")


def from_hex(text: object, size: int) -> bytes:
    """`size` bytes from exactly 2*`size` lower-case hex digits; FormatError `bad_encoding` otherwise."""
    if not isinstance(text, str) or len(text) != 2 * size or not _HEX.match(text):
        raise FormatError(Code.BAD_ENCODING, f"{2 * size} lower-case hex digits were expected")
    return bytes.fromhex(text)


def from_base64(text: object, limit: int) -> bytes:
    """Bytes from standard padded base64 in its one canonical form; FormatError `bad_encoding` otherwise."""
    if not isinstance(text, str) or len(text) > 4 * ((limit + 2) // 3):
        raise FormatError(Code.BAD_ENCODING, f"base64 of at most {limit} bytes was expected")
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise FormatError(Code.BAD_ENCODING, "not base64") from None
    if len(data) > limit:
        raise FormatError(Code.BAD_ENCODING, f"base64 of at most {limit} bytes was expected")
    if to_base64(data) != text:
        raise FormatError(Code.BAD_ENCODING, "base64 that is not in its canonical form")
    return data


def to_base64(data: bytes) -> str:
    """Standard padded base64."""
    return base64.b64encode(data).decode("ascii")


def check_uuid7(text: object) -> str:
    """A lower-case, hyphenated UUIDv7 (RFC 9562); FormatError `bad_encoding` otherwise."""
    if not isinstance(text, str) or not _UUID7.match(text):
        raise FormatError(Code.BAD_ENCODING, "a lower-case UUIDv7 was expected")
    return text


def instant(milliseconds: int) -> str:
    """RFC 3339 in UTC to the second, from Unix milliseconds."""
    # Not by `strftime`: it writes the year 26 with two digits.
    return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(tzinfo=None).isoformat() + "Z"


def from_instant(text: object) -> int:
    """Unix milliseconds from `YYYY-MM-DDTHH:MM:SSZ`; FormatError `bad_encoding` otherwise."""
    try:
        return _milliseconds(text if isinstance(text, str) else "")
    except ValueError:
        raise FormatError(Code.BAD_ENCODING, "a time like 2026-01-31T08:30:00Z was expected") from None


@lru_cache(maxsize=256)
def _milliseconds(text: str) -> int:
    # By hand, and remembered, for a bulletin's times are read several times on its way: `strptime` is slow.
    if not (found := _INSTANT.match(text)):
        raise ValueError
    year, month, day, hour, minute, second = map(int, found.groups())
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * 1000

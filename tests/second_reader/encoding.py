"""Encodings: strict and canonical JSON, hex, base64, times, lines and texts."""

import base64
import json
import re
from datetime import datetime
from typing import Any, NoReturn

from .limits import INTEGER_MAX, JSON_DEPTH_MAX, TITLE_MAX
from .refusals import Refused, demand

UUID7 = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
ENDPOINT = r"A[A-Z2-7]{55}"
USER = r"U[A-Z2-7]{55}"
AGENCY_ID = r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?"
AGENCY_CODE = r"[A-Z][A-Z0-9]{1,7}"
SLUG = r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_NOT_IN_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_NOT_IN_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def _no_number(_: str) -> NoReturn:
    raise Refused("bad_json")


def _integer(digits: str) -> int:
    demand(digits != "-0" and len(digits) <= 17, "bad_json")
    number = int(digits)
    demand(abs(number) <= INTEGER_MAX, "bad_json")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    demand(len(result) == len(pairs), "bad_json")
    return result


def _check_depth_and_strings(value: Any) -> None:
    level, depth = [value], 0
    while level:
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item)
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str):
                item.encode()
        depth += any(isinstance(item, (dict, list)) for item in level)
        demand(depth <= JSON_DEPTH_MAX, "bad_json")
        level = below


def strict_json(data: bytes, most: int) -> dict[str, Any]:
    """The object that strict JSON of at most `most` bytes stands for."""
    demand(len(data) <= most, "too_large")
    try:
        value: object = json.loads(
            data.decode(),
            object_pairs_hook=_object,
            parse_float=_no_number,
            parse_constant=_no_number,
            parse_int=_integer,
        )
        _check_depth_and_strings(value)
    except (ValueError, RecursionError) as error:
        raise Refused("bad_json") from error
    if not isinstance(value, dict):
        raise Refused("bad_json")
    return value


def canonical_json(value: dict[str, Any]) -> bytes:
    """The canonical JSON of an object."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def demand_canonical(value: dict[str, Any], data: bytes) -> None:
    """Refuse JSON that is not in its canonical form."""
    demand(canonical_json(value) == data, "bad_encoding")


def from_hex(text: str) -> bytes:
    """The bytes that lower-case hex stands for."""
    demand(_HEX.fullmatch(text) is not None, "bad_encoding")
    return bytes.fromhex(text)


def from_base64(text: str) -> bytes:
    """The bytes that base64 in its one form stands for."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Refused("bad_encoding") from error
    demand(to_base64(data) == text, "bad_encoding")
    return data


def to_base64(data: bytes) -> str:
    """Padded base64."""
    return base64.b64encode(data).decode()


class Source:
    """Bytes that are taken one part after another; `code` is what it means that they end too early."""

    def __init__(self, data: bytes, code: str) -> None:
        self._data = data
        self._code = code
        self.at = 0

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self.at == len(self._data)

    def take(self, size: int) -> bytes:
        """The next bytes."""
        demand(self.at + size <= len(self._data), self._code)
        self.at += size
        return self._data[self.at - size : self.at]

    def number(self, size: int) -> int:
        """The next unsigned integer of so many bytes."""
        return int.from_bytes(self.take(size))


def is_line(text: str) -> bool:
    """Whether a string is a line."""
    return 1 <= len(text) <= TITLE_MAX and not _NOT_IN_LINE.search(text)


def is_text(text: str, most: int) -> bool:
    """Whether a string is a text of at most `most` code points."""
    return len(text) <= most and not _NOT_IN_TEXT.search(text)


def is_name(text: str) -> bool:
    """Whether a string is a line without white space and plus signs, as names in checkpoints are."""
    return is_line(text) and "+" not in text and not any(character.isspace() for character in text)


def time(text: str) -> datetime:
    """A time of a bulletin; one of another form is no document, one that does not exist no encoding."""
    demand(_TIME.fullmatch(text) is not None, "bad_document")
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError as error:
        raise Refused("bad_encoding") from error

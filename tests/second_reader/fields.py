"""Checks of the fields of JSON objects, put together to tables; what does not fit is `bad_document`."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from . import encoding
from .limits import INTEGER_MAX, LIST_MAX
from .refusals import demand

Check = Callable[[Any], None]
NONE: Mapping[str, Check] = {}


def integer(least: int = 0, most: int = INTEGER_MAX) -> Check:
    """A whole number between two bounds; a boolean is none."""
    return lambda value: demand(type(value) is int and least <= value <= most, "bad_document")


def boolean(value: Any) -> None:
    """True or false."""
    demand(isinstance(value, bool), "bad_document")


def one_of(*allowed: Any) -> Check:
    """One of some values, of its very type."""
    return lambda value: demand(any(type(value) is type(a) and value == a for a in allowed), "bad_document")


def string(value: Any) -> None:
    """Any string."""
    demand(isinstance(value, str), "bad_document")


def string_of(length: int) -> Check:
    """A string of exactly that many characters."""
    return lambda value: demand(isinstance(value, str) and len(value) == length, "bad_document")


def matching(pattern: str) -> Check:
    """A string that matches a regular expression as a whole."""
    whole = re.compile(pattern)
    return lambda value: demand(isinstance(value, str) and whole.fullmatch(value) is not None, "bad_document")


def line(value: Any) -> None:
    """A line of text."""
    demand(isinstance(value, str) and encoding.is_line(value), "bad_document")


def name(value: Any) -> None:
    """A name as it stands in checkpoints."""
    demand(isinstance(value, str) and encoding.is_name(value), "bad_document")


def text(most: int) -> Check:
    """A text of at most that many code points."""
    return lambda value: demand(isinstance(value, str) and encoding.is_text(value, most), "bad_document")


def time(value: Any) -> None:
    """A time of a bulletin."""
    string(value)
    encoding.time(value)


def hex_of(size: int) -> Check:
    """So many bytes in hex."""

    def check(value: Any) -> None:
        string(value)
        demand(len(encoding.from_hex(value)) == size, "bad_document")

    return check


def base64_of(size: int) -> Check:
    """So many bytes in base64."""

    def check(value: Any) -> None:
        string(value)
        demand(len(encoding.from_base64(value)) == size, "bad_document")

    return check


def nullable(item: Check) -> Check:
    """Null, or what another check allows."""

    def check(value: Any) -> None:
        if value is not None:
            item(value)

    return check


def array(item: Check, least: int = 0, most: int = LIST_MAX) -> Check:
    """A list of things of one kind."""

    def check(value: Any) -> None:
        demand(isinstance(value, list) and least <= len(value) <= most, "bad_document")
        for element in value:
            item(element)

    return check


def record(
    required: Mapping[str, Check],
    defaulted: Mapping[str, Check] = NONE,
    optional: Mapping[str, Check] = NONE,
) -> Check:
    """An object of these fields and no others; defaulted ones may be left out, optional ones be null too."""
    checks = {**required, **defaulted, **{key: nullable(item) for key, item in optional.items()}}

    def check(value: Any) -> None:
        demand(isinstance(value, dict), "bad_document")
        demand(required.keys() <= value.keys() <= checks.keys(), "bad_document")
        for key, element in value.items():
            checks[key](element)

    return check

"""The root's fingerprint, as somebody typed it."""

import re
from typing import Final

from schemas.encoding import from_hex
from schemas.errors import Code, FormatError
from schemas.merkle import HASH_SIZE

_DIGITS: Final = 2 * HASH_SIZE


def typed_fingerprint(text: str) -> bytes:
    """The SHA-256 of root version 1 from its hex digits; spaces and capitals do not matter. FormatError
    `bad_encoding`, which says what is wrong with it and never repeats it.
    """
    typed = "".join(text.split()).lower()
    others = len(re.sub("[0-9a-f]", "", typed))
    if others or len(typed) != _DIGITS:
        wrong = (
            f"{others} of the {len(typed)} characters are no hex digits" if others else f"{len(typed)} came"
        )
        raise FormatError(
            Code.BAD_ENCODING,
            f"the root's fingerprint has {_DIGITS} hex digits, and {wrong}",
            "give --root-fingerprint as `liaison-root show` prints it; spaces and capitals do not matter",
        )
    return from_hex(typed, HASH_SIZE)

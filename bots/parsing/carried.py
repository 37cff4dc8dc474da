"""Words that a button carries in its own data, so that they are kept nowhere else. Pure.

Anybody can forge callback data: what is read back is cleaned like anything typed, and nothing but what
`carry` makes is read. Refusals are FormatError `bad_request`.
"""

import base64
from collections.abc import Sequence
from typing import Final

from bots.parsing.actions import DATA_MAX, encode
from bots.parsing.commands import clean
from schemas.errors import Code, FormatError

_ARGUMENT_MAX: Final = 40


def carry(verb: str, page: int, words: str) -> str | None:
    """Callback data with a page's number and `words`, cleaned; None when they do not fit."""
    text = _written(clean(words))
    parts = [text[at : at + _ARGUMENT_MAX] for at in range(0, len(text), _ARGUMENT_MAX)]
    if not parts or len(":".join((verb, str(page), *parts))) > DATA_MAX:
        return None
    return encode(verb, page, *parts)


def carried(arguments: Sequence[str]) -> str:
    """The words, from what comes after the page's number."""
    text = "".join(arguments)
    try:
        words = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:  # no base64, no text
        raise _unread() from None
    if not words or clean(words) != words or _written(words) != text:
        raise _unread()
    return words


def _written(words: str) -> str:
    return base64.urlsafe_b64encode(words.encode()).decode().rstrip("=")


def _unread() -> FormatError:
    return FormatError(Code.BAD_REQUEST, "a button whose words cannot be read")

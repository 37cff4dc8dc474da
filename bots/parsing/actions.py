"""What a button means when it comes back: `verb:argument:argument`, at most 64 bytes. Pure, and strict:
anybody can forge callback data, so it is read like any other outside input.
"""

import re
import uuid
from dataclasses import dataclass
from typing import Final

from schemas.encoding import check_uuid7
from schemas.errors import Code, FormatError

DATA_MAX: Final = 64
_SHAPE: Final = re.compile(r"[a-z]{1,8}(:[A-Za-z0-9_./+-]{0,40}){0,4}\Z")


@dataclass(frozen=True, slots=True)
class Action:
    """A verb with its arguments."""

    verb: str
    arguments: tuple[str, ...] = ()

    def argument(self, index: int) -> str:
        """One argument; FormatError `bad_request` when it is not there."""
        if index >= len(self.arguments):
            raise FormatError(Code.BAD_REQUEST, "a button without its argument")
        return self.arguments[index]

    def number(self, index: int) -> int:
        """One argument as a whole number of at most nine digits; FormatError `bad_request` otherwise."""
        text = self.argument(index)
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise FormatError(Code.BAD_REQUEST, "a button whose argument is no number")
        return int(text)

    def bulletin(self, index: int = 0) -> str:
        """One argument as a bulletin's id; FormatError otherwise."""
        text = self.argument(index)
        if not re.fullmatch(r"[0-9a-f]{32}", text):
            raise FormatError(Code.BAD_REQUEST, "a button whose argument is no bulletin")
        return check_uuid7(str(uuid.UUID(text)))


def encode(verb: str, *arguments: object) -> str:
    """Callback data. Raises ValueError when it would not fit or not be read back, which is a programming
    error.
    """
    data = ":".join((verb, *map(str, arguments)))
    if len(data.encode()) > DATA_MAX or not _SHAPE.match(data):
        raise ValueError("callback data of the wrong shape")
    return data


def short(bulletin: str) -> str:
    """A bulletin's id without hyphens, to save room."""
    return bulletin.replace("-", "")


def decode(data: str | None) -> Action:
    """The action in callback data; FormatError `bad_request` when it is none of ours."""
    if data is None or len(data) > DATA_MAX or not _SHAPE.match(data):
        raise FormatError(Code.BAD_REQUEST, "not a button of this bot")
    verb, *arguments = data.split(":")
    return Action(verb, tuple(arguments))

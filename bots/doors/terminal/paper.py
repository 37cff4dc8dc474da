"""What is written to the terminal: plain lines where a program reads, styles and a bell where a person does.

Right-to-left text keeps its order and its marks of direction: a terminal that knows them lays it out, and to
one that does not, changing the order here would be worse.
"""

import os
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, TextIO

from bots.wording.markup import Spans, Style, plain

if TYPE_CHECKING:
    from rich.console import Console

STYLES: Final[dict[Style, str]] = {"": "", "b": "bold", "i": "italic", "code": "bold cyan", "s": "strike"}


class Paper(Protocol):
    """Takes what is shown."""

    def write(self, spans: Spans) -> None:
        """A message, and a blank line behind it."""

    def ring(self) -> None:
        """Call the person, if there is one."""


class Plain:
    """Lines for a program, without styles and sounds. `gone` is called once nobody reads any more."""

    def __init__(self, out: TextIO, gone: Callable[[], None]) -> None:
        self._out = out
        self._gone = gone

    def write(self, spans: Spans) -> None:
        """See `Paper`."""
        try:
            self._out.write(harmless(plain(spans)) + "\n\n")
            self._out.flush()
        except BrokenPipeError:
            # What is left in the buffer goes nowhere, else Python complains about it at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())
            self._gone()

    def ring(self) -> None:
        """A program needs no bell."""


class Styled:
    """A terminal with a person before it."""

    def __init__(self, console: "Console") -> None:
        self._console = console

    def write(self, spans: Spans) -> None:
        """See `Paper`."""
        from rich.text import Text

        text = Text.assemble(*((harmless(each.text), STYLES[each.style]) for each in spans), end="\n\n")
        self._console.print(text, highlight=False)

    def ring(self) -> None:
        """See `Paper`."""
        self._console.bell()


def harmless(text: str) -> str:
    """`text` without what a terminal obeys: whoever wrote it, it shows and does nothing."""
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) != "Cc" else "\ufffd" for char in text
    )

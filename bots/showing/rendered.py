"""What is ready for chat: shapes only. Made by `bots.showing.render` (bulletins) and `bots.dialogue.screens`
(menus and answers).
"""

from dataclasses import dataclass, field

from bots.showing.release import Sight
from bots.wording.markup import UNITS_MAX, Spans, html, plain, units


@dataclass(frozen=True, slots=True)
class Part:
    """One message's text, as HTML and, should the service not read that, as plain text; and its spans, for a
    front door that has styles of its own.
    """

    html: str
    plain: str
    spans: Spans = ()

    @classmethod
    def of(cls, spans: Spans) -> "Part":
        """From spans. Raises ValueError when they are longer than a message may be, which is a programming
        error.
        """
        text = plain(spans)
        if not 0 < units(text) <= UNITS_MAX:
            raise ValueError(f"a message of {units(text)} units")
        return cls(html(spans), text, spans)


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message: `data` comes back when it is pressed, 1-64 bytes; or it opens the address
    `url`, with `app` within the chat service's own program.
    """

    text: str
    data: str = ""
    url: str = ""
    app: bool = False


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Showing:
    """What a text shows, a bulletin or an entry of a public list, by its reference, and how much of it: for
    the audit.
    """

    ref: str
    sight: Sight


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer or alert: one message per part, the buttons under the last.

    `protect` stops forwarding and saving in the client; `silent` makes no sound; `passing` marks what must be
    deleted while the service still allows it (48 hours); `shows` is what the audit is told before it leaves.
    `entries` are those of public lists, and do not keep the text from being searched for bulletins.
    `quotes`: the references in it are examples, or were written down already, as the audit's own.
    """

    parts: tuple[Part, ...]
    rows: Rows = ()
    protect: bool = True
    silent: bool = False
    passing: bool = False
    shows: tuple[Showing, ...] = ()
    entries: tuple[Showing, ...] = ()
    quotes: bool = False
    picture: bytes = field(default=b"", repr=False)
    """A PNG above the first part, which is its caption then and says the same in words."""

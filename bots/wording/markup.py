"""Text for chat: spans that need no escaping by hand, counted and cut in UTF-16 code units.

The service counts a message's length in UTF-16 code units after its markup is parsed (Bot API,
sendMessage), so data is measured and cut here as plain text, and only then written as HTML. Rendered HTML
is never cut.
"""

import html as _html
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

UNITS_MAX: Final = 4096
"""The longest message text, in UTF-16 code units."""
CAPTION_MAX: Final = 1024
"""The longest text under a picture, in the same."""
_JOINERS: Final = frozenset({"\u200d", "\ufe0e", "\ufe0f"})
_LAST_OF_PLANE_0: Final = 0xFFFF
_FSI: Final = "\u2068"
_PDI: Final = "\u2069"
RLM: Final = "\u200f"
"""Right-to-left mark."""
LRM: Final = "\u200e"
"""Left-to-right mark."""
_LINE_START: Final = re.compile(r"^(?=[^\n])", re.MULTILINE)
_LINE_BREAK: Final = re.compile(r"\n(?=[^\n])")

Style = Literal["", "b", "i", "code", "s"]


@dataclass(frozen=True, slots=True)
class Span:
    """A run of plain text in one style."""

    text: str
    style: Style = ""


Spans = tuple[Span, ...]


def units(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text) + sum(ord(char) > _LAST_OF_PLANE_0 for char in text)


def plain(spans: Iterable[Span]) -> str:
    """The text alone."""
    return "".join(each.text for each in spans)


def html(spans: Iterable[Span]) -> str:
    """The text as the service's HTML; everything that is not our own tag is escaped."""
    return "".join(_tagged(each) for each in spans)


def _tagged(span: Span) -> str:
    escaped = _html.escape(span.text, quote=False)
    return f"<{span.style}>{escaped}</{span.style}>" if span.style and span.text.strip() else escaped


def isolate(text: str, *, rtl: bool) -> str:
    """`text` in its own direction within a line of another (UAX #9, first strong isolate); unchanged where
    none differs.
    """
    return f"{_FSI}{text}{_PDI}" if rtl or runs_right_to_left(text) else text


def runs_right_to_left(text: str) -> bool:
    """Whether any letter of `text` is of a right-to-left script."""
    return any(unicodedata.bidirectional(char) in {"R", "AL"} for char in text)


def directed(text: str, mark: str) -> str:
    """`text` with a mark of direction before each line that has something on it."""
    return _LINE_START.sub(mark, text)


def laid(spans: Iterable[Span], *, rtl: bool) -> Spans:
    """Spans of the bot's own words; right to left, each line starts so even where it begins with a sign or
    a code.
    """
    if not rtl:
        return tuple(spans)
    done: list[Span] = []
    fresh = True
    for span in spans:
        text = _LINE_BREAK.sub("\n" + RLM, span.text)
        done.append(Span(RLM + text if fresh and text and text[0] != "\n" else text, span.style))
        fresh = span.text.endswith("\n") if span.text else fresh
    return tuple(done)


def cut(text: str, room: int) -> tuple[str, str]:
    """The longest beginning of `text` within `room` units that ends at a border, and the rest.

    Borders by preference: between paragraphs, lines, sentences, words; else between whole characters. Neither
    piece carries the white space of the border. `room` must be positive for text to be taken.
    """
    if units(text) <= room:
        return text, ""
    limit = _index_within(text, room)
    for border, least in (
        ("\n\n", limit // 3),
        ("\n", limit // 3),
        (". ", limit // 2),
        *((each, limit // 2) for each in "。！？؟；，、"),
        (" ", limit // 2),
    ):
        at = text.rfind(border, 0, limit + 1 - len(border.rstrip()))
        if at >= least:
            end = at + len(border.rstrip())
            return text[:end].rstrip(), text[end:].lstrip()
    return text[:limit], text[limit:]


def _index_within(text: str, room: int) -> int:
    """How many characters fit, never parting a character from its marks and joiners."""
    used = index = 0
    for index, char in enumerate(text):  # noqa: B007 - the index where the room ends is the result
        used += 2 if ord(char) > _LAST_OF_PLANE_0 else 1
        if used > room:
            break
    end = index
    while end > 0 and (
        text[end] in _JOINERS or text[end - 1] == "\u200d" or unicodedata.combining(text[end])
    ):
        end -= 1
    return end or index


def pieces(text: str, first: int, following: int) -> list[str]:
    """`text` cut into pieces: the first within `first` units, the others within `following`. Empty text:
    none.
    """
    found: list[str] = []
    rest, room = text.strip(), first
    while rest:
        piece, rest = cut(rest, room)
        found.append(piece)
        room = following
    return [piece for piece in found if piece]

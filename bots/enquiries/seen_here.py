"""How much was seen here of something that a public list names: in a line, and as buttons that open it. Pure.
No bulletin is shown, only how many there are that may be, and their references.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bots.enquiries.unsearched import Unsearched
from bots.parsing.actions import encode
from bots.showing.buttons import opening
from bots.showing.rendered import Button, Rows
from bots.wording.markup import LRM, directed
from bots.wording.words import Words
from subscribers.records import Record

_BUTTONS_PER_ROW: Final = 3
_OPENED: Final = 4
"""So many of the bulletins about something open straight from the answer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How many bulletins there are about something, of those that may be shown."""

    number: int
    more: bool
    """There are more than `number`."""
    newest: tuple[Record, ...] = ()
    """Of those that may be shown in full: they open by button."""


NOTHING_SEEN: Final = Seen(0, more=False)
NOTHING_LEFT_OUT: Final = Unsearched()


def seen_line(seen: Seen, unsearched: Unsearched, say: Words) -> str:
    """How many bulletins, and what was not searched for them."""
    if seen.more:
        told = say.count(
            "Seen here in more than {number} bulletin.",
            "Seen here in more than {number} bulletins.",
            seen.number,
        )
    elif seen.number:
        told = say.count("Seen here in {number} bulletin.", "Seen here in {number} bulletins.", seen.number)
    else:
        told = say.text("Not seen here.")
    return "\n".join(filter(None, ["👁 " + told, unsearched.said(say, always=not seen.number)]))


def seen_short(seen: Seen, say: Words) -> str:
    """The same within a line."""
    if not seen.number:
        return "👁 " + say.text("not seen here")
    return "👁 " + say.text("seen here: {number}", number=number(seen, say))


def number(seen: Seen, say: Words) -> str:
    """How many, `+` where there are more."""
    return say.number(seen.number) + ("+" if seen.more else "")


def seen_rows(facet: str, value: str, seen: Seen, say: Words) -> Rows:
    """The newest bulletins, and all of them with their titles."""
    if not seen.number:
        return ()
    every = Button("👁 " + say.text("Show where it was seen"), encode("seen", facet, value))
    return (*opening(seen.newest[:_OPENED]), (every,))


def english(text: str, say: Words) -> str:
    """Text that the list has in English alone."""
    return directed(text, LRM) if say.rtl else text


def in_rows(buttons: Sequence[Button]) -> Rows:
    """Short buttons beside each other."""
    return tuple(
        tuple(buttons[at : at + _BUTTONS_PER_ROW]) for at in range(0, len(buttons), _BUTTONS_PER_ROW)
    )

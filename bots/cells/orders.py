"""`/event`: how an event is begun, changed and closed in one line. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from bots.duty.duties import Add
from bots.duty.duties import read as read_duty
from bots.parsing.commands import clean, minute
from schemas.errors import Code, OperationError
from schemas.vocabulary import Severity

NAME_MAX: Final = 120
VENUES_MAX: Final = 30
EXAMPLES: Final = (
    "/event new games Summer Games 2026",
    "/event games dates 2026-07-26 2026-08-11",
    "/event games venues Stadium North, Arena",
    "/event games community games",
    "/event games rings high",
    "/event games report 07:00",
    "/event games duty add Amina K. daily 20:00-08:00",
    "/event games close",
)
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,23}\Z")

Fields = tuple[tuple[str, object], ...]
"""Fields of `Cell` with their values."""


@dataclass(frozen=True, slots=True)
class New:
    """Begin a cell."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """Change the cell of that slug."""

    slug: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Put somebody on the cell's roster."""

    slug: str
    add: Add


@dataclass(frozen=True, slots=True)
class Close:
    """Close the cell now."""

    slug: str


EventCommand = New | Change | OnDuty | Close | str


def read(text: str) -> EventCommand:
    """What stands after `/event`: nothing, a name or slug to look for, or one of `EXAMPLES`.

    Raises OperationError `bad_request`.
    """
    text = clean(text)
    match text.split():
        case ["new", slug, *name] if name:
            return New(_slug(slug), " ".join(name)[:NAME_MAX])
        case [slug, "close"]:
            return Close(_slug(slug))
        case [slug, "dates", first, last]:
            return Change(_slug(slug), dates([first, last]))
        case [slug, "venues", *rest] if rest:
            return Change(_slug(slug), venues(" ".join(rest)))
        case [slug, "community", community]:
            return Change(_slug(slug), (("community", "" if community == "none" else _slug(community)),))
        case [slug, "rings", least] if least in {"high", "flash"}:
            return Change(_slug(slug), (("least", Severity(least)),))
        case [slug, "report", when]:
            return Change(_slug(slug), (("report", None if when == "off" else minute(when)),))
        case [slug, "duty", *rest] if isinstance(add := read_duty(" ".join(rest)), Add):
            return OnDuty(_slug(slug), add)
        case _:
            return text


def dates(said: Sequence[str]) -> Fields:
    """The first and the last day of an event. Raises OperationError `bad_request`."""
    match said:
        case [first, last] if (begins := _day(first)) <= (ends := _day(last)):
            return (("first", begins), ("last", ends))
        case _:
            raise _unread()


def venues(text: str) -> Fields:
    """Where an event is: places with commas between them. Raises OperationError `bad_request` for none."""
    found = [each.strip()[:NAME_MAX] for each in re.split("[,;،、]", clean(text)) if each.strip()]
    if not found:
        raise _unread()
    return (("venues", tuple(found[:VENUES_MAX])),)


def _slug(text: str) -> str:
    if not _SLUG.match(text.lower()):
        raise _unread()
    return text.lower()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _unread() from None


def _unread() -> OperationError:
    return OperationError(Code.BAD_REQUEST, "that could not be read", "see /help")

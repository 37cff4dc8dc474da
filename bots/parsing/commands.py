"""What is typed after a command, read strictly. Pure.

Refusals are OperationError `bad_request`; the handler shows how it is done instead of the words of the error.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal
from zoneinfo import ZoneInfo

from bots.times import MINUTES_A_DAY, Quiet, Schedule, zone
from schemas.encoding import check_uuid7
from schemas.errors import Code, FormatError, OperationError

WORDS_MAX: Final = 200
_CODE: Final = re.compile(r"[A-Za-z0-9_-]{16,64}\Z")
_REFERENCE: Final = re.compile(r"([A-Z][A-Z0-9]{1,7})[- ]?([0-9]{4})[- ]?([0-9]{1,7})\Z")
_REGION: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?\Z")
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Order:
    """A digest at these times."""

    schedule: Schedule


@dataclass(frozen=True, slots=True)
class InZone:
    """The officer's time zone."""

    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Hush:
    """Quiet hours, or none."""

    quiet: Quiet | None


DigestCommand = Order | InZone | Hush | Literal["menu", "now", "off", "skip", "say"]


def digest(text: str) -> DigestCommand:
    """`daily 07:30`, `weekly monday 07:30`, `quiet 22:00-06:00`, `quiet off`, `zone Europe/Paris`, `now`,
    `off`, `empty skip`, `empty say`.

    A time zone may stand at the end of `daily` and `weekly` only as its own command. Raises OperationError.
    """
    parts = clean(text).split()
    match [parts[0].lower(), *parts[1:]] if parts else []:
        case []:
            return "menu"
        case ["now"]:
            return "now"
        case ["off"]:
            return "off"
        case ["daily", at]:
            return Order(Schedule("daily", minute(at)))
        case ["weekly", day, at]:
            return Order(Schedule("weekly", minute(at), weekday(day)))
        case ["quiet", "off"]:
            return Hush(None)
        case ["quiet", hours] if hours.count("-") == 1:
            start, end = hours.split("-")
            return Hush(Quiet(minute(start), minute(end)))
        case ["empty", "skip"]:
            return "skip"
        case ["empty", "say"]:
            return "say"
        case ["zone", name]:
            return InZone(zone(name))
        case _:
            raise _unread()


def minute(text: str) -> int:
    """Minutes after midnight from `7:30` or `07:30`."""
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text)
    value = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else MINUTES_A_DAY  # noqa: PLR2004
    if value >= MINUTES_A_DAY:
        raise _unread()
    return value


def weekday(text: str) -> int:
    """0 for Monday, from an English name or its first three letters."""
    for index, name in enumerate(_DAYS):
        if text.lower() in (name, name[:3]):
            return index
    raise _unread()


def reference(text: str) -> str:
    """A reference as it is filed (`FRA-2026-0042`), from how people type it; '' when it cannot be one."""
    found = _REFERENCE.match(clean(text).upper().replace("_", "-"))
    return f"{found[1]}-{found[2]}-{int(found[3]):04}" if found else ""


def as_filed(text: str) -> bool:
    """Whether it is a reference as it is filed: what else `reference` reads may be words."""
    return bool(reference(text)) and clean(text).upper() == reference(text)


def named(text: str) -> str:
    """A bulletin's reference or id, as it is filed; '' when it cannot be one."""
    try:
        return reference(text) or check_uuid7(text.strip().lower())
    except FormatError:
        return ""


def acknowledgement(text: str) -> tuple[str, bool]:
    """`FRA-2026-0042`, or with `private` behind it: the reference, '' when there is none, and whether it is
    for the originator alone.
    """
    named, _, last = clean(text).rpartition(" ")
    private = last.lower() == "private"
    return reference(named if private else text), private


def regions(text: str) -> frozenset[str]:
    """ISO 3166 codes, separated by commas or spaces. Raises OperationError."""
    found = frozenset(clean(text).upper().replace(",", " ").split())
    if not found or not all(map(_REGION.match, found)):
        raise _unread()
    return found


def words(text: str) -> str:
    """Words to search for: cleaned, at most `WORDS_MAX` characters, '' when there are none."""
    return clean(text)[:WORDS_MAX]


def code(text: str) -> str:
    """A code of invitation; '' when it cannot be one."""
    return text.strip() if _CODE.match(text.strip()) else ""


def clean(text: str) -> str:
    """Without marks of direction and control characters that come along with copied text; single spaces."""
    kept = "".join(char if unicodedata.category(char) not in {"Cc", "Cf"} else " " for char in text)
    return " ".join(kept.replace("\u2011", "-").replace("\u2013", "-").split())


def _unread() -> OperationError:
    return OperationError(Code.BAD_REQUEST, "that could not be read", "see /help")

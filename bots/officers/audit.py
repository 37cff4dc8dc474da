"""Who saw and did what: shapes of the audit, and the chain that shows whether it is whole. Pure.

An entry has no bulletin text and nothing that was typed: who, when, by which door, with which verb, about
what (a reference, or an officer), and what came of it. Each entry's digest covers the one before, so that
whoever changes, drops or moves an entry has to write anew all that follow; whoever noted the last digest
elsewhere sees that, and a cut-off end too.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from bots.showing.release import Sight
from schemas.encoding import canonical_json

START: Final = bytes(32)
"""What the first entry's digest stands on."""
OUTBOX: Final = "outbox"
"""The door of what goes out by way of the outbox: what comes by itself, and what takes a while to make."""
ASKED: Final = ".asked"
"""Behind a verb of the outbox: its officer asked for it, by a command or a button."""
ROOM: Final = "room"
"""The reading room's door."""
ROOM_SIGHTS: Final = {"read": Sight.FULL, "downloaded": Sight.FULL, "listed": Sight.TITLE}
"""How far the reading room shows a bulletin, by the verb; entries of earlier versions do not say it."""
MACHINE: Final = "machine"
"""The door of commands on the agency's machine."""
COLUMNS: Final = ("number", "at", "officer", "name", "door", "verb", "object", "outcome", "digest")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that an officer saw or did. `officer` is None for a stranger and for the machine's operator;
    `name` is the officer's of that day.
    """

    officer: int | None
    name: str
    door: str
    verb: str
    object: str = ""
    outcome: str = "done"


@dataclass(frozen=True, slots=True)
class Entry:
    """An act as it was written down: `number` counts from 1 without a gap, `at` is Unix milliseconds."""

    number: int
    at: int
    act: Act
    digest: bytes

    @property
    def when(self) -> datetime:
        """The moment, in UTC."""
        return datetime.fromtimestamp(self.at / 1000, UTC)

    def row(self) -> dict[str, str | int | None]:
        """For export, in the order of `COLUMNS`."""
        act = self.act
        return {
            "number": self.number,
            "at": self.when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "officer": act.officer,
            "name": act.name,
            "door": act.door,
            "verb": act.verb,
            "object": act.object,
            "outcome": act.outcome,
            "digest": self.digest.hex(),
        }


def link(before: bytes, number: int, at: int, act: Act) -> bytes:
    """The digest of an entry: SHA-256 over the digest before it and the entry as canonical JSON."""
    fields = [number, at, act.officer, act.name, act.door, act.verb, act.object, act.outcome]
    return sha256(before + canonical_json(fields)).digest()


def broken_at(entries: Iterable[Entry], number: int, digest: bytes) -> int | None:
    """The first number that does not follow, reading on from behind entry `number` with its `digest`; None
    for a whole chain.
    """
    for entry in entries:
        number += 1
        digest = link(digest, number, entry.at, entry.act)
        if entry.number != number or entry.digest != digest:
            return number
    return None


def as_csv(entries: Iterable[Entry]) -> Iterator[str]:
    """Lines for a spreadsheet, the names of the columns first. A name that it would take for a formula gets
    an apostrophe.
    """
    yield _line(COLUMNS)
    for entry in entries:
        yield _line(_tame(each) for each in entry.row().values())


def _tame(value: str | int | None) -> str | int:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return "" if value is None else value


def _line(values: Iterable[str | int]) -> str:
    held = io.StringIO()
    csv.writer(held, lineterminator="\n").writerow(values)
    return held.getvalue()

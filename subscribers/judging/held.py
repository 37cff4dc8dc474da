"""Frames of revoked keys that wait in the quarantine for a frame of a successor's to stand on them.

They are refused and kept like everything else that is refused; here stands only where each of them is, by its
hash, so that a later frame which cites it brings it back, in the order of the chain, before itself. The wrap
of an epoch that one of them announces waits with it. FORMAT.md, "Directory".
"""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

import apsw

from schemas.frame import EPOCH, Frame
from subscribers.judging.authenticity import read_frame
from subscribers.storage.store import Store

MIGRATIONS: Final = (
    """
    CREATE TABLE held(name TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    """,
)
ANCESTORS_MAX: Final = 1024
"""Frames that one batch may bring back: what is behind them in the chain stays where it is."""
_PRUNE: Final = (
    "DELETE FROM held WHERE number <= (SELECT max(number) FROM quarantine) - ?",
    "DELETE FROM quarantine WHERE number <= (SELECT max(number) FROM quarantine) - ?",
)


class Held(NamedTuple):
    """A frame or a wrap in the quarantine that may count yet."""

    name: str
    """A frame's hash, or `wrap_of` that of an announcement."""
    subject: str
    data: bytes


def wrap_of(announcement: str) -> str:
    """The name under which the wrap of an announced epoch is held."""
    return f"wrap {announcement}"


async def load(store: Store) -> dict[str, None]:
    """The names of all that is held, oldest first."""
    rows = await store.query("SELECT name FROM held ORDER BY number")
    return dict.fromkeys(each for (each,) in rows)


async def ancestors(store: Store, held: Collection[str], last: str, most: int) -> list[Held]:
    """The frame with the hash `last` and those before it, as far as they are held, each announcement with the
    wrap of its epoch; oldest first, about `most`.
    """
    found: list[Held] = []
    while last in held and len(found) < most:
        message = await _message(store, last)
        frame = read_frame(message.subject, message.data) if message else None
        if message is None or not isinstance(frame, Frame):
            break
        name = wrap_of(last)
        if frame.header.k == EPOCH and name in held and (wrap := await _message(store, name)):
            found.append(wrap)
        found.append(message)
        last = frame.header.prev
    return found[::-1]


def save(connection: apsw.Connection, held: Iterable[tuple[str, int]], released: Iterable[str]) -> None:
    """Write down names with their numbers in the quarantine, and take out of it what counts now."""
    connection.executemany("INSERT OR REPLACE INTO held VALUES (?, ?)", held)
    for each in released:
        connection.execute(
            "DELETE FROM quarantine WHERE number = (SELECT number FROM held WHERE name = ?)", (each,)
        )
        connection.execute("DELETE FROM held WHERE name = ?", (each,))


def prune(connection: apsw.Connection, most: int) -> None:
    """Leave the latest `most` refusals in the quarantine."""
    for sql in _PRUNE:
        connection.execute(sql, (most,))


async def _message(store: Store, name: str) -> Held | None:
    sql = "SELECT subject, data FROM quarantine JOIN held USING (number) WHERE name = ?"
    rows = await store.query(sql, (name,))
    return Held(name, *rows[0]) if rows else None  # none: pushed out of the quarantine by what came later

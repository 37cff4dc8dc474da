"""When what is said of people is to be looked at again. Rows beside the archive's.

A bulletin whose time has come is no longer found by its words or by what it is about; it is still there for
who has its reference, and says what it is.
"""

from typing import Final, NamedTuple

import apsw

from schemas.bulletin import Bulletin
from schemas.encoding import from_instant
from subscribers.storage.store import Row

MIGRATION: Final = """
    CREATE TABLE reviews (
        position INTEGER PRIMARY KEY REFERENCES bulletins, due INTEGER NOT NULL,
        hidden INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX reviews_due ON reviews (due) WHERE hidden = 0;
    """
_DUE: Final = "SELECT position FROM reviews WHERE hidden = 0 AND due <= ?"


class Overdue(NamedTuple):
    """A bulletin of our own that is past its review and still stands."""

    community: str
    ref: str


def file_review(connection: apsw.Connection, position: int, bulletin: Bulletin) -> None:
    """Write the row of the bulletin at `position`, if it says anything of people."""
    if bulletin.personal is not None:
        due = from_instant(bulletin.personal.review)
        connection.execute("INSERT INTO reviews (position, due) VALUES (?, ?)", (position, due))


def hide_due(connection: apsw.Connection, now: int) -> int:
    """Take what is due at `now` (Unix milliseconds) out of every search; how many bulletins."""
    for sql in (
        f"DELETE FROM terms WHERE rowid IN ({_DUE})",  # noqa: S608 - all fixed, the time is bound
        f"DELETE FROM facets WHERE position IN ({_DUE})",  # noqa: S608
        f"UPDATE bulletins SET flags = trim(flags || ' review_due') WHERE position IN ({_DUE})",  # noqa: S608
    ):
        connection.execute(sql, (now,))
    before = connection.total_changes()
    connection.execute("UPDATE reviews SET hidden = 1 WHERE hidden = 0 AND due <= ?", (now,))
    return connection.total_changes() - before


def own_overdue(connection: apsw.Connection) -> list[Overdue]:
    """Our own bulletins that were hidden and neither amended nor retracted since, oldest first."""
    sql = """
        SELECT b.community, b.ref FROM reviews v CROSS JOIN bulletins b USING (position)
        WHERE v.hidden = 1 AND b.own = 1 AND b.state = 'current' ORDER BY v.due, b.number
    """
    return [Overdue(*row) for row in connection.execute(sql)]


def next_due(connection: apsw.Connection) -> int | None:
    """When the next is due, in Unix milliseconds; None when none is."""
    rows: list[Row] = connection.execute("SELECT min(due) FROM reviews WHERE hidden = 0").fetchall()
    due: int | None = rows[0][0]
    return due

"""What this node says by itself and was refused: taken out of the outbox, counted, and so said again when
`subscribers.telling.due` says. A refused frame was shown to nobody, so nothing is told twice. Synchronous,
for the writer's thread.
"""

from collections.abc import Collection
from typing import Final, NamedTuple

import apsw
import structlog

MIGRATIONS: Final = (
    """
    CREATE TABLE attempts(
        what TEXT PRIMARY KEY, refused INTEGER NOT NULL, at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX outgoing_refused ON outgoing(id) WHERE state = 'refused';
    CREATE INDEX changes_reported ON changes(report) WHERE report <> '';
    CREATE INDEX corrections_made ON corrections(amendment);
    """,
)


log = structlog.get_logger(__name__)


class Refused(NamedTuple):
    """That `item` of the outbox was refused, which was about `what`: a change, or a digest of ours."""

    what: str
    item: str
    code: str


def take_back(connection: apsw.Connection, refused: Collection[Refused], now: int) -> None:
    """Count it, and forget the items; `now` in Unix milliseconds."""
    for code in {each.code for each in refused}:
        log.warning("refused, to be said again", code=code)
    count(connection, {each.what for each in refused}, now)
    items = {(each.item,) for each in refused}
    connection.executemany("DELETE FROM outgoing WHERE id = ? AND state = 'refused'", items)


def count(connection: apsw.Connection, whats: Collection[str], now: int) -> None:
    """Each of them was refused once more, at `now` (Unix ms)."""
    sql = """INSERT INTO attempts VALUES (?, 1, ?)
        ON CONFLICT DO UPDATE SET refused = refused + 1, at = excluded.at"""
    connection.executemany(sql, [(what, now) for what in whats])

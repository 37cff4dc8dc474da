"""Old epoch keys, deleted by their age: the archive keeps what they opened. Synchronous, for the writer's
thread.
"""

from typing import Final

import apsw

from subscribers.storage.store import Row

MIGRATIONS: Final = (
    """
    CREATE TABLE epoch_ages(
        publisher TEXT, community TEXT, ep INTEGER, since INTEGER NOT NULL,
        PRIMARY KEY (publisher, community, ep)
    ) STRICT, WITHOUT ROWID;
    """,
)
"""Since when this node has had each epoch's key, as it noticed."""

_NOTE: Final = """INSERT OR IGNORE INTO epoch_ages
    SELECT publisher, community, ep, ? FROM epochs WHERE key IS NOT NULL"""
_SPENT: Final = """SELECT e.publisher, e.community, e.ep FROM epochs e JOIN epoch_ages a
    ON a.publisher = e.publisher AND a.community = e.community AND a.ep = e.ep
    WHERE e.key IS NOT NULL AND a.since <= ?1
    AND e.ep < (SELECT max(n.ep) FROM epochs n WHERE n.publisher = e.publisher AND n.community = e.community
        AND n.precedence = e.precedence AND n.hist = e.hist)
    AND NOT (e.publisher = ?2 AND EXISTS (SELECT 1 FROM own_epochs o WHERE o.community = e.community
        AND o.precedence = e.precedence AND o.ep = e.ep))"""
_FORGET: Final = "UPDATE epochs SET key = NULL WHERE publisher = ? AND community = ? AND ep = ?"


def age(connection: apsw.Connection, now: int, life: int, endpoint: str) -> list[Row]:
    """Note which keys are here, and delete those that have been for longer than `life` (milliseconds; 0 keeps
    them). Gives (publisher, community, number) of what went.

    The newest epoch of each chain and history stays, and so does what `endpoint`, ours, seals under.
    """
    connection.execute(_NOTE, (now,))
    found: list[Row] = connection.execute(_SPENT, (now - life, endpoint)).fetchall() if life else []
    connection.executemany(_FORGET, found)
    return found

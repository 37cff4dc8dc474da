"""A publication that a client names itself, so that asking again after an answer that never came publishes
nothing twice.

The name is the client's own: another client may use the same. It is written in the transaction that journals
the bulletin, so there is one with both or none.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import apsw

from schemas.bulletin import Bulletin
from schemas.encoding import check_uuid7
from schemas.errors import Code, DraftError, FormatError, OperationError
from subscribers.records import Published
from subscribers.storage.store import Store

MIGRATIONS: Final = (
    """
    CREATE TABLE named(
        client TEXT NOT NULL, once TEXT NOT NULL,
        id TEXT NOT NULL, ref TEXT NOT NULL, community TEXT NOT NULL,
        PRIMARY KEY (client, once)
    ) STRICT, WITHOUT ROWID;
    """,
)
ONCE: Final = "once"
"""The name's field, beside those of the draft that it names."""
_FOUND: Final = """
    SELECT n.id, n.ref, n.community, coalesce(o.state, 'refused'),
        CASE WHEN o.id IS NULL THEN 'not_found' ELSE o.code END
    FROM named n LEFT JOIN outgoing o ON o.id = n.id WHERE n.client = ? AND n.once = ?
"""
"""What was refused and then dropped stays refused."""


def split(given: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The draft's own fields, and the name, a UUIDv7. DraftError `bad_draft` for another."""
    fields = {name: value for name, value in given.items() if name != ONCE}
    if ONCE not in given:
        return fields, None
    try:
        return fields, check_uuid7(given[ONCE])
    except FormatError:
        raise DraftError(Code.BAD_DRAFT, "`once` is no UUIDv7", "make a new one for each bulletin") from None


class Named:
    """The names that were used."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def found(self, client: str, once: str | None) -> Published | None:
        """What was published under a name already; of what has none, nothing was."""
        if once is None:
            return None
        for made, ref, community, state, code in await self._store.query(_FOUND, (client, once)):
            return Published(id=made, ref=ref, community=community, state=state, code=code)
        return None


def noting(
    client: str, once: str | None, community: str, also: Callable[[apsw.Connection, Bulletin], None]
) -> Callable[[apsw.Connection, Bulletin], None]:
    """What a bulletin under a name writes into its transaction, beside `also`. OperationError `already_known`
    where the same name has come a moment before.
    """

    def note(connection: apsw.Connection, bulletin: Bulletin) -> None:
        also(connection, bulletin)
        if once is None:
            return
        values = (client, once, bulletin.id, bulletin.ref, community)
        connection.execute("INSERT OR IGNORE INTO named VALUES (?, ?, ?, ?, ?)", values)
        if not connection.changes():
            message, fix = "this was asked for a moment ago", "ask again: the answer tells what became of it"
            raise OperationError(Code.ALREADY_KNOWN, message, fix)

    return note

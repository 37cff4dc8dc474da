"""Changes to who is an officer: roles, and shutting somebody out at once.

Who is shut out keeps nothing: what the bot sent to that chat is taken back as far as the service allows, by
`bots.officers.farewell`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import apsw

from bots.officers.roles import Role, Standing, keep_one
from bots.state.officers import SELECT, Officer, read_officer, renew
from bots.state.room import shut
from schemas.errors import Code, OperationError
from schemas.vocabulary import Language
from subscribers.storage.store import Store

SHUT: Final = "shut:"
"""Before a chat that was shut out: whose it was, and when the audit had last that it writes (Unix seconds; 0
for never), in the table of memories.
"""
_TAKE_BACK: Final = (
    "INSERT OR IGNORE INTO farewells (chat, message, language, sent, theirs, shows)"
    " SELECT m.chat, m.message, o.language, m.sent, m.theirs,"
    " m.record IS NOT NULL OR EXISTS (SELECT 1 FROM lists l WHERE l.message = m.id)"
    " FROM messages m JOIN officers o ON o.id = m.officer"
    " WHERE o.id = ? AND NOT (m.theirs AND m.sent <= ?)"
)


@dataclass(frozen=True, slots=True)
class Farewell:
    """A message to be taken back from the chat of somebody who was shut out, and its officer's language;
    `theirs`: the officer wrote it.
    """

    chat: int
    message: int
    language: Language
    sent: float
    theirs: bool = False


@dataclass(frozen=True, slots=True)
class InChat:
    """How many messages are in a chat: those that can be deleted, `old` ones of the bot, which can only be
    rewritten, and old ones of the officer, which `stay`.
    """

    young: int = 0
    old: int = 0
    stay: int = 0


class Staff:
    """Who is an officer, changed. Every refusal leaves all as it was."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def change_role(self, officer: int, role: Role) -> Officer:
        """Give an officer another role. Raises OperationError `not_found`, or `forbidden` for the last
        administrator.
        """

        def work(connection: apsw.Connection) -> Officer:
            found = _officer(connection, officer)
            keep_one(_enrolled(connection), officer, role)
            connection.execute("UPDATE officers SET role = ? WHERE id = ?", (role, officer))
            return replace(found, role=role)

        return await self._store.transact(work)

    async def remove(self, officer: int, since: float = 0.0) -> int:
        """Forget an officer with all that is theirs; how many messages are to be taken back. What the officer
        wrote up to `since` (Unix seconds) is not: it cannot be.

        Raises OperationError `not_found`, or `forbidden` for the last administrator while others are
        enrolled.
        """

        def work(connection: apsw.Connection) -> int:
            _officer(connection, officer)
            keep_one(_enrolled(connection), officer, None)
            taken = _take_back(connection, officer, since)
            connection.execute(
                "DELETE FROM memory WHERE key GLOB ? AND data ->> '$[0]' = ?", (f"{SHUT}*", officer)
            )
            connection.execute("DELETE FROM officers WHERE id = ?", (officer,))
            return taken

        return await self._store.transact(work)

    async def shut_out(
        self, officer: int, *, code: str, expires: float, guarded: bool, since: float = 0.0
    ) -> int:
        """A lost phone: its chat is no officer's any more, and the officer may enrol again with `code`, with
        role and subscriptions as before; how many messages are to be taken back, with `since` as in `remove`.

        `guarded`: raises OperationError `forbidden` for the last administrator with a phone, also where no
        other officer has one: nobody could let the new phone in. Raises `not_found`.
        """

        def work(connection: apsw.Connection) -> int:
            found = _officer(connection, officer)
            if guarded:
                keep_one(_enrolled(connection), officer, None, alone=True)
            taken = _take_back(connection, officer, since)
            if found.chat is not None:
                connection.execute(
                    "INSERT OR REPLACE INTO memory (key, data) VALUES (?, json_array(?, 0))",
                    (f"{SHUT}{found.chat}", officer),
                )
            connection.execute("DELETE FROM jobs WHERE officer = ? AND target IS NOT NULL", (officer,))
            connection.execute("DELETE FROM messages WHERE officer = ?", (officer,))
            connection.execute(
                "UPDATE officers SET chat = NULL, person = NULL, reachable = 1 WHERE id = ?", (officer,)
            )
            # A passkey may be on the lost phone: whoever has others makes new ones.
            connection.execute("DELETE FROM room_passkeys WHERE officer = ?", (officer,))
            shut(connection, officer)
            renew(connection, officer, code, expires)
            return taken

        return await self._store.transact(work)

    async def check_leaving(self, officer: int) -> None:
        """Raises what a guarded `shut_out` would: OperationError `not_found`, or `forbidden` for the last
        administrator with a phone.
        """

        def work(connection: apsw.Connection) -> None:
            _officer(connection, officer)
            keep_one(_enrolled(connection), officer, None, alone=True)

        await self._store.transact(work)

    async def heard(self, officer: int, chat: int, message: int, now: float) -> None:
        """An officer wrote a message, which goes with a lost phone."""

        def work(connection: apsw.Connection) -> None:
            connection.execute(
                "INSERT INTO messages (officer, chat, message, sent, theirs)"
                " SELECT id, ?2, ?3, ?4, 1 FROM officers WHERE id = ?1 AND chat = ?2 ON CONFLICT DO NOTHING",
                (officer, chat, message, now),
            )
            take_back_stray(connection, officer, chat, message, now, theirs=True)

        await self._store.transact(work)

    async def in_chat(self, officer: int, since: float) -> InChat:
        """What is in an officer's chat; messages sent up to `since` (Unix seconds) are old."""
        rows = await self._store.query(
            "SELECT count(*) FILTER (WHERE sent > ?1), count(*) FILTER (WHERE sent <= ?1 AND NOT theirs),"
            " count(*) FILTER (WHERE sent <= ?1 AND theirs) FROM messages WHERE officer = ?2",
            (since, officer),
        )
        return InChat(*rows[0])

    async def farewells(self, limit: int) -> Sequence[Farewell]:
        """Messages to be taken back: what shows bulletins first, the newest of it before older ones."""
        return await self._farewells("", " ORDER BY shows DESC, sent DESC LIMIT ?", limit)

    async def farewells_since(self, since: float, limit: int) -> Sequence[Farewell]:
        """Messages of one chat to be taken back that were sent after `since` (Unix seconds), newest first."""
        newest = "SELECT chat FROM farewells WHERE sent > ? ORDER BY sent DESC LIMIT 1"
        where = f" WHERE sent > ? AND chat = ({newest})"
        return await self._farewells(where, " ORDER BY sent DESC LIMIT ?", since, since, limit)

    async def taken_back(self, farewells: Sequence[Farewell]) -> None:
        """Messages are gone, or cannot be reached any more."""
        async with self._store.write() as tx:
            await tx.executemany(
                "DELETE FROM farewells WHERE chat = ? AND message = ?",
                [(each.chat, each.message) for each in farewells],
            )

    async def _farewells(self, where: str, order: str, *values: float) -> Sequence[Farewell]:
        sql = f"SELECT chat, message, language, sent, theirs FROM farewells{where}{order}"  # noqa: S608 - fixed pieces
        rows = await self._store.query(sql, values)
        return [Farewell(row[0], row[1], Language(row[2]), row[3], bool(row[4])) for row in rows]


def take_back_stray(
    connection: apsw.Connection, officer: int, chat: int, message: int, now: float, *, theirs: bool = False
) -> None:
    """Within a transaction: a message that reached a chat which is not its officer's any more goes again."""
    connection.execute(
        "INSERT OR IGNORE INTO farewells (chat, message, language, sent, theirs)"
        " SELECT ?1, ?2, coalesce((SELECT language FROM officers WHERE id = ?3), 'en'), ?4, ?5"
        " WHERE NOT EXISTS (SELECT 1 FROM officers WHERE id = ?3 AND chat = ?1)",
        (chat, message, officer, now, int(theirs)),
    )


def _officer(connection: apsw.Connection, officer: int) -> Officer:
    row = connection.execute(SELECT + " WHERE id = ?", (officer,)).fetchone()
    if row is None:
        raise OperationError(Code.NOT_FOUND, "there is no such officer", "see the list of officers")
    return read_officer(tuple(row))


def _enrolled(connection: apsw.Connection) -> list[Standing]:
    rows = connection.execute("SELECT id, role FROM officers WHERE chat IS NOT NULL")
    return [Standing(row[0], Role(row[1])) for row in rows]


def _take_back(connection: apsw.Connection, officer: int, since: float) -> int:
    """The officer's messages, jobs on their way and half-made menus: to be taken back, or forgotten."""
    before = connection.total_changes()
    connection.execute(_TAKE_BACK, (officer, since))
    taken = connection.total_changes() - before
    connection.execute("DELETE FROM memory WHERE key IN ('page:' || ?1, 'steps:' || ?1)", (officer,))
    return taken

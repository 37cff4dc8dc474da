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

_TAKE_BACK: Final = (
    "INSERT OR IGNORE INTO farewells SELECT m.chat, m.message, o.language, m.sent"
    " FROM messages m JOIN officers o ON o.id = m.officer WHERE o.id = ?"
)


@dataclass(frozen=True, slots=True)
class Farewell:
    """A message to be taken back from the chat of somebody who was shut out, and its officer's language."""

    chat: int
    message: int
    language: Language
    sent: float


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

    async def remove(self, officer: int) -> int:
        """Forget an officer with all that is theirs; how many messages are to be taken back.

        Raises OperationError `not_found`, or `forbidden` for the last administrator while others are
        enrolled.
        """

        def work(connection: apsw.Connection) -> int:
            _officer(connection, officer)
            keep_one(_enrolled(connection), officer, None)
            taken = _take_back(connection, officer)
            connection.execute("DELETE FROM officers WHERE id = ?", (officer,))
            return taken

        return await self._store.transact(work)

    async def shut_out(self, officer: int, *, code: str, expires: float, guarded: bool) -> int:
        """A lost phone: its chat is no officer's any more, and the officer may enrol again with `code`, with
        role and subscriptions as before; how many messages are to be taken back.

        `guarded`: raises OperationError `forbidden` for the last administrator. Raises `not_found`.
        """

        def work(connection: apsw.Connection) -> int:
            _officer(connection, officer)
            if guarded:
                keep_one(_enrolled(connection), officer, None)
            taken = _take_back(connection, officer)
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
        """Raises what `shut_out` and `remove` would: OperationError `not_found`, or `forbidden` for the last
        administrator while others are enrolled.
        """

        def work(connection: apsw.Connection) -> None:
            _officer(connection, officer)
            keep_one(_enrolled(connection), officer, None)

        await self._store.transact(work)

    async def in_chat(self, officer: int, since: float) -> tuple[int, int]:
        """How many messages would be taken back from an officer's chat: those sent since a moment (Unix
        seconds), and older ones.
        """
        rows = await self._store.query(
            "SELECT count(*) FILTER (WHERE sent > ?1), count(*) FILTER (WHERE sent <= ?1)"
            " FROM (SELECT chat, message, max(sent) AS sent FROM messages WHERE officer = ?2"
            " GROUP BY chat, message)",
            (since, officer),
        )
        return rows[0][0], rows[0][1]

    async def farewells(self, limit: int) -> Sequence[Farewell]:
        """Messages to be taken back, the newest first: they say most."""
        rows = await self._store.query(
            "SELECT chat, message, language, sent FROM farewells ORDER BY sent DESC LIMIT ?", (limit,)
        )
        return [Farewell(row[0], row[1], Language(row[2]), row[3]) for row in rows]

    async def taken_back(self, farewell: Farewell) -> None:
        """A message is gone, or cannot be reached any more."""
        async with self._store.write() as tx:
            await tx.execute(
                "DELETE FROM farewells WHERE chat = ? AND message = ?", (farewell.chat, farewell.message)
            )


def take_back_stray(connection: apsw.Connection, officer: int, chat: int, message: int, now: float) -> None:
    """Within a transaction: a message that reached a chat which is not its officer's any more goes again."""
    connection.execute(
        "INSERT OR IGNORE INTO farewells SELECT ?1, ?2, coalesce((SELECT language FROM officers"
        " WHERE id = ?3), 'en'), ?4 WHERE NOT EXISTS (SELECT 1 FROM officers WHERE id = ?3 AND chat = ?1)",
        (chat, message, officer, now),
    )


def _officer(connection: apsw.Connection, officer: int) -> Officer:
    row = connection.execute(SELECT + " WHERE id = ?", (officer,)).fetchone()
    if row is None:
        raise OperationError(Code.NOT_FOUND, "there is no such officer", "see the list of officers")
    return read_officer(tuple(row))


def _enrolled(connection: apsw.Connection) -> list[Standing]:
    rows = connection.execute("SELECT id, role FROM officers WHERE chat IS NOT NULL")
    return [Standing(row[0], Role(row[1])) for row in rows]


def _take_back(connection: apsw.Connection, officer: int) -> int:
    """The officer's messages, jobs on their way and half-made menus: to be taken back, or forgotten."""
    before = connection.total_changes()
    connection.execute(_TAKE_BACK, (officer,))
    taken = connection.total_changes() - before
    connection.execute("DELETE FROM memory WHERE key IN ('page:' || ?1, 'steps:' || ?1)", (officer,))
    return taken

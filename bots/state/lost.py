"""Phones that were shut out: when, and what comes from them since.

A chat that was shut out is remembered until somebody enrols in it, or its officer is removed: what it sends
is taken back as what it had sent before, and a day of it is one entry of the audit. Of other strangers
nothing is kept.
"""

import json
from dataclasses import dataclass
from typing import Final

import apsw

from bots.officers.audit import Act
from bots.officers.roles import Role
from bots.state import jobs
from bots.state.audit import append
from bots.state.officers import SELECT, read_officer
from bots.state.outbox import enqueue
from bots.state.staff import SHUT, take_back_stray
from subscribers.storage.store import Store

NOTED_SECONDS: Final = 86_400.0
"""Once in so long the audit has it."""
VERB: Final = "lost phone"


@dataclass(frozen=True, slots=True)
class ShutOut:
    """A phone that is shut out: when (Unix seconds), None where that is kept no longer; by which
    administrator, '' for the agency's machine; until when the code for the new phone is good, 0 for none.
    """

    at: float | None = None
    by: str = ""
    code_until: float = 0.0


class Lost:
    """What is asked about them, and what is done when they write."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def shut_out_at(self, name: str) -> float | None:
        """When a phone of the officer of that name was last shut out, in chat or by command (Unix seconds);
        None when that never was, or is kept no longer.
        """
        rows = await self._store.query(
            "SELECT max(at) FROM audit WHERE object = ? AND object != ''"
            " AND (outcome = 'shut_out' OR verb = 'officer lost')",
            (name,),
        )
        return rows[0][0] / 1000 if rows[0][0] is not None else None

    async def standing(self, officer: int, name: str, now: float) -> ShutOut | None:
        """How it stands with an officer of that name whose phone was shut out and who has not enrolled
        another since; None for all others.
        """
        out = await self._store.query(
            "SELECT (SELECT max(expires) FROM invitations WHERE officer = ?1 AND expires > ?2)"
            " FROM memory WHERE key GLOB ?3 AND data ->> '$[0]' = ?1"
            " AND EXISTS (SELECT 1 FROM officers WHERE id = ?1 AND chat IS NULL) LIMIT 1",
            (officer, now, f"{SHUT}*"),
        )
        if not out:
            return None
        last = await self._store.query(
            "SELECT at, name FROM audit WHERE object = ? AND object != ''"
            " AND (outcome = 'shut_out' OR verb = 'officer lost') ORDER BY number DESC LIMIT 1",
            (name,),
        )
        at, by = (last[0][0] / 1000, last[0][1]) if last else (None, "")
        return ShutOut(at, by, out[0][0] or 0.0)

    async def wrote(self, chat: int, message: int | None, door: str, now: float) -> bool:
        """Something came from a chat that is no officer's: a `message`, or the press of a button. Whether the
        chat is one that was shut out: then the message is to be taken back, the audit has it once a day, and
        administrators are told once.
        """

        def work(connection: apsw.Connection) -> bool:
            row = connection.execute(
                "SELECT data ->> '$[0]', data ->> '$[1]' FROM memory WHERE key = ?", (f"{SHUT}{chat}",)
            ).fetchone()
            if row is None:
                return False
            of, noted = int(row[0]), float(row[1])
            if message is not None:
                take_back_stray(connection, of, chat, message, now, theirs=True)
            if now - noted >= NOTED_SECONDS:
                self._note(connection, chat, of, door, now, first=not noted)
            return True

        return await self._store.transact(work)

    async def answered(self, chat: int, message: int, now: float) -> None:
        """What a chat that was shut out was answered goes again."""

        def work(connection: apsw.Connection) -> None:
            row = connection.execute(
                "SELECT data ->> '$[0]' FROM memory WHERE key = ?", (f"{SHUT}{chat}",)
            ).fetchone()
            if row is not None:
                take_back_stray(connection, int(row[0]), chat, message, now)

        await self._store.transact(work)

    async def end(self, chat: int) -> None:
        """Somebody enrolled there."""
        async with self._store.write() as tx:
            await tx.execute("DELETE FROM memory WHERE key = ?", (f"{SHUT}{chat}",))

    @staticmethod
    def _note(connection: apsw.Connection, chat: int, of: int, door: str, now: float, *, first: bool) -> None:
        connection.execute(
            "UPDATE memory SET data = ? WHERE key = ?", (json.dumps([of, now]), f"{SHUT}{chat}")
        )
        everybody = [read_officer(tuple(row)) for row in connection.execute(SELECT)]
        name = next((each.name for each in everybody if each.id == of), "")
        # By name alone: the officer was not here, and is not last seen now.
        append(connection, [(int(now * 1000), Act(None, name, door, VERB, "", "refused"))])
        if first:
            able = [each for each in everybody if each.role is Role.ADMINISTRATOR and each.chat is not None]
            enqueue(connection, [jobs.still_writes(each.id, chat, of, name, now) for each in able], now)

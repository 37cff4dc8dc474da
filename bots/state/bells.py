"""Bulletins that ring until they are acknowledged: which do, who was called, by which messages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import apsw

from bots.duty.ringing import Bell, Called
from bots.state import jobs
from bots.state.jobs import Job
from bots.state.outbox import enqueue, shown_of
from subscribers.storage.store import Row, Store


@dataclass(frozen=True, slots=True)
class Answered:
    """A bell's end: who acknowledged (None: the agency, elsewhere than in this chat), and when."""

    officer: int | None
    at: float


def ring(connection: apsw.Connection, record: str, now: float) -> None:
    """Within a transaction: a bulletin begins to ring, once."""
    connection.execute(
        "INSERT INTO bells (record, began) VALUES (?, ?) ON CONFLICT DO NOTHING", (record, now)
    )


def answered(connection: apsw.Connection, record: str, officer: int | None, now: float) -> None:
    """Within a transaction: the agency's own acknowledgement came by the feed, by an officer or None."""
    if officer is not None:
        connection.execute(
            "INSERT INTO acknowledged SELECT ?, id, ? FROM officers WHERE id = ? ON CONFLICT DO NOTHING",
            (record, now, officer),
        )
    else:
        connection.execute("UPDATE bells SET elsewhere = ? WHERE record = ?", (now, record))


class Bells:
    """The bells' tables."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def open(self) -> list[Bell]:
        """What rings, oldest first."""
        sql = "SELECT record, began, told FROM bells WHERE ended IS NULL ORDER BY began, record"
        found = []
        for record, began, told in await self._store.query(sql):
            called = await self._store.query(
                "SELECT officer, calls, last FROM called WHERE record = ? ORDER BY rowid", (record,)
            )
            found.append(Bell(record, began, tuple(Called(*row) for row in called), bool(told)))
        return found

    async def rings(self, record: str) -> bool:
        """Whether a bulletin rings now."""
        return bool(
            await self._store.query("SELECT 1 FROM bells WHERE record = ? AND ended IS NULL", (record,))
        )

    async def called(self, record: str) -> bool:
        """Whether anybody was called to a bulletin."""
        return bool(await self._store.query("SELECT 1 FROM called WHERE record = ? LIMIT 1", (record,)))

    async def known(self, record: str) -> bool:
        """Whether a bulletin rings, or has rung."""
        return bool(await self._store.query("SELECT 1 FROM bells WHERE record = ?", (record,)))

    async def answer(self, record: str, members: Iterable[int]) -> Answered | None:
        """The first acknowledgement of a bulletin by one of `members`, or by the agency elsewhere."""
        rows = await self._store.query(
            "SELECT officer, at FROM acknowledged WHERE record = ?1"
            " UNION ALL SELECT NULL, elsewhere FROM bells WHERE record = ?1 AND elsewhere IS NOT NULL"
            " ORDER BY 2",
            (record,),
        )
        may = set(members)
        return next((Answered(*row) for row in rows if row[0] is None or row[0] in may), None)

    async def answered(self, record: str) -> Answered | None:
        """Who ended a bell; None while it rings, and where it ended otherwise."""
        rows = await self._store.query("SELECT answerer, answered FROM bells WHERE record = ?", (record,))
        return Answered(*rows[0]) if rows and rows[0][1] is not None else None

    async def end(self, bell: Bell, answer: Answered | None, now: float) -> int:
        """Silence: the messages say who acknowledged, or, without an answer, the calls are taken away. How
        many jobs that makes.
        """

        def work(connection: apsw.Connection) -> int:
            at, officer = (answer.at, answer.officer) if answer else (None, None)
            connection.execute(
                "UPDATE bells SET ended = ?, answered = ?,"
                " answerer = (SELECT id FROM officers WHERE id = ?) WHERE record = ?",
                (now, at, officer, bell.record),
            )
            calls = _calls(connection, bell.record)
            if answer is None:
                return enqueue(connection, [jobs.delete(*each) for each in calls], now)
            asked = {each.officer for each in bell.called}
            shown = [each for each in shown_of(connection, bell.record) if not each.part]
            told = [*((each.id, each.officer) for each in shown if each.officer in asked), *calls]
            cause = f"{bell.record}:answered"
            edits = [jobs.edit(row, whose, bell.record, cause, fate="answered") for row, whose in told]
            return enqueue(connection, edits, now)

        async with self._store.write() as tx:
            return await tx.run(work)

    async def call(
        self, bell: Bell, calls: Sequence[tuple[int, int]], more: Iterable[Job], now: float
    ) -> int:
        """Officers were called for the n-th time: commit that together with the jobs, and hurry an alert that
        waits for the end of quiet hours. How many jobs were new.
        """

        def work(connection: apsw.Connection) -> int:
            connection.executemany(
                "INSERT INTO called SELECT ?, id, ?, ? FROM officers WHERE id = ?"
                " ON CONFLICT (record, officer) DO UPDATE SET calls = excluded.calls, last = excluded.last",
                [(bell.record, number, now, officer) for officer, number in calls],
            )
            connection.executemany(
                f"UPDATE jobs SET priority = 0, not_before = {jobs.HURRIED}"  # noqa: S608 - a constant
                " WHERE record = ? AND officer = ? AND verb = 'alert' AND state = 'queued'",
                [(bell.record, officer) for officer, _ in calls],
            )
            return enqueue(connection, more, now)

        async with self._store.write() as tx:
            return await tx.run(work)

    async def tell(self, bell: Bell, jobs: Iterable[Job], now: float) -> int:
        """Administrators are told, once, that everybody was called in vain. How many jobs were new."""

        def work(connection: apsw.Connection) -> int:
            connection.execute("UPDATE bells SET told = 1 WHERE record = ?", (bell.record,))
            return enqueue(connection, jobs, now)

        async with self._store.write() as tx:
            return await tx.run(work)

    async def tidy(self, before: float) -> None:
        """Forget what fell silent before a moment."""
        async with self._store.write() as tx:
            await tx.execute("DELETE FROM bells WHERE ended < ?", (before,))


def _calls(connection: apsw.Connection, record: str) -> list[tuple[int, int]]:
    sql = "SELECT m.id, m.officer FROM calls c JOIN messages m ON m.id = c.message WHERE c.record = ?"
    rows: list[Row] = connection.execute(sql, (record,)).fetchall()
    return [(row, officer) for row, officer in rows]

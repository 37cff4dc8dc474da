"""Duty rosters: shifts, and who has taken over. The agency's own is number 0, an event's has its number."""

from collections.abc import Iterable
from datetime import date
from typing import Final

import apsw

from bots.duty.roster import Shift, Takeover
from bots.state.jobs import Job
from bots.state.outbox import enqueue
from schemas.errors import Code, OperationError
from subscribers.storage.store import Row, Store

AGENCY: Final = 0
"""The agency's own roster."""
SHIFTS_MAX: Final = 200


class Rosters:
    """The rosters' tables."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def shifts(self, roster: int) -> list[Shift]:
        """A roster's shifts, oldest first."""
        sql = "SELECT id, officer, days, day, start, ends FROM shifts WHERE roster = ? ORDER BY id"
        return [_shift(row) for row in await self._store.query(sql, (roster,))]

    async def numbers(self) -> list[int]:
        """The rosters that have shifts."""
        return [row[0] for row in await self._store.query("SELECT DISTINCT roster FROM shifts ORDER BY 1")]

    async def add(self, roster: int, shift: Shift) -> None:
        """Put a shift on a roster; its number is chosen here. Raises OperationError `too_large` beyond
        `SHIFTS_MAX`.
        """

        def work(connection: apsw.Connection) -> None:
            held = connection.execute("SELECT count(*) FROM shifts WHERE roster = ?", (roster,)).fetchone()
            if held is not None and held[0] >= SHIFTS_MAX:
                raise OperationError(Code.TOO_LARGE, "too many shifts", "remove some first")
            connection.execute(
                "INSERT INTO shifts (roster, officer, days, day, start, ends)"
                " SELECT ?, id, ?, ?, ?, ? FROM officers WHERE id = ?",
                (
                    roster,
                    "".join(map(str, sorted(shift.days))),
                    shift.day.isoformat() if shift.day else None,
                    shift.start,
                    shift.end,
                    shift.officer,
                ),
            )

        async with self._store.write() as tx:
            await tx.run(work)

    async def remove(self, roster: int, shift: int) -> None:
        """Take a shift off a roster; one that is not there is no failure."""
        async with self._store.write() as tx:
            await tx.execute("DELETE FROM shifts WHERE roster = ? AND id = ?", (roster, shift))

    async def drop(self, roster: int) -> None:
        """Forget a roster."""
        async with self._store.write() as tx:
            await tx.execute("DELETE FROM shifts WHERE roster = ?", (roster,))
            await tx.execute("DELETE FROM takeovers WHERE roster = ?", (roster,))

    async def takeover(self, roster: int) -> Takeover | None:
        """Who has taken over last, over or not."""
        rows = await self._store.query("SELECT officer, until FROM takeovers WHERE roster = ?", (roster,))
        return Takeover(*rows[0]) if rows else None

    async def took_over(self, officer: int, now: float) -> bool:
        """Whether an officer has the duty of any roster by taking over."""
        sql = "SELECT 1 FROM takeovers WHERE officer = ? AND until > ?"
        return bool(await self._store.query(sql, (officer, now)))

    async def take_over(
        self, roster: int, takeover: Takeover, told: Iterable[Job] = (), now: float = 0.0
    ) -> bool:
        """An officer has the duty until the given moment, in the place of everybody before; what is to be
        told of it is queued with that. Whether it is so: for a roster that is not there, it is not.
        """

        def work(connection: apsw.Connection) -> bool:
            connection.execute(
                "INSERT INTO takeovers SELECT ?, id, ? FROM officers WHERE id = ?"
                " AND (?1 = 0 OR EXISTS (SELECT 1 FROM cells WHERE id = ?1 AND closed IS NULL))"
                " ON CONFLICT (roster) DO UPDATE SET officer = excluded.officer, until = excluded.until",
                (roster, takeover.until, takeover.officer),
            )
            return _queued(connection, told, now)

        async with self._store.write() as tx:
            return await tx.run(work)

    async def hand_back(
        self, roster: int, held: Takeover, told: Iterable[Job] = (), now: float = 0.0
    ) -> bool:
        """The roster is as written again, unless somebody else has taken over meanwhile; what is to be told
        of it is queued with that. Whether it is so.
        """

        def work(connection: apsw.Connection) -> bool:
            connection.execute(
                "DELETE FROM takeovers WHERE roster = ? AND officer = ? AND until = ?",
                (roster, held.officer, held.until),
            )
            return _queued(connection, told, now)

        async with self._store.write() as tx:
            return await tx.run(work)


def _queued(connection: apsw.Connection, told: Iterable[Job], now: float) -> bool:
    """Queue what is told of the change just made, if there was one."""
    if not connection.changes():
        return False
    enqueue(connection, told, now)
    return True


def _shift(row: Row) -> Shift:
    key, officer, days, day, start, end = row
    on = date.fromisoformat(day) if day else None
    return Shift(key, officer, start, end, frozenset(map(int, days)), on)

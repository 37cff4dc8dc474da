"""Event cells, and who follows them. A cell's number is its roster's too."""

import json
from collections.abc import Iterable
from datetime import date
from typing import Any, Final

import apsw

from bots.cells.cells import Cell
from bots.state.jobs import Job
from bots.state.outbox import enqueue
from schemas.errors import Code, OperationError
from schemas.vocabulary import Severity
from subscribers.storage.store import Row, Store

CELLS_MAX: Final = 100
_SELECT: Final = (
    "SELECT id, slug, name, venues, first, last, community, least, report, covered, closed, bundle FROM cells"
)


class Cells:
    """The cells' tables."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def all(self) -> list[Cell]:
        """Open ones first, then the newest."""
        return [
            _cell(row) for row in await self._store.query(_SELECT + " ORDER BY closed IS NOT NULL, id DESC")
        ]

    async def open(self) -> list[Cell]:
        """Those that are not closed, oldest first."""
        return [_cell(row) for row in await self._store.query(_SELECT + " WHERE closed IS NULL ORDER BY id")]

    async def get(self, number: int) -> Cell | None:
        """By its number."""
        rows = await self._store.query(_SELECT + " WHERE id = ?", (number,))
        return _cell(rows[0]) if rows else None

    async def named(self, text: str) -> Cell | None:
        """By its slug or its name, the newest."""
        return next(
            (each for each in await self.all() if text.casefold() in {each.slug, each.name.casefold()}), None
        )

    async def begin(self, slug: str, name: str, now: float) -> None:
        """A new cell. Raises OperationError `already_known` for a slug that was used, `too_large` for one too
        many.
        """

        def work(connection: apsw.Connection) -> None:
            rows = connection.execute("SELECT slug, closed FROM cells").fetchall()
            if slug in {row[0] for row in rows}:
                raise OperationError(Code.ALREADY_KNOWN, "that event is known", "choose another short name")
            if sum(row[1] is None for row in rows) >= CELLS_MAX:
                raise OperationError(Code.TOO_LARGE, "too many events", "close one first")
            sql = "INSERT INTO cells (slug, name, covered) VALUES (?, ?, ?)"
            connection.execute(sql, (slug, name, now))

        async with self._store.write() as tx:
            await tx.run(work)

    async def change(self, cell: Cell) -> None:
        """Keep what an administrator changed."""
        async with self._store.write() as tx:
            await tx.execute(
                "UPDATE cells SET venues = ?, first = ?, last = ?, community = ?, least = ?, report = ?,"
                " covered = ? WHERE id = ?",
                (
                    json.dumps(cell.venues),
                    cell.first.isoformat() if cell.first else None,
                    cell.last.isoformat() if cell.last else None,
                    cell.community,
                    cell.least.value,
                    cell.report,
                    cell.covered,
                    cell.id,
                ),
            )

    async def tell(self, cell: Cell, reports: Iterable[Job], until: float, now: float) -> int:
        """Situation reports up to a moment, from which the next one begins. How many were new."""

        def work(connection: apsw.Connection) -> int:
            connection.execute("UPDATE cells SET covered = max(covered, ?) WHERE id = ?", (until, cell.id))
            return enqueue(connection, reports, now)

        async with self._store.write() as tx:
            return await tx.run(work)

    async def close(self, cell: Cell, bundle: str, told: Iterable[Job], now: float) -> None:
        """It is over: its bundle stands under this name, and these are told."""

        def work(connection: apsw.Connection) -> None:
            sql = "UPDATE cells SET closed = ?, bundle = ? WHERE id = ? AND closed IS NULL"
            connection.execute(sql, (now, bundle, cell.id))
            connection.execute("DELETE FROM takeovers WHERE roster = ?", (cell.id,))
            connection.execute("DELETE FROM shifts WHERE roster = ?", (cell.id,))
            enqueue(connection, told, now)

        async with self._store.write() as tx:
            await tx.run(work)

    async def follow(self, cell: int, officer: int, *, on: bool) -> None:
        """Whether an officer has the situation reports."""
        async with self._store.write() as tx:
            if on:
                await tx.execute(
                    "INSERT INTO followers SELECT c.id, o.id FROM cells c, officers o"
                    " WHERE c.id = ? AND o.id = ? ON CONFLICT DO NOTHING",
                    (cell, officer),
                )
            else:
                await tx.execute("DELETE FROM followers WHERE cell = ? AND officer = ?", (cell, officer))

    async def readers(self, cell: int) -> set[int]:
        """Who has the situation reports: followers, and everybody on the event's roster."""
        rows = await self._store.query(
            "SELECT officer FROM followers WHERE cell = ?1"
            " UNION SELECT officer FROM shifts WHERE roster = ?1",
            (cell,),
        )
        return {row[0] for row in rows}

    async def follows(self, cell: int, officer: int) -> bool:
        """Whether an officer asked for the situation reports."""
        sql = "SELECT 1 FROM followers WHERE cell = ? AND officer = ?"
        return bool(await self._store.query(sql, (cell, officer)))


def _cell(row: Row) -> Cell:
    key, slug, name, venues, first, last, community, least, report, covered, closed, bundle = row
    named: list[Any] = json.loads(venues)
    return Cell(
        key, slug, name, tuple(map(str, named)), _day(first), _day(last), community, Severity(least), report,
        covered, closed, bundle,
    )  # fmt: skip


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None

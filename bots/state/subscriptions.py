"""The officers' saved searches, as the database keeps them."""

import json
from collections.abc import Iterable
from typing import Final

import apsw

from bots.searches.watching import Mode, Search, Subscription
from bots.state.jobs import HURRIED
from bots.times import Quiet
from schemas.errors import Code, OperationError
from subscribers.records import Filters
from subscribers.storage.store import Row, Store, Tx

SUBSCRIPTIONS_MAX: Final = 50
_COLUMNS: Final = "id, officer, filters, paused, name, words, mode, snoozed, quiet_start, quiet_end"


class Subscriptions:
    """The table of subscriptions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def subscribe(self, officer: int, wanted: Search | Filters) -> Subscription:
        """Keep a saved search, or restrictions that alert. Raises OperationError `too_large` beyond
        `SUBSCRIPTIONS_MAX`.
        """
        search = wanted if isinstance(wanted, Search) else Search(filters=wanted)

        def work(connection: apsw.Connection) -> int:
            count = "SELECT count(*) FROM subscriptions WHERE officer = ?"
            held: list[Row] = connection.execute(count, (officer,)).fetchall()
            if held[0][0] >= SUBSCRIPTIONS_MAX:
                raise OperationError(Code.TOO_LARGE, "too many subscriptions", "delete one first")
            rows: list[Row] = connection.execute(
                "INSERT INTO subscriptions (officer, filters, name, words, mode, quiet_start, quiet_end)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (officer, *_values(search)),
            ).fetchall()
            return int(rows[0][0])

        async with self._store.write() as tx:
            return Subscription(await tx.run(work), officer, search)

    async def change(self, officer: int, subscription: int, search: Search) -> Subscription | None:
        """Put a search in the place of one of an officer's; snooze and pause stay. None when it is gone."""
        what = "filters = ?, name = ?, words = ?, mode = ?, quiet_start = ?, quiet_end = ?"
        where = f"WHERE id = ? AND officer = ? RETURNING {_COLUMNS}"
        sql = f"UPDATE subscriptions SET {what} {where}"  # noqa: S608 - fixed pieces

        def work(connection: apsw.Connection) -> list[Row]:
            rows: list[Row] = connection.execute(sql, (*_values(search), subscription, officer)).fetchall()
            return rows

        async with self._store.write() as tx:
            rows = await tx.run(work)
            await look_again(tx, officer)
        return _read(rows[0]) if rows else None

    async def subscriptions(self, officer: int | None = None) -> list[Subscription]:
        """One officer's subscriptions, or everybody's, oldest first."""
        where = "WHERE officer = coalesce(?, officer) ORDER BY id"
        rows = await self._store.query(f"SELECT {_COLUMNS} FROM subscriptions {where}", (officer,))  # noqa: S608 - fixed pieces
        return [_read(row) for row in rows]

    async def subscriptions_by_id(self, ids: Iterable[int]) -> dict[int, Subscription]:
        """Those of these that there are still."""
        where = "WHERE id IN (SELECT value FROM json_each(?))"
        sql = f"SELECT {_COLUMNS} FROM subscriptions {where}"  # noqa: S608 - fixed pieces
        rows = await self._store.query(sql, (json.dumps(list(ids)),))
        return {row[0]: _read(row) for row in rows}

    async def pause(self, officer: int, subscription: int, *, paused: bool) -> None:
        """Pause or resume one of an officer's subscriptions."""
        await self._change("paused = ?", (int(paused),), officer, subscription)

    async def set_mode(self, officer: int, subscription: int, mode: Mode) -> None:
        """How loud one is from now on."""
        await self._change("mode = ?", (mode.value,), officer, subscription)

    async def snooze(self, officer: int, subscription: int, until: float) -> None:
        """Put one off until a time (Unix seconds), or no longer (0)."""
        await self._change("snoozed = ?", (until,), officer, subscription)

    async def set_hours(self, officer: int, subscription: int, quiet: Quiet | None) -> None:
        """Quiet hours of its own, or again the officer's (None)."""
        await self._change("quiet_start = ?, quiet_end = ?", _ends(quiet), officer, subscription)

    async def unsubscribe(self, officer: int, subscription: int) -> None:
        """Delete one of an officer's subscriptions."""
        async with self._store.write() as tx:
            await tx.execute(
                "DELETE FROM subscriptions WHERE id = ? AND officer = ?", (subscription, officer)
            )

    async def _change(
        self, what: str, values: tuple[str | int | float | None, ...], officer: int, subscription: int
    ) -> None:
        sql = f"UPDATE subscriptions SET {what} WHERE id = ? AND officer = ?"  # noqa: S608 - fixed pieces
        async with self._store.write() as tx:
            await tx.execute(sql, (*values, subscription, officer))
            await look_again(tx, officer)


async def look_again(tx: Tx, officer: int) -> None:
    """Within a transaction: alerts that were put off are looked at again."""
    sql = f"UPDATE jobs SET not_before = {HURRIED} WHERE officer = ? AND state = 'queued'"  # noqa: S608 - a constant
    await tx.execute(sql, (officer,))


def _values(search: Search) -> tuple[str | int | None, ...]:
    filters = search.filters.model_dump_json()
    return filters, search.name, search.words, search.mode.value, *_ends(search.quiet)


def _ends(quiet: Quiet | None) -> tuple[int | None, int | None]:
    return (quiet.start, quiet.end) if quiet else (None, None)


def _read(row: Row) -> Subscription:
    key, officer, filters, paused, name, words, mode, snoozed, start, end = row
    search = Search(
        name=name,
        words=words,
        filters=Filters.model_validate_json(filters),
        mode=Mode(mode),
        quiet=None if start is None else Quiet(start, end),
    )
    return Subscription(key, officer, search, bool(paused), snoozed)

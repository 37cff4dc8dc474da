"""The audit's table: only ever added to. What is asked to be written at once goes to the disk together."""

import asyncio
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

import apsw

from bots.officers.audit import MACHINE, OUTBOX, ROOM, ROOM_SIGHTS, Act, Entry, broken_at, link
from bots.showing.release import Sight
from schemas.errors import Code, OperationError
from subscribers.storage.store import Row, Store

CHUNK: Final = 1_000
_SELECT: Final = "SELECT number, at, officer, name, door, verb, object, outcome, digest FROM audit"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: of one officer (by the name of that day too), about one object, from a moment on (Unix
    seconds).
    """

    officer: str = ""
    about: str = ""
    since: float = 0.0


EVERYTHING: Final = Wanted()


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What was shown so far, when first and last (Unix seconds), and whether in the reading room."""

    ref: str
    sight: Sight
    first: float
    last: float
    room: bool = False


@dataclass(slots=True)
class _Batch:
    acts: list[tuple[int, Act]] = field(default_factory=list)
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Audit:
    """Adds, reads, checks and prunes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._next: _Batch | None = None
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def write(self, acts: Iterable[Act], now: float) -> None:
        """Return when these acts are on the disk."""
        found = [(int(now * 1000), act) for act in acts]
        if not found:
            return
        if self._next is None:
            self._next = _Batch()
            task = asyncio.create_task(self._flush(self._next))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        batch = self._next
        batch.acts += found
        await asyncio.shield(batch.done)

    async def page(self, wanted: Wanted, limit: int, before: int | None = None) -> list[Entry]:
        """The newest entries with numbers below `before`, newest first."""
        where, values = _where(wanted)
        if before is not None:
            where, values = [*where, "number < ?"], [*values, before]
        text = f" WHERE {' AND '.join(where)}" if where else ""
        rows = await self._store.query(_SELECT + text + " ORDER BY number DESC LIMIT ?", (*values, limit))
        return [_entry(row) for row in rows]

    async def all(self, wanted: Wanted = EVERYTHING, after: int = 0) -> list[Entry]:
        """Up to `CHUNK` entries with numbers above `after`, oldest first: for reading through."""
        where, values = _where(wanted)
        text = " AND ".join([*where, "number > ?"])
        sql = f"{_SELECT} WHERE {text} ORDER BY number LIMIT {CHUNK}"
        return [_entry(row) for row in await self._store.query(sql, (*values, after))]

    async def base(self) -> tuple[int, bytes]:
        """Number and digest of the last entry that was let go; zeros when none was."""
        row = (await self._store.query("SELECT number, digest FROM audit_base"))[0]
        return row[0], row[1]

    async def head(self) -> tuple[int, bytes]:
        """Number and digest of the newest entry."""
        rows = await self._store.query("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1")
        return (rows[0][0], rows[0][1]) if rows else await self.base()

    async def verify(self) -> int | None:
        """The first number that does not follow from the one before; None when the chain is whole."""
        number, digest = await self.base()
        while chunk := await self.all(after=number):
            if (broken := broken_at(chunk, number, digest)) is not None:
                return broken
            number, digest = chunk[-1].number, chunk[-1].digest
        return None

    async def prune(self, until: float) -> int:
        """Let go of entries older than `until` (Unix seconds); the chain goes on from the last of them. How
        many went.
        """

        def work(connection: apsw.Connection) -> int:
            last = connection.execute(
                "SELECT number, digest FROM audit WHERE at < ? ORDER BY number DESC LIMIT 1", (until * 1000,)
            ).fetchone()
            if last is None:
                return 0
            connection.execute("UPDATE audit_base SET number = ?, digest = ?", last)
            return len(
                connection.execute("DELETE FROM audit WHERE number <= ? RETURNING 1", last[:1]).fetchall()
            )

        return await self._store.transact(work)

    async def shown(self, wanted: Wanted) -> list[Glimpse]:
        """Each object of these entries that was shown, how far and by which door."""
        where, values = _where(wanted)
        among = " AND ".join([*where, "object != ''"])
        told = "(SELECT value FROM json_each(?) WHERE key = verb AND door = ?)"
        columns = f"object, coalesce({told}, outcome) AS sight, door = ? AS room, min(at), max(at)"
        sql = f"SELECT {columns} FROM audit WHERE {among} GROUP BY object, sight, room"  # noqa: S608 - fixed pieces
        rows = await self._store.query(sql, (json.dumps(ROOM_SIGHTS), ROOM, ROOM, *values))
        return [
            Glimpse(ref, Sight(how), first / 1000, last / 1000, room=bool(room))
            for ref, how, room, first, last in rows
            if how in set(Sight)
        ]

    async def called(self, name: str) -> str:
        """A name as the audit has it, also of somebody who was removed; '' when it knows nobody of that
        name.
        """
        rows = await self._store.query(
            "SELECT name FROM audit WHERE name = ? COLLATE NOCASE ORDER BY number DESC LIMIT 1", (name,)
        )
        return rows[0][0] if rows else ""

    async def name_of(self, officer: int) -> str:
        """The last name of an officer, also of one who was removed; '' when nothing of them is kept."""
        rows = await self._store.query(
            "SELECT name FROM audit WHERE officer = ? ORDER BY number DESC LIMIT 1", (officer,)
        )
        return rows[0][0] if rows else ""

    async def number_of(self, name: str) -> int:
        """The number of the officer who last had a name, also of one who was removed; 0 for nobody's."""
        rows = await self._store.query(
            "SELECT officer FROM audit WHERE name = ? COLLATE NOCASE AND officer IS NOT NULL"
            " ORDER BY number DESC LIMIT 1",
            (name,),
        )
        return int(rows[0][0]) if rows else 0

    async def enrolled(self, officer: int) -> float | None:
        """When an officer last enrolled a phone (Unix seconds); None when that is kept no longer."""
        rows = await self._store.query(
            "SELECT max(at) FROM audit WHERE officer = ? AND outcome = 'enrolled'", (officer,)
        )
        return rows[0][0] / 1000 if rows[0][0] is not None else None

    async def last_seen(self) -> dict[int, float]:
        """When each officer last asked something (Unix seconds)."""
        rows = await self._store.query(
            "SELECT officer, max(at) FROM audit WHERE officer IS NOT NULL AND door NOT IN (?, ?)"
            " GROUP BY officer",
            (OUTBOX, MACHINE),
        )
        return {row[0]: row[1] / 1000 for row in rows}

    async def _flush(self, batch: _Batch) -> None:
        """In a task of its own: whoever asks may be cancelled, and others wait for the same batch."""
        async with self._turn:  # while it was taken, others joined
            self._next = None
            try:
                await self._store.transact(lambda connection: append(connection, batch.acts))
            except Exception as error:  # noqa: BLE001 - handed to all who wait
                batch.done.set_exception(error)
                batch.done.exception()  # nobody may be left to hear of it
            else:
                batch.done.set_result(None)


def append(connection: apsw.Connection, acts: Iterable[tuple[int, Act]]) -> None:
    """Within a transaction: add acts, each with its moment (Unix milliseconds), in their order."""
    row = connection.execute("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1").fetchone()
    row = row or connection.execute("SELECT number, digest FROM audit_base").fetchone()
    if row is None:
        raise OperationError(Code.STORE_CORRUPT, "the audit has no beginning", "restore it from a backup")
    number, digest = int(row[0]), bytes(row[1])
    rows: list[tuple[int, int, int | None, str, str, str, str, str, bytes]] = []
    for at, act in acts:
        number += 1
        digest = link(digest, number, at, act)
        rows.append((number, at, act.officer, act.name, act.door, act.verb, act.object, act.outcome, digest))
    connection.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def saw(connection: apsw.Connection, refs: Collection[str]) -> set[int]:
    """Within a transaction: the enrolled officers who were shown the text or the title of one of these
    bulletins, as a title may hold a name too, by whatever way and door.
    """
    rows = connection.execute(
        "SELECT DISTINCT officer FROM audit WHERE object IN (SELECT value FROM json_each(?))"
        " AND object != '' AND (outcome IN (?, ?) OR door = ?) AND officer IN (SELECT id FROM officers)",
        (json.dumps(list(refs)), Sight.FULL.value, Sight.TITLE.value, ROOM),
    )
    return {int(row[0]) for row in rows}


def _where(wanted: Wanted) -> tuple[list[str], list[str | int | float]]:
    where: list[str] = []
    values: list[str | int | float] = []
    if wanted.officer:
        where.append("(name = ? COLLATE NOCASE OR officer = (SELECT id FROM officers WHERE name = ?))")
        values += [wanted.officer, wanted.officer]
    if wanted.about:
        where.append("object = ?")
        values.append(wanted.about)
    if wanted.since:
        where.append("at >= ?")
        values.append(int(wanted.since * 1000))
    return where, values


def _entry(row: Row) -> Entry:
    number, at, *act, digest = row
    return Entry(number, at, Act(*act), digest)

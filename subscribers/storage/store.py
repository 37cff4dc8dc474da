"""One encrypted SQLite file: one writer, a few readers, ordered migrations, and errors that say what to do.

Every connection has a thread of its own, so the event loop never waits for a commit. Writes take turns:
whoever holds `Store.write()` puts as many statements as it likes, from as many modules as it likes, into one
transaction and pays for one fsync. Readers see the last committed state (WAL) and never wait for the writer.
"""

import asyncio
import contextlib
import functools
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any, Final, Self, SupportsBytes, TypeVar

import apsw

from schemas.errors import Code, OperationError
from subscribers.storage.lane import MEND, Lane, begin_at_once, commit, is_whole, roll_back

KEY_SIZE: Final = 32
READ_DEADLINE: Final = 10.0
"""Seconds after which a query is stopped."""

_STEPS: Final = 5_000

T = TypeVar("T")
Value = str | bytes | int | float | None
Bindings = Sequence[Value] | Mapping[str, Value]
Row = tuple[Any, ...]


class Tx:
    """A write transaction that is open. Made by `Store.write()`; of no use after its block."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._open = True
        self._failure: OperationError | None = None

    async def execute(self, sql: str, bindings: Bindings = ()) -> list[Row]:
        """All rows of one statement."""
        return await self.run(lambda connection: connection.execute(sql, bindings).fetchall())

    async def executemany(self, sql: str, rows: Iterable[Bindings]) -> None:
        """One statement for each of `rows`."""
        await self.run(lambda connection: connection.executemany(sql, rows).fetchall())

    async def run(self, work: Callable[[apsw.Connection], T]) -> T:
        """`work(connection)` in the writer's thread: many statements at the price of one hop.

        `work` must neither commit nor roll back. Raises OperationError `disk_full` or `store_corrupt`, after
        which the transaction is over: SQLite may have rolled it back already, so nothing more is let into it.
        """
        if self._failure is not None:
            raise self._failure
        if not self._open:
            raise OperationError(Code.INTERNAL, "this transaction has ended")

        def guarded(connection: apsw.Connection) -> T:
            if not connection.in_transaction:
                raise OperationError(Code.INTERNAL, "the transaction was ended from within")
            return work(connection)

        try:
            return await self._lane.run(guarded)
        except OperationError as error:
            if isinstance(error.__cause__, apsw.Error):
                self._failure = error
            raise

    async def _finish(self) -> None:
        await self.run(lambda connection: connection.execute("COMMIT").fetchall())
        self._open = False

    async def _abandon(self) -> None:
        self._open = False
        await self._lane.run(roll_back)


class Store:
    """An encrypted database file. Made by `await Store.open(...)`; closed by `close()` or `async with`."""

    def __init__(self, writer: Lane, readers: Sequence[Lane]) -> None:
        self._writer = writer
        self._readers = readers
        self._free: asyncio.LifoQueue[Lane] = asyncio.LifoQueue()
        for reader in readers:
            self._free.put_nowait(reader)
        self._turn = asyncio.Lock()

    @classmethod
    async def open(
        cls, path: Path, key: SupportsBytes, migrations: Sequence[str], *, readers: int = 2
    ) -> "Store":
        """The store at `path`, made (mode 0600) if there is none, brought up to `migrations`.

        `key` is 32 bytes, or something that `bytes()` turns into them. `migrations` are SQL scripts in the
        order in which they came to be; how many were applied stands in `PRAGMA user_version`. Raises
        OperationError `wrong_key`, `store_corrupt`, `bad_version` (the file is newer than the code, or has
        another past), `disk_full`, `already_running`, `bad_settings`.
        """
        raw = bytes(key)
        if len(raw) != KEY_SIZE:
            raise OperationError(
                Code.WRONG_KEY, f"the database key must have {KEY_SIZE} bytes", "give the stored key"
            )
        _make_private(path)
        lanes = [Lane(f"store-{role}") for role in ("writer", *("reader",) * readers)]
        try:
            await lanes[0].open(path, raw)
            await lanes[0].run(functools.partial(migrate, migrations=migrations))
            for reader in lanes[1:]:
                await reader.open(path, raw)
                await reader.run(lambda connection: connection.execute("PRAGMA query_only = on").fetchall())
        except BaseException:
            for lane in reversed(lanes):
                await lane.close()
            raise
        return cls(lanes[0], lanes[1:])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Waits for running work, then closes every connection; the last one folds the WAL into the file."""
        async with contextlib.AsyncExitStack() as stack:
            for lane in (
                self._writer,
                *self._readers,
            ):  # closed in reverse, each one whatever the others raise
                stack.push_async_callback(lane.close)

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """The write transaction: committed (and on disk) when the block ends, rolled back when it raises.

        One at a time, in the order asked; not to be nested. Cancelled while it commits, it may or may not be
        on disk.
        """
        async with self._turn:
            tx = Tx(self._writer)
            try:
                await self._writer.run(lambda connection: connection.execute("BEGIN IMMEDIATE").fetchall())
                yield tx
                await tx._finish()  # noqa: SLF001 - Tx is this module's; only its end is not for callers
            except BaseException:
                await _to_the_end(tx._abandon())  # noqa: SLF001 - the same
                raise

    async def transact(self, work: Callable[[apsw.Connection], T], *, brief: bool = False) -> T:
        """`work(connection)` as a whole write transaction at the price of one hop to the writer's thread.

        Committed (and on disk) when this returns, rolled back when `work` raises. `work` must neither commit
        nor roll back. Cancelled, it may or may not be on disk: see `unbroken`. Raises as `Tx.run` does.

        `brief` work is done in the caller's thread, and only the disk is waited for in the other: there each
        statement gives up the interpreter, and has to queue for it again behind the event loop, which takes
        longer than the statement (docs/decisions/0056).
        """

        def whole(connection: apsw.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            result = work(connection)
            commit(connection)
            return result

        async with self._alone():
            if not (brief and self._writer.here(begin_at_once)):
                return await self._writer.run(whole)
            result = self._writer.here(work)
            await self._writer.run(commit)
            return result

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Whoever fails or is cancelled leaves nothing open, and nothing under way, to the next."""
        async with self._turn:
            try:
                yield
            except BaseException:
                await _to_the_end(self._writer.run(roll_back))
                raise

    async def read(self, work: Callable[[apsw.Connection], T], *, deadline: float = READ_DEADLINE) -> T:
        """`work(connection)` on a free read connection, stopped when cancelled or after `deadline` s.

        Each statement sees one committed state. Raises OperationError `bad_request` at the deadline.
        """
        stop = Event()

        def stoppable(connection: apsw.Connection) -> T:
            # Asked every few thousand steps. Unlike an interrupt, it also stops what has not begun yet.
            connection.set_progress_handler(stop.is_set, _STEPS)
            return work(connection)

        lane = await self._free.get()
        timer = asyncio.get_running_loop().call_later(deadline, stop.set)
        try:
            return await lane.run(stoppable)
        finally:
            timer.cancel()
            stop.set()
            # Its thread may still be leaving a stopped query; what is asked next waits in that thread.
            self._free.put_nowait(lane)

    async def query(self, sql: str, bindings: Bindings = ()) -> list[Row]:
        """All rows of one SELECT, through `read`."""
        return await self.read(lambda connection: connection.execute(sql, bindings).fetchall())

    async def quick_check(self) -> None:
        """Read every page, without holding the indexes against it. Raises OperationError `store_corrupt`."""
        await self._check("quick_check", READ_DEADLINE)

    async def integrity_check(self) -> None:
        """Read every page, which takes seconds on a large file. Raises OperationError `store_corrupt`."""
        await self._check("integrity_check", 3_600)

    async def _check(self, pragma: str, deadline: float) -> None:
        if not await self.read(functools.partial(is_whole, pragma=pragma), deadline=deadline):
            raise OperationError(Code.STORE_CORRUPT, "the database is damaged", MEND)

    async def checkpoint(self) -> None:
        """Fold the write-ahead log into the file and truncate it: before a copy is made, on a schedule."""
        async with self._alone():
            await self._writer.run(
                lambda connection: connection.execute("PRAGMA wal_checkpoint(truncate)").fetchall()
            )


async def unbroken(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` to its end even while this task is cancelled; the cancellation goes on after it.

    For what must not fall apart: a commit, and the memory image that follows it.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await _to_the_end(_ended(task))
        raise


async def _ended(task: asyncio.Future[T]) -> None:
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()


async def _to_the_end(ending: Coroutine[Any, Any, None]) -> None:
    """Run `ending` to its end even while this task is cancelled; the error that led here is raised."""
    task = asyncio.ensure_future(ending)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([task])
    if not task.cancelled():
        task.exception()


def _make_private(path: Path) -> None:
    """An empty file that only its owner may read, before SQLite fills it; -wal and -shm follow its mode."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(handle, 0o600)
        finally:
            os.close(handle)
    except OSError as error:
        fix = "check that the folder exists and belongs to this user"
        raise OperationError(Code.BAD_SETTINGS, f"cannot open the database: {error.strerror}", fix) from error


def _casefold(*values: object) -> str:
    return str(values[0]).casefold()


def migrate(connection: apsw.Connection, migrations: Sequence[str]) -> None:
    """Apply what is new, each script and its number as one; a file of a newer program is left as it is.
    Raises OperationError `bad_version`.
    """
    applied = connection.pragma("user_version")
    if applied > len(migrations):
        fix = "install the version that wrote it, or a later one"
        message = f"the database is at version {applied}, this program knows {len(migrations)}"
        raise OperationError(Code.BAD_VERSION, message, fix)
    digests = [hashlib.sha256(each.encode()).hexdigest() for each in migrations]
    if applied and connection.execute("SELECT digest FROM migrations ORDER BY n").fetchall() != [
        (digest,) for digest in digests[:applied]
    ]:
        fix = "open it with the program that made it"
        raise OperationError(
            Code.BAD_VERSION, "the database was made by other migrations than this program's", fix
        )
    # For scripts that fold names: SQLite's own `lower` knows ASCII alone.
    connection.create_scalar_function("casefold", _casefold, 1, deterministic=True)
    for n in range(applied, len(migrations)):
        with connection:  # a savepoint: all of it or nothing
            if n == 0:
                connection.execute(
                    "CREATE TABLE migrations (n INTEGER PRIMARY KEY, digest TEXT NOT NULL) STRICT"
                )
            connection.execute(migrations[n]).fetchall()
            connection.execute("INSERT INTO migrations VALUES (?, ?)", (n + 1, digests[n]))
            connection.execute(f"PRAGMA user_version = {n + 1}")

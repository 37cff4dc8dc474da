"""SQLite as the store uses it: a thread for each connection, and a fix for each error."""

import asyncio
import contextlib
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, NamedTuple, TypeVar

import apsw

from schemas.errors import Code, OperationError

BUSY_TIMEOUT: Final = 5_000
"""Milliseconds to wait for a lock that another process holds (a backup, a second node started by mistake)."""
CACHE_KIB: Final = 65_536
CHECKPOINT_PAGES: Final = 4_000
"""16 MiB of log before it is folded into the file: that holds up the writer, and pages come again."""
STATEMENTS_KEPT: Final = 512
"""The library keeps a compiled statement until so many others were executed: a hundred by default, this at
most. A few bulletins in one transaction are more than a hundred, and all would be compiled anew for the next.
"""

MEND: Final = (
    "restore it from a backup; a node's own is mended by `liaison-agency salvage`, while it is stopped"
)

_OPENINGS: Final = """
    SELECT format('SELECT 1 FROM "%w" LIMIT 1', name) FROM sqlite_schema WHERE type = 'table' AND rootpage = 0
"""
"""A statement for each virtual table, that opens a cursor on it."""

T = TypeVar("T")


def explain(error: apsw.Error) -> OperationError | None:
    """What a SQLite error means to an operator; None for mistakes in our own statements."""
    match error:
        case apsw.NotADBError():
            fix = "give the key that this file was made with; if that is the one, restore a backup"
            return OperationError(
                Code.WRONG_KEY, "the key does not open the database, or its first page is damaged", fix
            )
        case apsw.CorruptError() | apsw.FormatError():
            return OperationError(Code.STORE_CORRUPT, "the database is damaged", MEND)
        case apsw.FullError():
            return OperationError(
                Code.DISK_FULL, "no room to write; nothing was changed", "free space on the disk"
            )
        case apsw.IOError():
            fix = "free space on the disk, or check it for faults"
            return OperationError(
                Code.DISK_FULL, "the disk did not take or give the data; nothing was changed", fix
            )
        case apsw.SQLError(__context__=apsw.Error() as before):
            # SQLite has rolled all back, the savepoint that was to be left included.
            return explain(before)
        case apsw.BusyError() | apsw.LockedError():
            fix = "stop the other process"
            return OperationError(Code.ALREADY_RUNNING, "another process holds the database", fix)
        case apsw.CantOpenError() | apsw.ReadOnlyError() | apsw.PermissionsError() | apsw.AuthError():
            fix = "check that the path and its folder exist and belong to this user"
            return OperationError(Code.BAD_SETTINGS, "the database cannot be opened for writing", fix)
        case apsw.InterruptError():
            return OperationError(Code.BAD_REQUEST, "the query took too long", "narrow it")
        case _:
            return None


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        if (known := explain(error)) is None:
            raise
        raise known from error


class _Job(NamedTuple):
    """Something to be done in the thread, and whom to tell where."""

    work: Callable[[], Any]
    done: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop


class Lane:
    """A connection and the one thread that uses it.

    A queue and a thread rather than an executor: its futures of two kinds, chained, cost as much as a small
    statement does.
    """

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = Thread(target=_serve, args=(self._jobs,), name=name, daemon=True)
        self._thread.start()
        self._connection: apsw.Connection | None = None

    async def open(self, path: Path, key: bytes) -> None:
        """Open the connection, in its thread."""
        self._connection = await self._call(functools.partial(connect, path, key))

    async def run(self, work: Callable[[apsw.Connection], T]) -> T:
        """`work(connection)` in the thread, after what was asked before. Raises what `explain` says."""
        return await self._call(functools.partial(work, self._known()))

    def here(self, work: Callable[[apsw.Connection], T]) -> T:
        """`work(connection)` in the caller's own thread, which it holds up: some statements that are answered
        from memory. For whoever has seen to it that nothing is under way here. Raises as `run` does.
        """
        with _explained():
            return work(self._known())

    def _known(self) -> apsw.Connection:
        if self._connection is None:
            raise OperationError(Code.INTERNAL, "the database is closed")
        return self._connection

    async def _call(self, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._jobs.put(_Job(work, done, loop))
        with _explained():
            return await done

    async def close(self) -> None:
        """Wait for running work, then close."""
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                await self._call(connection.close)
        finally:
            self._jobs.put(None)


def _serve(jobs: "SimpleQueue[_Job | None]") -> None:
    while job := jobs.get():
        if job.done.cancelled():
            continue
        result: Any = None
        failure: BaseException | None = None
        try:
            result = job.work()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to who asked
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
            job.loop.call_soon_threadsafe(_tell, job.done, result, failure)
        del job, result, failure  # what they hold must not wait for the next job


def _tell(done: "asyncio.Future[Any]", result: object, failure: BaseException | None) -> None:
    if done.cancelled():
        return
    if failure is None:
        done.set_result(result)
    else:
        done.set_exception(failure)


def connect(path: Path, key: bytes) -> apsw.Connection:
    """The file, unlocked with the 32-byte `key` and set up. Raises apsw.Error."""
    connection = apsw.Connection(
        str(path), flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=STATEMENTS_KEPT
    )
    try:
        # The key comes before anything that touches the file. x'..' is the raw key: no passphrase derivation.
        # Not cached, so that the statement with the key in it does not live on in the statement cache.
        connection.execute("PRAGMA cipher = 'chacha20'")
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"", can_cache=False)
        connection.set_busy_timeout(BUSY_TIMEOUT)
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        connection.execute("PRAGMA journal_mode = wal").fetchall()
        for setting in (
            "synchronous = full",
            f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
            "temp_store = memory",
            "foreign_keys = on",
            "trusted_schema = off",
            f"cache_size = -{CACHE_KIB}",
        ):
            connection.execute(f"PRAGMA {setting}").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def begin_at_once(connection: apsw.Connection) -> bool:
    """Begin to write, unless another process does: whether it is begun. Waits for nobody."""
    connection.set_busy_timeout(0)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except apsw.BusyError:
        return False
    finally:
        connection.set_busy_timeout(BUSY_TIMEOUT)
    return True


def commit(connection: apsw.Connection) -> None:
    """Put the open transaction on the disk."""
    connection.execute("COMMIT")


def roll_back(connection: apsw.Connection) -> None:
    """End the transaction, if one is open."""
    if connection.in_transaction:
        connection.execute("ROLLBACK").fetchall()


def is_whole(connection: apsw.Connection, pragma: str) -> bool:
    """What SQLite's `quick_check` or `integrity_check` says of one committed state. Raises apsw.Error.

    FTS5 keeps the layout of its index in memory and looks whether others have changed it only where a cursor
    is opened; the check of its index opens none, and holds an old layout against new pages. So one is opened
    on every virtual table first, in the transaction that the check then reads in.
    """
    connection.execute("BEGIN").fetchall()
    try:
        for (opening,) in connection.execute(_OPENINGS).fetchall():
            connection.execute(str(opening)).fetchall()
        return connection.execute(f"PRAGMA {pragma}(1)").fetchall() == [("ok",)]
    finally:
        roll_back(connection)

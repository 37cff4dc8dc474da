"""SQLite as the store uses it: a thread for each connection, and a fix for each error."""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import apsw

from schemas.errors import Code, OperationError

BUSY_TIMEOUT: Final = 5_000
"""Milliseconds to wait for a lock that another process holds (a backup, a second node started by mistake)."""
CACHE_KIB: Final = 65_536

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
            return OperationError(Code.STORE_CORRUPT, "the database is damaged", "restore it from a backup")
        case apsw.FullError():
            return OperationError(
                Code.DISK_FULL, "no room to write; nothing was changed", "free space on the disk"
            )
        case apsw.IOError():
            fix = "free space on the disk, or check it for faults"
            return OperationError(
                Code.DISK_FULL, "the disk did not take or give the data; nothing was changed", fix
            )
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


class Lane:
    """A connection and the one thread that uses it."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._connection: apsw.Connection | None = None

    async def open(self, path: Path, key: bytes) -> None:
        """Open the connection, in its thread."""
        self._connection = await self._call(functools.partial(connect, path, key))

    async def run(self, work: Callable[[apsw.Connection], T]) -> T:
        """`work(connection)` in the thread, after what was asked before. Raises what `explain` says."""
        connection = self._connection
        if connection is None:
            raise OperationError(Code.INTERNAL, "the database is closed")
        return await self._call(functools.partial(work, connection))

    async def _call(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except apsw.Error as error:
            if (known := explain(error)) is None:
                raise
            raise known from error

    async def close(self) -> None:
        """Wait for running work, then close."""
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                await self._call(connection.close)
        finally:
            self._thread.shutdown(wait=False)


def connect(path: Path, key: bytes) -> apsw.Connection:
    """The file, unlocked with the 32-byte `key` and set up. Raises apsw.Error."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
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

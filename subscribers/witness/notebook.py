"""What a witness has seen and signed, on its disk: the log, each head before it is signed, what it refused.

The log and the heads are one database and only ever grow, so whatever a crash interrupts, no two heads of one
size are signed.
"""

from pathlib import Path
from typing import Final, NamedTuple, Self, SupportsBytes

import apsw

from schemas.directory import Directory
from schemas.documents import parse_document
from schemas.errors import Code, LiaisonError, OperationError
from schemas.limits import NOTE_MAX
from schemas.merkle import Head
from subscribers.storage.store import Row, Store
from subscribers.witness.holds import Holds

DATABASE: Final = "witness.db"
MIGRATIONS: Final = (
    """
    CREATE TABLE documents(number INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
    CREATE TABLE cosigned(size INTEGER PRIMARY KEY, root BLOB NOT NULL, at INTEGER NOT NULL) STRICT;
    CREATE TABLE feed(one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL) STRICT;
    CREATE TABLE refused(
        number INTEGER PRIMARY KEY, at INTEGER NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
        data BLOB NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE new_identities(identity TEXT PRIMARY KEY, ready INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    """,
)
_REFUSED_MAX: Final = 1_000


class Refusal(NamedTuple):
    """Something that the hub showed and that does not hold; `at` in Unix ms."""

    at: int
    code: str
    message: str


class Notebook:
    """The memory image of the database. Made by `Notebook.load`."""

    def __init__(
        self, store: Store, directory: Directory, last: tuple[Head, int] | None, seen: int, holds: Holds
    ) -> None:
        self._store = store
        self._holds = holds
        self.directory = directory
        self.last = last
        """The newest head that was signed, or is about to be, and when (Unix ms)."""
        self.seen = seen
        """The sequence in the hub's stream of the newest offer that was answered."""

    @classmethod
    async def open_store(cls, state: Path, key: SupportsBytes) -> Store:
        """The database. OperationError as `Store.open` raises."""
        return await Store.open(state / DATABASE, key, MIGRATIONS, readers=1)

    @classmethod
    async def load(cls, store: Store, root: bytes) -> Self:
        """Everything that was committed, verified again from the pinned `root` on. OperationError
        `store_corrupt` when the heads that were signed are not of this log.
        """
        # Heads first: while another process runs on this, what they are heads of is then there to be read.
        signed_heads = await store.query("SELECT size, root FROM cosigned")
        newest = await store.query("SELECT size, root, at FROM cosigned ORDER BY size DESC LIMIT 1")
        directory = Directory.pinned(root)
        holds = Holds(dict(await store.query("SELECT identity, ready FROM new_identities")))
        try:
            for (data,) in await store.query("SELECT data FROM documents ORDER BY number"):
                grown = directory.apply(data)
                holds.take(directory, parse_document(data))
                directory = grown
        except LiaisonError as error:
            raise _corrupt(f"a document does not hold: {error.code}") from error
        for size, signed in signed_heads:
            if size >= len(directory.roots) or directory.roots[size] != signed:
                raise _corrupt(f"the head that was signed at {size} is of another log")
        seen = await store.query("SELECT sequence FROM feed")
        last = (Head(newest[0][0], newest[0][1]), newest[0][2]) if newest else None
        return cls(store, directory, last, seen[0][0] if seen else 0, holds)

    async def append(self, data: bytes, now: int) -> None:
        """Check, write and take in the next document, which came at `now` (Unix ms). Raises as
        `Directory.apply`.
        """
        grown, signed = self.directory.apply(data), parse_document(data)
        begun = self._holds.begun(self.directory, signed, now, history=self.last is None)

        def write(connection: apsw.Connection) -> None:
            connection.execute("INSERT INTO documents(data) VALUES (?)", (data,))
            if begun:
                connection.execute("INSERT OR REPLACE INTO new_identities VALUES (?, ?)", begun)

        await self._store.transact(write)
        if begun:
            self._holds.ready.update([begun])
        self._holds.take(self.directory, signed)
        self.directory = grown

    def held_until(self, size: int) -> int:
        """Before when (Unix ms) a head of so many documents must not be cosigned; 0 when it may be."""
        return self._holds.until(size)

    async def commit(self, head: Head, at: int, sequence: int) -> None:
        """Bind this witness to a head; it is on disk when this returns, and only then may be signed.
        OperationError `store_corrupt` when another of that size was signed.
        """

        def write(connection: apsw.Connection) -> None:
            rows: list[Row] = connection.execute(
                "INSERT INTO cosigned VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at "
                "WHERE root = excluded.root RETURNING size",
                (head.size, head.root, at),
            ).fetchall()
            if not rows:
                raise _corrupt(f"another head was signed at {head.size}")
            connection.execute("INSERT OR REPLACE INTO feed VALUES (1, ?)", (sequence,))

        await self._store.transact(write)
        self.last, self.seen = (head, at), sequence

    async def refuse(self, error: LiaisonError, data: bytes, at: int) -> None:
        """Keep what was refused, as evidence; the latest thousand."""

        def write(connection: apsw.Connection) -> None:
            row = (at, str(error.code), error.message, data[:NOTE_MAX])
            connection.execute("INSERT INTO refused(at, code, message, data) VALUES (?, ?, ?, ?)", row)
            connection.execute(
                "DELETE FROM refused WHERE number <= (SELECT max(number) FROM refused) - ?", (_REFUSED_MAX,)
            )

        await self._store.transact(write)

    async def refusals(self, limit: int) -> list[Refusal]:
        """What was refused, newest first."""
        sql = "SELECT at, code, message FROM refused ORDER BY number DESC LIMIT ?"
        return [Refusal(*row) for row in await self._store.query(sql, (limit,))]


def _corrupt(what: str) -> OperationError:
    fix = "stop this witness; its state is damaged or an old copy: never run two copies, or an older one"
    return OperationError(Code.STORE_CORRUPT, what, fix)

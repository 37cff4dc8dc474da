"""Uploads as the node's store keeps them: what a file is, its key, and how far it has gone."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

import apsw

from schemas.attachments import Attachment, Seal
from schemas.errors import Code, OperationError
from subscribers.attachments import FileKey, seal_of
from subscribers.files.shapes import File, Upload
from subscribers.files.spool import blob_count
from subscribers.storage.store import Store, Value

MIGRATIONS: Final = (
    """
    CREATE TABLE uploads(
        id TEXT PRIMARY KEY, client TEXT NOT NULL, name TEXT NOT NULL, media TEXT NOT NULL,
        size INTEGER NOT NULL, sha256 TEXT NOT NULL, key BLOB NOT NULL, header BLOB NOT NULL, root TEXT,
        state TEXT NOT NULL, sent INTEGER NOT NULL, code TEXT, made INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX uploads_by_file ON uploads(client, sha256);
    CREATE INDEX uploads_by_root ON uploads(root);
    """,
)
_OF_FILE: Final = """SELECT * FROM uploads WHERE client = ? AND name = ? AND media = ? AND size = ?
    AND sha256 = ? AND state NOT IN ('used', 'again') ORDER BY made DESC LIMIT 1"""
_STEP: Final = """UPDATE uploads SET state = ?, sent = ?, code = ?
    WHERE id = ? AND made = ? AND state = ? AND sent = ?"""
_AGAIN: Final = """UPDATE uploads SET sent = 0, made = ?,
    state = CASE state WHEN 'stored' THEN 'sending' WHEN 'used' THEN 'again' ELSE state END
    WHERE id = ? AND state != 'staging'"""

Told = Literal["staging", "sending", "stored", "refused"]
State = Told | Literal["used", "again"]


class Staged(NamedTuple):
    """A row. `sent` counts blobs that the hub has confirmed; `made` is Unix ms. What is `used` goes with a
    bulletin, and is no upload any more; so is what goes out `again`, because the hub may have lost it.
    """

    id: str
    client: str
    name: str
    media: str
    size: int
    sha256: str
    key: bytes
    header: bytes
    root: str | None
    state: State
    sent: int
    code: str | None
    made: int

    def __repr__(self) -> str:
        return f"Staged({self.id!r}, state={self.state!r})"

    @property
    def spool_name(self) -> str:
        """What its chunks on disk are called: otherwise with each key, so that key and chunks always fit."""
        return f"{self.id}-{self.header.hex()[:16]}"

    @property
    def seal(self) -> Seal:
        """What opens its chunks. The root is made up while the file is not here whole."""
        return seal_of(FileKey(self.key), self.header, bytes.fromhex(self.root or "00" * 32))

    def attachment(self) -> Attachment:
        """What a bulletin says of it."""
        return Attachment(
            name=self.name, media=self.media, size=self.size, sha256=self.sha256, seal=self.seal
        )

    def said(self, taken: int, trouble: str | None) -> Upload:
        """What its client is told. `trouble`: why nothing goes out just now."""
        return Upload(
            id=self.id,
            name=self.name,
            media=self.media,
            size=self.size,
            sha256=self.sha256,
            state=_told(self.state),
            taken=taken,
            blobs=blob_count(self.size),
            sent=self.sent,
            code=self.code or (trouble if self.state == "sending" else None),
        )


def _told(state: State) -> Told:
    match state:
        case "used" | "again":
            return "stored"
        case _:
            return state


class Kept(NamedTuple):
    """Uploads that had been taken in whole: those whose chunks are on this disk, and those of which they have
    gone.
    """

    here: Sequence[Staged] = ()
    gone: Sequence[Staged] = ()


class Uploads:
    """The rows."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, staged: Staged) -> None:
        """A new row, or the whole of one anew."""

        def write(connection: apsw.Connection) -> None:
            values = ", ".join("?" * len(staged))
            connection.execute(f"INSERT OR REPLACE INTO uploads VALUES ({values})", staged)  # noqa: S608 - question marks alone

        await self._store.transact(write)

    async def step(self, before: Staged, after: Staged) -> None:
        """How far one is now, if it is still where it was: a hub that was restored meanwhile may have set it
        back.
        """
        now = (after.state, after.sent, after.code)
        was = (before.id, before.made, before.state, before.sent)
        await self._store.transact(lambda connection: connection.execute(_STEP, now + was).fetchall())

    async def of_file(self, client: str, file: File) -> Staged | None:
        """The upload of this file by this client that there is."""
        asked = (client, file.name, file.media, file.size, file.sha256)
        return await self._one(_OF_FILE, asked)

    async def of_client(self, client: str, upload: str) -> Staged:
        """OperationError `not_found`."""
        found = await self._one(
            "SELECT * FROM uploads WHERE id = ? AND client = ? AND state NOT IN ('used', 'again')",
            (upload, client),
        )
        if found is None:
            raise OperationError(
                Code.NOT_FOUND, "there is no such upload of this client", "attach the file again"
            )
        return found

    async def of_root(self, root: str) -> Staged | None:
        """The upload whose tree has this root."""
        return await self._one("SELECT * FROM uploads WHERE root = ?", (root,))

    async def all(self, state: str = "%") -> list[Staged]:
        """Those in a state, the oldest first."""
        rows = await self._store.query("SELECT * FROM uploads WHERE state LIKE ? ORDER BY made, id", (state,))
        return [Staged(*row) for row in rows]

    async def drop(self, staged: Staged) -> bool:
        """Forget one, unless it is to go again since it was read: whether it is forgotten."""
        sql = "DELETE FROM uploads WHERE id = ? AND made = ? RETURNING 1"
        row = (staged.id, staged.made)
        return bool(await self._store.transact(lambda connection: connection.execute(sql, row).fetchall()))

    async def _one(self, sql: str, bindings: Sequence[Value]) -> Staged | None:
        rows = await self._store.query(sql, bindings)
        return Staged(*rows[0]) if rows else None


def use(connection: apsw.Connection, roots: Sequence[str]) -> None:
    """They go with a bulletin that is written in the same transaction. What the hub is found to have lost in
    this moment goes to it again.
    """
    sql = "UPDATE uploads SET state = iif(state IN ('stored', 'used'), 'used', 'again') WHERE root = ?"
    connection.executemany(sql, [(each,) for each in roots])


def send_again(connection: apsw.Connection, kept: Kept, now: int) -> None:
    """The hub may have lost any of their chunks. They are kept as long as if they had begun now."""
    connection.executemany(_AGAIN, [(now, each.id) for each in kept.here])
    forget(connection, kept.gone)


def forget(connection: apsw.Connection, uploads: Iterable[Staged]) -> None:
    """Their chunks are gone: a client that has not used one yet attaches its file again."""
    sql = "DELETE FROM uploads WHERE id = ? AND state != 'staging'"
    connection.executemany(sql, [(each.id,) for each in uploads])

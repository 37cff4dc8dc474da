"""Ways into the reading room: one-time codes, what was used up, passkeys.

The bot makes codes and the room spends them, each in its own process on this one file. A code has 256 bits of
chance in it, so its plain SHA-256 is kept. Whatever belongs to an officer goes with the officer.
"""

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

import apsw

from schemas.errors import Code, OperationError
from subscribers.storage.store import Row, Store

Vouched = Literal["chat", "agency"]
"""By whom an officer is known: by the chat service's word alone, or by the agency itself, at its terminal."""
PASSKEYS_MAX: Final = 10
_PASSKEY: Final = "SELECT id, officer, vouched, handle, public, counter, created, used FROM room_passkeys"


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a code opens."""

    officer: int
    vouched: Vouched
    target: str
    """The reference that was asked for, or ''."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey: its id, whose it is, and its public key (COSE). Times in Unix seconds."""

    id: bytes
    officer: int
    vouched: Vouched
    handle: bytes
    public: bytes
    counter: int
    created: float
    used: float


class RoomKeys:
    """The reading room's tables."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def issue(
        self, officer: int, code: str, *, vouched: Vouched, target: str, expires: float, now: float
    ) -> None:
        """Keep a new code; the officer's earlier ones from the same source end."""

        def work(connection: apsw.Connection) -> None:
            connection.execute(
                "DELETE FROM room_codes WHERE expires <= ? OR (officer = ? AND vouched = ?)",
                (now, officer, vouched),
            )
            connection.execute(
                "INSERT INTO room_codes SELECT ?, id, ?, ?, ? FROM officers WHERE id = ?",
                (digest_of(code), vouched, target, expires, officer),
            )

        async with self._store.write() as tx:
            await tx.run(work)

    async def redeem(self, code: str, now: float) -> Redeemed | None:
        """Spend a code. None when it is unknown, spent or expired."""
        async with self._store.write() as tx:
            rows = await tx.execute(
                "DELETE FROM room_codes WHERE digest = ? RETURNING officer, vouched, target, expires",
                (digest_of(code),),
            )
        return Redeemed(*rows[0][:3]) if rows and rows[0][3] > now else None

    async def once(self, text: str, *, until: float, now: float) -> bool:
        """Whether `text` comes for the first time; it is remembered until `until`."""

        def work(connection: apsw.Connection) -> bool:
            connection.execute("DELETE FROM room_used WHERE until <= ?", (now,))
            connection.execute(
                "INSERT INTO room_used VALUES (?, ?) ON CONFLICT DO NOTHING", (digest_of(text), until)
            )
            return bool(connection.changes())

        async with self._store.write() as tx:
            return await tx.run(work)

    async def era(self, officer: int) -> int:
        """How often the officer's sessions were ended all at once: those of an earlier era are over."""
        rows = await self._store.query("SELECT times FROM room_ends WHERE officer = ?", (officer,))
        return int(rows[0][0]) if rows else 0

    async def end_sessions(self, officer: int) -> None:
        """End all of an officer's sessions, and links that are not used yet."""
        async with self._store.write() as tx:
            await tx.run(lambda connection: shut(connection, officer))

    async def add(self, passkey: Passkey) -> None:
        """Keep a new passkey. Raises OperationError `already_known`, or `too_large` beyond
        `PASSKEYS_MAX`.
        """

        def work(connection: apsw.Connection) -> None:
            held = connection.execute(
                "SELECT count(*) FILTER (WHERE officer = ?), count(*) FILTER (WHERE id = ?)"
                " FROM room_passkeys",
                (passkey.officer, passkey.id),
            ).fetchone()
            if held is not None and held[1]:
                raise OperationError(Code.ALREADY_KNOWN, "this passkey is known", "sign in with it")
            if held is not None and held[0] >= PASSKEYS_MAX:
                fix = "remove one first"
                raise OperationError(Code.TOO_LARGE, f"there are {PASSKEYS_MAX} passkeys", fix)
            connection.execute(
                "INSERT INTO room_passkeys SELECT ?, id, ?, ?, ?, ?, ?, ? FROM officers WHERE id = ?",
                (
                    passkey.id,
                    passkey.vouched,
                    passkey.handle,
                    passkey.public,
                    passkey.counter,
                    passkey.created,
                    passkey.used,
                    passkey.officer,
                ),
            )

        async with self._store.write() as tx:
            await tx.run(work)

    async def passkey(self, id_: bytes) -> Passkey | None:
        """By its own id."""
        rows = await self._store.query(_PASSKEY + " WHERE id = ?", (id_,))
        return _read(rows[0]) if rows else None

    async def passkeys(self, officer: int) -> list[Passkey]:
        """An officer's, oldest first."""
        rows = await self._store.query(_PASSKEY + " WHERE officer = ? ORDER BY created, id", (officer,))
        return [_read(each) for each in rows]

    async def note_use(self, id_: bytes, counter: int, now: float) -> None:
        """A passkey was used; its counter stands at `counter`."""
        async with self._store.write() as tx:
            await tx.execute(
                "UPDATE room_passkeys SET counter = ?, used = ? WHERE id = ?", (counter, now, id_)
            )

    async def forget(self, officer: int, id_: bytes) -> None:
        """Remove one of an officer's passkeys."""
        async with self._store.write() as tx:
            await tx.execute("DELETE FROM room_passkeys WHERE officer = ? AND id = ?", (officer, id_))


def shut(connection: apsw.Connection, officer: int) -> None:
    """Within a transaction: the officer's sessions and links end. Passkeys stay."""
    connection.execute("DELETE FROM room_codes WHERE officer = ?", (officer,))
    connection.execute(
        "INSERT INTO room_ends VALUES (?, 1) ON CONFLICT (officer) DO UPDATE SET times = times + 1",
        (officer,),
    )


def digest_of(text: str) -> bytes:
    """What is kept of a code."""
    return hashlib.sha256(text.encode()).digest()


def _read(row: Row) -> Passkey:
    return Passkey(*row)

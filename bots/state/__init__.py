"""What the bot remembers, in one encrypted file: officers, subscriptions, the outbox, sent messages,
conversations.
"""

import asyncio
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from bots.state.audit import Audit
from bots.state.bells import Bells
from bots.state.cells import Cells
from bots.state.drafts import Drafts
from bots.state.lost import Lost
from bots.state.memory import Memory
from bots.state.officers import Officers
from bots.state.outbox import Outbox
from bots.state.questions import Questions
from bots.state.room import RoomKeys
from bots.state.rosters import Rosters
from bots.state.schema import MIGRATIONS
from bots.state.staff import Staff
from schemas.errors import Code, OperationError
from subscribers.storage.store import KEY_SIZE, Store

DATABASE: Final = "bot.db"
KEY: Final = "bot.key"


@dataclass(frozen=True, slots=True)
class State:
    """The open database and its parts."""

    store: Store
    officers: Officers
    outbox: Outbox
    memory: Memory
    room: RoomKeys
    drafts: Drafts
    staff: Staff
    audit: Audit

    @property
    def rosters(self) -> Rosters:
        """Who is on duty."""
        return Rosters(self.store)

    @property
    def cells(self) -> Cells:
        """Major events."""
        return Cells(self.store)

    @property
    def questions(self) -> Questions:
        """Requests with a deadline."""
        return Questions(self.store)

    @property
    def bells(self) -> Bells:
        """What rings until it is acknowledged."""
        return Bells(self.store)

    @property
    def lost(self) -> Lost:
        """Phones that were shut out."""
        return Lost(self.store)

    @classmethod
    async def open(cls, folder: Path) -> Self:
        """The state in `folder` (made at 0700), its key beside it (0600).

        Raises OperationError as `Store.open` does; `wrong_key` when the key file is damaged or missing.
        """
        key = await asyncio.to_thread(_prepare, folder)
        store = await Store.open(folder / DATABASE, key, MIGRATIONS)
        return cls.over(store)

    @classmethod
    def over(cls, store: Store) -> Self:
        """Its parts over an open store."""
        return cls(
            store,
            Officers(store),
            Outbox(store),
            Memory(store),
            RoomKeys(store),
            Drafts(store),
            Staff(store),
            Audit(store),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.store.close()


def _prepare(folder: Path) -> bytes:
    """The folder, and the database's key, both made at first."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        fix = "check the path and who owns it"
        raise OperationError(
            Code.BAD_SETTINGS, f"cannot make the state folder: {error.strerror}", fix
        ) from None
    path = folder / KEY
    if not path.exists():
        if (folder / DATABASE).exists():
            raise OperationError(
                Code.WRONG_KEY, "the key file bot.key is missing", "restore it from a backup"
            )
        _write_new(path, secrets.token_hex(KEY_SIZE))
    text = path.read_text("ascii", errors="replace").strip()
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise OperationError(
            Code.WRONG_KEY, "the key file bot.key is damaged", "restore it from a backup"
        ) from None


def _write_new(path: Path, text: str) -> None:
    """Atomically, so that two commands starting at once agree on one key."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, text.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()

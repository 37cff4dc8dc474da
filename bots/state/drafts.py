"""Drafts over restarts: what was written, by whom, where it stands, and what can be undone.

`open` is being written; `waiting` was sent to those who release; `releasing` went to the node, which may not
have answered; `released` and `discarded` are over, and their text is gone from here. Every change of state
says from which state and revision, so that of two officers who act at once one is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import apsw

from bots.drafting.draft import HalfDraft
from bots.state.jobs import Job
from bots.state.outbox import enqueue
from schemas.errors import Code, OperationError
from subscribers.storage.store import Row, Store, Value

Standing = Literal["open", "waiting", "releasing", "released", "discarded"]
OPEN_MAX: Final = 20
"""Half-written drafts of one officer."""
UNDO_MAX: Final = 30
"""Changes that can be taken back."""
_SELECT: Final = (
    "SELECT id, owner, editor, body, state, revision, once, releaser, official, ref, note, via, changed"
    " FROM drafts"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft as it stands. `once` names its release, however often the node is asked; `releaser` released
    it, or sent it back and said `note`; `via` is the client of the node that releases it; `changed` is in
    Unix seconds.
    """

    id: int
    owner: int
    editor: int
    body: HalfDraft
    state: Standing
    revision: int
    once: str
    releaser: int | None
    official: bool
    ref: str
    note: str
    via: str
    changed: float

    @property
    def waiting(self) -> bool:
        """Whether it waits for a releaser."""
        return self.state == "waiting"

    @property
    def returned(self) -> bool:
        """Whether it was sent back, and not sent for release since."""
        return bool(self.note) and not self.waiting

    @property
    def writers(self) -> tuple[int, ...]:
        """Whose it is: who began it, then who changed it last; once it was sent back, who began it alone."""
        hands = (self.owner,) if self.returned else (self.owner, self.editor)
        return tuple(dict.fromkeys(hands))

    @property
    def by_another(self) -> bool:
        """Whether a releaser changed it to whom it was sent: since then it is open, unless it came back."""
        return self.state == "open" and self.writers != (self.owner,)


class Drafts:
    """The drafts' tables."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def begin(self, owner: int, body: HalfDraft, once: str, now: float) -> Kept:
        """A new draft. Raises OperationError `too_large` when the officer has `OPEN_MAX` of them."""

        def work(connection: apsw.Connection) -> Kept:
            held: list[Row] = connection.execute(
                "SELECT count(*) FROM drafts WHERE owner = ? AND state = 'open'", (owner,)
            ).fetchall()
            if int(held[0][0]) >= OPEN_MAX:
                raise OperationError(Code.TOO_LARGE, "too many drafts", "discard one first")
            rows: list[Row] = connection.execute(
                "INSERT INTO drafts (owner, editor, body, once, changed) VALUES (?, ?, ?, ?, ?) RETURNING id",
                (owner, owner, body.model_dump_json(), once, now),
            ).fetchall()
            return _only(connection, int(rows[0][0]))

        async with self._store.write() as tx:
            return await tx.run(work)

    async def get(self, draft: int) -> Kept | None:
        """By its number."""
        rows = await self._store.query(_SELECT + " WHERE id = ?", (draft,))
        return _read(rows[0]) if rows else None

    async def of(self, officer: int) -> list[Kept]:
        """What an officer writes or has sent, newest change first; not what they changed and sent back."""
        where = (
            " WHERE state IN ('open', 'waiting', 'releasing') AND ? IN (owner, editor) ORDER BY changed DESC"
        )
        found = [_read(row) for row in await self._store.query(_SELECT + where, (officer,))]
        return [each for each in found if officer in each.writers]

    async def waiting(self) -> list[Kept]:
        """What waits for a releaser, or for the node's answer, longest first."""
        where = " WHERE state IN ('waiting', 'releasing') ORDER BY changed"
        return [_read(row) for row in await self._store.query(_SELECT + where)]

    async def write(
        self, kept: Kept, editor: int, body: HalfDraft, now: float, jobs: Sequence[Job] = ()
    ) -> Kept | None:
        """Keep a change, so that it can be undone; a draft that was waiting is open again, and what was
        shown of it void; `jobs` tell of that. None when it has changed or gone meanwhile.
        """

        def work(connection: apsw.Connection) -> Kept | None:
            if not _is_still(connection, kept, "open", "waiting"):
                return None
            connection.execute(
                "INSERT OR REPLACE INTO draft_revisions VALUES (?, ?, ?)",
                (kept.id, kept.revision, kept.body.model_dump_json()),
            )
            connection.execute(
                "DELETE FROM draft_revisions WHERE draft = ? AND revision <= ?",
                (kept.id, kept.revision - UNDO_MAX),
            )
            connection.execute(
                "UPDATE drafts SET body = ?, editor = ?, state = 'open', revision = revision + 1, changed = ?"
                " WHERE id = ?",
                (body.model_dump_json(), editor, now, kept.id),
            )
            enqueue(connection, jobs, now)
            return _only(connection, kept.id)

        async with self._store.write() as tx:
            return await tx.run(work)

    async def undo(self, kept: Kept, editor: int, now: float, jobs: Sequence[Job] = ()) -> Kept | None:
        """Take back the last change, as `write` does; None when there is none, or it is out of the drafter's
        hands.
        """

        def work(connection: apsw.Connection) -> Kept | None:
            if not _is_still(connection, kept, "open", "waiting"):
                return None
            rows = connection.execute(
                "DELETE FROM draft_revisions WHERE draft = ? AND revision ="
                " (SELECT max(revision) FROM draft_revisions WHERE draft = ?) RETURNING body",
                (kept.id, kept.id),
            ).fetchall()
            if not rows:
                return None
            connection.execute(
                "UPDATE drafts SET body = ?, editor = ?, state = 'open', revision = revision + 1, changed = ?"
                " WHERE id = ?",
                (rows[0][0], editor, now, kept.id),
            )
            enqueue(connection, jobs, now)
            return _only(connection, kept.id)

        async with self._store.write() as tx:
            return await tx.run(work)

    async def send(self, kept: Kept, jobs: Sequence[Job], now: float) -> bool:
        """To those who release; `jobs` tell them."""
        return await self._move(kept, ("open",), "waiting", now, jobs=jobs, note="", releaser=None)

    async def take_back(
        self, kept: Kept, note: str, jobs: Sequence[Job], now: float, *, by: int | None = None
    ) -> bool:
        """Out of waiting; with what a releaser has to say, if it was one (`by`), it is its owner's again.
        `jobs` tell its writers. It is another revision then, so that sending it again unchanged is told
        again.
        """
        fields: dict[str, Value] = {"note": note, "releaser": by, "revision": kept.revision + 1}
        return await self._move(kept, ("open", "waiting"), "open", now, jobs=jobs, **fields)

    async def claim(self, kept: Kept, releaser: int, via: str, *, official: bool, now: float) -> bool:
        """Before the node is asked: from here on nobody changes it, and nobody else releases it."""
        before: Sequence[Standing] = ("open", "waiting")
        return await self._move(
            kept, before, "releasing", now, releaser=releaser, official=int(official), via=via
        )

    async def unclaim(self, kept: Kept, once: str, jobs: Sequence[Job], now: float) -> bool:
        """The node has refused it: back to its writer as another revision, to be released under another
        name.
        """
        fields: dict[str, Value] = {"once": once, "releaser": None, "revision": kept.revision + 1}
        return await self._move(kept, ("releasing",), "open", now, jobs=jobs, **fields)

    async def released(self, kept: Kept, ref: str, jobs: Sequence[Job], now: float) -> bool:
        """The node has it, under that reference."""
        return await self._move(kept, ("releasing",), "released", now, jobs=jobs, ref=ref)

    async def discard(self, kept: Kept, now: float, jobs: Sequence[Job] = ()) -> bool:
        """Thrown away; `jobs` tell who else wrote it."""
        return await self._move(kept, ("open", "waiting"), "discarded", now, jobs=jobs)

    async def _move(
        self,
        kept: Kept,
        before: Sequence[Standing],
        after: Standing,
        now: float,
        *,
        jobs: Sequence[Job] = (),
        **values: Value,
    ) -> bool:
        """Whether it was still so, and is now otherwise."""
        fields = {"state": after, "changed": now, **values}
        if after in ("released", "discarded"):
            fields["body"] = HalfDraft().model_dump_json()

        def work(connection: apsw.Connection) -> bool:
            if not _is_still(connection, kept, *before):
                return False
            if "body" in fields:
                connection.execute("DELETE FROM draft_revisions WHERE draft = ?", (kept.id,))
            places = ", ".join(f"{name} = ?" for name in fields)
            connection.execute(f"UPDATE drafts SET {places} WHERE id = ?", (*fields.values(), kept.id))  # noqa: S608 - our own column names
            enqueue(connection, jobs, now)
            return True

        async with self._store.write() as tx:
            return await tx.run(work)


def _is_still(connection: apsw.Connection, kept: Kept, *states: Standing) -> bool:
    rows = connection.execute("SELECT state, revision FROM drafts WHERE id = ?", (kept.id,)).fetchall()
    return bool(rows) and rows[0][0] in states and rows[0] == (kept.state, kept.revision)


def _only(connection: apsw.Connection, draft: int) -> Kept:
    rows: list[Row] = connection.execute(_SELECT + " WHERE id = ?", (draft,)).fetchall()
    return _read(rows[0])


def _read(row: Row) -> Kept:
    id, owner, editor, body, state, revision, once, releaser, official, ref, note, via, changed = row
    half = HalfDraft.model_validate_json(body)
    return Kept(
        id, owner, editor, half, state, revision, once, releaser, bool(official), ref, note, via, changed
    )

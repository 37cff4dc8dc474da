"""The durable outbox, the bulletins it speaks of, and the messages that were sent.

A job is `queued`, then `in_flight` (committed before the request leaves), then `done` or `failed`. What is
found in flight at start may or may not have arrived: it goes again, marked as a possible repeat. Nothing
else repeats.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import apsw

from bots.state.jobs import Job, Verb, edit
from bots.state.lists import Listed, note_list
from bots.state.officers import Officer, read_officer
from bots.state.staff import take_back_stray
from subscribers.records import Record
from subscribers.storage.store import Store, Tx

JOB_AGE_MAX: Final = 7 * 86_400.0
"""An undelivered job is given up after this long: the officer has been away for a week."""
_SENT: Final = "SELECT id, officer, chat, message, record, language, part, sent, ends FROM messages"
_ACKNOWLEDGED: Final = "acknowledged"
KEEP: Final = 10 * 86_400.0
"""Finished jobs and bulletins stay this long: longer than a weekly digest reaches back, and than a feed
repeats.
"""


@dataclass(frozen=True, slots=True)
class Work:
    """A job on its way, with the officer it is for."""

    id: int
    key: str
    verb: Verb
    priority: int
    record: str | None
    target: int | None
    body: str
    attempts: int
    repeated: bool
    sent_parts: int
    officer: Officer
    chat: int
    not_before: float = 0.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A message in an officer's chat: `record` is the one bulletin that it shows, None for lists.

    `ends` is when it must go (Unix seconds), None to stay.
    """

    id: int
    officer: int
    chat: int
    message: int
    record: str | None
    language: str | None
    part: int
    sent: float
    ends: float | None


def enqueue(connection: apsw.Connection, jobs: Iterable[Job], now: float) -> int:
    """Within a transaction: add the jobs whose keys are new; how many were. None for an officer who was
    removed.
    """
    before = connection.total_changes()
    connection.executemany(
        "INSERT INTO jobs (key, officer, priority, verb, record, target, body, created)"
        " SELECT ?, id, ?, ?, ?, ?, ?, ? FROM officers WHERE id = ? ON CONFLICT (key) DO NOTHING",
        [
            (job.key, int(job.priority), job.verb, job.record, job.target, job.body, now, job.officer)
            for job in jobs
        ],
    )
    return connection.total_changes() - before


def remember(connection: apsw.Connection, record: Record, now: float) -> None:
    """Within a transaction: keep a bulletin; a newer state of it replaces the older, the time of arrival
    stays.
    """
    connection.execute(
        "INSERT INTO records VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record",
        (record.bulletin.id, record.model_dump_json(), now),
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """A message that the service took: what it shows (None: a list), in which language, which part of it,
    until when.
    """

    chat: int
    message: int
    record: str | None = None
    language: str | None = None
    part: int = 0
    ends: float | None = None
    listed: Listed | None = None
    call: str | None = None
    """The bulletin to which the message only calls."""


def note_message(connection: apsw.Connection, officer: int, shown: Shown, now: float) -> None:
    """Within a transaction: a message was sent, or shows something else now. An officer who was shut out of
    that chat meanwhile loses it again.
    """
    connection.execute(
        "INSERT INTO messages (officer, chat, message, record, language, part, sent, ends)"
        " SELECT id, ?, ?, ?, ?, ?, ?, ? FROM officers WHERE id = ? AND chat = ?"
        " ON CONFLICT (chat, message) DO UPDATE SET record = excluded.record, language = excluded.language,"
        " part = excluded.part, ends = excluded.ends",
        (
            shown.chat,
            shown.message,
            shown.record,
            shown.language,
            shown.part,
            now,
            shown.ends,
            officer,
            shown.chat,
        ),
    )
    take_back_stray(connection, officer, shown.chat, shown.message, now)
    note_list(connection, shown.chat, shown.message, shown.listed)
    if shown.call is not None:
        connection.execute(
            "INSERT INTO calls SELECT id, ? FROM messages WHERE chat = ? AND message = ?"
            " ON CONFLICT DO NOTHING",
            (shown.call, shown.chat, shown.message),
        )


def shown_of(connection: apsw.Connection, record: str) -> list[Sent]:
    """The messages that show a bulletin, oldest first."""
    return [Sent(*row) for row in connection.execute(_SENT + " WHERE record = ? ORDER BY id", (record,))]


def told_of(connection: apsw.Connection, record: str, *, waiting: bool) -> set[int]:
    """The officers to whom a bulletin went, or may have gone; with `waiting`, also those to whom it is to
    go.
    """
    rows = connection.execute(
        "SELECT officer FROM jobs WHERE record = ? AND verb = 'alert'"
        " AND (state IN ('in_flight', 'done') OR (? AND state = 'queued'))",
        (record, waiting),
    )
    return {int(row[0]) for row in rows}


class Outbox:
    """Jobs, bulletins and messages."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def recover(self) -> int:
        """At start: what was in flight goes again, marked. How many there were."""

        def work(connection: apsw.Connection) -> int:
            before = connection.total_changes()
            connection.execute("UPDATE jobs SET state = 'queued', repeated = 1 WHERE state = 'in_flight'")
            return connection.total_changes() - before

        async with self._store.write() as tx:
            return await tx.run(work)

    async def candidates(self, now: float, busy: Collection[int], limit: int) -> list[Work]:
        """The first due job of each reachable officer whose chat is not in `busy`, most urgent first."""
        rows = await self._store.query(
            "SELECT j.id, j.key, j.verb, j.priority, j.record, j.target, j.body, j.attempts, j.repeated,"
            " j.sent_parts, j.not_before, min(j.priority * 1000000000000 + j.id) AS rank,"
            " o.id, o.name, o.role, o.language, o.zone,"
            " o.quiet_start, o.quiet_end, o.chat, o.person, o.reachable"
            " FROM jobs j JOIN officers o ON o.id = j.officer"
            " WHERE j.state = 'queued' AND j.not_before <= ? AND o.reachable AND o.chat IS NOT NULL"
            " AND o.chat NOT IN (SELECT value FROM json_each(?))"
            " GROUP BY j.officer ORDER BY rank LIMIT ?",
            (now, json.dumps(list(busy)), limit),
        )
        found = []
        for row in rows:
            officer = read_officer(row[12:])
            if officer.chat is not None:
                key, name, verb, priority, record, target, body, attempts, repeated, sent_parts = row[:10]
                job = (key, name, verb, priority, record, target, body, attempts)
                found.append(Work(*job, bool(repeated), sent_parts, officer, officer.chat, row[10]))
        return found

    async def next_due(self, now: float) -> float | None:
        """The earliest moment later than `now` at which a queued job becomes due."""
        rows = await self._store.query(
            "SELECT min(not_before) FROM jobs WHERE state = 'queued' AND not_before > ?", (now,)
        )
        return rows[0][0] if rows else None

    async def depart(self, works: Iterable[Work]) -> None:
        """Committed before any of the requests leaves: these are in flight."""
        async with self._store.write() as tx:
            await tx.executemany(
                "UPDATE jobs SET state = 'in_flight', attempts = attempts + 1 WHERE id = ?",
                [(work.id,) for work in works],
            )

    async def put_off(self, works: Iterable[tuple[Work, float]]) -> None:
        """Not before the given time (Unix seconds) each: quiet hours. None that was hurried since it was
        looked at.
        """
        async with self._store.write() as tx:
            await tx.executemany(
                "UPDATE jobs SET not_before = ? WHERE id = ? AND not_before = ?",
                [(until, work.id, work.not_before) for work, until in works],
            )

    async def again(self, work: Work, not_before: float, *, repeated: bool) -> None:
        """Back into the queue; `repeated` when the service may have taken it already."""
        async with self._store.write() as tx:
            await tx.execute(
                "UPDATE jobs SET state = 'queued', not_before = ?, repeated = repeated OR ? WHERE id = ?",
                (not_before, int(repeated), work.id),
            )

    async def finish(self, work: Work, *, failed: bool = False) -> None:
        """Nothing more to do for this job."""
        async with self._store.write() as tx:
            await _close(tx, work, "failed" if failed else "done")

    async def arrived(self, work: Work, shown: Shown, *, parts: int, now: float) -> None:
        """One part of an alert or digest arrived: note the message; close the job, or queue its next part."""
        async with self._store.write() as tx:
            await tx.run(lambda connection: note_message(connection, work.officer.id, shown, now))
            if work.sent_parts + 1 >= parts:
                await _close(tx, work, "done")
            else:
                await tx.execute(
                    "UPDATE jobs SET state = 'queued', repeated = 0, sent_parts = sent_parts + 1"
                    " WHERE id = ?",
                    (work.id,),
                )

    async def gone(self, work: Work, target: int) -> None:
        """A message was deleted, or cannot be any more."""
        async with self._store.write() as tx:
            await tx.execute("DELETE FROM messages WHERE id = ?", (target,))
            await _close(tx, work, "done")

    async def move_chat(self, officer: int, chat: int) -> None:
        """The chat has another id now."""
        async with self._store.write() as tx:
            await tx.execute("UPDATE officers SET chat = ? WHERE id = ?", (chat, officer))

    async def add(self, jobs: Iterable[Job], now: float) -> int:
        """Add jobs of their own transaction; how many were new."""
        async with self._store.write() as tx:
            return await tx.run(lambda connection: enqueue(connection, jobs, now))

    async def note(self, officer: int, shown: Shown, now: float) -> None:
        """An answer was sent outside the outbox: remember it for edits and deletion."""
        async with self._store.write() as tx:
            await tx.run(lambda connection: note_message(connection, officer, shown, now))

    async def record(self, key: str) -> Record | None:
        """A bulletin by its id, if it is kept."""
        rows = await self._store.query("SELECT record FROM records WHERE id = ?", (key,))
        return Record.model_validate_json(rows[0][0]) if rows else None

    async def records(self, since: float, until: float) -> list[Record]:
        """The bulletins that arrived from `since` up to, not at, `until`, oldest first."""
        rows = await self._store.query(
            "SELECT record FROM records WHERE seen >= ? AND seen < ? ORDER BY seen, id", (since, until)
        )
        return [Record.model_validate_json(row[0]) for row in rows]

    async def message(self, target: int) -> Sent | None:
        """A sent message by its row."""
        rows = await self._messages(" WHERE id = ?", target)
        return rows[0] if rows else None

    async def row(self, chat: int, message: int) -> int | None:
        """A sent message's row."""
        sql = "SELECT id FROM messages WHERE chat = ? AND message = ?"
        rows = await self._store.query(sql, (chat, message))
        return rows[0][0] if rows else None

    async def listed(self, target: int) -> Listed | None:
        """What a message lists."""
        rows = await self._store.query("SELECT body FROM lists WHERE message = ?", (target,))
        return Listed.load(rows[0][0]) if rows else None

    async def messages(self, record: str) -> list[Sent]:
        """The messages that show a bulletin, oldest first."""
        return await self._messages(" WHERE record = ?", record)

    async def drop_end(self, target: int) -> None:
        """A message that was ending has been seen to."""
        async with self._store.write() as tx:
            await tx.execute("UPDATE messages SET ends = NULL WHERE id = ?", (target,))

    async def ending(self, now: float) -> list[Sent]:
        """Messages whose time has come."""
        return await self._messages(" WHERE ends <= ?", now)

    async def acknowledge(self, record: str, officer: int, now: float, pressed: int | None = None) -> None:
        """Remember that an officer acknowledged a bulletin: the messages that show it to them lose their
        button, but for the one that was `pressed`, which does so at once.
        """

        def work(connection: apsw.Connection) -> None:
            connection.execute(
                "INSERT INTO acknowledged SELECT ?, id, ? FROM officers WHERE id = ? ON CONFLICT DO NOTHING",
                (record, now, officer),
            )
            if not connection.changes():
                return
            shown = (each for each in shown_of(connection, record) if each.officer == officer)
            rows = [each.id for each in shown if each.message != pressed and not each.part]
            made = [edit(row, officer, record, _ACKNOWLEDGED, fate=_ACKNOWLEDGED) for row in rows]
            enqueue(connection, made, now)

        async with self._store.write() as tx:
            await tx.run(work)

    async def told(self, record: str) -> set[int]:
        """The officers to whom a bulletin went or is to go."""
        rows = await self._store.query(
            "SELECT officer FROM jobs WHERE record = ? AND verb = 'alert' AND state != 'failed'", (record,)
        )
        return {row[0] for row in rows}

    async def told_to(self, officer: int) -> set[str]:
        """The bulletins that an officer was alerted to, by their ids."""
        rows = await self._store.query(
            "SELECT record FROM jobs WHERE officer = ? AND verb = 'alert' AND state = 'done'", (officer,)
        )
        return {row[0] for row in rows}

    async def earlier_calls(self, record: str, officer: int, newest: int) -> list[int]:
        """The rows of the messages that called an officer to a bulletin before the message `newest`."""
        rows = await self._store.query(
            "SELECT m.id FROM calls c JOIN messages m ON m.id = c.message"
            " WHERE c.record = ? AND m.officer = ? AND m.message < ? ORDER BY m.id",
            (record, officer, newest),
        )
        return [row[0] for row in rows]

    async def acknowledged(self, record: str, officer: int) -> bool:
        """Whether an officer acknowledged a bulletin."""
        rows = await self._store.query(
            "SELECT 1 FROM acknowledged WHERE record = ? AND officer = ?", (record, officer)
        )
        return bool(rows)

    async def acknowledged_by(self, officer: int) -> set[str]:
        """The bulletins that an officer acknowledged, by their ids."""
        rows = await self._store.query("SELECT record FROM acknowledged WHERE officer = ?", (officer,))
        return {row[0] for row in rows}

    async def tidy(self, now: float) -> None:
        """Give up what is a week old, forget what is long done."""
        async with self._store.write() as tx:
            await tx.execute(
                "UPDATE jobs SET state = 'failed' WHERE state = 'queued' AND created < ?",
                (now - JOB_AGE_MAX,),
            )
            await tx.execute(
                "DELETE FROM jobs WHERE state IN ('done', 'failed') AND created < ?", (now - KEEP,)
            )
            await tx.execute("DELETE FROM questions WHERE until < ?", (now - KEEP,))
            await tx.execute(
                "DELETE FROM records WHERE seen < ? AND id NOT IN (SELECT record FROM questions)",
                (now - KEEP,),
            )
            await tx.execute("DELETE FROM messages WHERE sent < ? AND ends IS NULL", (now - 3 * KEEP,))

    async def counts(self) -> dict[str, int]:
        """How many jobs are in each state."""
        rows = await self._store.query("SELECT state, count(*) FROM jobs GROUP BY state")
        return dict(rows)

    async def _messages(self, where: str, value: str | float) -> list[Sent]:
        rows = await self._store.query(
            _SENT + where + " ORDER BY id",
            (value,),
        )
        return [Sent(*row) for row in rows]


async def _close(tx: Tx, work: Work, state: str) -> None:
    await tx.execute("UPDATE jobs SET state = ?, body = '' WHERE id = ?", (state, work.id))

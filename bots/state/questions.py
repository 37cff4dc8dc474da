"""Requests with a deadline: whose they are, whether this agency has answered, and what who asked was told."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, cast

import apsw

from bots.state.jobs import Job
from bots.state.outbox import enqueue
from schemas.encoding import from_instant
from schemas.vocabulary import Kind, Relation
from subscribers.records import Record
from subscribers.storage.store import Row, Store

REMIND: Final = 3 * 3600.0
"""So many seconds before its deadline an unanswered request is brought to mind."""
NEAR: Final = 2 * 3600.0
"""So many before it who asked hears how it stands."""
TERM_LEAST: Final = 2 * NEAR
"""A question with a shorter term is told of at its end alone."""
Stage = Literal["", "soon", "over"]


@dataclass(frozen=True, slots=True)
class Question:
    """A request. Times are Unix seconds; `asker` is the officer of this agency who asked, None for another's;
    `told` what that officer has heard of it.
    """

    record: str
    since: float
    until: float
    own: bool
    asker: int | None
    answered: bool
    told: Stage

    def presses(self, now: float) -> bool:
        """Whether this agency is asked, has not answered, and should soon."""
        return not self.own and not self.answered and 0 < self.until - now <= REMIND

    def stage(self, now: float) -> Stage:
        """What who asked is to hear now; empty for nothing."""
        if now >= self.until:
            return "over" if self.told != "over" else ""
        near = now >= self.until - NEAR and self.until - self.since >= TERM_LEAST
        return "soon" if near and not self.told else ""


def ask(connection: apsw.Connection, record: Record, asker: int | None, now: float) -> None:
    """Within a transaction: a bulletin came. A request with a deadline ahead is kept in mind, as asked by the
    officer `asker`; this agency's own answer answers it.
    """
    bulletin = record.bulletin
    until = from_instant(bulletin.valid_until) / 1000 if bulletin.valid_until else 0.0
    if bulletin.kind is Kind.REQUEST and until > now and record.state != "retracted":
        connection.execute(
            "INSERT INTO questions (record, since, until, own, asker) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (bulletin.id, now, until, int(record.own), asker),
        )
    if record.own and bulletin.kind is Kind.RESPONSE:
        for link in bulletin.links:
            if link.relation is Relation.RESPONDS_TO:
                connection.execute("UPDATE questions SET answered = 1 WHERE record = ?", (link.id,))


def change(connection: apsw.Connection, record: Record, after: Record) -> None:
    """Within a transaction: `record` amends a request, maybe its deadline too, or retracts it, which leaves
    `after`.
    """
    key = after.bulletin.id
    if after.state == "retracted":
        connection.execute("DELETE FROM questions WHERE record = ?", (key,))
    elif record.bulletin.valid_until:
        until = from_instant(record.bulletin.valid_until) / 1000
        connection.execute(
            "UPDATE questions SET until = ?1, told = '' WHERE record = ?2 AND until != ?1", (until, key)
        )


class Questions:
    """The table."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, record: str) -> Question | None:
        """A request by its id."""
        return next(iter(await self._read(" WHERE record = ?", record)), None)

    async def pressing(self, now: float) -> list[Question]:
        """Those that this agency should answer soon, the most urgent first."""
        found = await self._read(" WHERE NOT own AND NOT answered AND until <= ?", now + REMIND)
        return [each for each in found if each.presses(now)]

    async def to_tell(self, now: float) -> list[Question]:
        """Those of which an officer of this agency is to hear something."""
        found = await self._read(" WHERE asker IS NOT NULL AND told != 'over' AND until <= ?", now + NEAR)
        return [each for each in found if each.stage(now)]

    async def tell(self, question: Question, stage: Stage, jobs: Iterable[Job], now: float) -> int:
        """Who asked is told, once; how many jobs were new. None when somebody else has done it."""

        def work(connection: apsw.Connection) -> int:
            rows: list[Row] = connection.execute(
                "UPDATE questions SET told = ? WHERE record = ? AND told = ? AND until = ? RETURNING 1",
                (stage, question.record, question.told, question.until),
            ).fetchall()
            return enqueue(connection, jobs, now) if rows else 0

        async with self._store.write() as tx:
            return await tx.run(work)

    async def _read(self, where: str, *values: str | float) -> list[Question]:
        sql = "SELECT record, since, until, own, asker, answered, told FROM questions"
        found = []
        for row in await self._store.query(sql + where + " ORDER BY until, record", values):
            record, since, until, own, asker, answered, told = row
            stage = cast("Stage", told)
            found.append(Question(record, since, until, bool(own), asker, bool(answered), stage))
        return found

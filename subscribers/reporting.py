"""Tells the originators of amendments and retractions that they were applied here, each once, several
together.

A change is applied when archive, local subjects and sinks have it. What is due stands in the archive's table
of changes, and a report is journaled in the transaction that ticks its changes off: a node that is killed at
any point reports once. FORMAT.md, "Replies".
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final, NamedTuple

import apsw
import structlog

from schemas.errors import LiaisonError
from schemas.frame import BULLETIN
from schemas.limits import LIST_MAX
from schemas.report import Applied, Report
from schemas.subjects import FrameSubject
from schemas.vocabulary import History, Precedence
from subscribers.composer import Item
from subscribers.core import SECOND, Core
from subscribers.replies import recipients_of, sealed_payload
from subscribers.republish import Republisher
from subscribers.store import Row

STUCK: Final = 900 * SECOND
"""After so long a change that a sink has not taken is reported as failed there (milliseconds)."""
_PAUSE: Final = 30.0
_OPEN: Final = "SELECT id, number, received, applied, archive FROM changes WHERE report IS NULL"

log = structlog.get_logger(__name__)


class _Due(NamedTuple):
    """A change that has not been reported. Times in Unix milliseconds; `number` is the archive's."""

    id: str
    number: int
    received: int
    applied: int | None
    archive: str


class Reporter:
    """Runs behind the republisher."""

    def __init__(self, core: Core, republisher: Republisher, seconds: float) -> None:
        """`seconds` are waited for further changes before those at hand are reported together."""
        self._core = core
        self._republisher = republisher
        self._news = republisher.passed.subscribe()
        self._wait = round(seconds * SECOND)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._news.clear()
            try:
                wait = await self.report()
            except LiaisonError as error:
                log.warning("reports wait", code=str(error.code), reason=error.message)
                wait = _PAUSE
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._news.wait()

    async def report(self) -> float:
        """Report what is due; the seconds until something else may be."""
        await self._core.store.transact(self._apply)
        wait = _PAUSE
        sql = """SELECT community, originator, min(coalesce(applied, ?1)), count(*) FROM changes
            WHERE report IS NULL AND (applied IS NOT NULL OR received < ?1) GROUP BY community, originator"""
        now = self._core.clock()
        for community, originator, since, count in await self._core.store.query(sql, (now - STUCK,)):
            left = since + self._wait - now if count < LIST_MAX else 0
            if left > 0:
                wait = min(wait, left / SECOND)
            elif self._may_report(community, originator):
                await self._send(community, originator)
        return wait

    def _apply(self, connection: apsw.Connection) -> None:
        """Note what has reached everything; our own changes are nobody's to report."""
        done, now = min(self._republisher.reached), self._core.clock()
        connection.execute(
            "UPDATE changes SET applied = ? WHERE report IS NULL AND applied IS NULL"
            " AND number <= max(?, (SELECT number FROM republished))",
            (now, done),
        )
        connection.execute(
            "UPDATE changes SET report = '' WHERE report IS NULL AND originator = ?", (self._us,)
        )

    def _may_report(self, community: str, originator: str) -> bool:
        core = self._core
        directory, now = core.ledger.known(), core.clock()
        known = directory.communities.get(community)
        if known is None or known.role(self._us, now) != "member" or core.rack.kid in directory.revoked:
            return False
        return known.role(originator, now) is not None and bool(recipients_of(directory, {originator}))

    async def _send(self, community: str, originator: str) -> None:
        core = self._core
        directory = core.ledger.known()
        recipients, new_id = recipients_of(directory, {originator, self._us}), core.new_id()
        realm = directory.communities[community].community.realm
        place = FrameSubject(realm, community, Precedence.ROUTINE, core.endpoint)
        reached = self._republisher.reached

        def make(connection: apsw.Connection) -> tuple[Item, str]:
            due = _due(connection, community, originator, core.clock() - STUCK)
            changes = [_applied(each, reached) for each in due]
            connection.executemany(
                "UPDATE changes SET report = ? WHERE id = ?", [(new_id, each.id) for each in due]
            )
            content = Report(changes=changes).to_bytes()
            payload = sealed_payload(content, new_id, community, core.endpoint, originator, recipients)
            return Item(BULLETIN, new_id, payload, History.NONE), ""

        await core.outbox.put(place, make)
        log.info("changes reported", community=community, originator=originator)

    @property
    def _us(self) -> str:
        return self._core.keys.profile.id


def _due(connection: apsw.Connection, community: str, originator: str, stuck: int) -> list[_Due]:
    sql = f"""{_OPEN} AND community = ? AND originator = ? AND (applied IS NOT NULL OR received < ?)
        ORDER BY number LIMIT ?"""
    rows: list[Row] = connection.execute(sql, (community, originator, stuck, LIST_MAX)).fetchall()
    return [_Due(*row) for row in rows]


def _applied(due: _Due, reached: Sequence[int]) -> Applied:
    """`reached` are the numbers that the local stream, and then each sink, has got to."""
    whole = due.applied is not None
    local = "applied" if whole or reached[0] >= due.number else "failed"
    sinks = "applied" if whole or all(each >= due.number for each in reached[1:]) else "failed"
    fields = {"local": local, "sinks": sinks if len(reached) > 1 else "none"}
    return Applied.model_validate(
        {"id": due.id, "received": due.received, "applied": due.applied, "archive": due.archive, **fields}
    )

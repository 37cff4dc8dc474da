"""Tells the originators of amendments and retractions that they were applied here, each once, several
together.

A change is applied when archive, local subjects and sinks have it. What is due stands in the archive's table
of changes, and a report is journaled in the transaction that ticks its changes off: a node that is killed at
any point reports once. A report that the hub refuses is made again. FORMAT.md, "Replies".
"""

import functools
from collections.abc import Sequence
from typing import Final

import apsw
import structlog

from schemas.errors import TrustError
from schemas.frame import BULLETIN
from schemas.report import Applied, Report
from schemas.subjects import FrameSubject
from schemas.vocabulary import History, Precedence
from subscribers.core import SECOND, Core
from subscribers.exchange.attempts import Refused, count, take_back
from subscribers.exchange.composer import Item
from subscribers.storage.store import Row
from subscribers.telling.due import Batch, Change, reports
from subscribers.telling.following import follow
from subscribers.telling.republish import Republisher
from subscribers.writing.replies import recipients_of, sealed_payload

_OPEN: Final = """
    SELECT c.id, community, originator, number, received, applied, archive,
        coalesce(a.refused, 0), coalesce(a.at, 0)
    FROM changes c LEFT JOIN attempts a ON a.what = c.id WHERE report IS NULL ORDER BY number
"""
_REFUSED: Final = """
    SELECT c.id, o.id, coalesce(o.code, '') FROM outgoing o CROSS JOIN changes c ON c.report = o.id
    WHERE o.state = 'refused' AND c.report <> ''
"""

log = structlog.get_logger(__name__)


class Reporter:
    """Runs behind the republisher."""

    def __init__(self, core: Core, republisher: Republisher, seconds: float) -> None:
        """`seconds` are waited for further changes before those at hand are reported together."""
        self._core = core
        self._republisher = republisher
        self._news = republisher.changed.subscribe()
        self._wait = round(seconds * SECOND)

    async def run(self) -> None:
        """Until cancelled."""
        await follow(self._news, self.report, "reports")

    async def report(self) -> float:
        """Report what is due; the seconds until something else may be."""
        core = self._core
        await core.store.transact(self._apply)
        rows = await core.store.query(_OPEN)
        waiting = [Change(*row) for row in rows]
        due, pause = reports(waiting, self._wait, core.clock())
        for batch in due:
            if not self._may_report(batch[0].community, batch[0].originator):
                continue
            try:
                await self._send(batch)
            except TrustError as error:  # others' reports need not wait for this one
                log.warning("report waits", originator=batch[0].originator, code=str(error.code))
                whats = [each.id for each in batch]
                await core.store.transact(functools.partial(count, whats=whats, now=core.clock()))
        return pause

    def _apply(self, connection: apsw.Connection) -> None:
        """Note what has reached everything, and take back what the hub refused. Our own changes are nobody's
        to report.
        """
        done, now = min(self._republisher.reached), self._core.clock()
        rows: list[Row] = connection.execute(_REFUSED).fetchall()
        refused = [Refused(*row) for row in rows]
        take_back(connection, refused, now)
        connection.executemany(
            "UPDATE changes SET report = NULL WHERE id = ?", [(each.what,) for each in refused]
        )
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

    async def _send(self, batch: Batch) -> None:
        core = self._core
        directory, community, originator = core.ledger.known(), batch[0].community, batch[0].originator
        recipients, new_id = recipients_of(directory, {originator, self._us}), core.new_id()
        realm = directory.communities[community].community.realm
        place = FrameSubject(realm, community, Precedence.ROUTINE, core.endpoint)
        content = Report(changes=[_applied(each, self._republisher.reached) for each in batch]).to_bytes()

        def make(connection: apsw.Connection) -> tuple[Item, str]:
            connection.executemany(
                "UPDATE changes SET report = ? WHERE id = ?", [(new_id, each.id) for each in batch]
            )
            payload = sealed_payload(content, new_id, community, core.endpoint, originator, recipients)
            return Item(BULLETIN, new_id, payload, History.NONE), ""

        await core.outbox.put(place, make)
        log.info("changes reported", community=community, originator=originator)

    @property
    def _us(self) -> str:
        return self._core.keys.profile.id


def _applied(due: Change, reached: Sequence[int]) -> Applied:
    """`reached` are the numbers that the local stream, and then each sink, has got to."""
    whole = due.applied is not None
    local = "applied" if whole or reached[0] >= due.number else "failed"
    sinks = "applied" if whole or all(each >= due.number for each in reached[1:]) else "failed"
    fields = {"local": local, "sinks": sinks if len(reached) > 1 else "none"}
    return Applied.model_validate(
        {"id": due.id, "received": due.received, "applied": due.applied, "archive": due.archive, **fields}
    )

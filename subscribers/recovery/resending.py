"""What a node does when the hub was restored from a copy: it sends its own bulletins again that the hub may
have lost, each under its own id, so that nobody has it twice, and in new epochs. FORMAT.md, "History".
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import apsw
import structlog
from nats.aio.client import Client

from schemas.encoding import instant
from schemas.limits import CLOCK_SKEW_MAX
from schemas.vocabulary import AlarmName
from subscribers.exchange.hub_link import traffic_metadata
from subscribers.exchange.outbox import Outbox
from subscribers.judging.alarms import Alarm, AlarmKey, raise_alarms
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Row, Store

MIGRATIONS: Final = (
    """
    CREATE TABLE hub_copies(
        made INTEGER PRIMARY KEY, noticed INTEGER NOT NULL, again INTEGER NOT NULL DEFAULT 0, ended INTEGER
    ) STRICT;
    """,
)
METADATA: Final = "liaison-restored"
log = structlog.get_logger(__name__)

_LATEST: Final = 9_000_000_000_000
_AGAIN: Final = """
    UPDATE outgoing SET state = 'queued', code = NULL, payload = (
        SELECT p.payload FROM bulletins b JOIN payloads p USING (position) WHERE b.id = outgoing.id
    ) WHERE state = 'admitted' AND id IN (
        SELECT id FROM bulletins WHERE own = 1 AND received >= ? AND flags NOT LIKE '%private%'
    ) RETURNING 1
"""
"""Replies that only their originator can read are not kept as they were sealed: those are not sent again."""


class Resending:
    """Made by the node's core; does nothing while the hub was never restored."""

    def __init__(self, store: Store, ledger: Ledger, outbox: Outbox, clock: Callable[[], int]) -> None:
        self._store = store
        self._ledger = ledger
        self._outbox = outbox
        self._clock = clock

    async def notice(self, nc: Client) -> None:
        """See on a new connection whether the hub has been restored since the last one."""
        said = (await traffic_metadata(nc)).get(METADATA, "")
        if said.isascii() and said.isdecimal() and (made := int(said)) < _LATEST:
            await self._store.transact(partial(_note, made=made, now=self._clock()))

    async def finish(self) -> None:
        """The feeds have been read to their end: queue again what the hub may have lost."""
        if not await self._store.query("SELECT 1 FROM hub_copies WHERE ended IS NULL"):
            return
        count = await self._store.transact(partial(_send_again, now=self._clock()))
        await self._outbox.begin_anew()
        self._ledger.alarmed.set()
        log.warning("the hub was restored from a copy", sent_again=count)


def _note(connection: apsw.Connection, made: int, now: int) -> None:
    connection.execute("INSERT OR IGNORE INTO hub_copies(made, noticed) VALUES (?, ?)", (made, now))


def _send_again(connection: apsw.Connection, now: int) -> int:
    total = 0
    rows: list[Row] = connection.execute("SELECT made FROM hub_copies WHERE ended IS NULL").fetchall()
    for (made,) in rows:
        # By our own clock; the hub's may differ by so much, and one too many does no harm.
        count = len(connection.execute(_AGAIN, (made - CLOCK_SKEW_MAX,)).fetchall())
        connection.execute("UPDATE hub_copies SET ended = ?, again = ? WHERE made = ?", (now, count, made))
        words = (
            f"the hub was restored from a copy of {instant(made)}; it gets {count} bulletins of ours again"
        )
        raise_alarms(connection, [Alarm(AlarmKey(AlarmName.ROLLBACK), now, words)])
        total += count
    return total

"""What a node does when the hub was restored from a copy: it sends its own bulletins again that the hub may
have lost, each under its own id, so that nobody has it twice, and in new epochs. FORMAT.md, "History". The
chunks of files that it still holds go again as well.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, NamedTuple

import apsw
import structlog
from nats.aio.client import Client

from schemas.bulletin import parse_bulletin
from schemas.encoding import instant
from schemas.limits import CLOCK_SKEW_MAX
from schemas.vocabulary import AlarmName
from subscribers.exchange.hub_link import traffic_metadata
from subscribers.exchange.outbox import Outbox
from subscribers.judging.alarms import Alarm, AlarmKey, raise_alarms
from subscribers.judging.returned import LATEST, HubCopy
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Row, Store, unbroken
from subscribers.storage.upload_rows import Kept, send_again

MIGRATIONS: Final = (
    """
    CREATE TABLE hub_copies(
        made INTEGER PRIMARY KEY, noticed INTEGER NOT NULL, again INTEGER NOT NULL DEFAULT 0, ended INTEGER
    ) STRICT;
    """,
    """
    CREATE TABLE hub_returns(
        at INTEGER PRIMARY KEY, made INTEGER NOT NULL, noticed INTEGER NOT NULL,
        again INTEGER NOT NULL DEFAULT 0, ended INTEGER
    ) STRICT;
    INSERT INTO hub_returns(at, made, noticed, again, ended)
        SELECT made, made, noticed, again, ended FROM hub_copies;
    DROP TABLE hub_copies;
    """,
)
METADATA: Final = "liaison-restored"
PUT_BACK: Final = "liaison-restored-at"
"""One copy may be put back twice, and each time the hub loses what came after it."""
log = structlog.get_logger(__name__)

_AGAIN: Final = """
    UPDATE outgoing SET state = 'queued', code = NULL, payload = (
        SELECT p.payload FROM bulletins b JOIN payloads p USING (position) WHERE b.id = outgoing.id
    ) WHERE state = 'admitted' AND id IN (
        SELECT id FROM bulletins WHERE own = 1 AND received >= ? AND flags NOT LIKE '%private%'
    ) RETURNING payload
"""
"""Replies that only their originator can read are not kept as they were sealed: those are not sent again."""


async def _nothing() -> Kept:
    return Kept()


class Resending:
    """Made by the node's core; does nothing while the hub was never restored."""

    def __init__(self, store: Store, ledger: Ledger, outbox: Outbox, clock: Callable[[], int]) -> None:
        self._store = store
        self._ledger = ledger
        self._outbox = outbox
        self._clock = clock
        self.kept: Callable[[], Awaitable[Kept]] = _nothing
        """Gives what is there of the files that went with bulletins, or are to."""
        self.on_queued: Callable[[], None] = lambda: None
        """Called when what goes again is written down."""

    async def notice(self, nc: Client) -> None:
        """See on a new connection whether the hub has been restored since the last one."""
        await self.told(await traffic_metadata(nc))

    async def told(self, said: Mapping[str, str]) -> None:
        """Note what the hub says of its feed."""
        made = _time(said.get(METADATA, ""))
        if made is None:
            return
        at = _time(said.get(PUT_BACK, ""))
        now = self._clock()
        await self._store.transact(partial(_note, at=made if at is None else at, made=made, now=now))

    async def unanswered(self) -> HubCopy | None:
        """The copy that the hub came back from, if it has not got from us what it may have lost."""
        sql = "SELECT min(made), max(at) FROM hub_returns WHERE ended IS NULL HAVING count(*)"
        for made, at in await self._store.query(sql):
            return HubCopy(made, at)
        return None

    async def finish(self) -> None:
        """The feeds have been read to their end: queue again what the hub may have lost."""
        if not await self.unanswered():
            return
        # To its end also when the connection is lost: it is not asked for a second time.
        await unbroken(self._queue(await self.kept()))

    async def _queue(self, kept: Kept) -> None:
        sent = await self._store.transact(partial(_send_again, kept=kept, now=self._clock()))
        self._ledger.alarmed.set()
        self.on_queued()
        log.warning("the hub was restored from a copy", sent_again=sent.bulletins, files_gone=sent.gone)
        await self._outbox.begin_anew()


def _time(said: str) -> int | None:
    """Unix ms; None for what is no time."""
    sound = len(said) <= len(str(LATEST)) and said.isascii() and said.isdecimal()
    return time if sound and (time := int(said)) < LATEST else None


def _note(connection: apsw.Connection, at: int, made: int, now: int) -> None:
    sql = "INSERT OR IGNORE INTO hub_returns(at, made, noticed) VALUES (?, ?, ?)"
    connection.execute(sql, (at, made, now))


class _Sent(NamedTuple):
    """How many bulletins go again, and how many of their files this node does not hold any more."""

    bulletins: int
    gone: int


def _send_again(connection: apsw.Connection, kept: Kept, now: int) -> _Sent:
    total = _Sent(0, 0)
    send_again(connection, kept, now)
    here = {each.root for each in kept.here}
    rows: list[Row] = connection.execute("SELECT at, made FROM hub_returns WHERE ended IS NULL").fetchall()
    for at, made in rows:
        # By our own clock; the hub's may differ by so much, and one too many does no harm.
        again: list[Row] = connection.execute(_AGAIN, (made - CLOCK_SKEW_MAX,)).fetchall()
        count = len(again)
        gone = len({root for (payload,) in again for root in _roots(payload)} - here)
        connection.execute("UPDATE hub_returns SET ended = ?, again = ? WHERE at = ?", (now, count, at))
        words = (
            f"the hub was restored from a copy of {instant(made)}; it gets {count} bulletins of ours again"
        )
        if gone:
            words += f", without {gone} of their files: this node holds them no more"
        raise_alarms(connection, [Alarm(AlarmKey(AlarmName.ROLLBACK), now, words)])
        total = _Sent(total.bulletins + count, total.gone + gone)
    return total


def _roots(payload: bytes) -> list[str]:
    """Of the files of a bulletin. Those of a release are its original's, and its publisher's to send."""
    bulletin = parse_bulletin(payload)
    if bulletin.release:
        return []
    return [each.seal.root for each in bulletin.attachments if each.seal]

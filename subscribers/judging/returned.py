"""A node that was restored from a copy. What came after the copy is at the hub, our own frames included,
which the lost machine made: so nothing is composed until the feed has brought them, and those frames are not
taken for a stranger's (docs/decisions/0045).

Synchronous, for the writer's thread, in the transaction of what it decides about.
"""

import time
from typing import Final, NamedTuple

import apsw

from schemas.encoding import instant
from schemas.errors import Code, TrustError
from schemas.frame import BULLETIN, Frame
from schemas.limits import CLOCK_SKEW_MAX
from subscribers.judging.alarms import Alarm, AlarmKey, AlarmName, raise_alarms
from subscribers.storage.store import Row, Store

MIGRATIONS: Final = (
    """
    CREATE TABLE returned(
        one INTEGER PRIMARY KEY CHECK (one = 1), made INTEGER NOT NULL, sequence INTEGER NOT NULL,
        salvaged INTEGER NOT NULL, until INTEGER, found INTEGER NOT NULL DEFAULT 0, ended INTEGER
    ) STRICT;
    """,
    "ALTER TABLE returned ADD COLUMN doubted INTEGER",
)

LATEST: Final = 9_000_000_000_000
"""Unix ms, the end of what is taken for a time: a copy, or a hub, may say anything."""
_DOUBT: Final = (
    "this node was restored from a copy of {made}, and the hub from one of {hub}: what this agency said "
    "after both is with readers and nowhere else, and they refuse whatever takes its numbers. Nothing is "
    "published until this is acknowledged. Acknowledge it only if the lost machine was off before {hub}; "
    "else go by the agency guide, The disk is lost, and nobody else has it"
)


class HubCopy(NamedTuple):
    """The copy that the hub came back from, and when it came back; Unix ms."""

    made: int
    back: int


class Returned(NamedTuple):
    """The copy that this node came back from. `made`, `ended`: Unix ms; `sequence`: how far the copy had read
    the hub's stream, `until`: where that stood when our feeds were set back; `found`: frames of our own that
    were made after the copy; `salvaged`: it was pieced together from a damaged file; `doubted`: since when
    (Unix ms) it waits for its operator, because the hub was restored as well.
    """

    made: int
    sequence: int
    salvaged: bool
    until: int | None
    found: int
    ended: int | None
    doubted: int | None = None


def begin(
    connection: apsw.Connection, made: int, *, salvaged: bool = False, sequence: int | None = None
) -> int:
    """Say that this store is a copy as of `made` (Unix ms); the sequence from which its feed is read again:
    by itself as far as the copy had read.
    """
    if sequence is None:
        rows: list[Row] = connection.execute("SELECT coalesce(max(sequence), 0) FROM feeds").fetchall()
        sequence = int(rows[0][0])
    sql = "INSERT OR REPLACE INTO returned(one, made, sequence, salvaged) VALUES (1, ?, ?, ?)"
    connection.execute(sql, (made, sequence, salvaged))
    return sequence


def is_open(connection: apsw.Connection) -> bool:
    """Whether what came after the copy has not all been read yet."""
    return bool(connection.execute("SELECT 1 FROM returned WHERE ended IS NULL").fetchall())


def is_read_back(connection: apsw.Connection) -> bool:
    """Whether frames of our own that come were made by the lost machine: until the feed has been read."""
    sql = "SELECT 1 FROM returned WHERE ended IS NULL AND doubted IS NULL"
    return bool(connection.execute(sql).fetchall())


def check(connection: apsw.Connection) -> None:
    """TrustError `restoring` while it has not, or while nobody knows whether the hub had it."""
    rows: list[Row] = connection.execute("SELECT doubted FROM returned WHERE ended IS NULL").fetchall()
    if not rows:
        return
    if rows[0][0] is None:
        raise TrustError(
            Code.RESTORING,
            "this node was restored from a copy, and has not read back what came after it",
            "let it reach the hub; see `liaison-agency doctor`",
        )
    raise TrustError(
        Code.RESTORING,
        "this node and the hub were both restored from copies: others may have more of ours than we do",
        "see the alarm `rollback` in `liaison-agency alarms`, which says when it may be acknowledged",
    )


def adopt(connection: apsw.Connection, frame: Frame) -> None:
    """A frame of our own that the lost machine made after the copy: what it carried is not sent again, and
    the number that people say aloud is not given again.
    """
    header = frame.header
    connection.execute("UPDATE returned SET found = found + 1")
    rows: list[Row] = connection.execute(
        "UPDATE outgoing SET state = 'admitted', payload = NULL WHERE id = ? AND state = 'queued' "
        "RETURNING number",
        (header.id,),
    ).fetchall()
    connection.executemany("DELETE FROM submissions WHERE item = ?", rows)
    known = connection.execute("SELECT 1 FROM outgoing WHERE id = ?", (header.id,)).fetchall()
    if header.k == BULLETIN and not known:
        count_up(connection, time.gmtime(header.iat // 1000).tm_year, 1)


def count_up(connection: apsw.Connection, year: int, by: int) -> None:
    """Give so many reference numbers of a year away unused."""
    sql = "INSERT INTO counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value"
    connection.execute(sql, (f"ref-{year}", by))


def reach(connection: apsw.Connection, until: int) -> None:
    """The hub has set our feeds back; its stream ends at `until`."""
    connection.execute("UPDATE returned SET until = ? WHERE ended IS NULL", (until,))


def doubt(connection: apsw.Connection, publisher: str, hub: HubCopy, now: int) -> bool:
    """The hub was restored from a copy as well. Where nothing of ours has come since, what the lost machine
    of this endpoint said (heartbeats, too) may be with readers alone, who refuse whatever takes its numbers:
    then nothing is composed until the operator has decided. Whether that is new.
    """
    sql = "SELECT last FROM pulses WHERE publisher = ?"
    ours: list[Row] = connection.execute(sql, (publisher,)).fetchall()
    if ours and all(last > hub.back + CLOCK_SKEW_MAX for (last,) in ours):
        return False  # the lost machine has met the restored hub, and told it what it had lost
    sql = "UPDATE returned SET doubted = ? WHERE ended IS NULL AND doubted IS NULL RETURNING made"
    rows: list[Row] = connection.execute(sql, (now,)).fetchall()
    for (made,) in rows:
        words = _DOUBT.format(made=instant(min(made, LATEST)), hub=instant(hub.made))
        raise_alarms(connection, [Alarm(AlarmKey(AlarmName.ROLLBACK, "", publisher), now, words)])
    return bool(rows)


def trust(connection: apsw.Connection, number: int, publisher: str) -> bool:
    """The operator acknowledges the alarm `number`: whether it was that doubt, which is over with it."""
    sql = "SELECT 1 FROM alarms WHERE number = ? AND name = ? AND publisher = ? AND ended IS NULL"
    if not connection.execute(sql, (number, str(AlarmName.ROLLBACK), publisher)).fetchall():
        return False
    sql = "UPDATE returned SET doubted = NULL WHERE ended IS NULL AND doubted IS NOT NULL RETURNING 1"
    return bool(connection.execute(sql).fetchall())


def end(connection: apsw.Connection, publisher: str, now: int) -> bool:
    """Everything has been read: whether it is over now, and was not before. It is not while frames of ours
    are ahead of the directory: they have not been read.
    """
    sql = """SELECT 1 FROM held JOIN quarantine USING (number)
        WHERE code IN (?, ?) AND subject LIKE 'f.%.' || ? LIMIT 1"""
    if connection.execute(sql, (str(Code.LOG_BEHIND), str(Code.STALE_HEAD), publisher)).fetchall():
        return False
    sql = """UPDATE returned SET ended = ?
        WHERE ended IS NULL AND until IS NOT NULL AND doubted IS NULL RETURNING 1"""
    return bool(connection.execute(sql, (now,)).fetchall())


async def standing(store: Store) -> Returned | None:
    """The copy that this node came back from, if it ever did."""
    sql = "SELECT made, sequence, salvaged, until, found, ended, doubted FROM returned"
    for made, sequence, salvaged, *rest in await store.query(sql):
        return Returned(made, sequence, bool(salvaged), *rest)
    return None

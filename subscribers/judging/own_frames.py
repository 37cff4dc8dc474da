"""Whether what stands in our chains is ours. Every frame that this node composes is noted before it is sent,
and crossed off when the hub passes it on. A frame in our name that was not noted was made by somebody who has
our keys: an alarm, and this node composes nothing more until its operator says so (FORMAT.md, "Chains").

Synchronous, for the writer's thread, in the transaction of what it decides about.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import apsw

from schemas.chain import ChainHead
from schemas.errors import Code, TrustError
from schemas.frame import Frame
from subscribers.judging import returned
from subscribers.judging.alarms import Alarm, AlarmKey, AlarmName, end_alarms, raise_alarms
from subscribers.storage.store import Row, Store

MIGRATIONS: Final = (
    """
    CREATE TABLE composed(sha256 TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    INSERT OR IGNORE INTO composed SELECT sha256 FROM submissions WHERE seq IS NOT NULL;
    CREATE TABLE strangers(
        sha256 TEXT PRIMARY KEY, community TEXT NOT NULL, precedence TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
)


class WentOn(NamedTuple):
    """Where our chains go on behind what others have put there, by community and precedence, and the least
    number that a new epoch may have.
    """

    heads: dict[tuple[str, str], ChainHead]
    next_epoch: int


def note(connection: apsw.Connection, digest: str) -> None:
    """A frame is composed; `digest` is its SHA-256 in hex."""
    connection.execute("INSERT OR IGNORE INTO composed VALUES (?)", (digest,))


def claim(connection: apsw.Connection, frames: Iterable[Frame], now: int) -> None:
    """Cross off frames in our name that have come, authentic and in their place; raise `stolen_key` for what
    is not ours. A node that was restored takes them for its own until it has read what came after the copy.
    `now` in Unix milliseconds.
    """
    for frame in frames:
        sql = "DELETE FROM composed WHERE sha256 = ? RETURNING 1"
        rows: list[Row] = connection.execute(sql, (frame.hash,)).fetchall()
        if rows:
            continue
        if returned.is_read_back(connection):
            returned.adopt(connection, frame)
        else:
            _accuse(connection, frame, now)


def is_under_way(connection: apsw.Connection, digest: str) -> bool:
    """Whether a frame that we composed has not come back to us yet."""
    return bool(connection.execute("SELECT 1 FROM composed WHERE sha256 = ?", (digest,)).fetchall())


def check(connection: apsw.Connection) -> None:
    """That nobody else has spoken in our name, and we know what we said ourselves; TrustError `stolen_key` or
    `restoring`.
    """
    returned.check(connection)
    if has_strangers(connection):
        raise TrustError(
            Code.STOLEN_KEY,
            "somebody else has published with this node's keys, so it publishes nothing more",
            "see `liaison-agency alarms` for what and where, and what to do",
        )


async def alone(store: Store) -> bool:
    """Whether nobody else has spoken in our name."""
    return not await store.query("SELECT 1 FROM strangers LIMIT 1")


def has_strangers(connection: apsw.Connection) -> bool:
    """Whether there are frames in our name that the operator has not decided about."""
    return bool(connection.execute("SELECT 1 FROM strangers LIMIT 1").fetchall())


def go_on(connection: apsw.Connection, number: int, publisher: str, now: int) -> WentOn | None:
    """The operator has seen to the alarm `number`: if it is `stolen_key`, this agency's chains in its
    community go on from where they stand at the hub. None when it is another alarm, or over.
    """
    sql = "SELECT community FROM alarms WHERE number = ? AND name = ? AND ended IS NULL"
    alarm: list[Row] = connection.execute(sql, (number, str(AlarmName.STOLEN_KEY))).fetchall()
    if not alarm:
        return None
    (community,) = alarm[0]
    sql = "DELETE FROM strangers WHERE community = ? RETURNING precedence"
    gone: list[Row] = connection.execute(sql, (community,)).fetchall()
    heads = {(community, each): _go_on(connection, publisher, community, each) for (each,) in set(gone)}
    end_alarms(connection, [AlarmKey(AlarmName.STOLEN_KEY, community, publisher)], now)
    return WentOn(heads, _next_epoch(connection, publisher))


def go_on_from_copy(connection: apsw.Connection, publisher: str, now: int) -> WentOn | None:
    """A restored node has read everything that came after the copy: its chains go on from where they stand at
    the hub. None when it is not restored, or has done so before.
    """
    if not returned.end(connection, publisher, now):
        return None
    sql = """SELECT c.community, c.precedence FROM chains c LEFT JOIN own_chains o USING (community,
    precedence) WHERE c.publisher = ? AND c.seq > coalesce(o.admitted_seq, -1)"""
    moved: list[Row] = connection.execute(sql, (publisher,)).fetchall()
    heads = {(com, pr): _go_on(connection, publisher, com, pr) for com, pr in moved}
    return WentOn(heads, _next_epoch(connection, publisher))


def _go_on(connection: apsw.Connection, publisher: str, community: str, precedence: str) -> ChainHead:
    sql = "SELECT seq, hash FROM chains WHERE publisher = ? AND community = ? AND precedence = ?"
    rows: list[Row] = connection.execute(sql, (publisher, community, precedence)).fetchall()
    head = ChainHead(*rows[0])
    sql = "INSERT OR REPLACE INTO own_chains VALUES (?, ?, ?, ?, ?, ?)"
    connection.execute(sql, (community, precedence, *head, *head))
    return head


def _next_epoch(connection: apsw.Connection, publisher: str) -> int:
    """Above every number that was announced in our name: readers refuse one that comes twice."""
    sql = "SELECT coalesce(max(ep), -1) + 1 FROM epochs WHERE publisher = ?"
    announced: list[Row] = connection.execute(sql, (publisher,)).fetchall()
    sql = """INSERT INTO counters VALUES ('epoch', ?)
        ON CONFLICT DO UPDATE SET value = max(value, excluded.value) RETURNING value"""
    rows: list[Row] = connection.execute(sql, announced[0]).fetchall()
    return int(rows[0][0])


def _accuse(connection: apsw.Connection, frame: Frame, now: int) -> None:
    header = frame.header
    connection.execute(
        "INSERT OR IGNORE INTO strangers VALUES (?, ?, ?)", (frame.hash, header.com, header.pr)
    )
    words = f"{header.pr} frame {header.seq}, signed with key {header.kid}, id {header.id}"
    key = AlarmKey(AlarmName.STOLEN_KEY, header.com, header.pub)
    raise_alarms(connection, [Alarm(key, now, words, frame.hash)])

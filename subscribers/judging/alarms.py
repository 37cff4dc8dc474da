"""Named alarms: what a hub, a publisher or the way between them has done that honest ones do not do.

A refusal or a flag becomes an `Alarm` by a pure rule; `raise_alarms` writes it in the transaction of its
cause, so that neither is there without the other. What happens again counts up instead of flooding: one
alarm stands for each name, community and publisher until it ends or is acknowledged.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NamedTuple

import apsw

from schemas.errors import Code, FormatError, OperationError
from schemas.subjects import DIRECTORY_HEAD, is_community, parse_frame_subject
from schemas.vocabulary import AlarmName
from subscribers.storage.store import Row, Store

__all__ = [
    "MIGRATIONS",
    "STANDING_MAX",
    "STATES",
    "Alarm",
    "AlarmKey",
    "AlarmName",
    "Raised",
    "acknowledge",
    "alarm_of",
    "by_name",
    "end_alarms",
    "listed",
    "newest",
    "raise_alarms",
    "standing",
]
MIGRATIONS: Final = (
    """
    CREATE TABLE alarms(
        number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, community TEXT NOT NULL,
        publisher TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, times INTEGER NOT NULL,
        detail TEXT NOT NULL, frame TEXT NOT NULL, acked INTEGER, ended INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX alarms_standing ON alarms(name, community, publisher) WHERE ended IS NULL;
    """,
)
STANDING_MAX: Final = 256
"""Alarms of one name that stand at once. A hub chooses subjects as it likes: what goes beyond is counted
together under no community and no publisher.
"""
_KEPT_MAX: Final = 10_000
_COLUMNS: Final = "number, name, community, publisher, first, last, times, detail, frame, acked, ended"
_MEMBERSHIP: Final = "m."
_DOCUMENTS: Final = "d."
_REQUESTS: Final = "h."


STATES: Final = frozenset(
    {
        AlarmName.SILENCE,
        AlarmName.STALE_HEAD,
        AlarmName.WITNESS_SHORTFALL,
        AlarmName.UNANSWERED,
        AlarmName.REVIEW,
        AlarmName.HUB_LAG,
        AlarmName.HUB_SILENCE,
        AlarmName.HUB_QUOTA,
        AlarmName.HUB_REFUSED,
        AlarmName.HUB_DISK,
        AlarmName.HUB_EXPIRY,
    }
)
"""Alarms that last until their cause is over, however often they are acknowledged."""


class AlarmKey(NamedTuple):
    """For which one alarm stands at a time. `publisher` is an endpoint; what does not apply is empty."""

    name: AlarmName
    community: str = ""
    publisher: str = ""


class Alarm(NamedTuple):
    """Something that happened at `at` (Unix milliseconds). `frame` is the SHA-256 of an example, in hex;
    `detail` is for people and carries no content.
    """

    key: AlarmKey
    at: int
    detail: str = ""
    frame: str = ""


class Raised(NamedTuple):
    """An alarm as it is kept: from `first` to `last` it happened `times` times."""

    number: int
    key: AlarmKey
    first: int
    last: int
    times: int
    detail: str
    frame: str
    acked: int | None
    ended: int | None


_BY_CODE: Final[dict[Code, AlarmName]] = {
    Code.SPLIT_VIEW: AlarmName.SPLIT_VIEW,
    Code.LOG_BEHIND: AlarmName.LOG_BEHIND,
    Code.FORK: AlarmName.FORK,
    Code.REPLAYED: AlarmName.REPLAYED,
    Code.MISSING_WRAP: AlarmName.MISSING_WRAP,
    Code.UNKNOWN_EPOCH: AlarmName.MISSING_WRAP,
    Code.KEY_MISMATCH: AlarmName.EQUIVOCATION,
    Code.DECRYPTION_FAILED: AlarmName.EQUIVOCATION,
    Code.COMMITMENT_MISMATCH: AlarmName.EQUIVOCATION,
    Code.CONTENT_MISMATCH: AlarmName.EQUIVOCATION,
    Code.EXERCISE_MISMATCH: AlarmName.EQUIVOCATION,
    Code.NOT_NEXT: AlarmName.EQUIVOCATION,
    Code.NOT_MEMBER: AlarmName.GHOST_MEMBER,
    Code.READ_ONLY_MEMBER: AlarmName.GHOST_MEMBER,
    Code.BAD_SIGNATURE: AlarmName.FORGERY,
    Code.UNKNOWN_KEY: AlarmName.FORGERY,
    Code.REVOKED_KEY: AlarmName.FORGERY,
    Code.UNKNOWN_PUBLISHER: AlarmName.FORGERY,
    Code.UNKNOWN_COMMUNITY: AlarmName.FORGERY,
    Code.WRONG_REALM: AlarmName.FORGERY,
    Code.SUBJECT_MISMATCH: AlarmName.FORGERY,
    Code.BAD_SUBJECT: AlarmName.FORGERY,
    Code.BAD_RECEIPT: AlarmName.FORGERY,
    Code.BAD_WRAP: AlarmName.FORGERY,
}


_OF_HEAD: Final = {
    Code.SPLIT_VIEW: AlarmName.SPLIT_VIEW,
    Code.ROLLBACK: AlarmName.ROLLBACK,
    Code.LOG_BEHIND: AlarmName.LOG_BEHIND,
    Code.WITNESS_SHORTFALL: AlarmName.WITNESS_SHORTFALL,
}


def alarm_of(code: Code, at: int, subject: str, message: str, data: bytes) -> Alarm | None:
    """The alarm that a refusal raises; None for one that accuses nobody but who wrote the bytes.

    `subject` is the hub's word. What is refused in a community's membership log is `ghost_member` unless it
    is about the log itself; in the directory it is `forgery`.
    """
    name = _BY_CODE.get(code)
    community = publisher = ""
    if subject.startswith(_MEMBERSHIP):
        name = name if code is Code.SPLIT_VIEW else AlarmName.GHOST_MEMBER
        named = subject.removeprefix(_MEMBERSHIP)
        community = named if is_community(named) else ""
    elif subject == DIRECTORY_HEAD:
        name = _OF_HEAD.get(code, AlarmName.FORGERY)
    elif subject.startswith(_DOCUMENTS):
        name = name if code is Code.SPLIT_VIEW else AlarmName.FORGERY
    else:
        try:
            place = parse_frame_subject(subject)
            community, publisher = place.community, place.publisher
        except FormatError:
            # A wrap for an epoch that is not known here is no use to anybody, and no loss.
            name = None if code is Code.UNKNOWN_EPOCH else name
            if subject.startswith(_REQUESTS) and code is Code.NOT_MEMBER:
                name = None  # who asked for old keys may have left on the way
    if name is None:
        return None
    return Alarm(AlarmKey(name, community, publisher), at, message, sha256(data).hexdigest())


def raise_alarms(connection: apsw.Connection, alarms: Iterable[Alarm]) -> None:
    """Write into the transaction that is open on `connection`: new ones, or one more of what stands."""
    for each in alarms:
        key = each.key
        if not _again(connection, each, key):
            if _standing(connection, key.name) >= STANDING_MAX:
                key = AlarmKey(key.name)
                if _again(connection, each, key):
                    continue
            connection.execute(
                "INSERT INTO alarms(name, community, publisher, first, last, times, detail, frame) "
                "VALUES (?, ?, ?, ?, ?, 1, ?, ?)",
                (str(key.name), key.community, key.publisher, each.at, each.at, each.detail, each.frame),
            )
            connection.execute(
                "DELETE FROM alarms WHERE ended IS NOT NULL "
                "AND number <= (SELECT max(number) FROM alarms) - ?",
                (_KEPT_MAX,),
            )


def end_alarms(connection: apsw.Connection, keys: Iterable[AlarmKey], at: int) -> None:
    """Their cause is over. What does not stand is left alone."""
    sql = "UPDATE alarms SET ended = ? WHERE name = ? AND community = ? AND publisher = ? AND ended IS NULL"
    connection.executemany(sql, [(at, *key) for key in keys])


async def listed(store: Store, limit: int, *, past: bool = False, after: int = 0) -> list[Raised]:
    """Alarms with a number above `after`, newest first: what stands and is not acknowledged, or all."""
    where = "" if past else "AND ended IS NULL AND acked IS NULL"
    rows = await store.query(
        f"SELECT {_COLUMNS} FROM alarms WHERE number > ? {where} ORDER BY number DESC LIMIT ?",  # noqa: S608 - both constant
        (after, limit),
    )
    return [_raised(row) for row in rows]


async def standing(store: Store) -> int:
    """How many stand and are not acknowledged."""
    sql = "SELECT count(*) FROM alarms WHERE ended IS NULL AND acked IS NULL"
    return int((await store.query(sql))[0][0])


async def by_name(store: Store) -> dict[str, int]:
    """The same by alarm."""
    sql = "SELECT name, count(*) FROM alarms WHERE ended IS NULL AND acked IS NULL GROUP BY name"
    return {str(name): int(count) for name, count in await store.query(sql)}


async def newest(store: Store) -> int:
    """The number of the latest alarm; 0 when there has been none."""
    return int((await store.query("SELECT coalesce(max(number), 0) FROM alarms"))[0][0])


async def acknowledge(store: Store, number: int, at: int) -> Raised:
    """Somebody has seen to it. A thing that happened is over with that, and when it happens again it is a
    new alarm; a state (`STATES`) goes on until its cause does. OperationError `not_found`.
    """

    def write(connection: apsw.Connection) -> list[Row]:
        sql = f"SELECT {_COLUMNS} FROM alarms WHERE number = ?"  # noqa: S608 - constant
        rows: list[Row] = connection.execute(sql, (number,)).fetchall()
        if rows:
            ends = None if _raised(rows[0]).key.name in STATES else at
            connection.execute(
                "UPDATE alarms SET acked = coalesce(acked, ?), ended = coalesce(ended, ?) WHERE number = ?",
                (at, ends, number),
            )
            rows = connection.execute(sql, (number,)).fetchall()
        return rows

    rows = await store.transact(write)
    if not rows:
        raise OperationError(Code.NOT_FOUND, f"there is no alarm {number}", "see `liaison-agency alarms`")
    return _raised(rows[0])


def _again(connection: apsw.Connection, alarm: Alarm, key: AlarmKey) -> bool:
    sql = """UPDATE alarms SET times = times + 1, last = max(last, ?)
        WHERE name = ? AND community = ? AND publisher = ? AND ended IS NULL RETURNING number"""
    rows: list[Row] = connection.execute(sql, (alarm.at, *key)).fetchall()
    return bool(rows)


def _standing(connection: apsw.Connection, name: AlarmName) -> int:
    sql = "SELECT count(*) FROM alarms WHERE name = ? AND ended IS NULL"
    rows: list[Row] = connection.execute(sql, (str(name),)).fetchall()
    return int(rows[0][0])


def _raised(row: Row) -> Raised:
    number, name, community, publisher, *rest = row
    return Raised(number, AlarmKey(AlarmName(name), community, publisher), *rest)

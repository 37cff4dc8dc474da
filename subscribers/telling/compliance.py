"""What the members say of our amendments and retractions: kept as their reports come, told against those who
were members when the change was made.

A report is a claim of the agency that made it. The first one about a change counts.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import apsw

from schemas.encoding import from_instant, instant
from schemas.errors import Code, TrustError
from schemas.membership import MembershipLog
from schemas.vocabulary import Kind
from subscribers.records import Compliance, MemberCompliance, MemberState, Record
from subscribers.storage.store import Store
from subscribers.writing.replies import Reported

MIGRATIONS: Final = (
    """
    CREATE TABLE confirmations(
        change TEXT, agency TEXT, received INTEGER NOT NULL, applied INTEGER, archive TEXT NOT NULL,
        local TEXT NOT NULL, sinks TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (change, agency)
    ) STRICT, WITHOUT ROWID;
    """,
)
_OURS: Final = f"""SELECT 1 FROM bulletins WHERE id = ? AND community = ? AND agency = ?
    AND kind IN ('{Kind.AMENDMENT}', '{Kind.RETRACTION}')"""  # noqa: S608 - constants
LATE_MOST: Final = 200
"""As many are looked at, the newest."""
LATE_MAX: Final = 90 * 24 * 3_600_000
"""Nobody is reminded of a retraction for longer than this (milliseconds)."""


_WITHIN: Final = 999
"""A bulletin tells its time to the second, the log to the millisecond."""
_LATEST: Final = 9_000_000_000_000
"""A time that an instant of four digits of year can tell (Unix milliseconds)."""


class Confirmation(NamedTuple):
    """What one agency reported of one change; times in Unix milliseconds, `at` by our clock."""

    received: int
    applied: int | None
    archive: str
    local: str
    sinks: str
    at: int


def confirm(connection: apsw.Connection, reported: Reported, us: str) -> None:
    """Keep a report in the open transaction. TrustError `not_a_reply` when it is about something else than
    changes of ours in that community; nothing was written then.
    """
    for each in reported.report.changes:
        if not connection.execute(_OURS, (each.id, reported.community, us)).fetchall():
            raise TrustError(Code.NOT_A_REPLY, "a report on something else than our changes here")
    rows = [
        (
            each.id,
            reported.agency,
            each.received,
            each.applied,
            each.archive,
            each.local,
            each.sinks,
            reported.at,
        )
        for each in reported.report.changes
    ]
    connection.executemany("INSERT OR IGNORE INTO confirmations VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


async def confirmations(store: Store, change: str) -> dict[str, Confirmation]:
    """What came of one change, by agency."""
    sql = "SELECT agency, received, applied, archive, local, sinks, at FROM confirmations WHERE change = ?"
    return {row[0]: Confirmation(*row[1:]) for row in await store.query(sql, (change,))}


async def late(store: Store, us: str, before: int) -> list[str]:
    """Our retractions from before then (Unix ms) by their ids, the old ones left out."""
    sql = """SELECT id FROM bulletins WHERE kind = ? AND agency = ? AND issued < ? AND issued > ?
        ORDER BY position DESC LIMIT ?"""
    rows = await store.query(sql, (Kind.RETRACTION, us, before, before - LATE_MAX, LATE_MOST))
    return [id for (id,) in rows]


def compliance(
    record: Record,
    log: MembershipLog,
    names: Mapping[str, str],
    said: Mapping[str, Confirmation],
    now: int,
) -> Compliance:
    """How a change of ours stands with the members of the time at which it was made. Pure; `now` in Unix
    milliseconds, `names` by agency id.
    """
    bulletin = record.bulletin
    then = log.members(from_instant(bulletin.issued) + _WITHIN)
    others = sorted({*then, *said} - {record.agency})
    members = [
        _member(each, names.get(each, each), then.get(each, "member"), log.role(each, now), said.get(each))
        for each in others
    ]
    relation = "amends" if bulletin.kind is Kind.AMENDMENT else "retracts"
    return Compliance(
        id=bulletin.id,
        ref=bulletin.ref,
        kind=bulletin.kind,
        bulletins=[each.id for each in bulletin.links if each.relation.value == relation],
        community=record.community,
        community_slug=record.community_slug,
        issued=bulletin.issued,
        members=members,
        applied=sum(each.state == "applied" for each in members),
        waiting=sum(each.state in {"waiting", "failed"} for each in members),
    )


def _member(
    agency: str, name: str, then: str, role: str | None, said: Confirmation | None
) -> MemberCompliance:
    state: MemberState
    if said:
        state = "failed" if said.applied is None else "applied"
    elif role is None:
        state = "left"
    else:
        state = "waiting" if "member" in {then, role} else "read_only"
    return MemberCompliance(
        agency=agency,
        agency_name=name,
        role="member" if then == "member" else "reader",
        state=state,
        received=_when(said.received) if said else None,
        applied=_when(said.applied) if said else None,
        reported=_when(said.at) if said else None,
        archive=said.archive if said else None,
        local=said.local if said else None,
        sinks=said.sinks if said else None,
    )


def _when(time: int | None) -> str | None:
    return None if time is None else instant(min(time, _LATEST))

"""What of a community's past is wanted, how far it was read, and the old frames that wait for their key.
Synchronous, for the writer's thread.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

import apsw

from schemas.chain import ChainHead, ChainKey
from schemas.frame import Frame
from subscribers.judging.past import Outcome, Step
from subscribers.judging.verdicts import Chain
from subscribers.storage.store import Row, Store

MIGRATIONS: Final = (
    """
    CREATE TABLE past(
        community TEXT PRIMARY KEY, asked INTEGER NOT NULL, state TEXT NOT NULL, through INTEGER,
        cursor INTEGER NOT NULL DEFAULT 0, opened INTEGER NOT NULL DEFAULT 0,
        withheld INTEGER NOT NULL DEFAULT 0, missing INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE past_frames(
        publisher TEXT, community TEXT, precedence TEXT, seq INTEGER, hash TEXT, prev TEXT NOT NULL,
        kid TEXT NOT NULL, raw BLOB NOT NULL, announcement BLOB,
        PRIMARY KEY (publisher, community, precedence, seq, hash)
    ) STRICT;
    CREATE INDEX past_waiting ON past_frames(announcement) WHERE announcement IS NOT NULL;
    CREATE TABLE past_heads(
        publisher TEXT, community TEXT, precedence TEXT, seq INTEGER NOT NULL, hash TEXT NOT NULL,
        since INTEGER NOT NULL, PRIMARY KEY (publisher, community, precedence)
    ) STRICT, WITHOUT ROWID;
    """,
)
_CHAIN: Final = "publisher = ? AND community = ? AND precedence = ?"


PastState = Literal["fetching", "checking", "waiting", "done"]
FETCHING: Final = "fetching"
CHECKING: Final = "checking"
WAITING: Final = "waiting"
DONE: Final = "done"


class Wanted(NamedTuple):
    """A community whose past was asked for. `through` is the sequence in the hub's stream to which it goes,
    None before the hub has said; `cursor` how far it was fetched. Then how many bulletins were opened and
    withheld, and how many frames are missing.
    """

    community: str
    asked: int
    state: PastState
    through: int | None
    cursor: int
    opened: int
    withheld: int
    missing: int


class Waiting(NamedTuple):
    """Old bulletins of one publisher that wait for keys: how many, and the hashes of the announcements."""

    publisher: str
    frames: int
    announcements: list[bytes]


def want(connection: apsw.Connection, community: str, now: int) -> None:
    """Begin, or go on from where the past was fetched to the last time."""
    connection.execute(
        "INSERT INTO past(community, asked, state) VALUES (?, ?, ?) ON CONFLICT DO UPDATE "
        "SET asked = excluded.asked, state = excluded.state, through = NULL",
        (community, now, FETCHING),
    )


def fetched(connection: apsw.Connection, frames: Iterable[Frame], community: str, cursor: int) -> None:
    """Keep a page of old frames whose signatures hold, and where it ended."""
    rows = [
        (*ChainKey.of(each), each.header.seq, each.hash, each.header.prev, each.header.kid, each.raw)
        for each in frames
    ]
    connection.executemany("INSERT OR IGNORE INTO past_frames VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)", rows)
    connection.execute("UPDATE past SET cursor = ? WHERE community = ?", (cursor, community))


def note_end(connection: apsw.Connection, community: str, last: int) -> None:
    """Note how far the past goes."""
    connection.execute("UPDATE past SET through = ? WHERE community = ?", (last, community))


def is_fetched(connection: apsw.Connection, community: str) -> None:
    """All old frames are here, unless they were asked for anew meanwhile: then it begins again."""
    sql = "UPDATE past SET state = ? WHERE community = ? AND state = ? AND through IS NOT NULL"
    connection.execute(sql, (CHECKING, community, FETCHING))


def is_checked(connection: apsw.Connection, community: str) -> None:
    """Every chain was read, unless the past was asked for anew meanwhile."""
    sql = "UPDATE past SET state = ? WHERE community = ? AND state = ?"
    connection.execute(sql, (WAITING, community, CHECKING))


def is_opened(connection: apsw.Connection, community: str) -> None:
    """Everything that may be read has been, unless a key has come meanwhile for what is still to be opened,
    or the past was asked for anew.
    """
    sql = """UPDATE past SET state = ?1 WHERE community = ?2 AND state = ?3 AND NOT EXISTS (
        SELECT 1 FROM past_frames f JOIN epochs e USING (announcement) WHERE f.community = ?2)"""
    connection.execute(sql, (DONE, community, WAITING))


def checked(
    connection: apsw.Connection, key: ChainKey, chain: Chain | None, outcomes: Sequence[Outcome], missing: int
) -> None:
    """What became of the frames of one chain: those that wait for a key stay."""
    held = "SELECT 1 FROM bulletins WHERE id = ?"
    waits = [
        (each.announcement, *key, each.frame.header.seq, each.frame.hash)
        for each in outcomes
        if each.state == "waits"
        and each.frame
        and not connection.execute(held, (each.frame.header.id,)).fetchall()  # read while its key was here
    ]
    mark = f"UPDATE past_frames SET announcement = ? WHERE {_CHAIN} AND seq = ? AND hash = ?"  # noqa: S608 - constants
    connection.executemany(mark, waits)
    connection.execute(f"DELETE FROM past_frames WHERE {_CHAIN} AND announcement IS NULL", key)  # noqa: S608 - the same
    withheld = sum(each.state == "withheld" for each in outcomes)
    connection.execute(
        "UPDATE past SET withheld = withheld + ?, missing = missing + ? WHERE community = ?",
        (withheld, missing, key.community),
    )
    if chain is not None:
        row = (*key, *chain.head, chain.since)
        connection.execute("INSERT OR REPLACE INTO past_heads VALUES (?, ?, ?, ?, ?, ?)", row)


def opened(connection: apsw.Connection, community: str, rowids: Sequence[int], new: int) -> None:
    """These frames wait no longer; `new` of them are in the archive now."""
    connection.executemany("DELETE FROM past_frames WHERE rowid = ?", [(each,) for each in rowids])
    connection.execute("UPDATE past SET opened = opened + ? WHERE community = ?", (new, community))


async def wanted(store: Store) -> list[Wanted]:
    """Everything that was asked for."""
    sql = """SELECT community, asked, state, through, cursor, opened, withheld, missing FROM past
        ORDER BY community"""
    return [Wanted(*row) for row in await store.query(sql)]


async def heads(store: Store) -> dict[ChainKey, Chain]:
    """How far each chain was read."""
    rows = await store.query("SELECT * FROM past_heads")
    return {ChainKey(*row[:3]): Chain(ChainHead(*row[3:5]), row[5]) for row in rows}


async def chains(store: Store, community: str) -> list[ChainKey]:
    """Chains with old frames that have not been read."""
    sql = """SELECT DISTINCT publisher, community, precedence FROM past_frames
        WHERE community = ? AND announcement IS NULL ORDER BY publisher, precedence DESC"""
    return [ChainKey(*row) for row in await store.query(sql, (community,))]


async def steps(store: Store, key: ChainKey) -> list[Step]:
    """The frames of a chain that have not been read, in its order."""
    sql = f"SELECT seq, hash, prev, kid FROM past_frames WHERE {_CHAIN} AND announcement IS NULL ORDER BY seq, hash"  # noqa: S608, E501 - constants
    return [Step(*row) for row in await store.query(sql, key)]


async def raw(store: Store, key: ChainKey, step: Step) -> bytes:
    """One of them, whole."""
    sql = f"SELECT raw FROM past_frames WHERE {_CHAIN} AND seq = ? AND hash = ?"  # noqa: S608 - constants
    return bytes((await store.query(sql, (*key, step.seq, step.hash)))[0][0])


async def anchor(store: Store, key: ChainKey, since: int) -> bytes | None:
    """The header of the announcement with which the live chain began; None where it was not kept."""
    sql = "SELECT header FROM announcements WHERE publisher = ? AND community = ? AND ep = ?"
    rows = await store.query(sql, (key.publisher, key.community, since))
    return rows[0][0] if rows else None


async def waiting(store: Store, community: str) -> list[Waiting]:
    """Whose old bulletins still wait for keys."""
    sql = """SELECT f.publisher, f.announcement, count(*) FROM past_frames f
        JOIN epochs e ON e.announcement = f.announcement
        WHERE f.community = ? AND e.key IS NULL GROUP BY f.publisher, f.announcement ORDER BY f.publisher"""
    found: dict[str, Waiting] = {}
    for publisher, announcement, count in await store.query(sql, (community,)):
        before = found.get(publisher, Waiting(publisher, 0, []))
        hashes = [*before.announcements, announcement]
        found[publisher] = Waiting(publisher, before.frames + count, hashes)
    return list(found.values())


async def unlocked(store: Store, community: str, most: int) -> list[Row]:
    """Frames whose key has come: (rowid, raw)."""
    sql = """SELECT f.rowid, f.raw FROM past_frames f JOIN epochs e ON e.announcement = f.announcement
        WHERE f.community = ? AND e.key IS NOT NULL ORDER BY f.publisher, f.seq LIMIT ?"""
    return await store.query(sql, (community, most))

"""How long bulletins stay in the archive, and what is kept in spite of that: legal holds. Rows beside the
archive's; synchronous, for the writer's thread.

What is purged is gone whole: text, proofs, the words and facets by which it was found. Its id and reference
stay, so that it is not taken in again when the hub gives it once more. A hold keeps bulletins whatever the
rules say and whatever becomes of them; who placed it, why, and who ended it stays written.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import apsw

from schemas.errors import Code, OperationError
from subscribers.settings import RetentionRule
from subscribers.storage.normalise import query_expression
from subscribers.storage.store import Row

MIGRATION: Final = """
    CREATE TABLE holds(
        name TEXT PRIMARY KEY, ref TEXT, words TEXT, reason TEXT NOT NULL, placed INTEGER NOT NULL,
        placed_by TEXT NOT NULL, ended INTEGER, ended_by TEXT, ended_why TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE on_hold(
        hold TEXT NOT NULL REFERENCES holds, id TEXT NOT NULL, PRIMARY KEY (hold, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX on_hold_ids ON on_hold (id);
    CREATE TABLE purged(
        id TEXT PRIMARY KEY, ref TEXT NOT NULL, at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    """
DAY: Final = 86_400_000
NAME_MAX: Final = 64
_AT_ONCE: Final = 500
_ROWS: Final = (
    "payloads",
    "proofs",
    "sealed",
    "bulletin_regions",
    "replacements",
    "links",
    "facets",
    "reviews",
)


class Hold(NamedTuple):
    """A legal hold, by a reference or by words; times in Unix ms. `bulletins`: how many it keeps."""

    name: str
    ref: str | None
    words: str | None
    reason: str
    placed: int
    placed_by: str
    ended: int | None
    ended_by: str | None
    ended_why: str | None
    bulletins: int


def place(connection: apsw.Connection, hold: Hold) -> int:
    """Begin a hold; how many bulletins it keeps by now. OperationError `already_known`, `not_found` for a
    reference that is not here, `bad_request` for words that hold nothing to look for.
    """
    if (
        not hold.reason.strip()
        or not 0 < len(hold.name) <= NAME_MAX
        or (hold.ref is None) == (hold.words is None)
    ):
        fix = "give a short name, a reason, and either a reference or words"
        raise OperationError(Code.BAD_REQUEST, "this is no hold", fix)
    if _rows(connection, "SELECT 1 FROM holds WHERE name = ?", (hold.name,)):
        raise OperationError(Code.ALREADY_KNOWN, "there is, or was, a hold of that name", "choose another")
    connection.execute(
        "INSERT INTO holds(name, ref, words, reason, placed, placed_by) VALUES (?, ?, ?, ?, ?, ?)", hold[:6]
    )
    found = _extend(connection, hold.name, hold.ref, hold.words)
    if hold.ref is not None and not found:
        raise OperationError(Code.NOT_FOUND, "no such bulletin here", "check the reference")
    return found


def end(connection: apsw.Connection, name: str, by: str, why: str, now: int) -> None:
    """End a hold: what it kept goes by the rules again. OperationError `not_found`, `bad_request`."""
    if not why.strip():
        raise OperationError(Code.BAD_REQUEST, "a hold is not ended without a reason", "give one")
    sql = (
        "UPDATE holds SET ended = ?, ended_by = ?, ended_why = ? WHERE name = ? AND ended IS NULL RETURNING 1"
    )
    if not _rows(connection, sql, (now, by, why, name)):
        raise OperationError(Code.NOT_FOUND, "no hold of that name stands", "see `hold list`")
    connection.execute("DELETE FROM on_hold WHERE hold = ?", (name,))


def holds(connection: apsw.Connection, *, past: bool) -> list[Hold]:
    """Those that stand, and with `past` those that were ended; the newest first."""
    sql = """SELECT h.*, (SELECT count(*) FROM on_hold o WHERE o.hold = h.name) FROM holds h
        WHERE ? OR h.ended IS NULL ORDER BY h.placed DESC, h.name"""
    return [Hold(*row) for row in _rows(connection, sql, (past,))]


def extend_all(connection: apsw.Connection) -> None:
    """Have the holds by words keep what has come since."""
    for name, words in _rows(connection, "SELECT name, words FROM holds WHERE ended IS NULL AND ref IS NULL"):
        _extend(connection, name, None, words)


def purge(connection: apsw.Connection, rules: Sequence[RetentionRule], now: int) -> int:
    """Purge what is past its time and not held, at most 500; how many. Call again until it is none."""
    extend_all(connection)
    due = [row for rule in rules for row in _due(connection, rule, now)]
    chosen = list({row[0]: row for row in due}.values())[:_AT_ONCE]
    connection.execute("PRAGMA secure_delete = on").fetchall()  # within the encrypted file, too
    for position, id, ref in chosen:
        for table in _ROWS:
            connection.execute(f"DELETE FROM {table} WHERE position = ?", (position,))  # noqa: S608 - ours
        connection.execute("DELETE FROM terms WHERE rowid = ?", (position,))
        connection.execute("DELETE FROM bulletins WHERE position = ?", (position,))
        connection.execute("INSERT OR IGNORE INTO purged VALUES (?, ?, ?)", (id, ref, now))
    return len(chosen)


def is_purged(connection: apsw.Connection, id: str) -> bool:
    """Whether a bulletin was here and has had its time."""
    return bool(_rows(connection, "SELECT 1 FROM purged WHERE id = ?", (id,)))


def _due(connection: apsw.Connection, rule: RetentionRule, now: int) -> list[Row]:
    where, bindings = ["b.received <= ?"], list[str | int]([now - rule.days * DAY])
    if rule.kind is not None:
        where.append("b.kind = ?")
        bindings.append(rule.kind.value)
    if rule.tlp is not None:
        where.append("b.tlp = ?")
        bindings.append(rule.tlp.rank)
    if rule.personal is not None:
        where.append("EXISTS (SELECT 1 FROM reviews v WHERE v.position = b.position) = ?")
        bindings.append(rule.personal)
    sql = f"""SELECT b.position, b.id, b.ref FROM bulletins b
        WHERE {" AND ".join(where)} AND b.number <= (SELECT number FROM republished)
            AND NOT EXISTS (SELECT 1 FROM on_hold o WHERE o.id = b.id)
        ORDER BY b.number LIMIT {_AT_ONCE}"""  # noqa: S608 - fixed pieces, every value is bound
    return _rows(connection, sql, bindings)


def _extend(connection: apsw.Connection, name: str, ref: str | None, words: str | None) -> int:
    """Put what a hold is about under it, with what changed it and what answers it."""
    if ref is not None:
        sql = "SELECT id FROM bulletins WHERE ref = ? OR id = ?"
        found = _rows(connection, sql, (ref.upper(), ref.lower()))
    else:
        sql = "SELECT b.id FROM terms JOIN bulletins b ON b.position = terms.rowid WHERE terms MATCH ?"
        found = _rows(connection, sql, (query_expression(words or ""),))
    _keep(connection, name, (id for (id,) in found))
    about = """SELECT DISTINCT b.id FROM links l JOIN bulletins b USING (position)
        WHERE l.target IN (SELECT id FROM on_hold WHERE hold = ?)"""
    _keep(connection, name, (id for (id,) in _rows(connection, about, (name,))))
    return int(_rows(connection, "SELECT count(*) FROM on_hold WHERE hold = ?", (name,))[0][0])


def _keep(connection: apsw.Connection, name: str, ids: Iterable[str]) -> None:
    connection.executemany("INSERT OR IGNORE INTO on_hold VALUES (?, ?)", [(name, id) for id in ids])


def _rows(connection: apsw.Connection, sql: str, bindings: Sequence[str | int | bool] = ()) -> list[Row]:
    return connection.execute(sql, bindings).fetchall()

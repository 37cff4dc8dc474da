"""Makes a whole database of a damaged one: what can be read is copied into a new file, and the hub gives the
rest again. The damaged file is kept aside. docs/decisions/0045.

Rows are read from both ends of each table, so that a damaged page takes with it what lies around it and no
more. What must not be half (chains as they were read, places in feeds) is left out: the feed is read from its
beginning, and what is there already is known by its id.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import apsw

from schemas.bulletin import parse_bulletin
from schemas.encoding import instant
from schemas.errors import Code, LiaisonError, OperationError
from schemas.frame import BULLETIN
from subscribers.core import lock
from subscribers.exchange.enrolment import KEYS
from subscribers.judging import returned
from subscribers.keys import Keyring
from subscribers.recovery.copying import DATABASE, opened, sync
from subscribers.storage import tables
from subscribers.storage.archive_rows import terms_of
from subscribers.storage.facets import file_facets
from subscribers.storage.lane import explain
from subscribers.storage.store import Row, migrate

_READ_AGAIN: Final = frozenset({"chains", "pulses", "feeds", "past", "past_frames", "past_heads"})
"""Where the node stands in what it reads: it begins again."""
_MADE_ANEW: Final = ("terms", "facets", "migrations", "returned", "sqlite_")
_NEW: Final = "node.db.new"
_SIDES: Final = ("", "-wal", "-shm")
_NAMED_MAX: Final = 50


class Salvaged(NamedTuple):
    """What became of it. `rows` were copied; `damaged` are tables of which rows are missing; `lost` are
    references of our own that neither archive nor outbox has: others may have them, and then they come again.
    `aside` is where the damaged file is.
    """

    aside: str
    rows: int
    bulletins: int
    damaged: list[str]
    lost: list[str]


def salvage(state: Path, now: int, *, from_nothing: bool = False) -> Salvaged:
    """Put a whole database into the place of the damaged one; `now` in Unix ms. The node must not run.

    OperationError `already_running`, `disk_full`, `bad_version` when a newer program wrote the file,
    `store_corrupt` when nothing of it can be read; with `from_nothing` the archive then begins empty.
    """
    key = bytes(Keyring.load(state / KEYS).archive)
    with lock(state):
        source, new = state / DATABASE, state / _NEW
        for side in _SIDES:
            Path(f"{new}{side}").unlink(missing_ok=True)
        try:
            with _damaged(source, key, or_nothing=from_nothing) as old, opened(new, key, new=True) as fresh:
                _see_version(old)
                migrate(fresh, tables.NODE)
                found = _fill(old, fresh, now)
                fresh.execute("PRAGMA wal_checkpoint(truncate)").fetchall()
        except apsw.Error as error:
            raise explain(error) or error from error
        aside = _swap(source, new, now)
    return found._replace(aside=str(aside))


@contextlib.contextmanager
def _damaged(path: Path, key: bytes, *, or_nothing: bool) -> Iterator[apsw.Connection]:
    """A connection that changes nothing of the file, and does not mind that its end is missing; to nothing,
    if that is allowed and the file has no beginning.
    """
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        _unlock(connection, key)
    except (apsw.CorruptError, apsw.NotADBError):
        connection.close()
        if not or_nothing:
            fix = "restore a backup; without one, `liaison-agency salvage --from-nothing`"
            message = "nothing of the database can be read with this key"
            raise OperationError(Code.STORE_CORRUPT, message, fix) from None
        connection = apsw.Connection(":memory:")
    try:
        yield connection
    finally:
        connection.close()


def _unlock(connection: apsw.Connection, key: bytes) -> None:
    connection.execute("PRAGMA cipher = 'chacha20'")
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"", can_cache=False)
    connection.execute("PRAGMA writable_schema = on").fetchall()  # else a file that was cut off is none
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()


def _see_version(old: apsw.Connection) -> None:
    version = old.pragma("user_version")
    if version > len(tables.NODE):
        fix = "salvage it with the version that wrote it, or a later one"
        raise OperationError(Code.BAD_VERSION, f"the database is at version {version}", fix)


def _fill(old: apsw.Connection, fresh: apsw.Connection, now: int) -> Salvaged:
    damaged, rows = list[str](), 0
    fresh.execute("PRAGMA foreign_keys = off").fetchall()
    with fresh:
        for name in _names(fresh):
            fresh.execute(f"DELETE FROM {name}")  # noqa: S608 - names of our own schema; migrations put rows in
            count, whole = _copy(old, fresh, name)
            rows += count
            if not whole:
                damaged.append(name)
        if "republished" in damaged:
            fresh.execute("INSERT OR IGNORE INTO republished VALUES (1, 0)")
        _drop_halves(fresh)
        _index(fresh)
        lost = _lost(fresh)
        returned.begin(fresh, now, salvaged=True, sequence=0)
        bulletins = int(_rows(fresh, "SELECT count(*) FROM bulletins")[0][0])
    if _rows(fresh, "PRAGMA foreign_key_check"):
        raise OperationError(
            Code.STORE_CORRUPT, "what could be read does not fit together", "restore a backup"
        )
    return Salvaged("", rows, bulletins, damaged, lost)


def _names(connection: apsw.Connection) -> list[str]:
    sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid"
    names = [str(name) for (name,) in _rows(connection, sql)]
    return [each for each in names if not each.startswith(_MADE_ANEW) and each not in _READ_AGAIN]


def _copy(old: apsw.Connection, fresh: apsw.Connection, name: str) -> tuple[int, bool]:
    """How many rows of a table came over, and whether all of them did."""
    columns = [str(row[1]) for row in _rows(fresh, f"PRAGMA table_info({name})")]
    keys = [str(row[1]) for row in _rows(fresh, f"PRAGMA table_info({name})") if row[5]] or ["rowid"]
    listed, marks = ", ".join(columns), ", ".join("?" * len(columns))
    put = f"INSERT OR IGNORE INTO {name} ({listed}) VALUES ({marks})"  # noqa: S608 - names of our own schema
    whole = True
    for way in ("ASC", "DESC"):
        order = ", ".join(f"{key} {way}" for key in keys)
        whole = True
        for row in _readable(old, f"SELECT {listed} FROM {name} ORDER BY {order}"):  # noqa: S608 - the same
            if row is None:
                whole = False
            else:
                with contextlib.suppress(apsw.ConstraintError):  # a value that was damaged does not fit
                    fresh.execute(put, row)
        if whole:
            break
    return int(_rows(fresh, f"SELECT count(*) FROM {name}")[0][0]), whole  # noqa: S608 - the same


def _readable(old: apsw.Connection, sql: str) -> Iterator[tuple[Any, ...] | None]:
    """Rows as far as they can be read, then None if there were more."""
    try:
        yield from old.execute(sql)
    except (apsw.Error, UnicodeDecodeError):
        yield None


def _drop_halves(fresh: apsw.Connection) -> None:
    """Bulletins without their text or that do not parse, and rows of what is gone."""
    for position, id, payload in _rows(
        fresh, "SELECT b.position, b.id, p.payload FROM bulletins b LEFT JOIN payloads p USING (position)"
    ):
        if payload is None or not _is_bulletin(payload, id):
            fresh.execute("DELETE FROM bulletins WHERE position = ?", (position,))
    while orphans := _rows(fresh, "PRAGMA foreign_key_check"):
        for table, rowid, *_ in orphans:
            if rowid is None:  # a table without rowids: all of it is made of what is there
                fresh.execute(f"DELETE FROM {table} WHERE position NOT IN (SELECT position FROM bulletins)")  # noqa: S608 - our schema
            else:
                fresh.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))  # noqa: S608 - the same


def _is_bulletin(payload: bytes, id: str) -> bool:
    try:
        return parse_bulletin(payload).id == id
    except LiaisonError:
        return False


def _index(fresh: apsw.Connection) -> None:
    """Words and facets, of everything that may be found by them."""
    sql = """SELECT b.position, p.payload FROM bulletins b JOIN payloads p USING (position)
        LEFT JOIN reviews v USING (position)
        WHERE b.state <> 'retracted' AND NOT (b.state = 'amended' AND b.kind = 'digest')
            AND coalesce(v.hidden, 0) = 0"""
    for position, payload in _rows(fresh, sql):
        bulletin = parse_bulletin(payload)
        title, body = terms_of(bulletin)
        fresh.execute("INSERT INTO terms (rowid, title, body) VALUES (?, ?, ?)", (position, title, body))
        file_facets(fresh, position, bulletin)


def _lost(fresh: apsw.Connection) -> list[str]:
    """References that were given and that nothing here has: at most 50, the newest first."""
    refs = {ref for (ref,) in _rows(fresh, "SELECT ref FROM outgoing UNION SELECT ref FROM bulletins")}
    sql = "SELECT substr(ref, 1, 3) FROM outgoing WHERE kind = ? AND ref <> '' LIMIT 1"
    codes = _rows(fresh, sql, (BULLETIN,))
    if not codes:
        return []
    counters = _rows(fresh, "SELECT name, value FROM counters WHERE name LIKE 'ref-%' ORDER BY name DESC")
    return [
        ref
        for name, value in counters
        for number in range(int(value), 0, -1)
        if (ref := f"{codes[0][0]}-{name.removeprefix('ref-')}-{number:04}") not in refs
    ][:_NAMED_MAX]


def _rows(connection: apsw.Connection, sql: str, bindings: tuple[Any, ...] = ()) -> list[Row]:
    return connection.execute(sql, bindings).fetchall()


def _swap(source: Path, new: Path, now: int) -> Path:
    stamp = instant(now).replace(":", "").replace("-", "").partition(".")[0].rstrip("Z")
    aside = source.with_name(f"{DATABASE}.damaged-{stamp}")
    for side in reversed(_SIDES):  # the log first: it must never lie beside the new file
        part = Path(f"{source}{side}")
        if part.exists():
            part.rename(f"{aside}{side}")
    new.rename(source)
    sync(source.parent)
    return aside

"""A backup of a node's state directory, made while it runs or not, and a state directory made of a backup.

In it: the archive with outbox, chains and the directory's replica (one database, copied by SQLite's own
backup), every key, the admission, the local clients with their keys. Not in it: the local NATS stream, which
the archive fills again, and attachments' chunks, which the hub has. docs/decisions/0045.
"""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import apsw

from schemas.cask import Lid, Packing, Unpacking
from schemas.encoding import instant
from schemas.errors import Code, OperationError
from schemas.stowage import Manifest, Stowing, unstow
from subscribers.exchange.enrolment import ADMISSION, KEYS, LOCAL
from subscribers.exchange.hub_link import Admission
from subscribers.judging import returned
from subscribers.keys import Keyring
from subscribers.private_files import FILE_MODE, read_private
from subscribers.storage import tables
from subscribers.storage.lane import connect, explain
from subscribers.storage.store import Row, migrate

DATABASE: Final = "node.db"
SUFFIX: Final = ".backup"
_PASSPHRASE_MAX: Final = 4096
_FILE_MAX: Final = 1024 * 1024
_SMALL: Final = (ADMISSION, "enrolment.dsse")
_LOCAL: Final = ("*.nk", "*.key", "*.json", "clients/*.nk")


class Told(NamedTuple):
    """What is said of a backup. `made` in Unix ms, `sequence` how far it has read the hub's stream,
    `bulletins` how many it holds; `size` of the file in bytes.
    """

    agency: str
    endpoint: str
    made: int
    sequence: int
    bulletins: int
    files: int
    size: int

    def shown(self) -> dict[str, Any]:
        """For JSON."""
        return {**self._asdict(), "made": instant(self.made)}


def read_passphrase(path: Path) -> str:
    """The first line of a private file. OperationError `not_found`, `forbidden` (others may read it) or
    `bad_request`.
    """
    try:
        return read_private(path, _PASSPHRASE_MAX).decode("utf-8").split("\n", 1)[0]
    except UnicodeDecodeError:
        raise OperationError(
            Code.BAD_REQUEST, f"{path} holds no passphrase", "name a text file with one line"
        ) from None


def target(path: Path, what: Literal["hub", "node"], made: int) -> Path:
    """Where a backup goes: the file, or one with its time in its name in the directory."""
    if not path.is_dir():
        return path
    stamp = instant(made).replace(":", "").replace("-", "").partition(".")[0].rstrip("Z")
    return path / f"liaison-{what}-{stamp}{SUFFIX}"


def make(state: Path, out: Path, passphrase: str, now: int) -> Told:
    """Write a backup of the node's state directory to the new file `out`, 0600; `now` in Unix ms.

    OperationError as `Keyring.load` raises, `already_known` when there is such a file, `disk_full`,
    `store_corrupt`, `bad_request` for a passphrase that is too short.
    """
    # The database first: keys that a rotation makes current meanwhile are then newer than the directory in
    # it, never older.
    ring = Keyring.load(state / KEYS)
    admission = Admission.read(state / ADMISSION)
    lid = Lid.fresh("node", now)
    with _writing(out), tempfile.TemporaryDirectory(prefix=".liaison-", dir=out.absolute().parent) as name:
        copy = Path(name) / DATABASE
        facts = _copy_database(state / DATABASE, copy, bytes(ring.archive))
        about = {"agency": ring.profile.id, "endpoint": admission.endpoint, "made": now, **facts}
        fresh = out.with_name(f".{out.name}.{secrets.token_hex(8)}")
        try:
            with os.fdopen(_created(fresh), "wb") as file:
                packing = Packing(file.write, lid, passphrase)
                stowing = Stowing(packing)
                with copy.open("rb") as database:
                    stowing.add_from(DATABASE, database, copy.stat().st_size)
                for path in _small_files(state):
                    stowing.add(path.relative_to(state).as_posix(), read_private_file(path))
                manifest = stowing.close(about)
                file.flush()
                os.fsync(file.fileno())
            _take_name(fresh, out)
        finally:
            fresh.unlink(missing_ok=True)
    return _told(about, len(manifest.files), out)


def verify(path: Path, passphrase: str) -> Told:
    """Read a whole backup, its database included, and keep nothing. Raises as `restore`."""
    with _writing(path), tempfile.TemporaryDirectory(prefix=".liaison-", dir=path.absolute().parent) as name:
        manifest = _unpack(path, passphrase, Path(name) / "state")
    return _told(manifest.about, len(manifest.files), path)


def restore(path: Path, passphrase: str, state: Path) -> Told:
    """Make the state directory of a backup. The node that runs on it first reads what came after the backup.

    All of it or nothing. FormatError `bad_document` or `truncated` for no whole backup; OperationError
    `wrong_key` for another passphrase, `already_known` when the directory holds anything, `bad_version` when
    the backup is of a newer program, `store_corrupt`, `disk_full`.
    """
    if state.exists() and any(state.iterdir()):
        raise OperationError(
            Code.ALREADY_KNOWN,
            f"{state} is not empty",
            "nothing is overwritten: name another directory, or move this one away",
        )
    parent = state.absolute().parent
    with _writing(state):
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".liaison-", dir=parent) as name:
            fresh = Path(name) / "state"
            manifest = _unpack(path, passphrase, fresh)
            _mark(fresh, int(manifest.about["made"]))
            if state.exists():
                state.rmdir()
            fresh.rename(state)
            sync(parent)
    return _told(manifest.about, len(manifest.files), path)


def read_private_file(path: Path) -> bytes:
    """A small file of the state directory. `enrolment.dsse` is no secret, and may be open to others."""
    return path.read_bytes() if path.suffix == ".dsse" else read_private(path, _FILE_MAX)


def _small_files(state: Path) -> Iterator[Path]:
    found = [state / each for each in _SMALL]
    found += (each for pattern in _LOCAL for each in sorted((state / LOCAL).glob(pattern)))
    found += sorted((state / KEYS).rglob("*"))
    for path in found:
        hidden = any(part.startswith(".") for part in path.relative_to(state).parts)
        if path.is_file() and not path.is_symlink() and not hidden:
            yield path


def _copy_database(source: Path, copy: Path, key: bytes) -> dict[str, int]:
    """A copy of one committed state, while others write; facts about it."""
    try:
        with opened(source, key) as live, opened(copy, key, new=True) as new:
            with new.backup("main", live, "main") as backup:
                backup.step(-1)
            sequence = _number(new, "SELECT coalesce(max(sequence), 0) FROM feeds")
            bulletins = _number(new, "SELECT count(*) FROM bulletins")
            version = _number(new, "PRAGMA user_version")
    except apsw.Error as error:
        raise explain(error) or error from error
    return {"database": version, "sequence": sequence, "bulletins": bulletins}


def _number(connection: apsw.Connection, sql: str) -> int:
    rows: list[Row] = connection.execute(sql).fetchall()
    return int(rows[0][0])


@contextlib.contextmanager
def opened(path: Path, key: bytes, *, new: bool = False) -> Iterator[apsw.Connection]:
    """A connection to a database, by itself, for a block."""
    if new:
        os.close(_created(path))
    connection = connect(path, key)
    try:
        yield connection
    finally:
        connection.close()


def _unpack(path: Path, passphrase: str, into: Path) -> Manifest:
    """The files of a backup, complete and checked, in the new directory `into`."""
    into.mkdir(mode=0o700)

    def put(name: str, pieces: Iterator[bytes]) -> None:
        file = into / name
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(_created(file), "wb") as out:
            for piece in pieces:
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())

    with _writing(path), path.open("rb") as file:
        cask = Unpacking(file.read, passphrase)
        if cask.lid.what != "node":
            raise OperationError(Code.BAD_REQUEST, "this is a backup of a hub", "use `liaison-hub restore`")
        manifest = unstow(cask, put)
    _check(into)
    return manifest


def _check(state: Path) -> None:
    """That keys and database belong together, and that this program can work with the database."""
    key = bytes(Keyring.load(state / KEYS).archive)
    Admission.read(state / ADMISSION)
    try:
        with opened(state / DATABASE, key) as database:
            if database.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
                raise OperationError(
                    Code.STORE_CORRUPT, "the database in it is damaged", "take another backup"
                )
            migrate(database, tables.NODE)
    except apsw.Error as error:
        raise explain(error) or error from error


def _mark(state: Path, made: int) -> None:
    with opened(state / DATABASE, bytes(Keyring.load(state / KEYS).archive)) as database, database:
        returned.begin(database, made)


def _created(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)


def _take_name(fresh: Path, out: Path) -> None:
    try:
        os.link(fresh, out)  # a rename would take the place of a backup that is there
    except FileExistsError:
        fix = "a backup is never overwritten: name another file"
        raise OperationError(Code.ALREADY_KNOWN, f"{out} exists", fix) from None
    sync(out.absolute().parent)


def sync(directory: Path) -> None:
    """Have a rename in this directory on the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _told(about: dict[str, Any], files: int, path: Path) -> Told:
    said = {name: about[name] for name in ("agency", "endpoint", "made", "sequence", "bulletins")}
    return Told(**said, files=files, size=path.stat().st_size)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """What a disk refuses, in words. OperationError `not_found`, `forbidden` or `disk_full`."""
    try:
        yield
    except FileNotFoundError:
        fix = "check the path"
        raise OperationError(Code.NOT_FOUND, f"{path} or its directory is not there", fix) from None
    except OSError as error:
        code = Code.FORBIDDEN if isinstance(error, PermissionError) else Code.DISK_FULL
        fix = "give this user a directory with room"
        raise OperationError(code, f"{path}: {error.strerror}", fix) from None

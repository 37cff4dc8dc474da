"""Files that only their owner may read: 0600 in a 0700 directory, written whole or not at all, checked."""

import os
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from schemas.errors import Code, OperationError

DIRECTORY_MODE: Final = 0o700
FILE_MODE: Final = 0o600


def check_private_directory(directory: Path) -> None:
    """That the directory is there and nobody else's business. OperationError `not_found` or `forbidden`."""
    try:
        status = directory.stat()
    except FileNotFoundError:
        fix = "run `liaison-agency init`, or name the right directory"
        raise OperationError(Code.NOT_FOUND, f"there are no keys in {directory}", fix) from None
    if not stat.S_ISDIR(status.st_mode):
        raise OperationError(Code.NOT_FOUND, f"{directory} is not a directory", "name the right directory")
    _check_access(directory, status, DIRECTORY_MODE)


def read_private(path: Path, limit: int) -> bytes:
    """At most `limit` + 1 bytes of a private file, through one descriptor: what was checked is what is read.

    Raises OperationError `not_found`, or `forbidden` when others may read it or it is no plain file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise OperationError(Code.NOT_FOUND, f"{path} is missing", "restore it from a backup") from None
    except OSError as error:
        fix = "make it a plain file of this user"
        raise OperationError(Code.FORBIDDEN, f"{path}: {error.strerror}", fix) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OperationError(Code.FORBIDDEN, f"{path} is not a plain file", "restore it from a backup")
        _check_access(path, status, FILE_MODE)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(limit + 1)
    finally:
        os.close(descriptor)


def write_private_directory(directory: Path, files: Mapping[str, bytes]) -> None:
    """A new directory with these files, complete and on the disk, or nothing.

    They are written in a directory beside it, which then takes its name: that fails when it is in use.
    Raises OperationError `already_known`, `forbidden` or `disk_full`.
    """
    fresh = directory.with_name(f".{directory.name}.{secrets.token_hex(8)}")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        fresh.mkdir(mode=DIRECTORY_MODE)
        try:
            for name, data in files.items():
                _write(fresh / name, data)
            _sync(fresh)
            fresh.rename(directory)
        except BaseException:
            _discard(fresh)
            raise
        _sync(directory.parent)
    except OSError as error:
        raise _explain(directory, error) from None


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _discard(directory: Path) -> None:
    with suppress(OSError):
        for path in directory.iterdir():
            path.unlink()
        directory.rmdir()


def _check_access(path: Path, status: os.stat_result, mode: int) -> None:
    if stat.S_IMODE(status.st_mode) & ~mode or status.st_uid != os.geteuid():
        fix = f"`chmod {mode:o}` it, owned by this user; if others had access, make new keys"
        raise OperationError(Code.FORBIDDEN, f"{path} may be read or changed by others", fix)


def _explain(directory: Path, error: OSError) -> OperationError:
    if directory.exists():
        fix = "keys are never overwritten: name another directory, or move this one away"
        return OperationError(Code.ALREADY_KNOWN, f"{directory} is not an empty directory", fix)
    code = Code.FORBIDDEN if isinstance(error, PermissionError) else Code.DISK_FULL
    fix = "give this user a directory with room"
    return OperationError(code, f"cannot write {directory}: {error.strerror}", fix)

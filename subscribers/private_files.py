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


def write_private(path: Path, data: bytes) -> None:
    """A new private file. OperationError `already_known`, `forbidden` or `disk_full`."""
    try:
        _write(path, data)
        _sync(path.parent)
    except FileExistsError:
        raise OperationError(
            Code.ALREADY_KNOWN, f"{path} exists", "it is never overwritten: name another file"
        ) from None
    except OSError as error:
        raise _unwritten(path, error) from None


def make_private_directory(directory: Path) -> None:
    """The directory, 0700, if it is not there."""
    try:
        directory.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
        _sync(directory.parent)
    except OSError as error:
        raise _explain(directory, error) from None


def read_private_names(directory: Path) -> list[str]:
    """The names in a private directory, in order; none where there is no directory. OperationError
    `forbidden`.
    """
    if not directory.is_dir():
        return []
    check_private_directory(directory)
    return sorted(each.name for each in directory.iterdir())


def replace_private(path: Path, data: bytes) -> None:
    """The file with these bytes instead of what it held: one or the other after a crash, never half.

    What it held before is overwritten. Raises OperationError `forbidden` or `disk_full`.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write(fresh, data)
        kept = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW) if path.exists() else None
        try:
            fresh.replace(path)
            _sync(path.parent)
            if kept is not None:
                _overwrite(kept)
        finally:
            if kept is not None:
                os.close(kept)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise _unwritten(path, error) from None


def destroy(path: Path) -> None:
    """Overwrite a file and remove it. Raises OperationError `forbidden` or `disk_full`."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            _overwrite(descriptor)
        finally:
            os.close(descriptor)
        path.unlink()
        _sync(path.parent)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unwritten(path, error) from None


def remove_private_directory(directory: Path) -> None:
    """Overwrite and remove a directory of plain files, if it is there: out of its place first, so that it is
    never found half.
    """
    if not directory.is_dir():
        return
    gone = directory.with_name(f".{directory.name}.{secrets.token_hex(8)}")
    try:
        directory.rename(gone)
        _sync(directory.parent)
        for path in gone.iterdir():
            destroy(path)
        gone.rmdir()
    except OSError as error:
        raise _unwritten(directory, error) from None


def sweep(directory: Path) -> None:
    """Destroy what a killed process left in a private directory under a temporary name."""
    for path in directory.glob(".*"):
        if path.is_dir() and not path.is_symlink():
            remove_private_directory(path)
        else:
            destroy(path)


def _overwrite(descriptor: int) -> None:
    # As far as the file system writes in place: copy-on-write ones and flash disks may keep the old blocks.
    os.pwrite(descriptor, bytes(os.fstat(descriptor).st_size), 0)
    os.fsync(descriptor)


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
    return _unwritten(directory, error)


def _unwritten(path: Path, error: OSError) -> OperationError:
    code = Code.FORBIDDEN if isinstance(error, PermissionError) else Code.DISK_FULL
    fix = "give this user a directory with room"
    return OperationError(code, f"cannot write {path}: {error.strerror}", fix)

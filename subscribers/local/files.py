"""Single private files that change: written whole or not at all, readable by their owner only."""

import contextlib
import errno
import os
import secrets
from pathlib import Path

from schemas.errors import Code, OperationError


def make_private_directory(path: Path) -> None:
    """`path` and its parents, 0700 where newly made."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_private(path: Path, data: bytes) -> None:
    """Write `data` to `path` at 0600 through a rename, so that a crash leaves the old file or the new one.

    Raises OperationError `disk_full`, or `bad_settings` where the directory does not allow it.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - from a descriptor made with its mode
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise storage_error(error, path) from None


def storage_error(error: OSError, path: Path) -> OperationError:
    """What a failed write means to an operator."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return OperationError(Code.DISK_FULL, f"no room to write {path.name}", "free space on the disk")
    reason = os.strerror(error.errno or 0)
    return OperationError(
        Code.BAD_SETTINGS, f"{path} cannot be written: {reason}", "check the directory and its owner"
    )


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Small private files of the hub: keys and account records.

Everything here is readable by the hub's own user alone, and replaced whole or not at all, so that a crash at
any point leaves either the old content or the new.
"""

import os
import stat
from pathlib import Path

from schemas.errors import Code, OperationError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private_directory(path: Path) -> Path:
    """Make `path` (and its parents), closed to everybody but its owner, and return it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` by `content` at mode 0600: durable when this returns, and never seen half written."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_directory(path.parent)


def read_private(path: Path) -> bytes:
    """The content of a file that only its owner may read.

    Raises `OperationError`: NOT_FOUND if it is absent, FORBIDDEN if others could have read it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read()
    except FileNotFoundError as missing:
        raise OperationError(
            Code.NOT_FOUND, f"{path} does not exist", "run `liaison-hub init`, or restore the state directory"
        ) from missing
    if mode & _OTHERS:
        raise OperationError(
            Code.FORBIDDEN,
            f"{path} can be read by other users",
            f"chmod 600 {path}, and consider its keys seen",
        )
    return content


def remove_private(path: Path) -> None:
    """Remove `path`, durably; an absent file is already removed."""
    path.unlink(missing_ok=True)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make a rename or a removal in `path` survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

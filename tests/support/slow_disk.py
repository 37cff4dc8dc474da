# ruff: noqa: ARG002 - the kernel's calls, with the parameters that the library gives
"""A directory shown at another place by FUSE, where each fsync takes its time. A process of its own, which
ends when it is unmounted.

Usage: python -m tests.support.slow_disk DIRECTORY MOUNT SECONDS
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mfusepy import FUSE, Operations

_TIMES = ("st_atime", "st_ctime", "st_mtime")
_STAT = ("st_gid", "st_ino", "st_mode", "st_nlink", "st_size", "st_uid", *_TIMES)
_STATFS = (
    "f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree", "f_files", "f_flag", "f_frsize",
    "f_namemax",
)  # fmt: skip


class SlowDisk(Operations):  # type: ignore[misc] # the library ships no types
    """Everything passes through; `fsync` first waits, as each disk write of a busy machine would."""

    use_ns = True

    def __init__(self, root: Path, seconds: float) -> None:
        self._root = str(root)
        self._seconds = seconds

    def _at(self, path: str) -> str:
        return self._root + path

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        """`lstat`; of an open file by its handle, for it may have no name any more."""
        found = os.lstat(self._at(path)) if fh is None else os.fstat(fh)
        return {
            **{name: getattr(found, name) for name in _STAT},
            **{n: getattr(found, f"{n}_ns") for n in _TIMES},
        }

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        """Slow."""
        time.sleep(self._seconds)
        os.fsync(fh)
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        """Slow as well."""
        time.sleep(self._seconds)
        return 0

    def create(self, path: str, mode: int, fi: object = None) -> int:
        """A new file."""
        return os.open(self._at(path), os.O_RDWR | os.O_CREAT, mode)

    def open(self, path: str, flags: int) -> int:
        """For appending the kernel gives the offset itself."""
        return os.open(self._at(path), flags & ~os.O_APPEND)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        os.truncate(self._at(path) if fh is None else fh, length)
        return 0

    def flush(self, path: str, fh: int) -> int:
        return 0

    def release(self, path: str, fh: int) -> int:
        os.close(fh)
        return 0

    def readdir(self, path: str, fh: int) -> Iterator[str]:
        yield from (".", "..", *os.listdir(self._at(path)))  # noqa: PTH208 - names are what is wanted

    def statfs(self, path: str) -> dict[str, int]:
        found = os.statvfs(self._at(path))
        return {name: getattr(found, name) for name in _STATFS}

    def mkdir(self, path: str, mode: int) -> int:
        Path(self._at(path)).mkdir(mode)
        return 0

    def rmdir(self, path: str) -> int:
        Path(self._at(path)).rmdir()
        return 0

    def unlink(self, path: str) -> int:
        Path(self._at(path)).unlink()
        return 0

    def rename(self, old: str, new: str) -> int:
        Path(self._at(old)).replace(self._at(new))
        return 0

    def chmod(self, path: str, mode: int) -> int:
        Path(self._at(path)).chmod(mode)
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:
        os.chown(self._at(path), uid, gid)
        return 0

    def link(self, target: str, source: str) -> int:
        Path(self._at(target)).hardlink_to(self._at(source))
        return 0

    def symlink(self, target: str, source: str) -> int:
        Path(self._at(target)).symlink_to(source)
        return 0

    def readlink(self, path: str) -> str:
        return str(Path(self._at(path)).readlink())

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        with contextlib.suppress(FileNotFoundError):
            if times:
                os.utime(self._at(path), ns=times)
            else:
                os.utime(self._at(path))
        return 0


if __name__ == "__main__":
    FUSE(
        SlowDisk(Path(sys.argv[1]), float(sys.argv[3])),
        sys.argv[2],
        foreground=True,
        default_permissions=True,
    )

"""Files on a client's side: read once to be named, and saved under their name only when they are whole and
right.
"""

import hashlib
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from schemas.errors import Code, OperationError
from schemas.limits import CHUNK_SIZE
from subscribers.files.shapes import Download

_READ_AT_ONCE: Final = 1024 * 1024


class PartialFile:
    """A file in `directory` that is being fetched, 0600, under a name that nobody takes for it. One that is
    there already is gone on with, from its last whole 64 KiB.
    """

    def __init__(self, directory: Path, wanted: Download) -> None:
        """OperationError `already_known` when the file is there, `not_found`, `forbidden` or `disk_full`."""
        self._path = directory / wanted.name
        self._part = directory / f".{wanted.sha256[:16]}.part"
        self._wanted = wanted
        self._check_free()
        with _explained(self._part):
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._file = os.fdopen(os.open(self._part, flags, 0o600), "r+b")
            # The last piece comes once more in any case: with it the node says that all of it was right.
            held = min(os.fstat(self._file.fileno()).st_size, wanted.size - 1)
            self.size = held // CHUNK_SIZE * CHUNK_SIZE
            self._file.truncate(self.size)
            self._file.seek(self.size)

    def add(self, data: bytes) -> None:
        """The next bytes."""
        with _explained(self._part):
            self._file.write(data)
        self.size += len(data)

    def finish(self) -> Path:
        """Give it its name. OperationError `bad_attachment` when it is not the file that the bulletin
        describes: then it is removed; `already_known`.
        """
        with _explained(self._part):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.seek(0)
            digest = hashlib.file_digest(self._file, "sha256").hexdigest()
        if digest != self._wanted.sha256:
            self._part.unlink(missing_ok=True)
            raise OperationError(
                Code.BAD_ATTACHMENT, "the part that was saved before is not of this file", "fetch it again"
            )
        with _explained(self._path):
            try:
                os.link(self._part, self._path)  # never over another file, unlike a renaming
                self._part.unlink()
            except FileExistsError:
                self._check_free()
            except OSError:  # a file system without links
                self._check_free()
                self._part.rename(self._path)
        return self._path

    def close(self) -> None:
        """Let go of it; what is there is gone on with next time."""
        self._file.close()

    def _check_free(self) -> None:
        if self._path.exists() or self._path.is_symlink():
            raise OperationError(
                Code.ALREADY_KNOWN, f"{self._path} exists", "it is never overwritten: name another directory"
            )


def size_of(path: Path) -> int:
    """Bytes of a plain file. OperationError `not_found`, `bad_request` for what is no plain file."""
    with _explained(path):
        if not path.is_file():
            raise FileNotFoundError(2, "no plain file")
        return path.stat().st_size


def digest_of(path: Path, seen: Callable[[int], None]) -> str:
    """SHA-256 of a file, hex; `seen` is told how many bytes were read. OperationError `not_found`."""
    digest = hashlib.sha256()
    for piece in pieces_of(path, 0, _READ_AT_ONCE):
        digest.update(piece)
        seen(len(piece))
    return digest.hexdigest()


def pieces_of(path: Path, offset: int, length: int) -> Generator[bytes]:
    """A file's bytes from `offset` on, in pieces. OperationError `not_found`."""
    with _explained(path), path.open("rb") as file:
        file.seek(offset)
        while piece := file.read(length):
            yield piece


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError:
        raise OperationError(
            Code.FORBIDDEN, f"{path} may not be used by this user", "give another path"
        ) from None
    except FileNotFoundError as error:
        raise OperationError(Code.NOT_FOUND, f"{path}: {error.strerror}", "check the path") from None
    except OSError as error:
        raise OperationError(Code.DISK_FULL, f"{path}: {error.strerror}", "free space there") from None

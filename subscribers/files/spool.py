"""Attachments' chunks on this machine's disk: ciphertext alone, on its way out or as it came in. The keys are
in the store.

A file holds the chunks of one attachment in their order, each in its place; behind them, on its way out, the
lists of the tree. What is written here can be thrown away: it is made again from the source or fetched again.
"""

import os
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from schemas.attachments import chunk_count, chunk_size, list_sizes, padded
from schemas.errors import Code, OperationError
from schemas.limits import CHUNK_MAX, CHUNK_OVERHEAD
from subscribers.private_files import make_private_directory

DAY_SECONDS: Final = 24 * 3600
_SUFFIX: Final = ".chunks"

T = TypeVar("T")


class Spool:
    """The directory, which may hold `limit` bytes. Synchronous, for threads."""

    def __init__(self, directory: Path, limit: int) -> None:
        self._directory = directory
        self._limit = limit

    def path(self, name: str) -> Path:
        """Where the chunks of an upload or of an attachment are; `name` is hex and hyphens."""
        return self._directory / f"{name}{_SUFFIX}"

    def prepare(self) -> None:
        """Make the directory, if it is not there. OperationError `disk_full` or `forbidden`."""
        make_private_directory(self._directory)

    def make_room(self, size: int, keep: Collection[Path]) -> None:
        """Room for the chunks of a file of `size` bytes: what was fetched longest ago goes, but nothing of
        `keep`.

        OperationError `over_quota` when that does not help.
        """
        held = {path: on_disk(path.stat) for path in self._files()}
        free = self._limit - sum(each.st_size for each in held.values()) - spooled(size)
        for path in sorted(held, key=lambda each: held[each].st_mtime):
            if free >= 0:
                return
            if path not in keep:
                remove(path)
                free += held[path].st_size
        if free < 0:
            raise OperationError(
                Code.OVER_QUOTA,
                "the node has no room for this file beside those that are on their way",
                "wait until they have gone out, or raise LIAISON_AGENCY_ATTACHMENT_BYTES",
            )

    def sweep(self, keep: Collection[Path], days: int) -> None:
        """Remove what was not touched for so many days, but nothing of `keep`."""
        before = time.time() - days * DAY_SECONDS
        for path in self._files():
            if path not in keep and on_disk(path.stat).st_mtime < before:
                remove(path)

    def _files(self) -> list[Path]:
        return list(self._directory.glob(f"*{_SUFFIX}"))


def beside(chunks: Path) -> Path:
    """Where the addresses of these chunks are kept, of an attachment that is fetched."""
    return chunks.with_suffix(".addresses")


def remove(chunks: Path) -> None:
    """Throw chunks away, if they are there."""
    chunks.unlink(missing_ok=True)
    beside(chunks).unlink(missing_ok=True)


def spooled(size: int) -> int:
    """Bytes on disk of the chunks of a file of `size` bytes."""
    return padded(size) + chunk_count(size) * CHUNK_OVERHEAD


def blob_count(size: int) -> int:
    """How many chunks and lists a file of `size` bytes has."""
    return chunk_count(size) + len(list_sizes(chunk_count(size)))


def is_whole(path: Path, size: int) -> bool:
    """Whether all chunks and lists of a file of `size` bytes are there, by their length."""
    offset, length = _span(size, blob_count(size) - 1)
    return path.exists() and on_disk(path.stat).st_size >= offset + length


def read_blobs(path: Path, size: int, numbers: range) -> list[bytes]:
    """These chunks of a file of `size` bytes, or lists behind them. OperationError `store_corrupt`."""
    found = []
    with opened(path, "rb") as file:
        for number in numbers:
            offset, length = _span(size, number)
            file.seek(offset)
            found.append(file.read(length))
            if len(found[-1]) != length:
                raise OperationError(
                    Code.STORE_CORRUPT, "chunks of an attachment are missing on disk", "attach the file again"
                )
    return found


def whole_chunks(path: Path, size: int) -> Iterator[bytes]:
    """The chunks that are in the file, up to the first that is not there whole."""
    if not path.exists():
        return
    with opened(path, "rb") as file:
        for index in range(chunk_count(size)):
            blob = file.read(chunk_size(size, index))
            if len(blob) != chunk_size(size, index):
                return
            yield blob


def opened(path: Path, mode: str) -> BinaryIO:
    """The file, 0600 if it is made. OperationError `disk_full` or `not_found`."""

    def private(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

    def open_file() -> BinaryIO:
        return open(path, mode, opener=private)  # type: ignore[return-value]

    return on_disk(open_file)


def on_disk(work: Callable[[], T]) -> T:
    """The work's result. OperationError `not_found` or `disk_full` for what the operating system says."""
    try:
        return work()
    except FileNotFoundError:
        raise OperationError(Code.NOT_FOUND, "the chunks are gone from this disk", "ask again") from None
    except OSError as error:
        raise OperationError(
            Code.DISK_FULL, f"the chunks of an attachment are not written: {error.strerror}", "free space"
        ) from None


def _span(size: int, number: int) -> tuple[int, int]:
    count = chunk_count(size)
    if number < count:
        return number * CHUNK_MAX, chunk_size(size, number)
    sizes = list_sizes(count)
    return spooled(size) + sum(sizes[: number - count]), sizes[number - count]

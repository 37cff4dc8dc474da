"""Files of messages on removable media: written whole or not at all, read in bounded memory."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from schemas.errors import Code, FormatError, OperationError
from schemas.parcel import ParcelHeader, ParcelReader, ParcelWriter, Piece

_CHUNK: Final = 256 * 1024
_UNFINISHED: Final = ".part"

T = TypeVar("T")


class ParcelFile:
    """A parcel being written at `path`, under another name until it is whole. 0600."""

    def __init__(self, path: Path, header: ParcelHeader) -> None:
        self.path = path
        self._part = path.with_name(path.name + _UNFINISHED)
        self._file, self._writer = _opened(self._part, header)

    @property
    def count(self) -> int:
        """Messages so far, those from before a crash included."""
        return self._writer.count

    def add(self, piece: Piece) -> None:
        """One message; on the disk after `sync`."""
        self._file.write(self._writer.add(piece))

    def sync(self) -> None:
        """What was added is on the disk, and is gone on with if the process ends now."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def finish(self) -> str:
        """Give the file its name; the parcel's digest, hex."""
        self._file.write(self._writer.end())
        self.sync()
        self._file.close()
        self._part.rename(self.path)
        return self._writer.digest

    def pause(self) -> None:
        """Leave what is there to be gone on with."""
        self.sync()
        self._file.close()

    def discard(self) -> None:
        """Leave nothing behind."""
        self._file.close()
        self._part.unlink(missing_ok=True)


async def checked(path: Path, endpoint: str, direction: str) -> tuple[ParcelHeader, str]:
    """The header and the digest of a whole parcel of this endpoint. Nothing of it is used before.

    Raises FormatError `bad_parcel`, `truncated` or `too_large`; OperationError `not_found` or `bad_parcel`.
    """
    reader = ParcelReader()
    async for _ in _pieces(path, reader):
        pass
    header = reader.finish()
    if (header.endpoint, header.direction) != (endpoint, direction):
        whose = (
            "another endpoint's" if header.endpoint != endpoint else f"of the direction {header.direction}"
        )
        raise OperationError(
            Code.BAD_PARCEL, f"{path.name} is {whose}", "take the parcel that was made for this machine"
        )
    return header, reader.digest


async def pieces(path: Path) -> AsyncIterator[list[Piece]]:
    """The messages of a parcel in lists of a chunk each. Raises as `checked` does."""
    async for each in _pieces(path, ParcelReader()):
        yield each


@contextlib.contextmanager
def written(path: Path, header: ParcelHeader) -> Iterator[ParcelFile]:
    """A new parcel that is there when the block ends, and leaves nothing when it raises. OperationError
    `already_known` or `disk_full`.
    """
    if path.exists():
        raise OperationError(Code.ALREADY_KNOWN, f"{path} exists", "name another file")
    file = on_disk(lambda: ParcelFile(path, header), path)
    try:
        yield file
        if not path.exists():
            on_disk(file.finish, path)
    except BaseException:
        file.discard()
        raise


def on_disk(work: Callable[[], T], path: Path) -> T:
    """`work()`, with what a full or forbidden disk means as an OperationError."""
    try:
        return work()
    except OSError as error:
        raise OperationError(
            Code.DISK_FULL, f"{path.name} cannot be written: {error.strerror}", "give a medium with room"
        ) from None


async def _pieces(path: Path, reader: ParcelReader) -> AsyncIterator[list[Piece]]:
    try:
        with path.open("rb") as file:
            while data := await asyncio.to_thread(file.read, _CHUNK):
                yield reader.feed(data)
    except FileNotFoundError:
        raise OperationError(Code.NOT_FOUND, f"there is no file {path}", "check the path") from None
    except OSError as error:
        raise OperationError(
            Code.BAD_PARCEL, f"{path.name} cannot be read: {error.strerror}", "copy the file again"
        ) from None
    reader.finish()


def _opened(part: Path, header: ParcelHeader) -> tuple[BinaryIO, ParcelWriter]:
    """A new file, or one that was cut off: from after its last whole message on."""
    reader = ParcelReader()
    with contextlib.suppress(FileNotFoundError, FormatError), part.open("rb") as found:
        while data := found.read(_CHUNK):
            reader.feed(data)
    file = os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b")
    os.fchmod(file.fileno(), 0o600)
    if reader.header is not None and _is_same(reader.header, header):
        writer = ParcelWriter.resuming(reader)
        file.truncate(reader.whole)
        file.seek(reader.whole)
        return file, writer
    file.truncate(0)
    writer = ParcelWriter()
    file.write(writer.begin(header))
    return file, writer


def _is_same(found: ParcelHeader, wanted: ParcelHeader) -> bool:
    return found.model_copy(update={"made": wanted.made, "received": wanted.received}) == wanted

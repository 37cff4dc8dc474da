"""A file of JSON lines: every bulletin that the node has archived, one `Record` a line, and what became of it
later as a line of its own, for a system that reads files.

A line is whole or it is not there: what a crash tore off is cut away at the next start. What the last lines
hold already is not written again, so a node that is not sure may repeat itself. To rotate, rename the file:
the next write begins a new one.
"""

import asyncio
import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from pydantic_core import from_json

from schemas.errors import Code, OperationError
from schemas.vocabulary import Tlp
from subscribers.local.files import storage_error
from subscribers.records import Change, Record

REMEMBERED: Final = 4_096
"""How many of the last ids are known, and so not written twice."""
_TAIL: Final = 16 * 1024 * 1024
"""Bytes read back at most to learn them."""
_MODE: Final = 0o600


class JsonlSink:
    """Appends records to `path`, 0600, up to the marking `ceiling`; what is marked higher is left out."""

    def __init__(self, path: Path, ceiling: Tlp = Tlp.RED) -> None:
        self._path = path
        self._ceiling = ceiling
        self._writing = asyncio.Lock()
        self._file: IO[bytes] | None = None
        self._seen: deque[str] = deque(maxlen=REMEMBERED)

    async def write(self, records: Sequence[Record]) -> None:
        """Append what is new; it is on the disk when this returns. Raises OperationError `disk_full` or
        `bad_settings`.
        """
        async with self._writing:
            await asyncio.to_thread(self._append, records)

    async def correct(self, changes: Sequence[Change]) -> None:
        """Append what became of bulletins, as `{"change": ...}`. Raises as `write`."""
        async with self._writing:
            await asyncio.to_thread(self._append_changes, changes)

    async def close(self) -> None:
        """Close the file."""
        async with self._writing:
            self._close()

    def _append(self, records: Sequence[Record]) -> None:
        self._append_new(
            {
                each.bulletin.id: each.model_dump_json(exclude_none=True).encode() + b"\n"
                for each in records
                if each.bulletin.tlp.rank <= self._ceiling.rank
            }
        )

    def _append_changes(self, changes: Sequence[Change]) -> None:
        self._append_new(
            {
                f"{each.bulletin} {each.change}": b'{"change":' + each.model_dump_json().encode() + b"}\n"
                for each in changes
                if each.tlp.rank <= self._ceiling.rank
            }
        )

    def _append_new(self, named: dict[str, bytes]) -> None:
        """Lines by what they are known by, those that are not there yet."""
        try:
            file = self._current()
            begin = file.seek(0, os.SEEK_END)
            seen = frozenset(self._seen)
            fresh = {name: line for name, line in named.items() if name not in seen}
            if not fresh:
                return
            lines = b"".join(fresh.values())
            try:
                _write_all(file, lines)
            except OSError:
                file.truncate(begin)
                raise
            self._seen.extend(fresh)
        except OSError as error:
            self._close()
            raise storage_error(error, self._path) from None

    def _current(self) -> IO[bytes]:
        """The open file; another one after it was renamed or removed."""
        if self._file and not self._same(self._file):
            self._close()
        if self._file is None:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
            self._file = open(descriptor, "r+b", buffering=0)  # noqa: PTH123, SIM115 - kept open, from a descriptor
            self._check(self._file)
            self._read_back(self._file)
        return self._file

    def _same(self, file: IO[bytes]) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), self._path.stat())
        except FileNotFoundError:
            return False

    def _check(self, file: IO[bytes]) -> None:
        if os.fstat(file.fileno()).st_mode & 0o077:
            self._close()
            raise OperationError(
                Code.BAD_SETTINGS, f"others than its owner may read {self._path}", f"chmod 600 {self._path}"
            )

    def _read_back(self, file: IO[bytes]) -> None:
        """Cut a torn last line off and remember the ids of the last whole ones."""
        size = file.seek(0, os.SEEK_END)
        begin = file.seek(max(0, size - _TAIL))
        tail = file.read(_TAIL)
        whole = tail.rfind(b"\n") + 1
        if whole < len(tail):
            file.truncate(begin + whole)
        for line in tail[:whole].splitlines()[-REMEMBERED:]:
            if id_ := _id_of(line):
                self._seen.append(id_)

    def _close(self) -> None:
        if self._file:
            self._file.close()
        self._file = None


def _write_all(file: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:  # without a buffer of ours, a write may take only a part
        view = view[file.write(view) :]
    os.fsync(file.fileno())


def _id_of(line: bytes) -> str | None:
    """By what a line is known; None for a line that is not ours."""
    try:
        fields = from_json(line)
        if "change" in fields:
            return f"{fields['change']['bulletin']} {fields['change']['change']}"
        return str(fields["bulletin"]["id"])
    except (ValueError, KeyError, TypeError):
        return None

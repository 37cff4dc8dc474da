"""The public lists that officers look things up in, read when they are first asked for. The UN list is read
again when its file was replaced.
"""

import asyncio
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from schemas.errors import Code, OperationError
from subscribers.reference.names import Hit, NameIndex
from subscribers.reference.shelf import Shelf, none_loaded
from subscribers.reference.tactics import Techniques, techniques
from subscribers.reference.un_list import ListChanges, UnList, compare
from subscribers.reference.un_xml import LIST_BYTES_MAX, parse_un_list

_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Edition:
    """An edition of the UN list, ready to be asked, and what it changed against the one before, if there was
    one.
    """

    un_list: UnList
    index: NameIndex
    changes: ListChanges | None

    @property
    def day(self) -> date:
        """When the UN made it."""
        return date.fromisoformat(self.un_list.date)

    async def look_up(self, name: str, born: int | None) -> list[Hit]:
        """As `NameIndex.look_up`, beside the loop: a long name takes a tenth of a second."""
        return await asyncio.to_thread(self.index.look_up, name, born=born)


class Library:
    """`file` is the UN list's XML; without one it is what `liaison-agency un-list load` put into the node's
    `state` directory; without that there is no list.
    """

    def __init__(self, file: Path | None, state: Path | None) -> None:
        self._file = file
        self._shelf = Shelf(state) if state is not None and file is None else None
        self._lock = asyncio.Lock()
        self._held: tuple[_Stamp, Edition] | None = None

    @property
    def by_file(self) -> bool:
        """Whether the UN list is a file of the bot's own: what the node loads changes nothing then."""
        return self._file is not None

    async def techniques(self) -> Techniques:
        """ATT&CK and DISARM. OperationError `not_found` when their package is not there."""
        return await asyncio.to_thread(techniques)

    async def edition(self) -> Edition:
        """The UN list. OperationError `not_found` when none is loaded, or as its file is refused."""
        async with self._lock:
            stamp = self._stamp()
            if self._held is None or self._held[0] != stamp:
                self._held = stamp, await asyncio.to_thread(self._read)
            return self._held[1]

    def _stamp(self) -> _Stamp:
        """Another one for another file. OperationError `not_found`."""
        path = self._shelf.path if self._shelf else self._file
        if path is None:
            raise none_loaded()
        try:
            status = path.stat()
        except OSError:
            raise none_loaded() from None
        return status.st_ino, status.st_size, status.st_mtime_ns

    def _read(self) -> Edition:
        if self._shelf:
            loaded = self._shelf.load()
            return Edition(loaded.un_list, NameIndex(loaded.un_list), loaded.changes)
        edition = parse_un_list(_bytes(self._file))
        before = self._held[1] if self._held else None
        return Edition(edition, NameIndex(edition), compare(before.un_list, edition) if before else None)


def _bytes(path: Path | None) -> bytes:
    if path is None:
        raise none_loaded()
    try:
        with path.open("rb") as opened:
            return opened.read(LIST_BYTES_MAX + 1)
    except OSError as error:
        fix = "let the bot read it, or set LIAISON_BOT_UN_LIST to another"
        raise OperationError(Code.FORBIDDEN, f"the UN list: {error.strerror}", fix) from None

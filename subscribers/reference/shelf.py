"""The UN list that an agency has loaded, and the one before it: two files in the node's state directory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.errors import Code, OperationError
from subscribers.private_files import (
    check_private_directory,
    make_private_directory,
    read_private,
    replace_private,
    write_private,
)
from subscribers.reference.un_list import ListChanges, UnList, check_newer, compare
from subscribers.reference.un_xml import LIST_BYTES_MAX, parse_un_list

DIRECTORY: Final = "reference"
"""Within the node's state directory."""
_CURRENT: Final = "un-list.xml"
_BEFORE: Final = "un-list.before.xml"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The list that is in use, and what it changed against the one before; None where there was none."""

    un_list: UnList
    changes: ListChanges | None


class Shelf:
    """The reference lists under a state directory. Files are 0600 and read by the strict parser each time."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._directory = state / DIRECTORY

    @property
    def path(self) -> Path:
        """Where the list in use is, if one is."""
        return self._directory / _CURRENT

    def load(self) -> Loaded:
        """The list in use. OperationError `not_found` when there is none, `forbidden` when others may read
        it; FormatError when it was damaged.
        """
        current, before = self._read(_CURRENT), self._read(_BEFORE)
        if current is None:
            raise none_loaded()
        return Loaded(current, None if before is None else compare(before, current))

    def take(self, data: bytes, *, older: bool = False) -> Loaded:
        """Use the list in `data` from now on. A list that is the same as the one in use changes nothing.

        Raises FormatError where it is no list; OperationError `already_known` where a newer one is in use,
        unless `older` is meant, `not_found` without a state directory, `forbidden` or `disk_full`.
        """
        offered = parse_un_list(data)
        check_private_directory(self._state)
        make_private_directory(self._directory)
        held = self._read(_CURRENT)
        if held is not None and not older:
            check_newer(held, offered)
        if held is not None and held != offered:
            _put(self._directory / _BEFORE, read_private(self.path, LIST_BYTES_MAX))
        if held != offered:
            _put(self.path, data)
        return self.load()

    def _read(self, name: str) -> UnList | None:
        path = self._directory / name
        return parse_un_list(read_private(path, LIST_BYTES_MAX)) if path.exists() else None


def none_loaded() -> OperationError:
    """There is no list: what to do."""
    fix = "fetch its XML from the UN Security Council's site, then `liaison-agency un-list load FILE`"
    return OperationError(Code.NOT_FOUND, "no UN list is loaded", fix)


def _put(path: Path, data: bytes) -> None:
    if path.exists():
        replace_private(path, data)
    else:
        write_private(path, data)

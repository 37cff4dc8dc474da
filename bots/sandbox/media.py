"""Files: the bytes that bots and people upload, and the size of a picture read from its header."""

from __future__ import annotations

import mimetypes
import struct
from collections import OrderedDict
from collections.abc import Callable

from bots.sandbox.model import StoredFile
from bots.sandbox.refusals import refuse

MAX_UPLOAD = 50 * 1024 * 1024
MAX_PHOTO = 10 * 1024 * 1024
MAX_DOWNLOAD = 20 * 1024 * 1024
MAX_STORED = 256 * 1024 * 1024
MAX_NAME = 255

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_JPEG_SIZES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})


class FileStore:
    """Files in memory; when the store is full the oldest go, and their ids become unknown."""

    def __init__(self, token_hex: Callable[[int], str]) -> None:
        self._token_hex = token_hex
        self._files: OrderedDict[str, StoredFile] = OrderedDict()
        self._size = 0

    def put(self, content: bytes, name: str, *, photo: bool = False) -> StoredFile:
        """Store bytes under a new file_id. Refuses an empty file, and as a photo what is no picture."""
        if not content:
            raise refuse("file-empty")
        width = height = 0
        if photo:
            if len(content) > MAX_PHOTO:
                raise refuse("photo-too-big", size=len(content))
            width, height = picture_size(content)
        name = _safe_name(name)
        mime = ("image/png" if content.startswith(_PNG) else "image/jpeg") if photo else _mime(name)
        unique = self._token_hex(8)
        folder = "photos" if photo else "documents"
        kept = StoredFile(
            f"BQACAgSandbox{unique}", unique, name, mime, content, f"{folder}/{unique}-{name}", width, height
        )
        self._files[kept.file_id] = kept
        self._size += len(content)
        while self._size > MAX_STORED and len(self._files) > 1:
            _, gone = self._files.popitem(last=False)
            self._size -= len(gone.content)
        return kept

    def by_id(self, file_id: str) -> StoredFile:
        """The file, or the refusal for a wrong file_id."""
        kept = self._files.get(file_id)
        if kept is None:
            raise refuse("file-unknown")
        return kept

    def by_path(self, path: str) -> StoredFile | None:
        """The file behind a `file_path`, if it is still there."""
        return next((kept for kept in self._files.values() if kept.path == path), None)


def _safe_name(name: str) -> str:
    cleaned = "".join(char if char.isprintable() and char not in '/\\"' else "_" for char in name).strip(". ")
    return cleaned[-MAX_NAME:] or "file"


def _mime(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def picture_size(content: bytes) -> tuple[int, int]:
    """Width and height in pixels of a PNG or JPEG; refuses anything else."""
    size = (0, 0)
    if content.startswith(_PNG) and content[12:16] == b"IHDR" and len(content) >= 24:  # noqa: PLR2004 - IHDR's end
        size = struct.unpack(">II", content[16:24])
    elif content.startswith(_JPEG):
        size = _jpeg_size(content)
    if not all(size):
        raise refuse("photo-unreadable")
    return size


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Walk the segments (ITU-T T.81, B.1.1.4) to the frame header."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:  # noqa: PLR2004 - every marker starts so
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        if marker in _JPEG_SIZES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return 0, 0

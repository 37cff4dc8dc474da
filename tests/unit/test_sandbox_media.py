"""Pictures are measured by their header, and the file store stays within its bounds."""

from __future__ import annotations

import itertools
import struct

import pytest

from bots.sandbox.media import MAX_STORED, FileStore, picture_size
from bots.sandbox.refusals import ApiRefusal
from tests.support.sandbox import png


def jpeg(width: int, height: int) -> bytes:
    """The segments of a JPEG up to its frame header."""
    application = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\x00" + bytes(9)
    frame = b"\xff\xc2" + struct.pack(">HBHH", 11, 8, height, width) + bytes(4)
    return b"\xff\xd8" + application + frame + b"\xff\xd9"


def store() -> FileStore:
    numbers = itertools.count()
    return FileStore(lambda _size: f"{next(numbers):016x}")


@pytest.mark.parametrize("content,size", [(png(7, 5), (7, 5)), (jpeg(640, 480), (640, 480))])
def test_size_of_a_picture(content: bytes, size: tuple[int, int]) -> None:
    assert picture_size(content) == size


@pytest.mark.parametrize("content", [b"GIF89a", jpeg(1, 1)[:24], png()[:16], b"\xff\xd8\xff\xd9", jpeg(0, 9)])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(ApiRefusal, match="IMAGE_PROCESS_FAILED"):
        picture_size(content)


@pytest.mark.parametrize(
    "given,kept",
    [("../../etc/passwd", "_.._etc_passwd"), ("نشرة.pdf", "نشرة.pdf"), ("..", "file"), ('a"\n', "a__")],
)
def test_names_cannot_lead_elsewhere(given: str, kept: str) -> None:
    assert store().put(b"x", given).name == kept


def test_the_oldest_files_go_when_the_store_is_full() -> None:
    files = store()
    half = bytes(MAX_STORED // 2 + 1)
    first, second = files.put(half, "a"), files.put(half, "b")
    assert files.by_id(second.file_id).name == "b"
    assert files.by_path(first.path) is None
    with pytest.raises(ApiRefusal, match="wrong file identifier"):
        files.by_id(first.file_id)

"""What a hub gives for an attachment: lists of addresses, and chunks."""

import struct
from typing import Final

from schemas.attachments import address_of, padded, read_list, tree
from schemas.limits import ADDRESSES_PER_LIST
from subscribers.attachments import FileKey, Opener, Sealer, seal_of
from tests.fuzz.target import Target

_KEY: Final = FileKey(bytes(range(32)))
_HEADER: Final = bytes(24)
_SEAL: Final = seal_of(_KEY, _HEADER, bytes(32))
_SIZE: Final = struct.Struct(">H")


def _chunk(data: bytes) -> None:
    """The first two bytes are the size of a file of one chunk."""
    size, chunk = 1 + _SIZE.unpack(data[:2].ljust(2, b"\0"))[0] % 3000, data[2:]
    opener = Opener(_SEAL, size)
    found = opener.open(chunk)
    assert len(found) == size <= padded(size)
    sealer = Sealer(_KEY, _HEADER, size)
    assert [*sealer.add(found), *sealer.finish()] == [chunk]


def _chunks() -> list[bytes]:
    made = []
    for size in (1, 5, 1024, 1025):
        sealer = Sealer(_KEY, _HEADER, size)
        (chunk,) = (*sealer.add(b"x" * size), *sealer.finish())
        made += [_SIZE.pack(size - 1) + chunk, _SIZE.pack(size) + chunk]
    return made


def _list(data: bytes) -> None:
    """The first two bytes say how many chunks there are, and which list of them it is."""
    below, index = 1 + data[0] if data else 1, data[1] % 2 if data[1:] else 0
    addresses = read_list(data[2:], index, below + index * ADDRESSES_PER_LIST)
    assert b"".join(addresses) == data[2:]
    if below == len(addresses) and below > 1:
        assert tree(addresses).root == address_of(data[2:])


def _lists() -> list[bytes]:
    return [bytes([below - 1, 0]) + bytes(range(32)) * below for below in (1, 2, 5)] + [b"", b"\x01\x01"]


TARGETS: Final = (
    Target(
        "chunk",
        _chunk,
        ("subscribers/attachments.py", "schemas/attachments.py"),
        _chunks,
        longest=1300,
    ),
    Target("address_list", _list, ("schemas/attachments.py",), _lists, longest=400),
)

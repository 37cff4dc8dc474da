"""What a hub gives for an attachment: lists of addresses, and chunks. A backup, as somebody kept it."""

import io
import struct
from typing import Final

from schemas.attachments import address_of, padded, read_list, tree
from schemas.cask import Lid, Packing, Unpacking
from schemas.limits import ADDRESSES_PER_LIST
from subscribers.attachments import FileKey, Opener, Sealer, seal_of
from tests.fuzz.target import Target
from tests.support import federation

_KEY: Final = FileKey(bytes(range(32)))
_HEADER: Final = bytes(24)
_SEAL: Final = seal_of(_KEY, _HEADER, bytes(32))
_WORD: Final = "a passphrase of the tests"
_LID: Final = Lid(what="node", made=federation.AT, salt="5a" * 16)
_CASK_KEY: Final = _LID.key(_WORD)
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


def _cask(data: bytes) -> None:
    """The key is given, or each input would take a thirtieth of a second."""
    file = io.BytesIO(data)
    unpacking = Unpacking(file.read, _WORD, lambda _lid, _word: _CASK_KEY)
    found = unpacking.read(len(data))
    unpacking.finish()
    assert len(found) < len(data) == file.tell()


def _casks() -> list[bytes]:
    made = []
    for text in (b"", b"x", b"liaison" * 20):
        out = io.BytesIO()
        packing = Packing(out.write, _LID, _WORD, federation.random_from("cask"))
        packing.write(text)
        packing.close()
        made.append(out.getvalue())
    return [*made, made[0] + made[1][-42:], made[2][:-1], _LID.line()]


TARGETS: Final = (
    Target(
        "chunk",
        _chunk,
        ("subscribers/attachments.py", "schemas/attachments.py"),
        _chunks,
        longest=1300,
    ),
    Target("address_list", _list, ("schemas/attachments.py",), _lists, longest=400),
    Target("cask", _cask, ("schemas/cask.py",), _casks, longest=400),
)

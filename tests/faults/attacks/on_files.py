"""What a hub can do to the files of bulletins: it answers for an address with other bytes."""

import os
import time
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import pytest

from schemas.attachments import ADDRESS_SIZE
from schemas.errors import Code, LiaisonError
from schemas.limits import CHUNK_MAX, CHUNK_SIZE
from schemas.subjects import CHUNKS, chunk_at
from subscribers.files.desk import DIRECTORY
from tests.faults.attacks.scene import Scene, Sight, Who, attack

_NAME: Final = "map.bin"
_SIGHT: Final = Sight(Who.READER, code=Code.BAD_CHUNK, called="who fetches it")


class _Sent(NamedTuple):
    """A file of two chunks that went with a bulletin, and what the hub has of it."""

    ref: str
    file: bytes
    first: bytes
    last: bytes
    list: bytes


@attack("answers for a chunk of a file with another chunk", _SIGHT)
async def swap_chunk(scene: Scene) -> None:
    sent = await _sent(scene)
    await _is_refused(scene, sent, sent.first, sent.last)


@attack("leaves out the end of a chunk of a file", _SIGHT)
async def cut_chunk(scene: Scene) -> None:
    sent = await _sent(scene)
    await _is_refused(scene, sent, sent.last, sent.last[:-1])


@attack("answers for a file's list of chunks with the same chunks in another order", _SIGHT)
async def swap_list(scene: Scene) -> None:
    sent = await _sent(scene)
    await _is_refused(scene, sent, sent.list, sent.list[ADDRESS_SIZE:] + sent.list[:ADDRESS_SIZE])


async def _sent(scene: Scene) -> _Sent:
    before = set(await scene.crook.all(CHUNKS, chunk_at("*")))
    agency, file = scene.stage.eyes[Who.SPEAKER], os.urandom(CHUNK_SIZE + 1)
    with TemporaryDirectory() as folder:
        path = Path(folder) / _NAME
        path.write_bytes(file)
        upload = await agency.files.attach(path)
    said = await agency.publish(scene.draft("With a file"), scene.community.slug, [upload.id])
    await scene.heard("With a file", Who.READER)
    new = [each for each in await scene.crook.all(CHUNKS, chunk_at("*")) if each not in before]
    listed, last, first = sorted(new, key=len)  # all that it sees is how long they are
    assert (len(listed), len(first)) == (2 * ADDRESS_SIZE, CHUNK_MAX)
    return _Sent(said.ref, file, first, last, listed)


async def _is_refused(scene: Scene, sent: _Sent, true: bytes, false: bytes) -> None:
    """While the hub answers so, nothing is kept and nothing given out; when it no longer does, all of it."""
    agency, place = scene.stage.eyes[Who.READER], chunk_at(sha256(true).hexdigest())
    await scene.crook.deliver(place, false)
    scene.strike()
    with TemporaryDirectory() as folder:
        out = Path(folder)
        with pytest.raises(LiaisonError) as refused:
            await agency.files.fetch(sent.ref, _NAME, out)
        assert refused.value.code is Code.BAD_CHUNK
        scene.seen[_SIGHT] = time.monotonic() - scene.struck
        assert _holding(out, b"") == []
        assert not _holding(scene.stage.nodes[Who.READER].state / DIRECTORY, false)
        await scene.crook.deliver(place, true)
        await agency.files.fetch(sent.ref, _NAME, out)
        assert (out / _NAME).read_bytes() == sent.file


def _holding(directory: Path, data: bytes) -> list[str]:
    """The files of a directory that have these bytes in them."""
    return [each.name for each in directory.iterdir() if data in each.read_bytes()]

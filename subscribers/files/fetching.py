"""One attachment on its way from the hub to this machine's disk: each chunk held against its address before
it is kept, as ciphertext. What is on disk is always a run of chunks from the first on, so a killed node goes
on behind it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

from nats.aio.client import Client
from nats.errors import Error as NatsError

from schemas.attachments import (
    ADDRESS_SIZE,
    Attachment,
    Seal,
    address_of,
    check_blob,
    chunk_count,
    levels,
    read_list,
    tree,
)
from schemas.errors import Code, LiaisonError, OperationError
from schemas.limits import CHUNK_MAX
from schemas.subjects import chunk_request
from subscribers.files.pace import Pace
from subscribers.files.spool import beside, on_disk, opened, whole_chunks

_ANSWER_SECONDS: Final = 15.0
_PAUSE_SECONDS: Final = 1.0
_TRIES: Final = 10
"""How often in a row the hub may fail to answer before whoever asked is told."""


class Fetch:
    """Fetches into `path` once `start` is called. `fetched` counts chunks that are on disk and right."""

    def __init__(
        self, attachment: Attachment, seal: Seal, path: Path, connection: Callable[[], Client | None]
    ) -> None:
        self.attachment = attachment
        self.seal = seal
        self.path = path
        self.chunks = chunk_count(attachment.size)
        self.fetched = 0
        self.failed: LiaisonError | None = None
        self._connection = connection
        self._task: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether all of it is here."""
        return self.fetched == self.chunks and self.path.exists()

    def start(self, make_room: Callable[[], Awaitable[None]]) -> None:
        """Go on in a task of its own; `make_room` is awaited first where nothing is on disk yet."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(make_room), name="fetch")

    async def close(self) -> None:
        """Stop; what is here is gone on with."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, make_room: Callable[[], Awaitable[None]]) -> None:
        try:
            if not self.path.exists():
                await make_room()
            addresses = await self._addresses()
            self.fetched = await asyncio.to_thread(run_length, self.path, self.attachment.size, addresses)
            pace, clock = Pace(), asyncio.get_running_loop().time
            while self.fetched < self.chunks:
                begun = clock()
                blobs = await self._all(addresses[self.fetched : self.fetched + pace.window])
                pace.took(clock() - begun)
                await asyncio.to_thread(append, self.path, self.fetched, blobs)
                self.fetched += len(blobs)
        except LiaisonError as error:
            self.failed = error

    async def _addresses(self) -> list[bytes]:
        """The chunks' addresses: from beside the chunks if they are there and lead to the root, from the
        chunks themselves if all are there, else from the hub.
        """
        root, kept = bytes.fromhex(self.seal.root), beside(self.path)
        if held := await asyncio.to_thread(addresses_in, kept, root, self.chunks):
            return held
        if held := await asyncio.to_thread(addresses_of, self.path, self.attachment.size, root):
            return held
        level = [root]
        for _, below in pairwise(levels(self.chunks)):
            lists = await self._all(level)
            level = [each for at, blob in enumerate(lists) for each in read_list(blob, at, below)]
        await asyncio.to_thread(append, kept, 0, level)
        return level

    async def _all(self, addresses: Sequence[bytes]) -> list[bytes]:
        """These blobs. FormatError `bad_chunk`; OperationError `missing_chunk`, `hub_unreachable`."""
        for _ in range(_TRIES):
            try:
                return list(await asyncio.gather(*map(self._one, addresses)))
            except (NatsError, OSError, TimeoutError):
                await asyncio.sleep(_PAUSE_SECONDS)
        raise OperationError(
            Code.HUB_UNREACHABLE, "the hub does not answer", "ask again: what is here is not fetched twice"
        )

    async def _one(self, address: bytes) -> bytes:
        if (nc := self._connection()) is None:
            raise TimeoutError
        reply = await nc.request(chunk_request(address.hex()), timeout=_ANSWER_SECONDS)
        if reply.headers and "Status" in reply.headers:
            raise OperationError(
                Code.MISSING_CHUNK,
                "the hub does not have a chunk of it (any more)",
                "fetch it later; if it stays away, its publisher has to attach it to a new bulletin",
            )
        return check_blob(reply.data, address)


def run_length(path: Path, size: int, addresses: Sequence[bytes]) -> int:
    """How many chunks from the first on are on disk whole and right."""
    found = 0
    for blob, address in zip(whole_chunks(path, size), addresses, strict=False):
        if address_of(blob) != address:
            break
        found += 1
    return found


def append(path: Path, place: int, blobs: Sequence[bytes]) -> None:
    """Blobs behind the `place` chunks before them; what stands there is written over. OperationError
    `disk_full`.
    """
    with opened(path, "r+b" if path.exists() else "wb") as file:
        on_disk(partial(file.seek, place * CHUNK_MAX))
        on_disk(partial(file.write, b"".join(blobs)))
        on_disk(file.flush)


def addresses_in(path: Path, root: bytes, chunks: int) -> list[bytes]:
    """The chunks' addresses as they were kept; none when they are not those under the root."""
    if not path.exists():
        return []
    with opened(path, "rb") as file:
        data = file.read(chunks * ADDRESS_SIZE)
    found = [data[at : at + ADDRESS_SIZE] for at in range(0, len(data), ADDRESS_SIZE)]
    return found if found and tree(found).root == root else []


def addresses_of(path: Path, size: int, root: bytes) -> list[bytes]:
    """The chunks' addresses from the chunks; none unless all are on disk and lead to the root. A file of ours
    has no others beside it, and its own node needs no hub for it.
    """
    found = list(map(address_of, whole_chunks(path, size)))
    return found if len(found) == chunk_count(size) and tree(found).root == root else []

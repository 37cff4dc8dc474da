"""Files of a client: given to the node for a bulletin, and fetched from it. Part of the public API, as
`agency.files`.

Bytes go over the agency's NATS in pieces, so a client may be another user or another machine than the node,
which never opens a path that a client names. Both ways go on where they were cut off.
"""

import asyncio
import base64
import mimetypes
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, closing
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from schemas.bulletin import where
from schemas.encoding import from_base64
from schemas.errors import Code, OperationError
from subscribers.files.partial_file import PartialFile, digest_of, pieces_of, size_of
from subscribers.files.shapes import PIECE_MAX, Download, File, FilePiece, Upload
from subscribers.requester import Requester
from subscribers.service.roles import Verb

_UPLOAD: Final = TypeAdapter(Upload)
_DOWNLOAD: Final = TypeAdapter(Download)
_PIECE: Final = TypeAdapter(FilePiece)
_PATIENCE: Final = 120.0
"""Seconds for one answer: after a restart the node first goes through what it has, which may be 2 GiB."""
_PAUSE: Final = 0.1
_PAUSE_MOST: Final = 1.0

T = TypeVar("T")
Step = Literal["reading", "staging", "sending", "fetching", "saving"]
Progress = Callable[[str, Step, int, int], None]
"""The file's name, what is being done with it, how much of how much is done (bytes, or chunks at the hub)."""


def _quiet(_name: str, _step: Step, _done: int, _total: int) -> None:
    """Nobody looks."""


class Files:
    """Made by `Agency`. Everything raises LiaisonError and nothing else."""

    def __init__(self, requester: Requester) -> None:
        self._requester = requester

    async def attach(
        self, path: Path, *, name: str = "", media: str = "", progress: Progress = _quiet
    ) -> Upload:
        """Give a file to the node, and return once the hub has all of it: then its `id` may be published. Cut
        off, the same again goes on. The name is that of the file unless another is given.

        Raises LiaisonError `bad_attachment` when the file changes meanwhile, `over_quota`, and the hub's
        refusals.
        """
        file = await self._described(path, name or path.name, media, progress)
        upload = await self._ask(Verb.ATTACH, _UPLOAD, file.model_dump())
        if upload.state == "staging":
            upload = await self._stage(path, upload, progress)
        return await self._stored(upload, progress)

    async def give(self, name: str, data: bytes) -> Upload:
        """Give the node a file that is in memory, without waiting until the hub has all of it: `publish`
        refuses with `bad_request` until then. Raises LiaisonError as `attach` does.
        """
        file = _file(name, "", len(data), sha256(data).hexdigest())
        upload = await self._ask(Verb.ATTACH, _UPLOAD, file.model_dump())
        while upload.state == "staging":
            piece = data[upload.taken : upload.taken + PIECE_MAX]
            upload = await self._staged(upload, piece)
        return upload

    async def stream(self, ref: str, name: str, *, offset: int = 0) -> AsyncGenerator[bytes, None]:
        """An attachment's bytes in order, from `offset` on (a multiple of 64 KiB), once the node has all of
        it. It has been held against the bulletin only when this ends without an error.
        """
        await self._ready(ref, name, _quiet)
        async with aclosing(self._pieces(ref, name, offset)) as pieces:
            async for data in pieces:
                yield data

    async def fetch(self, ref: str, name: str, directory: Path, *, progress: Progress = _quiet) -> Path:
        """Save an attachment in a directory, under its own name: all of it, checked, or not at all. Cut off,
        the same again goes on.

        Raises LiaisonError `already_known` when there is a file of that name, `bad_attachment`,
        `missing_chunk`...
        """
        found = await self._ready(ref, name, progress)
        # Not in a thread: a file that is opened there while this is cancelled is nobody's to close.
        part = PartialFile(directory, found)
        try:
            async with aclosing(self._pieces(ref, name, part.size)) as pieces:
                async for data in pieces:
                    await asyncio.to_thread(part.add, data)
                    progress(name, "saving", part.size, found.size)
            return await asyncio.to_thread(part.finish)
        finally:
            part.close()

    async def _described(self, path: Path, name: str, media: str, progress: Progress) -> File:
        size, read = await asyncio.to_thread(size_of, path), 0

        def seen(more: int) -> None:
            nonlocal read
            read += more
            progress(name, "reading", read, size)

        digest = await asyncio.to_thread(digest_of, path, seen)
        return _file(name, media, size, digest)

    async def _stage(self, path: Path, upload: Upload, progress: Progress) -> Upload:
        with closing(pieces_of(path, upload.taken, PIECE_MAX)) as pieces:
            while upload.state == "staging":
                piece = await asyncio.to_thread(next, pieces, b"")
                if not piece:
                    raise OperationError(
                        Code.BAD_ATTACHMENT,
                        "the file has become shorter while it was read",
                        "attach it again",
                    )
                upload = await self._staged(upload, piece)
                progress(upload.name, "staging", upload.taken, upload.size)
        return upload

    async def _staged(self, upload: Upload, piece: bytes) -> Upload:
        data = base64.b64encode(piece).decode("ascii")
        fields = {"id": upload.id, "offset": upload.taken, "data": data}
        return await self._ask(Verb.ATTACH_DATA, _UPLOAD, fields)

    async def _stored(self, upload: Upload, progress: Progress) -> Upload:
        pause = _PAUSE
        while upload.state == "sending":
            progress(upload.name, "sending", upload.sent, upload.blobs)
            await asyncio.sleep(pause)
            pause = min(_PAUSE_MOST, 2 * pause)
            upload = await self._ask(Verb.ATTACH_STATUS, _UPLOAD, {"id": upload.id})
        if upload.state != "stored":
            raise OperationError(
                Code(upload.code or Code.INTERNAL),
                "the hub does not take the attachment",
                "see the code's entry in the agency guide; attach it again to have it tried again",
            )
        progress(upload.name, "sending", upload.sent, upload.blobs)
        return upload

    async def _ready(self, ref: str, name: str, progress: Progress) -> Download:
        pause = _PAUSE
        while True:
            found = await self._ask(Verb.FETCH, _DOWNLOAD, {"ref": ref, "name": name})
            progress(name, "fetching", found.fetched, found.chunks)
            if found.ready:
                return found
            await asyncio.sleep(pause)
            pause = min(_PAUSE_MOST, 2 * pause)

    async def _pieces(self, ref: str, name: str, offset: int) -> AsyncGenerator[bytes, None]:
        while True:
            fields = {"ref": ref, "name": name, "offset": offset}
            piece = await self._ask(Verb.FETCH_DATA, _PIECE, fields)
            data = from_base64(piece.data, PIECE_MAX)
            yield data
            offset += len(data)
            if piece.last:
                return

    async def _ask(self, verb: Verb, shape: TypeAdapter[T], fields: Mapping[str, object]) -> T:
        return await self._requester.ask(verb, shape, fields, _PATIENCE)


def _file(name: str, media: str, size: int, digest: str) -> File:
    """A file's description. OperationError `bad_attachment` for one that no bulletin could carry."""
    guessed = media or mimetypes.guess_type(name)[0] or "application/octet-stream"
    try:
        return File(name=name, media=guessed, size=size, sha256=digest)
    except ValidationError as error:
        raise OperationError(
            Code.BAD_ATTACHMENT,
            f"{name} cannot be attached: {where(error)}",
            'a name without / \\ : * ? " < > |, and 1 byte to 2 GiB',
        ) from None

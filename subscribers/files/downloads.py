"""Attachments that clients have asked for: fetched once for all of them, opened for each on its way to it.
The plaintext is never on the node's disk, and the key never leaves the node.
"""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from schemas.attachments import Attachment, Seal
from schemas.errors import Code, LiaisonError, OperationError, SealError
from schemas.limits import CHUNK_SIZE
from subscribers.attachments import Opener
from subscribers.files.fetching import Fetch
from subscribers.files.shapes import PIECE_MAX, FilePiece
from subscribers.files.spool import read_blobs, remove

_SESSIONS_MAX: Final = 32

Begin = Callable[[Attachment, Seal], Fetch]
"""Gives a fetch that has not been started, for an attachment of which there is none."""


@dataclass
class _Session:
    """A client's way through one attachment."""

    opener: Opener
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Downloads:
    """By root, and so by content. Tasks of its own end with `close`."""

    def __init__(self) -> None:
        self._fetches: dict[str, Fetch] = {}
        self._sessions: dict[tuple[str, str], _Session] = {}

    async def close(self) -> None:
        """Stop fetching; what is here is gone on with."""
        for each in self._fetches.values():
            await each.close()

    def known(self, root: str) -> Fetch | None:
        """The fetch that there is; none whose chunks have gone from the disk, or that has failed. What went
        wrong is raised once, and then tried again.

        OperationError `hub_unreachable`, `missing_chunk`, `over_quota`, `disk_full`; FormatError `bad_chunk`,
        SealError `bad_attachment`.
        """
        found = self._fetches.get(root)
        if found is None:
            return None
        if failed := found.failed:
            del self._fetches[root]
            raise failed
        if found.fetched == found.chunks and not found.ready:
            del self._fetches[root]
            return None
        return found

    def add(self, fetch: Fetch) -> None:
        """One more."""
        self._fetches[fetch.seal.root] = fetch

    def paths(self) -> set[Path]:
        """Files that must stay."""
        return {each.path for each in self._fetches.values()}

    async def piece(self, client: str, root: str, offset: int) -> FilePiece:
        """The bytes from `offset` on, a multiple of 64 KiB. OperationError `bad_request` while they are not
        here; SealError for what is not the file that the bulletin describes.
        """
        fetch = self.known(root)
        if fetch is None or not fetch.ready or offset % CHUNK_SIZE or offset >= fetch.attachment.size:
            raise OperationError(
                Code.BAD_REQUEST, "the node has no such bytes of it", "fetch it first; begin at a chunk"
            )
        session = self._session((client, root), fetch)
        async with session.turn:
            if session.opener.given != offset:
                session.opener = Opener(fetch.seal, fetch.attachment.size)
            try:
                data = await asyncio.to_thread(opened_from, fetch, session.opener, offset)
            except LiaisonError as error:
                self._sessions.pop((client, root), None)
                if isinstance(error, SealError):  # if it was this disk, it is fetched anew
                    self._fetches.pop(root, None)
                    remove(fetch.path)
                raise
        last = offset + len(data) == fetch.attachment.size
        if last:
            self._sessions.pop((client, root), None)
        return FilePiece(offset=offset, data=base64.b64encode(data).decode("ascii"), last=last)

    def _session(self, key: tuple[str, str], fetch: Fetch) -> _Session:
        session = self._sessions.pop(key, None) or _Session(Opener(fetch.seal, fetch.attachment.size))
        self._sessions[key] = session
        if len(self._sessions) > _SESSIONS_MAX:
            del self._sessions[next(iter(self._sessions))]
        return session


def opened_from(fetch: Fetch, opener: Opener, offset: int) -> bytes:
    """The file's bytes from `offset` on, at most `PIECE_MAX`; with the last of them, all of it has been
    checked.

    SealError as `Opener.open` and `Opener.check`; OperationError `store_corrupt`, `not_found`.
    """
    size = fetch.attachment.size
    end = min(offset + PIECE_MAX, size)
    parts: list[bytes] = []
    while opener.given < end:
        (chunk,) = read_blobs(fetch.path, size, range(opener.opened, opener.opened + 1))
        at = opener.given
        data = opener.open(chunk)
        if at >= offset:
            parts.append(data)
    if end == size:
        while opener.opened < fetch.chunks:
            opener.open(*read_blobs(fetch.path, size, range(opener.opened, opener.opened + 1)))
        opener.check(fetch.attachment.sha256)
    return b"".join(parts)

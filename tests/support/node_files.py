"""Files of a node without a hub: `FilesApi` in memory. The hub has everything at once."""

# ruff: noqa: ARG002 - a Protocol's methods take what they are given

import base64
from hashlib import sha256

import uuid_utils

from schemas.attachments import Attachment
from schemas.errors import Code, OperationError
from subscribers.files.shapes import PIECE_MAX, Download, File, FilePiece, Upload
from subscribers.files.spool import blob_count
from subscribers.service.roles import ClientIdentity


class MemoryFiles:
    """What was attached can be fetched from any bulletin, by its name."""

    def __init__(self) -> None:
        self.uploads: dict[str, Upload] = {}
        self.data: dict[str, bytearray] = {}

    async def attach(self, client: ClientIdentity, file: File) -> Upload:
        for each in self.uploads.values():
            if each.sha256 == file.sha256:
                return each
        made = str(uuid_utils.uuid7())
        self.data[made] = bytearray()
        self.uploads[made] = Upload(
            **file.model_dump(), id=made, state="staging", taken=0, blobs=blob_count(file.size), sent=0
        )
        return self.uploads[made]

    async def attach_data(self, client: ClientIdentity, upload: str, offset: int, data: bytes) -> Upload:
        found = self._upload(upload)
        held = self.data[upload]
        held += data[len(held) - offset :]
        update: dict[str, object] = {"taken": len(held)}
        if len(held) == found.size:
            if sha256(held).hexdigest() != found.sha256:
                raise OperationError(Code.BAD_ATTACHMENT, "another file", "attach it again")
            update |= {"state": "stored", "sent": found.blobs}
        self.uploads[upload] = found.model_copy(update=update)
        return self.uploads[upload]

    async def attach_status(self, client: ClientIdentity, upload: str) -> Upload:
        return self._upload(upload)

    async def fetch(self, bulletin: str, name: str) -> Download:
        found, _ = self._named(name)
        said = found.model_dump(include=set(File.model_fields))
        return Download(**said, ready=True, chunks=found.blobs, fetched=found.blobs)

    async def fetch_data(self, client: ClientIdentity, bulletin: str, name: str, offset: int) -> FilePiece:
        found, data = self._named(name)
        piece = bytes(data[offset : offset + PIECE_MAX])
        last = offset + len(piece) == found.size
        return FilePiece(offset=offset, data=base64.b64encode(piece).decode("ascii"), last=last)

    def attached(self, upload: str) -> Attachment:
        """What a bulletin says of an upload."""
        found = self._upload(upload)
        return Attachment(name=found.name, media=found.media, size=found.size, sha256=found.sha256)

    def _upload(self, upload: str) -> Upload:
        if upload not in self.uploads:
            raise OperationError(Code.NOT_FOUND, "there is no such upload", "attach the file")
        return self.uploads[upload]

    def _named(self, name: str) -> tuple[Upload, bytearray]:
        for each in self.uploads.values():
            if each.name == name:
                return each, self.data[each.id]
        raise OperationError(Code.NOT_FOUND, "there is no such attachment", "look elsewhere")

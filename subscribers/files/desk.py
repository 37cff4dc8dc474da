"""The node's files put together: taken in from clients, sent to the hub, fetched from it, opened again."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import apsw

from schemas.attachments import Attachment, Seal
from schemas.bulletin import Bulletin, Draft, Shared, parse_bulletin
from schemas.encoding import from_base64
from schemas.errors import Code, OperationError
from schemas.signing import KEY_SIZE
from subscribers.core import Core
from subscribers.files.downloads import Downloads
from subscribers.files.fetching import Fetch
from subscribers.files.shapes import Download, File, FilePiece, Upload
from subscribers.files.spool import Spool
from subscribers.files.staging import Staging
from subscribers.files.uploader import Uploader
from subscribers.service.roles import ClientIdentity
from subscribers.settings import NodeSettings
from subscribers.storage.upload_rows import Uploads, use

DIRECTORY: Final = "attachments"
_HOUR_SECONDS: Final = 3600
_PAYLOAD: Final = "SELECT p.payload FROM bulletins b JOIN payloads p USING (position) WHERE b.id = ?"


class FileDesk:
    """Implements `FilesApi`. `run` until cancelled; then `close`."""

    def __init__(self, core: Core, settings: NodeSettings) -> None:
        self._core = core
        self._days = settings.attachment_days
        self._spool = Spool(settings.state / DIRECTORY, settings.attachment_bytes)
        self._spool.prepare()
        self._rows = Uploads(core.store)
        self._staging = Staging(self._rows, self._spool, core.clock, core.new_id)
        self._downloads = Downloads()
        self._uploader = Uploader(
            self._rows, self._staging, lambda: core.link.nc, self._hub_key, core.endpoint
        )
        core.resending.kept = self._staging.kept
        core.resending.on_queued = self._staging.ready.set

    async def run(self) -> None:
        """Send what is ready, and now and then throw away what is old."""
        if self._core.parcels is not None:
            return
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._uploader.run())
                group.create_task(self._tidy())
        finally:
            self._staging.close()
            await self._downloads.close()

    async def attach(self, client: ClientIdentity, file: File) -> Upload:
        """As `Staging.begin`; OperationError `bad_request` behind an air gap."""
        self._check_line()
        return await self._staging.begin(client.name, file)

    async def attach_data(self, client: ClientIdentity, upload: str, offset: int, data: bytes) -> Upload:
        """As `Staging.add`."""
        return await self._staging.add(client.name, upload, offset, data)

    async def attach_status(self, client: ClientIdentity, upload: str) -> Upload:
        """As `Staging.status`."""
        return await self._staging.status(client.name, upload)

    async def attached(
        self, client: ClientIdentity, draft: Draft, uploads: Sequence[str]
    ) -> list[Attachment]:
        """As `Staging.attached`. What is carried to another community keeps the files of its original."""
        if isinstance(draft, Shared) and draft.release:
            return parse_bulletin(draft.release.payload.encode()).attachments
        return await self._staging.attached(client.name, uploads)

    async def fetch(self, bulletin: str, name: str) -> Download:
        """Begin to fetch an attachment, or go on; how far it is. OperationError `not_found`, `bad_request`
        behind an air gap; what `Downloads.known` raises.
        """
        self._check_line()
        attachment, seal = await self._find(bulletin, name)
        fetch = self._downloads.known(seal.root)
        if fetch is None:
            own = await self._rows.of_root(seal.root)
            path = self._staging.path(own) if own else self._spool.path(seal.root)
            fetch = Fetch(attachment, seal, path, lambda: self._core.link.nc)
            self._downloads.add(fetch)
            fetch.start(partial(self._make_room, attachment.size))
        said = attachment.model_dump(exclude={"seal"})
        return Download(**said, ready=fetch.ready, chunks=fetch.chunks, fetched=fetch.fetched)

    async def fetch_data(self, client: ClientIdentity, bulletin: str, name: str, offset: int) -> FilePiece:
        """As `Downloads.piece`."""
        _, seal = await self._find(bulletin, name)
        return await self._downloads.piece(client.name, seal.root, offset)

    async def _find(self, bulletin: str, name: str) -> tuple[Attachment, Seal]:
        for (payload,) in await self._core.store.query(_PAYLOAD, (bulletin,)):
            for each in parse_bulletin(payload).attachments:
                if each.name == name and each.seal is not None:
                    return each, each.seal
        raise OperationError(
            Code.NOT_FOUND, "the bulletin has no attachment of that name", "see `liaison-agency attachments`"
        )

    async def _make_room(self, size: int) -> None:
        keep = {*self._downloads.paths(), *await self._staging.paths()}
        await asyncio.to_thread(self._spool.make_room, size, keep)

    async def _tidy(self) -> None:
        while True:
            await self._staging.expire(self._days)
            keep = {*self._downloads.paths(), *await self._staging.paths()}
            await asyncio.to_thread(self._spool.sweep, keep, self._days)
            await asyncio.sleep(_HOUR_SECONDS)

    def _hub_key(self) -> bytes:
        hub = self._core.ledger.known().hub
        return from_base64(hub.key, KEY_SIZE) if hub else b""

    def _check_line(self) -> None:
        if self._core.parcels is not None:
            raise OperationError(
                Code.BAD_REQUEST,
                "attachments do not cross an air gap",
                "carry the file itself; its SHA-256 stands in the bulletin",
            )


def using(attachments: Sequence[Attachment]) -> Callable[[apsw.Connection, Bulletin], None]:
    """What a bulletin with these attachments writes into its transaction."""
    roots = [each.seal.root for each in attachments if each.seal]
    return lambda connection, _: use(connection, roots)

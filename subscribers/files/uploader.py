"""Chunks on their way to the hub: a window of them at a time, each confirmed by a signed receipt before the
next window goes out. What was confirmed is written down, and never sent again.
"""

import asyncio
from collections.abc import Callable
from hashlib import sha256
from typing import Final

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from schemas.encoding import from_base64
from schemas.errors import Code, LiaisonError, OperationError
from schemas.receipts import ADMITTED, read
from schemas.signing import KEY_SIZE
from schemas.subjects import chunk_upload
from subscribers.exchange.hub_link import HubLink
from subscribers.files.pace import Pace
from subscribers.files.spool import blob_count, read_blobs
from subscribers.files.staging import Staging
from subscribers.storage.ledger import Ledger
from subscribers.storage.upload_rows import Staged, Uploads

log = structlog.get_logger(__name__)

_ANSWER_SECONDS: Final = 15.0
_PAUSE_SECONDS: Final = 1.0


class Uploader:
    """Sends what `staging` has ready, in turn, while there is a connection. `run` until cancelled."""

    def __init__(self, rows: Uploads, staging: Staging, link: HubLink, ledger: Ledger, endpoint: str) -> None:
        self._rows = rows
        self._staging = staging
        self._link = link
        self._ledger = ledger
        self._endpoint = endpoint
        self._pace = Pace()

    async def run(self) -> None:
        """A window of each file in turn; trouble is waited out."""
        while True:
            self._staging.ready.clear()
            waiting = await self._rows.all("sending")
            if not waiting:
                await self._staging.ready.wait()
                continue
            for staged in waiting:
                try:
                    await self._window(staged)
                    self._staging.trouble = None
                except (LiaisonError, NatsError, OSError, TimeoutError) as error:
                    code = error.code if isinstance(error, LiaisonError) else Code.HUB_UNREACHABLE
                    if self._staging.trouble != code:
                        log.warning("attachment waits", reason=str(code))
                    self._staging.trouble = str(code)
                    await asyncio.sleep(_PAUSE_SECONDS)

    async def _window(self, staged: Staged) -> None:
        nc = self._link.nc
        if nc is None:
            raise OperationError(Code.HUB_UNREACHABLE, "there is no connection to the hub")
        last = min(staged.sent + self._pace.window, blob_count(staged.size))
        path = self._staging.path(staged)
        blobs = await asyncio.to_thread(read_blobs, path, staged.size, range(staged.sent, last))
        clock: Callable[[], float] = asyncio.get_running_loop().time
        begun = clock()
        async with asyncio.TaskGroup() as group:
            answers = [group.create_task(self._put(nc, each)) for each in blobs]
        self._pace.took(clock() - begun)
        codes = [each.result() for each in answers]
        refused = next((each for each in codes if each != ADMITTED), None)
        if refused is None:
            await self._staging.sent(staged, last)
        else:
            log.warning("attachment refused", code=refused)
            await self._staging.refused(staged, refused)

    async def _put(self, nc: Client, blob: bytes) -> str:
        """What the hub says of a blob. LiaisonError for what is no answer of the hub's; nats-py's errors."""
        hub = self._ledger.known().hub
        reply = await nc.request(chunk_upload(self._endpoint), blob, timeout=_ANSWER_SECONDS)
        answers = read(reply.data, self._endpoint, from_base64(hub.key, KEY_SIZE) if hub else b"")
        digest = sha256(blob).hexdigest()
        code = next((each.code for each in answers if each.sha256 == digest), None)
        if code is None:
            raise OperationError(Code.BAD_RECEIPT, "the hub answers about another chunk")
        return code

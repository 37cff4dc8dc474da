"""Chunks on their way to the hub: a window of them at a time, each confirmed by a signed receipt before the
next window goes out. What was confirmed is written down, and not sent again, unless the hub was restored
from a copy: then it gets what of its bulletins' files it has lost.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from schemas.errors import Code, LiaisonError, OperationError
from schemas.receipts import ADMITTED, read
from schemas.subjects import chunk_request, chunk_upload
from subscribers.files.pace import WINDOW_MAX, Pace
from subscribers.files.spool import blob_count, read_blobs
from subscribers.files.staging import Staging
from subscribers.storage.upload_rows import Staged, Uploads

log = structlog.get_logger(__name__)

_ANSWER_SECONDS: Final = 15.0
_PAUSE_SECONDS: Final = 1.0
_REFUSED_SECONDS: Final = 60.0
"""A restored hub may not know this endpoint's community yet, or the day's quota may be used up."""
_GONE: Final = frozenset({Code.NOT_FOUND, Code.STORE_CORRUPT})


class Uploader:
    """Sends what `staging` has ready, in turn, while there is a connection. `run` until cancelled."""

    def __init__(
        self,
        rows: Uploads,
        staging: Staging,
        connection: Callable[[], Client | None],
        hub_key: Callable[[], bytes],
        endpoint: str,
    ) -> None:
        """`hub_key()` is the key of the hub's receipts, by the directory; none where it names no hub."""
        self._rows = rows
        self._staging = staging
        self._connection = connection
        self._hub_key = hub_key
        self._endpoint = endpoint
        self._pace = Pace()
        self.put_off: dict[str, float] = {}
        """Until when the hub is not asked again about an upload that goes again: it has refused it."""

    async def run(self) -> None:
        """A window of each file in turn, and of one of those that go again; trouble is waited out."""
        while True:
            self._staging.ready.clear()
            again = await self._rows.all("again")
            waiting = [*await self._rows.all("sending"), *self._due(again)[:1]]
            if not waiting:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(self._next(again)):
                        await self._staging.ready.wait()
            for staged in waiting:
                try:
                    await self._step(staged)
                    self._staging.trouble = None
                except (LiaisonError, NatsError, OSError, TimeoutError) as error:
                    code = error.code if isinstance(error, LiaisonError) else Code.HUB_UNREACHABLE
                    if staged.state == "again" and code in _GONE:
                        log.warning("attachment not sent again: its chunks are gone", reason=str(code))
                        await self._rows.drop(staged)
                        continue
                    if self._staging.trouble != code:
                        log.warning("attachment waits", reason=str(code))
                    self._staging.trouble = str(code)
                    await asyncio.sleep(_PAUSE_SECONDS)

    def _due(self, again: Sequence[Staged]) -> list[Staged]:
        now = asyncio.get_running_loop().time()
        return [each for each in again if self.put_off.get(each.id, now) <= now]

    def _next(self, again: Sequence[Staged]) -> float | None:
        """When the first of those that the hub has refused is due."""
        return min((self.put_off[each.id] for each in again if each.id in self.put_off), default=None)

    async def _step(self, staged: Staged) -> None:
        nc = self._connection()
        if nc is None:
            raise OperationError(Code.HUB_UNREACHABLE, "there is no connection to the hub")
        if staged.state == "again" and not staged.sent and await self._has_end(nc, staged):
            await self._staging.sent(staged, blob_count(staged.size))
        else:
            await self._window(nc, staged)

    async def _has_end(self, nc: Client, staged: Staged) -> bool:
        """Whether the hub has the last blobs of a file: they came after all others, each window whole before
        the next, so a copy that has them has the file.
        """
        count = blob_count(staged.size)
        numbers = range(max(0, count - WINDOW_MAX), count)
        path = self._staging.path(staged)
        for blob in reversed(await asyncio.to_thread(read_blobs, path, staged.size, numbers)):
            subject = chunk_request(sha256(blob).hexdigest())
            if (await nc.request(subject, timeout=_ANSWER_SECONDS)).data != blob:
                return False
        return True

    async def _window(self, nc: Client, staged: Staged) -> None:
        last = min(staged.sent + self._pace.window, blob_count(staged.size))
        path = self._staging.path(staged)
        blobs = await asyncio.to_thread(read_blobs, path, staged.size, range(staged.sent, last))
        clock: Callable[[], float] = asyncio.get_running_loop().time
        begun = clock()
        try:
            async with asyncio.TaskGroup() as group:
                answers = [group.create_task(self._put(nc, each)) for each in blobs]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None  # as if it had been asked alone: it is waited out
        self._pace.took(clock() - begun)
        codes = [each.result() for each in answers]
        refused = next((each for each in codes if each != ADMITTED), None)
        if refused is None:
            self.put_off.pop(staged.id, None)
            await self._staging.sent(staged, last)
        elif staged.state == "again":
            if staged.id not in self.put_off:
                log.warning("attachment not sent again yet", code=refused)
            self.put_off[staged.id] = clock() + _REFUSED_SECONDS
        else:
            log.warning("attachment refused", code=refused)
            await self._staging.refused(staged, refused)

    async def _put(self, nc: Client, blob: bytes) -> str:
        """What the hub says of a blob. LiaisonError for what is no answer of the hub's; nats-py's errors."""
        reply = await nc.request(chunk_upload(self._endpoint), blob, timeout=_ANSWER_SECONDS)
        answers = read(reply.data, self._endpoint, self._hub_key())
        digest = sha256(blob).hexdigest()
        code = next((each.code for each in answers if each.sha256 == digest), None)
        if code is None:
            raise OperationError(Code.BAD_RECEIPT, "the hub answers about another chunk")
        return code

"""Files that clients give to the node, sealed onto its disk piece by piece before anything of them goes out.

Nothing is sent before the file is here whole and is the one that was announced, by its SHA-256: so what is
sent twice is the same bytes, read from the same place. The state of the cipher lives in memory alone. If it
is lost in the middle, what was taken is opened and sealed again under a fresh key, and the client goes on
where it was: no state ever meets two plaintexts, and no byte is asked for twice.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from schemas.attachments import Attachment
from schemas.errors import Code, LiaisonError, OperationError
from subscribers.attachments import fresh
from subscribers.files.shapes import File, Upload
from subscribers.files.spool import Spool, blob_count, is_whole, remove
from subscribers.files.stage_pass import Pass, sealed_again
from subscribers.storage.store import unbroken
from subscribers.storage.upload_rows import Kept, Staged, Uploads

OPEN_MAX: Final = 16
"""Files that one client may have under way at the same time."""
_DAY: Final = 24 * 3600 * 1000

T = TypeVar("T")


class Staging:
    """Uploads as the node takes them in. `ready` is set when there is something to be sent."""

    def __init__(
        self, rows: Uploads, spool: Spool, clock: Callable[[], int], new_id: Callable[[], str]
    ) -> None:
        self._rows = rows
        self._spool = spool
        self._clock = clock
        self._new_id = new_id
        self._passes: dict[str, Pass] = {}
        self._turn = asyncio.Lock()
        self._turns: dict[str, asyncio.Lock] = {}
        self.ready = asyncio.Event()
        self.trouble: str | None = None
        """Why nothing goes out just now: a code."""

    def close(self) -> None:
        """Let go of the files that are not here whole; what was taken is gone on with."""
        for under_way in self._passes.values():
            under_way.close()
        self._passes.clear()

    async def begin(self, client: str, file: File) -> Upload:
        """A new upload, or the one of this client and this file that there is. What the hub has refused is
        tried again.

        OperationError `over_quota`, `disk_full`.
        """
        async with self._turn:
            staged = await self._rows.of_file(client, file) or await self._new(client, file)
        if staged.state == "refused":
            await self._rows.step(staged, staged._replace(state="sending", code=None))
            self.ready.set()
        elif staged.state == "staging":
            async with self._own_turn(staged.id):
                await self._go_on(await self._rows.of_client(client, staged.id))
        return await self.status(client, staged.id)

    async def add(self, client: str, upload: str, offset: int, data: bytes) -> Upload:
        """The next bytes of a file. What is here already is passed over.

        OperationError `not_found`, `bad_request` for bytes that leave some out, `bad_attachment` when it
        turns out to be another file than was announced; `disk_full`.
        """
        async with self._own_turn(upload):
            staged = await self._go_on(await self._rows.of_client(client, upload))
            if under_way := self._passes.get(upload):
                if offset > under_way.taken:
                    message = f"the node has {under_way.taken} bytes of it so far"
                    raise OperationError(Code.BAD_REQUEST, message, "go on from there")
                await self._work(staged, under_way, partial(under_way.add, data[under_way.taken - offset :]))
                await self._finish(staged, under_way)
        return await self.status(client, upload)

    async def status(self, client: str, upload: str) -> Upload:
        """How far an upload of this client is. OperationError `not_found`."""
        staged = await self._rows.of_client(client, upload)
        under_way = self._passes.get(upload)
        whole = staged.size if staged.state != "staging" else 0
        return staged.said(under_way.taken if under_way else whole, self.trouble)

    async def attached(self, client: str, uploads: Sequence[str]) -> list[Attachment]:
        """What a bulletin says of these. OperationError `not_found`, or `bad_request` while the hub lacks any
        of one.
        """
        found = [await self._rows.of_client(client, each) for each in uploads]
        if any(each.state != "stored" for each in found):
            raise OperationError(
                Code.BAD_REQUEST,
                "the hub does not have all of an attachment yet",
                "publish when it is stored",
            )
        return [each.attachment() for each in found]

    async def sent(self, staged: Staged, sent: int) -> None:
        """The hub has confirmed so many of its blobs."""
        state = staged.state
        if sent == blob_count(staged.size):
            state = "used" if state == "again" else "stored"
        await self._rows.step(staged, staged._replace(sent=sent, state=state))

    async def refused(self, staged: Staged, code: str) -> None:
        """The hub does not take it."""
        await self._rows.step(staged, staged._replace(state="refused", code=code))

    def path(self, staged: Staged) -> Path:
        """Where the chunks of an upload are."""
        return self._spool.path(staged.spool_name)

    async def paths(self) -> set[Path]:
        """Where the chunks of all uploads are."""
        return {self.path(each) for each in await self._rows.all()}

    async def kept(self) -> Kept:
        """Of what could be sent to the hub once more, what is on this disk and what is not."""
        rows = [each for each in await self._rows.all() if each.state != "staging"]
        here = await asyncio.to_thread(lambda: [is_whole(self.path(each), each.size) for each in rows])
        found = list(zip(rows, here, strict=True))
        return Kept([each for each, whole in found if whole], [each for each, whole in found if not whole])

    async def expire(self, days: int) -> None:
        """Forget uploads that began so many days ago: what goes with a bulletin is at the hub."""
        for staged in await self._rows.all():
            if staged.made < self._clock() - days * _DAY:
                async with self._own_turn(staged.id):
                    await self._drop(staged)

    async def _new(self, client: str, file: File) -> Staged:
        begun = [each for each in await self._rows.all("staging") if each.client == client]
        if len(begun) >= OPEN_MAX:
            message = f"{OPEN_MAX} files of this client are under way"
            raise OperationError(Code.OVER_QUOTA, message, "finish one of them first")
        await asyncio.to_thread(self._spool.make_room, file.size, await self.paths())
        key, header = fresh()
        named = (file.name, file.media, file.size, file.sha256, bytes(key), header)
        staged = Staged(self._new_id(), client, *named, None, "staging", 0, None, self._clock())
        await self._rows.put(staged)
        self._passes[staged.id] = await asyncio.to_thread(Pass, self.path(staged), staged)
        return staged

    async def _go_on(self, staged: Staged) -> Staged:
        """The upload with its pass under way, if it is not here whole: one that was lost is made again under
        a fresh key.
        """
        if staged.state != "staging" or staged.id in self._passes:
            return staged
        key, header = fresh()
        renewed = staged._replace(key=bytes(key), header=header)
        again = await unbroken(asyncio.to_thread(sealed_again, staged, renewed, self._spool))
        await self._rows.put(renewed)
        remove(self.path(staged))
        self._passes[staged.id] = again
        await self._finish(renewed, again)
        return renewed

    async def _finish(self, staged: Staged, under_way: Pass) -> None:
        """If all of it is here, it may go out."""
        if under_way.taken < staged.size:
            return
        root = await self._work(staged, under_way, partial(under_way.finish, staged.sha256))
        self._passes.pop(staged.id)
        await self._rows.put(staged._replace(state="sending", root=root))
        self.ready.set()

    async def _work(self, staged: Staged, under_way: Pass, work: Callable[[], T]) -> T:
        try:
            return await unbroken(asyncio.to_thread(work))
        except LiaisonError as error:
            # Half a piece may have been sealed: this pass must see no other in its place.
            self._passes.pop(staged.id, None)
            under_way.close()
            if error.code is Code.BAD_ATTACHMENT:
                await self._drop(staged)
            raise

    async def _drop(self, staged: Staged) -> None:
        if under_way := self._passes.pop(staged.id, None):
            under_way.close()
        if await self._rows.drop(staged):
            remove(self.path(staged))

    def _own_turn(self, upload: str) -> asyncio.Lock:
        return self._turns.setdefault(upload, asyncio.Lock())

"""A `NodeClient` in memory, for tests that need no NATS: held to the same contract as the real client."""

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from dataclasses import dataclass, field
from hashlib import sha256

from schemas.bulletin import Draft
from schemas.vocabulary import Tlp
from subscribers.api import AlarmEntry
from subscribers.files.shapes import File, Upload
from subscribers.insight.shapes import Counts, Provenance, Step
from subscribers.keyring.identity_api import IdentityState
from subscribers.local import ClientIdentity, Role
from subscribers.records import Community, Filters, Notice, Page, Published, Record
from tests.support.node_api import MemoryNode

BOT = ClientIdentity(name="bot", role=Role.PUBLISHER, ceiling=Tlp.RED)
_EVERYTHING = Filters()


@dataclass
class Handed:
    """A bulletin from the feed."""

    record: Record
    node: "DirectNode"

    async def ack(self) -> None:
        self.node.acknowledged.add(self.record.bulletin.id)
        async with self.node.changed:
            self.node.changed.notify_all()


@dataclass
class DirectFiles:
    """The files of a `MemoryNode`, piece by piece."""

    api: MemoryNode

    async def stream(self, ref: str, name: str, *, offset: int = 0) -> AsyncGenerator[bytes, None]:
        while True:
            piece = await self.api.files.fetch_data(BOT, ref, name, offset)
            data = base64.b64decode(piece.data)
            yield data
            offset += len(data)
            if piece.last:
                return

    async def give(self, name: str, data: bytes) -> Upload:
        file = File(name=name, media="text/plain", size=len(data), sha256=sha256(data).hexdigest())
        upload = await self.api.files.attach(BOT, file)
        return await self.api.files.attach_data(BOT, upload.id, 0, data)


@dataclass
class DirectNode:
    """The client's side of a `MemoryNode`, without anything between."""

    api: MemoryNode = field(default_factory=MemoryNode)
    acknowledged: set[str] = field(default_factory=set)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def files(self) -> DirectFiles:
        return DirectFiles(self.api)

    async def arrive(self, *records: Record) -> None:
        """Bulletins come from the hub; a later state of a known one takes its place in the archive."""
        new = {each.bulletin.id: each for each in records}
        self.api.records = [each for each in self.api.records if each.bulletin.id not in new] + list(records)
        async with self.changed:
            self.changed.notify_all()

    async def handled(self, record: Record, deadline: float = 60.0) -> None:
        """Wait until a bulletin was acknowledged to the feed."""
        async with self.changed:
            await asyncio.wait_for(
                self.changed.wait_for(lambda: record.bulletin.id in self.acknowledged), deadline
            )

    async def search(
        self,
        words: str,
        *,
        filters: Filters = _EVERYTHING,
        limit: int = 10,
        cursor: str | None = None,
        ranked: bool = False,
    ) -> Page:
        return await self.api.search(BOT, words, filters, limit, cursor, ranked=ranked)

    async def latest(
        self, filters: Filters = _EVERYTHING, limit: int = 10, cursor: str | None = None
    ) -> Page:
        return await self.api.latest(BOT, filters, limit, cursor)

    async def show(self, ref: str) -> Record:
        return await self.api.show(BOT, ref)

    async def publish(
        self,
        draft: Draft,
        community: str,
        attachments: Collection[str] = (),
        *,
        once: str | None = None,
        private: bool = False,
    ) -> Published:
        published = await self.api.publish(BOT, draft, community, list(attachments), once, private=private)
        async with self.changed:
            self.changed.notify_all()
        return published

    async def identity(self) -> list[IdentityState]:
        return self.api.succession.identity()

    async def acknowledge(
        self, ref: str, note: str = "", officer: str = "", *, private: bool = False
    ) -> Published:
        published = await self.api.replies.acknowledge(BOT, ref, note, officer, private=private)
        async with self.changed:
            self.changed.notify_all()
        return published

    async def replies(self, ref: str, limit: int = 50) -> list[Record]:
        return await self.api.replies.replies(ref, limit, Tlp.RED)

    async def provenance(self, ref: str) -> Provenance:
        return await self.api.insight.provenance(ref)

    async def like(self, ref: str, filters: Filters = _EVERYTHING, limit: int = 5) -> list[Record]:
        return await self.api.insight.like(ref, filters, limit)

    async def counts(self, filters: Filters, step: Step = "week") -> Counts:
        return await self.api.insight.counts(filters, step)

    async def notices(self, after: int | None = None, limit: int = 50) -> list[Notice]:
        return await self.api.owners.notices(after, limit)

    async def communities(self) -> list[Community]:
        return await self.api.communities(BOT)

    async def alarms(self, limit: int = 50, *, past: bool = False, after: int = 0) -> list[AlarmEntry]:
        return await self.api.alarms(BOT, limit, past=past, after=after)

    async def bulletins(self) -> AsyncIterator[Handed]:
        handed: set[str] = set()
        while True:
            waiting = [
                each
                for each in self.api.records
                if each.bulletin.id not in self.acknowledged and each.bulletin.id not in handed
            ]
            for each in waiting:
                handed.add(each.bulletin.id)
                yield Handed(each, self)
            async with self.changed:
                await self.changed.wait_for(
                    lambda: any(
                        each.bulletin.id not in self.acknowledged | handed for each in self.api.records
                    )
                )

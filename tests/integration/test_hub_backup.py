"""A hub is backed up while it runs, restored into an empty directory, and goes on with chains that are ahead
of it.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest
import uuid_utils
from nats.aio.client import Client

from hub.recovery.copies import make, restore, verify
from hub.serve import RunningHub, running
from hub.settings import HubSettings
from schemas.errors import Code, LiaisonError
from schemas.frame import BULLETIN, EPOCH
from schemas.limits import CHUNK_SIZE
from subscribers.files.shapes import File
from subscribers.files.spool import Spool, blob_count, read_blobs
from subscribers.files.staging import Staging
from subscribers.files.uploader import Uploader
from subscribers.storage.store import Store
from subscribers.storage.upload_rows import MIGRATIONS, Uploads, send_again, use
from tests.support.frames import Chain
from tests.support.hub_world import Station, hub_world, stored
from tests.support.world import eventually

WORD = "correct horse battery staple"


class Files:
    """What a node has of files: made by `Files.of`."""

    def __init__(self, store: Store, spool: Spool, station: Station) -> None:
        self.store = store
        self.rows = Uploads(store)
        self.staging = Staging(self.rows, spool, lambda: 0, lambda: str(uuid_utils.uuid7()))
        endpoint = station.kit.endpoint
        self.uploader = Uploader(
            self.rows, self.staging, lambda: station.nc, lambda: station.hub_key, endpoint
        )

    @classmethod
    @asynccontextmanager
    async def of(cls, station: Station, directory: Path) -> AsyncIterator["Files"]:
        """While the block is entered, they go to the hub."""
        spool = Spool(directory / "attachments", 64 * 1024**2)
        spool.prepare()
        async with await Store.open(directory / "node.db", bytes(32), MIGRATIONS) as store:
            files = cls(store, spool, station)
            task = asyncio.create_task(files.uploader.run())
            try:
                yield files
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                files.staging.close()

    async def publish(self, name: str, size: int) -> set[str]:
        """A file that goes with a bulletin; the addresses of its blobs."""
        data = os.urandom(size)
        file = File(name=name, media="text/plain", size=size, sha256=sha256(data).hexdigest())
        upload = await self.staging.begin("cli", file)
        await self.staging.add("cli", upload.id, 0, data)
        await self.are("stored", upload.id)
        row = await self.rows.of_client("cli", upload.id)
        await self.store.transact(lambda connection: use(connection, [row.root or ""]))
        blobs = read_blobs(self.staging.path(row), size, range(blob_count(size)))
        return {sha256(each).hexdigest() for each in blobs}

    async def are(self, state: str, *uploads: str) -> None:
        """Return when all uploads, or these, are in that state."""

        async def there() -> bool:
            rows = [each for each in await self.rows.all() if each.id in uploads or not uploads]
            return {each.state for each in rows} == {state}

        await eventually(there)

    async def refused(self) -> None:
        """Return when the hub has refused one that goes again."""

        async def put_off() -> bool:
            return bool(self.uploader.put_off)

        await eventually(put_off)

    async def lost(self) -> None:
        """It is seen that the hub was restored."""
        kept = await self.staging.kept()
        await self.store.transact(partial(send_again, kept=kept, now=1))
        self.staging.ready.set()


async def chunks(hub: Client) -> dict[str, int]:
    """Where in the stream each chunk is that the hub has."""
    found = await stored(hub, "CHUNKS", "c.*")
    return {each.subject.removeprefix("c."): each.metadata.sequence.stream for each in found}


async def not_where_they_are(out: Path, there: RunningHub, its: HubSettings) -> None:
    """That nothing is restored into a server that holds the streams already, and what to move away."""
    state = its.state.with_name("beside")
    with pytest.raises(LiaisonError) as taken:
        await restore(HubSettings(state=state, nats=there.url), out, WORD, now=1)
    assert taken.value.code is Code.ALREADY_KNOWN
    account = there.office.accounts.hub_public
    assert f"jetstream/{account}" in str(taken.value)
    assert (its.nats_directory / "store" / "jetstream" / account).is_dir()
    assert not state.exists()


async def test_the_streams_come_back_and_chains_go_on_where_their_publishers_are(tmp_path: Path) -> None:
    out, new = tmp_path / "hub.backup", HubSettings(state=tmp_path / "new", port=0)
    async with hub_world(tmp_path) as (hub, running_hub):
        france, kenya = await hub.enrol("fra", "FRA"), await hub.enrol("ken", "KEN")
        circle = await hub.community(france, kenya)
        chain = Chain(france.kit, circle)
        before = [chain.make(hub.now, EPOCH), chain.make(hub.now, BULLETIN, b"one")]
        for each in before:
            assert await france.send(chain, each) == "admitted"
        told = await make(hub.settings, out, WORD, hub.now)
        assert verify(out, WORD) == told
        assert told.messages["TRAFFIC"] >= len(before)
        with pytest.raises(LiaisonError) as again:
            await make(hub.settings, out, WORD, hub.now)
        assert again.value.code is Code.ALREADY_KNOWN
        lost = chain.make(hub.now, BULLETIN, b"two, which the copy does not have")
        assert await france.send(chain, lost) == "admitted"
        directory = running_hub.office.directory.head
        for station in (france, kenya):
            await station.close()
    with pytest.raises(LiaisonError) as spoilt:
        await restore(new, out, "another passphrase", hub.now)
    assert spoilt.value.code is Code.WRONG_KEY
    assert not new.state.exists()
    assert await restore(new, out, WORD, hub.now) == told
    with pytest.raises(LiaisonError) as full:
        await restore(new, out, WORD, hub.now)
    assert full.value.code is Code.ALREADY_KNOWN
    made_anew = new.server_snippet.read_text("utf-8")
    assert f'dir: "{new.nats_directory / "resolver"}"' in made_anew
    async with running(new) as back:
        assert back.office.directory.head == directory
        await not_where_they_are(out, back, new)
        for station in (france, kenya):
            station.url = back.url
            await station.connect()
        skipped = chain.make(hub.now, BULLETIN, b"three, after one that the hub has lost")
        assert await france.send(chain, skipped) == "admitted"
        gap = Chain(france.kit, circle, seq=chain.seq + 1, prev="ab" * 32)
        assert await france.send(gap, gap.make(hub.now, BULLETIN, b"no second time")) == "gap"
        await kenya.until(lambda: skipped in kenya.frames())
        assert kenya.frames()[-1] == skipped
        for station in (france, kenya):
            await station.close()
    async with running(new) as back:  # it still knows which chains have gone on
        france.url = back.url
        await france.connect()
        assert await france.send(gap, gap.make(hub.now, BULLETIN, b"nor after a restart")) == "gap"
        assert await france.send(chain, chain.make(hub.now, BULLETIN, b"four")) == "admitted"
        await france.close()


async def test_files_that_came_after_the_copy_are_sent_again_and_no_others(tmp_path: Path) -> None:
    out, new = tmp_path / "hub.backup", HubSettings(state=tmp_path / "new", port=0)
    async with hub_world(tmp_path) as (hub, running_hub):
        france = await hub.enrol("fra", "FRA")
        await hub.community(france)
        async with Files.of(france, tmp_path) as files:
            before = await files.publish("before", 2 * CHUNK_SIZE + 1)
            await make(hub.settings, out, WORD, hub.now)
            after = await files.publish("after", 20 * CHUNK_SIZE)
            assert set(await chunks(running_hub.office.nc)) == before | after
        await france.close()
    await restore(new, out, WORD, hub.now)
    async with running(new.model_copy(update={"chunk_day_bytes": 1})) as back:
        had = await chunks(back.office.nc)
        assert set(had) == before
        france.url = back.url
        await france.connect()
        async with Files.of(france, tmp_path) as files:
            await files.lost()
            await files.refused()
            assert [each.name for each in await files.rows.all("again")] == ["after"]
        await france.close()
    async with running(new) as back:
        france.url = back.url
        await france.connect()
        async with Files.of(france, tmp_path) as files:  # a node that was started anew
            await files.are("used")
        has = await chunks(back.office.nc)
        assert set(has) == before | after
        assert {address: has[address] for address in had} == had
        await france.close()

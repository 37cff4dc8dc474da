"""Files as a node takes them in: gone on with after a kill under a fresh key, refused when they change."""

import asyncio
import os
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
import uuid_utils

from schemas.attachments import address_of, chunk_count, tree
from schemas.errors import Code, LiaisonError
from schemas.limits import CHUNK_MAX, CHUNK_SIZE
from subscribers.attachments import Opener
from subscribers.files.downloads import opened_from
from subscribers.files.fetching import Fetch, addresses_of
from subscribers.files.shapes import PIECE_MAX, File
from subscribers.files.spool import Spool, blob_count, read_blobs, spooled
from subscribers.files.staging import OPEN_MAX, Staging
from subscribers.storage.store import Store
from subscribers.storage.upload_rows import MIGRATIONS, Kept, Staged, Uploads, send_again, use

DATA = os.urandom(5 * CHUNK_SIZE + 17)
DAY = 24 * 3600 * 1000


def file_of(data: bytes, name: str = "big.bin") -> File:
    digest = sha256(data).hexdigest()
    return File(name=name, media="application/octet-stream", size=len(data), sha256=digest)


class Machine:
    """A node's disk; `node()` is a run of the node on it."""

    def __init__(self, directory: Path, limit: int = 64 * 1024**2) -> None:
        self.directory = directory
        self.limit = limit
        self.now = 1_769_848_200_000
        self.rows: Uploads | None = None
        self.store: Store | None = None

    @asynccontextmanager
    async def node(self) -> AsyncIterator[Staging]:
        spool = Spool(self.directory / "attachments", self.limit)
        spool.prepare()
        async with await Store.open(self.directory / "node.db", bytes(32), MIGRATIONS) as store:
            self.rows, self.store = Uploads(store), store
            staging = Staging(self.rows, spool, lambda: self.now, lambda: str(uuid_utils.uuid7()))
            yield staging
            staging.close()

    async def use(self, root: str) -> None:
        """A bulletin is written that has this file."""
        assert self.store
        await self.store.transact(lambda connection: use(connection, [root]))

    async def lost(self, kept: Kept) -> None:
        """The hub is found to have been restored from a copy."""
        assert self.store
        await self.store.transact(lambda connection: send_again(connection, kept, self.now))

    async def row(self, upload: str, client: str = "cli") -> Staged:
        assert self.rows
        return await self.rows.of_client(client, upload)


def blobs(staging: Staging, row: Staged) -> list[bytes]:
    return read_blobs(staging.path(row), row.size, range(blob_count(row.size)))


def plaintext(row: Staged, found: list[bytes]) -> bytes:
    opener = Opener(row.seal, row.size)
    data = b"".join(map(opener.open, found[: chunk_count(row.size)]))
    opener.check(row.sha256)
    return data


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


async def test_a_file_is_here_whole_before_anything_may_go_out(machine: Machine) -> None:
    async with machine.node() as staging:
        upload = await staging.begin("cli", file_of(DATA))
        assert (upload.state, upload.taken, upload.blobs) == ("staging", 0, 7)
        upload = await staging.add("cli", upload.id, 0, DATA[:CHUNK_SIZE])
        assert (upload.state, upload.taken, staging.ready.is_set()) == ("staging", CHUNK_SIZE, False)
        again = await staging.add("cli", upload.id, 0, DATA[: 2 * CHUNK_SIZE])
        assert again.taken == 2 * CHUNK_SIZE
        upload = await staging.add("cli", upload.id, 2 * CHUNK_SIZE, DATA[2 * CHUNK_SIZE :])
        assert (upload.state, upload.taken, staging.ready.is_set()) == ("sending", len(DATA), True)
        late = await staging.add("cli", upload.id, 0, DATA)
        assert late == upload
        row = await machine.row(upload.id)
        found = blobs(staging, row)
        assert plaintext(row, found) == DATA
        made = tree([address_of(each) for each in found[:6]])
        assert (list(made.lists), made.root.hex()) == (found[6:], row.root)
        with pytest.raises(LiaisonError) as waiting:
            await staging.attached("cli", [upload.id])
        assert waiting.value.code is Code.BAD_REQUEST
        await staging.sent(row, 7)
        (attached,) = await staging.attached("cli", [upload.id])
        assert (attached.sha256, attached.seal) == (row.sha256, row.seal)
        assert (await staging.begin("cli", file_of(DATA))).id == upload.id
        assert repr(row.key) not in repr(row)


async def test_a_killed_node_goes_on_where_it_was_under_a_fresh_key(machine: Machine) -> None:
    async with machine.node() as staging:
        upload = await staging.begin("cli", file_of(DATA))
        await staging.add("cli", upload.id, 0, DATA[: 3 * CHUNK_SIZE + 5])
        before, kept = await machine.row(upload.id), await machine.row(upload.id)
        old = staging.path(before)
    async with machine.node() as staging:
        assert (await staging.begin("cli", file_of(DATA))).id == upload.id
        again = await staging.status("cli", upload.id)
        assert again.taken == 3 * CHUNK_SIZE
        row = await machine.row(upload.id)
        assert row.key != kept.key
        assert not old.exists()
        done = await staging.add("cli", upload.id, again.taken, DATA[again.taken :])
        assert done.state == "sending"
        row = await machine.row(upload.id)
        assert plaintext(row, blobs(staging, row)) == DATA


async def test_a_node_that_was_killed_at_the_very_end_needs_no_further_byte(machine: Machine) -> None:
    async with machine.node() as staging:
        upload = await staging.begin("cli", file_of(DATA))
        await staging.add("cli", upload.id, 0, DATA)
        row = await machine.row(upload.id)
        assert machine.rows
        await machine.rows.put(row._replace(state="staging", root=None))
    async with machine.node() as staging:
        again = await staging.begin("cli", file_of(DATA))
        assert (again.id, again.state, again.taken) == (upload.id, "sending", len(DATA))


async def test_chunks_that_a_power_cut_left_wrong_are_asked_for_again(machine: Machine) -> None:
    async with machine.node() as staging:
        upload = await staging.begin("cli", file_of(DATA))
        await staging.add("cli", upload.id, 0, DATA[: 4 * CHUNK_SIZE])
        path = staging.path(await machine.row(upload.id))
    with path.open("r+b") as file:
        file.seek(2 * CHUNK_MAX + 9)
        file.write(b"\0" * 64)
    async with machine.node() as staging:
        await staging.add("cli", upload.id, 2 * CHUNK_SIZE, DATA[2 * CHUNK_SIZE :])
        row = await machine.row(upload.id)
        assert plaintext(row, blobs(staging, row)) == DATA


async def test_another_file_than_was_announced_is_thrown_away(machine: Machine) -> None:
    async with machine.node() as staging:
        for given in (DATA[:-1] + bytes([DATA[-1] ^ 1]), DATA + b"more"):
            upload = await staging.begin("cli", file_of(DATA))
            path = staging.path(await machine.row(upload.id))
            with pytest.raises(LiaisonError) as changed:
                await staging.add("cli", upload.id, 0, given)
            assert changed.value.code is Code.BAD_ATTACHMENT
            assert not path.exists()
            with pytest.raises(LiaisonError) as gone:
                await staging.status("cli", upload.id)
            assert gone.value.code is Code.NOT_FOUND


async def test_an_upload_is_its_client_s_own_and_goes_in_order(machine: Machine) -> None:
    async with machine.node() as staging:
        upload = await staging.begin("cli", file_of(DATA))
        for client, offset, expected in (("other", 0, Code.NOT_FOUND), ("cli", 9, Code.BAD_REQUEST)):
            with pytest.raises(LiaisonError) as refused:
                await staging.add(client, upload.id, offset, DATA)
            assert refused.value.code is expected
        assert (await staging.begin("other", file_of(DATA))).id != upload.id


async def test_what_the_hub_refused_is_tried_again_when_it_is_asked_for(machine: Machine) -> None:
    async with machine.node() as staging:
        upload = await staging.begin("cli", file_of(b"short"))
        await staging.add("cli", upload.id, 0, b"short")
        staging.trouble = "hub_unreachable"
        assert (await staging.status("cli", upload.id)).code == "hub_unreachable"
        await staging.refused(await machine.row(upload.id), "over_quota")
        told = await staging.status("cli", upload.id)
        assert (told.state, told.code) == ("refused", "over_quota")
        staging.ready.clear()
        assert (await staging.begin("cli", file_of(b"short"))).state == "sending"
        assert staging.ready.is_set()


async def test_room_and_files_under_way_are_bounded_and_old_ones_go(machine: Machine) -> None:
    machine.limit = spooled(len(DATA)) + 40 * 2048
    async with machine.node() as staging:
        await staging.begin("cli", file_of(DATA))
        names = count()
        for _ in range(OPEN_MAX - 1):
            await staging.begin("cli", file_of(b"%d" % next(names)))
        with pytest.raises(LiaisonError) as crowded:
            await staging.begin("cli", file_of(b"%d" % next(names)))
        with pytest.raises(LiaisonError) as full:
            await staging.begin("other", file_of(DATA + DATA))
        assert (crowded.value.code, full.value.code) == (Code.OVER_QUOTA, Code.OVER_QUOTA)
        paths = await staging.paths()
        await staging.expire(days=1)
        assert await staging.paths() == paths
        machine.now += 2 * DAY
        await staging.expire(days=1)
        assert await staging.paths() == set()
        assert not any(each.exists() for each in paths)


async def test_what_a_restored_hub_may_have_lost_goes_again_from_its_first_chunk(machine: Machine) -> None:
    async with machine.node() as staging:
        assert machine.rows
        names = ("used", "stored", "sending", "refused", "staging")
        ids = {}
        for name in names:
            ids[name] = (await staging.begin("cli", file_of(DATA, name))).id
            if name != "staging":
                await staging.add("cli", ids[name], 0, DATA)
        for name, sent in (("used", 7), ("stored", 7), ("sending", 4)):
            await staging.sent(await machine.row(ids[name]), sent)
        used = await machine.row(ids["used"])
        assert used.root
        await machine.use(used.root)
        await staging.sent(await machine.row(ids["refused"]), 3)
        await staging.refused(await machine.row(ids["refused"]), "over_quota")
        on_the_way = await machine.row(ids["sending"])
        kept = await staging.kept()
        assert ({each.name for each in kept.here}, kept.gone) == (set(names) - {"staging"}, [])
        machine.now += DAY
        await machine.lost(kept)
        rows = {each.name: each for each in await machine.rows.all()}
        assert [rows[name].state for name in names] == ["again", "sending", "sending", "refused", "staging"]
        assert {each.sent for each in rows.values()} == {0}
        await staging.sent(on_the_way, 7)  # the end of a window that had begun before
        assert await machine.row(ids["sending"]) == rows["sending"]
        with pytest.raises(LiaisonError) as gone:
            await staging.status("cli", ids["used"])
        assert gone.value.code is Code.NOT_FOUND
        assert (await staging.begin("cli", file_of(DATA, "used"))).id != ids["used"]
        # Its bulletin was on its way meanwhile: nobody else would send the rest.
        stored = rows["stored"]
        assert stored.root
        await machine.use(stored.root)
        await staging.sent(rows["used"], 7)
        await machine.use(used.root)  # a release of it
        assert [each.name for each in await machine.rows.all("used")] == ["used"]
        assert [each.name for each in await machine.rows.all("again")] == ["stored"]
        machine.now += DAY - 1
        await staging.expire(days=1)
        assert [each.name for each in await machine.rows.all("again")] == ["stored"]
        staging.path(stored).unlink()
        await machine.lost(await staging.kept())
        assert [each.name for each in await machine.rows.all("again")] == ["used"]


async def test_what_goes_again_is_not_thrown_away_for_the_time_when_it_went_first(machine: Machine) -> None:
    """The hub is found to have been restored while what is old is being thrown away."""
    async with machine.node() as staging:
        assert machine.rows
        assert machine.store
        upload = await staging.begin("cli", file_of(DATA))
        await staging.add("cli", upload.id, 0, DATA)
        await staging.sent(await machine.row(upload.id), 7)
        stored = await machine.row(upload.id)
        machine.now += 2 * DAY
        kept, looking = await staging.kept(), asyncio.Event()

        def clock() -> int:
            looking.set()
            return machine.now

        tidying = Staging(machine.rows, Spool(machine.directory / "attachments", 0), clock, str)
        async with machine.store.write() as tx:
            expiring = asyncio.create_task(tidying.expire(days=1))
            await looking.wait()
            await tx.run(lambda connection: send_again(connection, kept, machine.now))
        await expiring
        assert [each.id for each in await machine.rows.all("sending")] == [upload.id]
        assert staging.path(stored).exists()


async def test_a_file_of_ours_is_read_without_the_hub(machine: Machine) -> None:
    async with machine.node() as staging:
        upload = await staging.begin("cli", file_of(DATA))
        await staging.add("cli", upload.id, 0, DATA)
        row = await machine.row(upload.id)
        found = blobs(staging, row)
        addresses = [address_of(each) for each in found[:6]]
        path, root = staging.path(row), bytes.fromhex(row.root or "")
        assert addresses_of(path, row.size, root) == addresses
        assert addresses_of(path, row.size, bytes(32)) == []
        path.write_bytes(b"".join(found[:5]))
        assert addresses_of(path, row.size, root) == []
        path.unlink()
        assert addresses_of(path, row.size, root) == []


def test_what_was_fetched_longest_ago_makes_room_and_what_is_old_goes(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "attachments", 3 * spooled(1))
    spool.prepare()
    paths = [spool.path(f"{number:064x}") for number in range(3)]
    for age, path in enumerate(paths):
        path.write_bytes(bytes(spooled(1)))
        os.utime(path, (1000 * age, 1000 * age))
    spool.make_room(1, keep={paths[0]})
    assert [each.exists() for each in paths] == [True, False, True]
    spool.make_room(1, keep=set())
    assert [each.exists() for each in paths] == [True, False, True]
    os.utime(paths[2])
    spool.sweep(keep=set(), days=1)
    assert [each.exists() for each in paths] == [False, False, True]
    with pytest.raises(LiaisonError) as lost:
        read_blobs(paths[2], 2 * CHUNK_SIZE, range(2))
    assert lost.value.code is Code.STORE_CORRUPT
    with pytest.raises(LiaisonError) as gone:
        read_blobs(paths[0], 1, range(1))
    assert gone.value.code is Code.NOT_FOUND


async def test_a_file_is_taken_in_and_read_again_in_the_memory_of_a_few_pieces(tmp_path: Path) -> None:
    machine, size = Machine(tmp_path, 512 * 1024**2), 96 * 1024**2
    piece = os.urandom(PIECE_MAX)
    digest = sha256()
    for _ in range(size // PIECE_MAX):
        digest.update(piece)
    file = File(name="big.bin", media="video/mp4", size=size, sha256=digest.hexdigest())
    async with machine.node() as staging:
        tracemalloc.start()
        try:
            upload = await staging.begin("cli", file)
            for offset in range(0, size, PIECE_MAX):
                upload = await staging.add("cli", upload.id, offset, piece)
            row = await machine.row(upload.id)
            fetch = Fetch(row.attachment(), row.seal, staging.path(row), lambda: None)
            opener = Opener(row.seal, size)
            for offset in range(0, size, PIECE_MAX):
                assert opened_from(fetch, opener, offset) == piece
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert opener.given == size
    assert most < 8 * 1024**2

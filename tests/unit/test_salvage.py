"""A damaged archive: noticed, what can be read is kept, what cannot is named or read from the hub again."""

import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from schemas.errors import Code, LiaisonError, OperationError
from subscribers.core import lock
from subscribers.judging.returned import standing
from subscribers.keys import Keyring
from subscribers.records import Filters
from subscribers.recovery.copying import opened
from subscribers.recovery.salvage import Salvaged, salvage
from subscribers.storage import tables
from subscribers.storage.archive import Archive, put
from subscribers.storage.store import Store, migrate
from tests.support.archive import bulletin_id, new_record, replacing
from tests.support.federation import AT, random_from

COUNT = 300
PAGE = 4096


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with 300 bulletins, one of them retracted, and a feed that has read as far as 900."""
    state = tmp_path_factory.mktemp("whole") / "agency"
    key = Keyring.create(state / "keys", "esp", "Agency esp", "ESP", random=random_from("salvage")).archive

    def fill(connection: apsw.Connection) -> None:
        for n in range(1, COUNT):
            put(connection, new_record(n, body=f"Word{n} " * 40))
        put(connection, replacing(COUNT, "retraction", 7))
        connection.execute("INSERT INTO feeds VALUES ('TRAFFIC', 900)")
        connection.execute("INSERT INTO counters VALUES ('epoch', 12), ('ref-2026', 3)")
        for n in (1, 2):  # FRA-2026-0003 was given, and neither outbox nor archive has it
            connection.execute(
                "INSERT INTO outgoing(id, ref, kind, community, subject, history, state) "
                "VALUES (?, ?, 'b', '', '', 'none', 'admitted')",
                (f"id-{n}", f"ESP-2026-{n:04}"),
            )

    with opened(state / "node.db", bytes(key), new=True) as made:
        migrate(made, tables.NODE)
        with made:
            fill(made)
    return state


@pytest.fixture
def state(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "agency"))


def is_there(path: str) -> bool:
    return Path(path).exists()


def spoil(state: Path, place: int, size: int = 64) -> None:
    with (state / "node.db").open("r+b") as file:
        file.seek(place)
        file.write(bytes(each ^ 0x5A for each in bytes(size)))


async def checked(state: Path, found: Salvaged) -> int:
    """That the salvaged archive is whole, can be searched, and reads its feed again; how many it holds."""
    key = Keyring.load(state / "keys").archive
    async with await Store.open(state / "node.db", key, tables.NODE) as store:
        await store.integrity_check()
        copy = await standing(store)
        assert copy is not None
        assert (copy.salvaged, copy.sequence, copy.ended) == (True, 0, None)
        assert await store.query("SELECT count(*) FROM feeds") == [(0,)]
        archive = Archive(store)
        count = await archive.count()
        assert count == found.bulletins
        for (id,) in await store.query(
            "SELECT id FROM bulletins WHERE state <> 'retracted' AND kind = 'threat'"
        ):
            number = int(id[-12:], 16)
            assert [each.bulletin.id for each in (await archive.search(f"word{number}")).items] == [id]
        assert (await archive.search("word7")).items == []
        await archive.latest(Filters(), 5)
        await store.transact(lambda connection: put(connection, new_record(COUNT + 1)))
    assert is_there(found.aside)
    return count


async def test_of_a_whole_file_everything_comes_over(state: Path) -> None:
    found = salvage(state, AT)
    assert (found.damaged, found.bulletins, found.lost) == ([], COUNT, ["ESP-2026-0003"])
    assert await checked(state, found) == COUNT


@pytest.mark.parametrize("part", [0.2, 0.4, 0.6, 0.8, 0.97])
async def test_of_a_file_with_damaged_pages_what_lies_around_them(state: Path, part: float) -> None:
    size = (state / "node.db").stat().st_size
    spoil(state, int(size * part) // PAGE * PAGE + 100, 3 * PAGE)
    found = salvage(state, AT)
    kept = await checked(state, found)
    assert kept >= COUNT // 4


@pytest.mark.parametrize("part", [0.7, 0.9])
async def test_of_a_file_that_was_cut_off_what_is_left(state: Path, part: float) -> None:
    size = (state / "node.db").stat().st_size
    with (state / "node.db").open("r+b") as file:
        file.truncate(int(size * part))
    found = salvage(state, AT)
    assert 0 < await checked(state, found) < COUNT


def refused(work: Callable[[], object]) -> Code:
    with pytest.raises(LiaisonError) as error:
        work()
    return error.value.code


async def test_damage_is_noticed_and_said(state: Path) -> None:
    size = (state / "node.db").stat().st_size
    spoil(state, size // 2 // PAGE * PAGE + 100, 8 * PAGE)
    key = Keyring.load(state / "keys").archive
    async with await Store.open(state / "node.db", key, tables.NODE) as store:
        for check in (store.quick_check, store.integrity_check):
            with pytest.raises(OperationError) as damaged:
                await check()
            assert damaged.value.code is Code.STORE_CORRUPT
            assert "salvage" in damaged.value.fix


async def test_what_cannot_be_salvaged_is_left_as_it_is(state: Path) -> None:
    with lock(state):
        assert refused(lambda: salvage(state, AT)) is Code.ALREADY_RUNNING
    spoil(state, 0, PAGE)  # without its first page a database has no beginning
    before = (state / "node.db").read_bytes()
    assert refused(lambda: salvage(state, AT)) is Code.STORE_CORRUPT
    assert (state / "node.db").read_bytes() == before
    found = salvage(state, AT, from_nothing=True)
    assert await checked(state, found) == 0
    assert "bulletins" in found.damaged
    key = Keyring.load(state / "keys").archive
    (state / "node.db").unlink()
    async with await Store.open(state / "node.db", key, [*tables.NODE, "CREATE TABLE later (x)"]):
        pass
    assert refused(lambda: salvage(state, AT)) is Code.BAD_VERSION
    assert bulletin_id(1)

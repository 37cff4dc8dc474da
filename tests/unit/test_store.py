"""The encrypted store: its key, its file, its transactions, and what it says when something is wrong."""

import asyncio
import contextlib
import os
import stat
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import apsw
import pytest

from schemas.errors import Code, OperationError
from subscribers.storage.lane import explain
from subscribers.storage.store import Store, Tx

KEY = bytes(range(32))
NOTES = "CREATE TABLE notes (n INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT"
WORDS = "CREATE VIRTUAL TABLE words USING fts5 (text, content = '', contentless_delete = 1)"
FOREVER = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "node.db", KEY, [NOTES]) as store:
        yield store


async def add(tx: Tx, text: str) -> None:
    await tx.execute("INSERT INTO notes (text) VALUES (?)", (text,))


async def notes(store: Store) -> list[str]:
    return [str(row[0]) for row in await store.query("SELECT text FROM notes ORDER BY n")]


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def refusal(path: Path, key: bytes, *migrations: str) -> OperationError:
    with pytest.raises(OperationError) as refused:
        await Store.open(path, key, migrations or [NOTES])
    assert refused.value.fix, refused.value
    assert not key or key.hex() not in str(refused.value)
    return refused.value


async def test_what_was_committed_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    async with await Store.open(path, KEY, [NOTES]) as store, store.write() as tx:
        await add(tx, "kept")
        await tx.executemany("INSERT INTO notes (text) VALUES (:text)", [{"text": "and"}, {"text": "these"}])
    async with await Store.open(path, KEY, [NOTES]) as store:
        assert await notes(store) == ["kept", "and", "these"]


async def test_only_the_owner_may_read_its_files(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    os.close(os.open(path, os.O_CREAT, 0o644))
    async with await Store.open(path, KEY, [NOTES]) as store:
        async with store.write() as tx:
            await add(tx, "kept")
        files = files_in(tmp_path)
        assert [each.name for each in files] == ["node.db", "node.db-shm", "node.db-wal"]
        assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}


async def test_the_settings_that_were_chosen(store: Store) -> None:
    for setting, value in [
        ("cipher", "chacha20"),
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("temp_store", 2),
        ("foreign_keys", 1),
        ("user_version", 1),
    ]:
        async with store.write() as tx:
            assert await tx.execute(f"PRAGMA {setting}") == [(value,)]
        assert await store.query(f"PRAGMA {setting}") == [(value,)]


async def test_statements_stay_compiled_over_a_large_transaction(store: Store) -> None:
    def missed(connection: apsw.Connection) -> int:
        for number in range(400):
            connection.execute(f"VALUES ({number})").fetchall()
        return connection.cache_stats()["misses"]

    async with store.write() as tx:
        first = await tx.run(missed)
        assert await tx.run(missed) == first


async def test_the_key_is_used_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    key = bytes.fromhex("ab" * 32)
    await (await Store.open(path, key, [NOTES])).close()
    other = apsw.Connection(str(path))  # a passphrase would tell upper case from lower case
    other.execute("PRAGMA cipher = 'chacha20'")
    other.execute(f"PRAGMA key = \"x'{key.hex().upper()}'\"")
    assert other.execute("SELECT count(*) FROM notes").fetchall() == [(0,)]
    other.close()


@pytest.mark.parametrize("key", [bytes(32), KEY[::-1], b"", KEY[:31], KEY + b"\0"])
async def test_a_wrong_key_is_refused(tmp_path: Path, key: bytes) -> None:
    path = tmp_path / "node.db"
    await (await Store.open(path, KEY, [NOTES])).close()
    assert (await refusal(path, key)).code is Code.WRONG_KEY
    async with await Store.open(path, KEY, [NOTES]) as store:
        assert await notes(store) == []


async def test_a_file_that_is_no_store_of_ours_is_refused(tmp_path: Path) -> None:
    plain = tmp_path / "plain.db"
    with contextlib.closing(apsw.Connection(str(plain))) as connection:
        connection.execute(NOTES)
    assert (await refusal(plain, KEY)).code is Code.WRONG_KEY
    assert (await refusal(tmp_path / "absent" / "node.db", KEY)).code is Code.BAD_SETTINGS
    assert (await refusal(tmp_path, KEY)).code is Code.BAD_SETTINGS


async def test_damage_is_found(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    async with await Store.open(path, KEY, [NOTES]) as store:
        async with store.write() as tx:
            await tx.executemany("INSERT INTO notes (text) VALUES (?)", [("x" * 2_000,)] * 50)
        await store.integrity_check()
    with path.open("r+b") as file:
        file.seek(10 * 4096 + 100)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    async with await Store.open(path, KEY, [NOTES]) as store:
        assert await store.query("SELECT count(*) FROM sqlite_schema") != []
        for reading in (store.integrity_check(), store.query("SELECT text FROM notes")):
            with pytest.raises(OperationError) as refused:
                await reading
            assert refused.value.code is Code.STORE_CORRUPT


async def indexed(store: Store, count: int) -> None:
    """So many bulletins' worth of words, each committed by itself."""
    for n in range(count):
        async with store.write() as tx:
            await tx.execute(
                "INSERT INTO words (rowid, text) SELECT count(*), ? FROM words", (f"word{n} all",)
            )


@pytest.mark.parametrize("readers", [1, 2])
async def test_what_is_written_meanwhile_is_not_taken_for_damage(tmp_path: Path, readers: int) -> None:
    async with await Store.open(tmp_path / "node.db", KEY, [WORDS], readers=readers) as store:
        for check in (store.integrity_check, store.quick_check) * 3:
            await indexed(store, 3)
            await check()
        writing = asyncio.create_task(indexed(store, 60))
        while not writing.done():
            await asyncio.gather(store.integrity_check(), store.quick_check())
        await writing


async def test_a_damaged_index_of_words_is_found(tmp_path: Path) -> None:
    async with await Store.open(tmp_path / "node.db", KEY, [WORDS]) as store:
        await indexed(store, 3)
        await store.integrity_check()
        async with store.write() as tx:  # SQLite itself is content with it: only FTS5 can tell
            await tx.execute("DELETE FROM words_data WHERE id > 10")
        for check in (store.integrity_check, store.quick_check):
            with pytest.raises(OperationError) as refused:
                await check()
            assert refused.value.code is Code.STORE_CORRUPT


async def test_migrations_go_on_from_where_they_were(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    more = "CREATE TABLE more (n) STRICT; this is a mistake"
    await (await Store.open(path, KEY, [NOTES])).close()
    with pytest.raises(apsw.SQLError):
        await Store.open(path, KEY, [NOTES, "ALTER TABLE notes ADD COLUMN mark TEXT", more])
    async with await Store.open(path, KEY, [NOTES, "ALTER TABLE notes ADD COLUMN mark TEXT"]) as store:
        assert await store.query("PRAGMA user_version") == [(2,)]
        assert await store.query("SELECT mark FROM notes") == []


async def test_a_file_from_a_later_version_or_with_another_past_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    later = "CREATE TABLE later (n)"
    await (await Store.open(path, KEY, [NOTES, later])).close()
    assert (await refusal(path, KEY, NOTES)).code is Code.BAD_VERSION
    assert (await refusal(path, KEY, later, NOTES)).code is Code.BAD_VERSION
    assert (await refusal(path, KEY, NOTES, later + " ", "CREATE TABLE last (n)")).code is Code.BAD_VERSION


async def test_a_block_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(LookupError):  # noqa: PT012 - leaving the block is what is tested
        async with store.write() as tx:
            await add(tx, "lost")
            raise LookupError
    async with store.write() as tx:
        with pytest.raises(apsw.ConstraintError):
            await tx.execute("INSERT INTO notes (text) VALUES (NULL)")
        await add(tx, "a refused statement does not end the transaction")
    assert len(await notes(store)) == 1


async def test_a_cancelled_writer_leaves_nothing_and_lets_the_next_one_in(store: Store) -> None:
    inside = asyncio.Event()

    async def hang() -> None:
        async with store.write() as tx:
            await add(tx, "lost")
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with store.write() as tx:
        await add(tx, "kept")
    assert await notes(store) == ["kept"]


async def test_writers_take_turns_and_readers_do_not_wait(store: Store) -> None:
    async def one(text: str) -> None:
        async with store.write() as tx:
            await add(tx, text)
            assert text not in await notes(store), "nobody sees what is not committed"
            await add(tx, text)

    await asyncio.gather(*(one(f"{n:02}") for n in range(20)))
    assert await notes(store) == [f"{n:02}" for n in range(20) for _ in range(2)]


async def test_a_transaction_is_of_no_use_after_its_end(store: Store) -> None:
    async with store.write() as tx:
        await add(tx, "kept")
    with pytest.raises(OperationError) as refused:
        await add(tx, "too late")
    assert refused.value.code is Code.INTERNAL
    with pytest.raises(OperationError):  # noqa: PT012 - leaving the block is what is tested
        async with store.write() as tx:
            await tx.execute("COMMIT")
            await add(tx, "outside of any transaction")
    assert await notes(store) == ["kept"]


async def test_no_room_rolls_back_and_says_so(store: Store) -> None:
    async with store.write() as tx:
        await add(tx, "before")
        [(pages,)] = await tx.execute("PRAGMA page_count")
        await tx.execute(f"PRAGMA max_page_count = {pages + 4}")
    with pytest.raises(OperationError) as refused:  # noqa: PT012 - leaving the block is what is tested
        async with store.write() as tx:
            with pytest.raises(OperationError):
                await tx.executemany("INSERT INTO notes (text) VALUES (?)", [("x" * 4_000,)] * 20)
            await add(tx, "SQLite may have rolled back: this must not be written by itself")
    assert refused.value.code is Code.DISK_FULL
    assert await notes(store) == ["before"]
    async with store.write() as tx:
        await tx.execute("PRAGMA max_page_count = 1000000")
        await add(tx, "after")
    assert await notes(store) == ["before", "after"]


async def test_no_room_within_a_savepoint_is_said_as_well(store: Store) -> None:
    """SQLite rolls back all of it, and so there is no savepoint any more."""

    def fill(connection: apsw.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 1").fetchall()  # no more than there are
        with connection:
            connection.executemany("INSERT INTO notes (text) VALUES (?)", [("x" * 4_000,)] * 20).fetchall()

    with pytest.raises(OperationError) as refused:
        await store.transact(fill)
    assert refused.value.code is Code.DISK_FULL


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "none", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


async def test_a_full_disk_rolls_back_and_says_so(small_disk: Path) -> None:
    async with await Store.open(small_disk / "node.db", KEY, [NOTES]) as store:
        async with store.write() as tx:
            await add(tx, "before")
        with pytest.raises(OperationError) as refused:
            async with store.write() as tx:
                await tx.executemany("INSERT INTO notes (text) VALUES (?)", [("x" * 4_000,)] * 500)
        assert refused.value.code is Code.DISK_FULL
        assert await notes(store) == ["before"]
    async with await Store.open(small_disk / "node.db", KEY, [NOTES]) as store:
        assert await notes(store) == ["before"]
        await store.integrity_check()


async def test_a_query_that_does_not_end_is_ended(store: Store) -> None:
    with pytest.raises(OperationError) as refused:
        await store.read(lambda connection: connection.execute(FOREVER).fetchall(), deadline=0.05)
    assert refused.value.code is Code.BAD_REQUEST
    for _ in range(3):  # more than there are readers
        started = asyncio.Event()
        loop = asyncio.get_running_loop()

        def run(connection: apsw.Connection) -> None:
            loop.call_soon_threadsafe(started.set)  # noqa: B023 - ended before the next round
            connection.execute(FOREVER).fetchall()

        task = asyncio.create_task(store.read(run))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await notes(store) == []


async def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises(OperationError) as refused:
        await store.query("INSERT INTO notes (text) VALUES ('x')")
    assert refused.value.code is Code.BAD_SETTINGS


async def test_checkpoint_folds_the_log_into_the_file(store: Store, tmp_path: Path) -> None:
    async with store.write() as tx:
        await add(tx, "kept")
    await store.checkpoint()
    assert (tmp_path / "node.db-wal").stat().st_size == 0


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node.db", KEY, [NOTES])
    await store.close()
    for using in (notes(store), store.checkpoint()):
        with pytest.raises(OperationError) as refused:
            await using
        assert refused.value.code is Code.INTERNAL


@pytest.mark.parametrize(
    "error,code",
    [
        (apsw.NotADBError(), Code.WRONG_KEY),
        (apsw.CorruptError(), Code.STORE_CORRUPT),
        (apsw.FullError(), Code.DISK_FULL),
        (apsw.IOError(), Code.DISK_FULL),
        (apsw.BusyError(), Code.ALREADY_RUNNING),
        (apsw.CantOpenError(), Code.BAD_SETTINGS),
        (apsw.InterruptError(), Code.BAD_REQUEST),
    ],
)
def test_every_trouble_has_its_code_and_its_fix(error: apsw.Error, code: Code) -> None:
    explained = explain(error)
    assert explained is not None
    assert (explained.code, bool(explained.fix)) == (code, True)


def test_our_own_mistakes_are_not_dressed_up() -> None:
    assert explain(apsw.SQLError()) is None

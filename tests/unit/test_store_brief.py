"""Brief transactions: their statements run in the caller's thread, their commit in the writer's."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from schemas.errors import Code, OperationError
from subscribers.storage.lane import connect
from subscribers.storage.store import Store

KEY = bytes(range(32))
NOTES = "CREATE TABLE notes (n INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "node.db", KEY, [NOTES]) as store:
        yield store


async def notes(store: Store) -> list[str]:
    return [str(row[0]) for row in await store.query("SELECT text FROM notes ORDER BY n")]


def add(connection: apsw.Connection, text: str) -> int:
    connection.execute("INSERT INTO notes (text) VALUES (?)", (text,))
    return threading.get_ident()


async def test_it_is_on_disk_when_it_returns_and_ran_here(store: Store) -> None:
    assert await store.transact(lambda connection: add(connection, "here"), brief=True) == (
        threading.get_ident()
    )
    assert await store.transact(lambda connection: add(connection, "there")) != threading.get_ident()
    assert await notes(store) == ["here", "there"]


@pytest.mark.parametrize("brief", [True, False])
async def test_what_raises_leaves_nothing(store: Store, brief: bool) -> None:
    def fail(connection: apsw.Connection) -> None:
        add(connection, "lost")
        raise LookupError

    with pytest.raises(LookupError):
        await store.transact(fail, brief=brief)
    await store.transact(lambda connection: add(connection, "kept"), brief=brief)
    assert await notes(store) == ["kept"]


async def test_a_refusal_by_sqlite_has_its_code(store: Store) -> None:
    def fill(connection: apsw.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 1").fetchall()  # no more than there are
        connection.executemany("INSERT INTO notes (text) VALUES (?)", [("x" * 4_000,)] * 20).fetchall()

    with pytest.raises(OperationError) as refused:
        await store.transact(fill, brief=True)
    assert refused.value.code is Code.DISK_FULL
    assert await notes(store) == []


@pytest.mark.parametrize("brief", [True, False])
async def test_who_is_cancelled_at_the_commit_leaves_nothing_open(store: Store, brief: bool) -> None:
    for number in range(40):
        task = asyncio.create_task(
            store.transact(lambda connection: add(connection, "perhaps"), brief=bool(number % 2))
        )
        while not store._turn.locked():  # noqa: ASYNC110, SLF001 - to cancel it exactly there
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await store.transact(lambda connection: add(connection, "certain"), brief=brief)
    held = await notes(store)
    assert held.count("certain") == 40
    assert set(held) <= {"certain", "perhaps"}


async def test_brief_ones_and_others_take_turns(store: Store) -> None:
    async def one(number: int) -> None:
        def twice(connection: apsw.Connection) -> None:
            add(connection, f"{number:02}")
            add(connection, f"{number:02}")

        await store.transact(twice, brief=bool(number % 2))

    await asyncio.gather(*map(one, range(30)))
    assert await notes(store) == [f"{number:02}" for number in range(30) for _ in range(2)]


async def test_another_process_at_work_does_not_hold_up_the_loop(store: Store, tmp_path: Path) -> None:
    other = connect(tmp_path / "node.db", KEY)
    other.execute("BEGIN IMMEDIATE")
    task = asyncio.create_task(store.transact(lambda connection: add(connection, "after"), brief=True))
    while not store._turn.locked():  # noqa: ASYNC110, SLF001 - until it has found the lock
        await asyncio.sleep(0)
    assert not task.done(), "it waits, in the other thread"
    other.execute("COMMIT")
    assert await task != threading.get_ident()
    other.close()
    assert await notes(store) == ["after"]


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node.db", KEY, [NOTES])
    await store.close()
    with pytest.raises(OperationError) as refused:
        await store.transact(lambda connection: add(connection, "late"), brief=True)
    assert refused.value.code is Code.INTERNAL

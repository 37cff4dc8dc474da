"""From the archive to the sinks: each row once and in order, again where that failed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from schemas.errors import Code, OperationError
from subscribers.records import Change, Record
from subscribers.storage import tables
from subscribers.storage.archive import Archive
from subscribers.storage.store import Store
from subscribers.telling.republish import Fresh, Republisher
from tests.support.archive import new_record, replacing

DEADLINE = 45.0


class Shelf:
    """A sink that keeps what it is given, and may fail for a while."""

    def __init__(self, failures: int = 0) -> None:
        self.titles: list[str] = []
        self.changes: list[tuple[str, str]] = []
        self._failures = failures
        self._news = asyncio.Condition()

    async def write(self, records: Sequence[Record]) -> None:
        if self._failures:
            self._failures -= 1
            raise OperationError(Code.DISK_FULL, "no room", "make some")
        async with self._news:
            self.titles += [each.bulletin.title for each in records]
            self._news.notify_all()

    async def correct(self, changes: Sequence[Change]) -> None:
        async with self._news:
            self.changes += [(each.ref, each.state) for each in changes]
            self._news.notify_all()

    async def corrected(self, count: int) -> None:
        async with asyncio.timeout(DEADLINE), self._news:
            await self._news.wait_for(lambda: len(self.changes) >= count)

    async def holds(self, *numbers: int) -> None:
        wanted = {f"Drone sighting number{number}" for number in numbers}
        async with asyncio.timeout(DEADLINE), self._news:
            await self._news.wait_for(lambda: wanted <= set(self.titles))


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[Archive]:
    async with await Store.open(tmp_path / "node.db", bytes(32), tables.NODE) as store:
        yield Archive(store)


async def add(archive: Archive, *numbers: int) -> None:
    async with archive._store.write() as tx:  # noqa: SLF001 - the feed writes through the store, too
        await archive.insert_all(tx, [new_record(number) for number in numbers])


@asynccontextmanager
async def republishing(archive: Archive, *shelves: Shelf) -> AsyncIterator[Fresh]:
    fresh = Fresh()
    republisher = Republisher(archive, fresh, shelves)
    task = asyncio.create_task(republisher.run())
    try:
        yield fresh
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def titles(*numbers: int) -> list[str]:
    return [f"Drone sighting number{number}" for number in numbers]


async def test_what_is_there_and_what_comes(archive: Archive) -> None:
    shelf, other = Shelf(), Shelf()
    await add(archive, 1, 2)
    async with republishing(archive, shelf, other) as fresh:
        await other.holds(1, 2)
        await add(archive, 3)
        fresh.offer(None, [])
        await other.holds(3)
    assert shelf.titles == other.titles == titles(1, 2, 3)


async def test_what_was_marked_is_not_passed_on_again_after_a_restart(archive: Archive) -> None:
    shelf = Shelf()
    await add(archive, 1, 2)
    async with republishing(archive, shelf):
        await shelf.holds(1, 2)
        async with asyncio.timeout(DEADLINE):
            while await archive.unpublished():  # noqa: ASYNC110 - the mark follows in a quiet moment
                await asyncio.sleep(0.01)
    await add(archive, 3)
    again = Shelf()
    async with republishing(archive, again):
        await again.holds(3)
    assert again.titles == titles(3)


async def test_a_sink_that_fails_is_given_the_same_again_and_nothing_is_skipped(archive: Archive) -> None:
    failing, behind = Shelf(failures=1), Shelf()
    await add(archive, 1)
    async with republishing(archive, failing, behind) as fresh:
        await behind.holds(1)
        await add(archive, 2)
        fresh.offer(None, [])
        await behind.holds(2)
    assert failing.titles == behind.titles == titles(1, 2)


async def test_many_rows_go_in_order(archive: Archive) -> None:
    shelf = Shelf()
    numbers = range(1, 701)
    await add(archive, *numbers)
    async with republishing(archive, shelf):
        await shelf.holds(700)
    assert shelf.titles == titles(*numbers)


async def test_what_became_of_bulletins_is_told_behind_the_change(archive: Archive) -> None:
    shelf = Shelf()
    await add(archive, 1, 2, 3)
    async with archive._store.write() as tx:  # noqa: SLF001 - the feed writes through the store, too
        changes = [
            replacing(4, "retraction", 1),
            replacing(5, "amendment", 1, 2),
            replacing(6, "retraction", 3, agency="xx-other"),
        ]
        await archive.insert_all(tx, changes)
    async with republishing(archive, shelf):
        await shelf.holds(1, 2, 3, 4, 5, 6)
        await shelf.corrected(2)
    # The retraction is the last word on the first; nobody retracts another's bulletin.
    assert shelf.changes == [("FRA-2026-0001", "retracted"), ("FRA-2026-0002", "amended")]

"""The directory's feed on a real store: what the hub gives twice is taken in once."""

import asyncio
from pathlib import Path

import pytest

from schemas.subjects import DIRECTORY_DOCUMENTS, membership_log
from subscribers.directory.feed import DirectoryFeed
from subscribers.storage.ledger import Ledger
from tests.support.federation import AT, COM, FRA, documents, memberships
from tests.unit.test_ledger import opened


async def cut_short(feed: DirectoryFeed, ledger: Ledger, subject: str, data: bytes) -> None:
    """The connection is lost while the commit is on its way to the disk."""
    loop, tasks = asyncio.get_running_loop(), list[asyncio.Task[None]]()

    def cut() -> bool:
        for each in tasks:
            loop.call_soon_threadsafe(each.cancel)
        return False

    await ledger.store.transact(lambda connection: connection.set_commit_hook(cut))
    tasks.append(asyncio.create_task(feed.take(subject, data)))
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    await ledger.store.transact(lambda connection: connection.set_commit_hook(None))


async def test_what_is_cut_short_and_given_again_is_taken_in_once(tmp_path: Path) -> None:
    root, second, *others = documents()
    first, entry, *_ = memberships()[COM]
    async with opened(tmp_path) as ledger:
        feed = DirectoryFeed(ledger, FRA.endpoint, lambda: AT)
        await feed.take(DIRECTORY_DOCUMENTS, root)
        await cut_short(feed, ledger, DIRECTORY_DOCUMENTS, second)
        for each in (second, *others):
            await feed.take(DIRECTORY_DOCUMENTS, each)
        await feed.take(membership_log(COM), first)
        await cut_short(feed, ledger, membership_log(COM), entry)
        await feed.take(membership_log(COM), entry)
        assert await ledger.quarantined() == 0
        known = ledger.known()
    async with opened(tmp_path) as ledger:
        assert ledger.known().head == known.head
        assert ledger.known().communities[COM].head == known.communities[COM].head

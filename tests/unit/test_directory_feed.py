"""The directory's feed on a real store: what the hub gives twice is taken in once."""

from pathlib import Path

from schemas.subjects import DIRECTORY_DOCUMENTS, membership_log
from subscribers.directory.feed import DirectoryFeed
from tests.support.cut_short import cut_short
from tests.support.federation import AT, COM, FRA, documents, memberships
from tests.unit.test_ledger import opened


async def test_what_is_cut_short_and_given_again_is_taken_in_once(tmp_path: Path) -> None:
    root, second, *others = documents()
    first, entry, *_ = memberships()[COM]
    async with opened(tmp_path) as ledger:
        feed = DirectoryFeed(ledger, FRA.endpoint, lambda: AT)
        await feed.take(DIRECTORY_DOCUMENTS, root)
        await cut_short(ledger.store, feed.take(DIRECTORY_DOCUMENTS, second))
        for each in (second, *others):
            await feed.take(DIRECTORY_DOCUMENTS, each)
        await feed.take(membership_log(COM), first)
        await cut_short(ledger.store, feed.take(membership_log(COM), entry))
        await feed.take(membership_log(COM), entry)
        assert await ledger.quarantined() == 0
        known = ledger.known()
    async with opened(tmp_path) as ledger:
        assert ledger.known().head == known.head
        assert ledger.known().communities[COM].head == known.communities[COM].head

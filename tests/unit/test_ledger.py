"""What the node knows, in memory and on disk: the same after a restart, and changed by commits alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from schemas.card import Card
from schemas.chain import ChainHead, ChainKey
from schemas.errors import Code, LiaisonError, TrustError
from subscribers.judging.refused import Refused
from subscribers.judging.trust import Chain, Epoch, EpochId
from subscribers.sealing import EpochKey
from subscribers.storage import tables
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store
from tests.support.federation import (
    AT,
    COM,
    FRA,
    JPN,
    OTHER,
    by_owners,
    directory,
    documents,
    entry,
    memberships,
)

KEY = bytes(range(32))
CHAIN = ChainKey(FRA.endpoint, COM, "routine")
EPOCH = EpochId(FRA.endpoint, COM, 0)
SECRET = EpochKey(bytes(range(32)))


def epoch(key: EpochKey | None = None) -> Epoch:
    return Epoch("routine", b"a" * 32, SECRET.commitment, "none", due=True, key=key)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Ledger]:
    async with await Store.open(path / "node.db", KEY, tables.NODE) as store:
        yield await Ledger.load(store)


async def filled(ledger: Ledger) -> None:
    for each in documents():
        await ledger.append(each, membership=False)
    for log in memberships().values():
        for each in log:
            await ledger.append(each, membership=True)


async def test_the_directory_is_the_same_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        with pytest.raises(LiaisonError, match="not_enrolled"):
            ledger.known()
        await filled(ledger)
        assert ledger.known().head == directory().head
    async with opened(tmp_path) as ledger:
        assert ledger.known().head == directory().head
        assert ledger.known().communities[COM].head == directory().communities[COM].head
        assert not ledger.is_new(memberships()[COM][0])
        assert ledger.is_new(by_owners(entry(memberships()[COM], op="remove", id="jpn")))


async def test_a_document_that_is_refused_leaves_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await filled(ledger)
        for data, membership in ((b"{}", False), (documents()[3], False), (memberships()[COM][1], True)):
            with pytest.raises(LiaisonError):
                await ledger.append(data, membership=membership)
        assert ledger.known().head == directory().head
    async with opened(tmp_path) as ledger:
        assert ledger.known().head == directory().head


async def test_changes_count_once_they_are_committed(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await filled(ledger)
        changes = ledger.changes()
        changes.chains[CHAIN] = Chain(ChainHead(3, "ab" * 32), 0)
        changes.learn(EPOCH, epoch())
        changes.sequence = 17
        changes.name(COM, Card(slug="alpha", title="Alpha", rules="None"))
        assert changes.reader("jpn", 0).chains[CHAIN].head.seq == 3
        assert changes.announced()[b"a" * 32] == epoch()
        assert (ledger.chains, ledger.epochs, ledger.cards, ledger.sequence) == ({}, {}, {}, 0)
        await ledger.store.transact(changes.save)
        ledger.merge(changes)
        assert ledger.chains[CHAIN].head.seq == 3
    async with opened(tmp_path) as ledger:
        assert ledger.chains == {CHAIN: Chain(ChainHead(3, "ab" * 32), 0)}
        assert ledger.epochs == {EPOCH: epoch()}
        assert ledger.cards[COM].title == "Alpha"
        assert ledger.sequence == 17


async def test_a_key_is_never_forgotten_for_an_announcement_without_one(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await filled(ledger)
        changes = ledger.changes()
        changes.learn(EPOCH, epoch())
        changes.unlock(b"a" * 32, SECRET)
        changes.learn(EPOCH, epoch())
        assert changes.epochs[EPOCH].key == SECRET
        await ledger.store.transact(changes.save)
        ledger.merge(changes)
        later = ledger.changes()
        later.learn(EPOCH, epoch())
        assert later.epochs[EPOCH].key == SECRET
    async with opened(tmp_path) as ledger:
        assert ledger.epochs[EPOCH].key == SECRET


async def test_two_communities_never_share_a_short_name(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await filled(ledger)
        changes = ledger.changes()
        changes.name(COM, Card(slug="alpha", title="One", rules=""))
        changes.name(OTHER, Card(slug="alpha", title="Two", rules=""))
        assert changes.cards[COM].slug == "alpha"
        assert changes.cards[OTHER].slug == f"alpha-{OTHER[:8]}"


async def test_what_is_refused_is_kept_newest_first(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await filled(ledger)
        for number in range(3):
            error = TrustError(Code.REPLAYED, f"number {number}")
            await ledger.refuse(
                [Refused.of(error, AT + number, f"f.live.{COM}.routine.{JPN.endpoint}", b"x")]
            )
        assert await ledger.quarantined() == 3
        newest, second = await ledger.quarantine(2)
        assert (newest.message, newest.code, newest.at) == ("number 2", Code.REPLAYED, AT + 2)
        assert second.message == "number 1"

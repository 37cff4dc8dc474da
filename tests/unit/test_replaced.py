"""How nodes and witnesses hold the replacement of an identity key against their own clocks, and whom they
tell.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

from schemas.checkpoint import Checkpoint, Note, cosign, origin_of, sign_log
from schemas.documents import LogSize
from schemas.encoding import to_base64
from schemas.limits import COOL_DOWN
from schemas.merkle import Head
from subscribers.directory.notices import last_number, read
from subscribers.judging.alarms import AlarmKey, AlarmName, listed
from subscribers.storage.ledger import Ledger
from subscribers.witness.notebook import Notebook
from tests.support.federation import (
    AT,
    FRA,
    FRESHNESS,
    HUB,
    JPN,
    OTHER,
    REGISTRAR,
    ROOTS,
    WITNESSES,
    Party,
    documents,
    envelope,
    root,
    witness,
)
from tests.support.identities import (
    LATER,
    NEW,
    added,
    identity,
    object_,
    objected,
    overriding,
    proposed,
    taken,
)
from tests.unit.test_notices import grow, ledger_of

ORIGIN = origin_of(sha256(documents()[0]).digest())
KEY = bytes(32)


def note(head: Head, at: int) -> bytes:
    """Signed by the hub and a quorum."""
    point = Checkpoint(ORIGIN, head)
    seen = (cosign(point, witness(n).name, at // 1000, WITNESSES[n]) for n in range(2))
    return Note(point, (sign_log(point, ORIGIN, HUB), *seen)).to_bytes()


async def watching(ledger: Ledger) -> None:
    """The federation's directory, under a head that the witnesses have signed."""
    await grow(ledger)
    await ledger.take_head(note(ledger.known().head, AT), AT)


async def take(ledger: Ledger, *steps: tuple[bytes, int]) -> None:
    for data, now in steps:
        await ledger.append(data, membership=False, now=now)


async def alarms(ledger: Ledger, *, past: bool = False) -> list[AlarmKey]:
    """Those that stand, oldest first: name, community, publisher."""
    return [each.key for each in reversed(await listed(ledger.store, 100, past=past))]


async def told(ledger: Ledger, after: int) -> list[tuple[str, bool]]:
    news = await read(ledger.store, ledger.known(), ledger.cards, after, 100)
    assert all(each.agency == "fra" and len(each.fingerprint) == 47 for each in news)
    return [(each.kind, each.disputed) for each in news]


FRANCE = AlarmKey(AlarmName.IDENTITY, "", FRA.endpoint)


async def test_everybody_is_told_and_its_own_agency_is_alarmed(tmp_path: Path) -> None:
    for agency, raised in (("fra", [FRANCE]), ("jpn", []), ("bra", [])):
        async with ledger_of(tmp_path, agency, f"{agency}.db") as ledger:
            await watching(ledger)
            before = await last_number(ledger.store)
            await take(ledger, (proposed(), AT))
            assert await alarms(ledger) == raised
            await take(ledger, (envelope(object_(), REGISTRAR), AT))
            assert await alarms(ledger) == []
            assert await told(ledger, before) == [("replacing", False), ("withdrawn", False)]


async def test_a_dispute_alarms_everybody(tmp_path: Path) -> None:
    async with ledger_of(tmp_path, "bra") as ledger:
        await watching(ledger)
        before = await last_number(ledger.store)
        await take(ledger, (proposed(), AT), (objected(), AT))
        assert await alarms(ledger) == [FRANCE]
        await take(ledger, (overriding(), AT))
        assert (await listed(ledger.store, 1))[0].times == 2
        assert await told(ledger, before) == [("replacing", False), ("objected", False), ("replacing", True)]


async def test_one_that_comes_in_its_time_alarms_nobody_else(tmp_path: Path) -> None:
    both = envelope(identity(issued=AT), NEW, FRA.identity)
    for name, last, now in (("late", taken(), LATER), ("agreed", both, AT + 1)):
        async with ledger_of(tmp_path, "jpn", f"{name}.db") as ledger:
            await watching(ledger)
            before = await last_number(ledger.store)
            await take(ledger, (proposed(), AT), (last, now))
            assert await alarms(ledger, past=True) == []
            assert await told(ledger, before) == [("replacing", False), ("identity", False)]


async def test_one_that_comes_before_its_time_alarms_everybody(tmp_path: Path) -> None:
    async with ledger_of(tmp_path, "jpn") as ledger:
        await watching(ledger)
        await take(ledger, (proposed(), AT), (taken(), LATER - 1))
        assert await alarms(ledger) == [FRANCE]


async def test_without_witnesses_a_node_counts_from_when_it_saw_the_first_word(tmp_path: Path) -> None:
    alone = envelope(root(version=2, witnesses=[], quorum=0), *ROOTS[:2])
    for name, now, expected in (("soon", LATER + 4, [FRANCE]), ("later", LATER + 5, [])):
        async with ledger_of(tmp_path, "jpn", f"{name}.db") as ledger:
            await watching(ledger)
            await take(ledger, (alone, AT), (proposed(), AT + 5))
        async with ledger_of(tmp_path, "jpn", f"{name}.db") as ledger:
            assert ledger.ready == {to_base64(NEW.public): LATER + 5}
            await take(ledger, (taken(), now))
            assert await alarms(ledger) == expected


async def test_what_was_there_before_the_first_head_is_history(tmp_path: Path) -> None:
    async with ledger_of(tmp_path, "fra") as ledger:
        await grow(ledger)
        await take(ledger, (proposed(), LATER), (objected(), LATER), (overriding(), LATER))
        assert await alarms(ledger, past=True) == []
        assert set(ledger.ready.values()) == {LATER, AT + 3 * COOL_DOWN}


async def test_a_log_that_is_longer_than_its_owner_says_is_told(tmp_path: Path) -> None:
    async with ledger_of(tmp_path, "jpn") as ledger:
        await watching(ledger)
        await ledger.append(added(OTHER, "bra", FRA.identity), membership=True, now=AT)
        unnamed = [LogSize(com=com, size=2) for com in (OTHER,)]
        await take(ledger, (proposed(), AT), (taken(logs=unnamed), LATER))
        raised = await alarms(ledger)
        assert {name for name, _, _ in raised} == {AlarmName.SPLIT_VIEW}
        assert OTHER in {community for _, community, _ in raised}


async def test_keys_under_a_new_identity_wait_for_the_witnesses(tmp_path: Path) -> None:
    fresh = Party("fra", "FRA").next_signing
    kid = FRA.successor()  # by the key before: does not count any more
    async with ledger_of(tmp_path, "jpn") as ledger:
        await watching(ledger)
        keys = envelope(FRA.keys(version=2, signing=to_base64(fresh.public)), NEW)
        others = JPN.successor()
        await take(ledger, (proposed(), AT), (taken(), AT + 1), (keys, AT + 2), (others, AT + 2))
        known, now = ledger.known(), AT + 3
        assert sha256(kid).digest() not in known.seen
        (waits,) = ledger.vouched.withheld(known, now)
        assert known.signers[waits].version == 2
        assert known.signers[waits].agency == "fra"
        assert [ledger.vouched.vouches(known, each) for each in ("fra", "jpn")] == [False, True]
        await ledger.take_head(note(Head(known.head.size - 3, known.roots[-4]), AT + 1000), now)
        assert ledger.vouched.withheld(known, now) == {waits}
        assert ledger.sealing_until() == 0 < now < ledger.fresh_until()  # and nothing is sealed meanwhile
        stale = ledger.vouched.withheld(known, AT + 2 * FRESHNESS)
        assert {known.signers[each].agency for each in stale} == {"fra", "jpn"}
        await ledger.take_head(note(known.head, AT + 2000), now)
        assert ledger.vouched.withheld(known, now) == frozenset()
        assert now < ledger.sealing_until() == ledger.fresh_until()
        assert ledger.vouched.vouches(known, "fra")


async def test_where_no_witness_is_asked_nobody_is_waited_for(tmp_path: Path) -> None:
    alone = envelope(root(version=2, witnesses=[], quorum=0), *ROOTS[:2])
    keys = envelope(FRA.keys(version=2, signing=to_base64(FRA.next_signing.public)), NEW)
    async with ledger_of(tmp_path, "jpn") as ledger:
        await watching(ledger)
        await take(ledger, (alone, AT), (proposed(), AT), (taken(), LATER), (keys, LATER))
        assert ledger.vouched.withheld(ledger.known(), LATER) == frozenset()
        assert ledger.sealing_until() > LATER
        assert ledger.vouched.vouches(ledger.known(), "fra")


# -- the witness -------------------------------------------------------------------------------------------


async def seen(book: Notebook, *steps: tuple[bytes, int]) -> int:
    for data, now in steps:
        await book.append(data, now)
    return book.held_until(book.directory.head.size)


@asynccontextmanager
async def witnessing(path: Path, *, signed: bool) -> AsyncIterator[Notebook]:
    """A witness that has the federation's directory, and has signed its head or nothing yet."""
    async with await Notebook.open_store(path, KEY) as store:
        book = await Notebook.load(store, documents()[0])
        for each in documents()[1:]:
            await book.append(each, AT)
        if signed:
            await book.commit(book.directory.head, AT, 1)
        yield book


async def test_a_witness_holds_the_head_until_it_has_seen_the_cool_down_pass(tmp_path: Path) -> None:
    async with witnessing(tmp_path, signed=True) as book:
        size = book.directory.head.size
        assert await seen(book, (proposed(), AT + 9)) == 0
        assert await seen(book, (taken(), LATER)) == LATER + 9
        assert book.held_until(size + 1) == 0
    async with await Notebook.open_store(tmp_path, KEY) as store:
        again = await Notebook.load(store, documents()[0])
        assert again.held_until(size + 2) == LATER + 9


async def test_a_witness_that_has_signed_nothing_yet_goes_by_what_the_secretariat_said(
    tmp_path: Path,
) -> None:
    async with witnessing(tmp_path, signed=False) as book:
        assert await seen(book, (proposed(), AT + 9), (taken(), AT + 10)) == LATER


async def test_a_witness_holds_nothing_where_both_keys_agree(tmp_path: Path) -> None:
    both = envelope(identity(issued=AT), NEW, FRA.identity)
    async with witnessing(tmp_path, signed=True) as book:
        assert await seen(book, (proposed(), AT + 9), (both, AT + 10)) == 0

"""Frames that are ahead of the directory, or of its newest head, hold up nobody, and none of them is lost."""

import asyncio
from collections.abc import Iterable
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from schemas.errors import Code, OperationError
from schemas.frame import CARD
from schemas.merkle import Head
from schemas.receipts import ADMITTED, Answer, issue
from schemas.subjects import DIRECTORY_DOCUMENTS, DIRECTORY_HEAD, receipts_for
from schemas.vocabulary import AlarmName
from subscribers.exchange.outbox import Outbox
from subscribers.judging import own_frames, returned
from subscribers.judging.alarms import AlarmKey
from subscribers.storage import tables
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store
from tests.support.federation import (
    AT,
    COM,
    FRA,
    FRESHNESS,
    HUB,
    JPN,
    UNX,
    Publisher,
    by_owners,
    directory,
    documents,
    entry,
    memberships,
)
from tests.unit.test_replaced import note
from tests.unit.test_traffic_feed import KEY, Reading, no_composing, reading, sent
from tests.vectors.trust_cases import CARD_OF_COM

MORE = [FRA.successor()]
"""What the directory has besides, and the reader not yet."""
TITLES = ["Bulletin 1", "Bulletin 2"]
STANDS = {AlarmKey(AlarmName.LOG_BEHIND, COM, FRA.endpoint)}


def ahead(more: Iterable[bytes] = MORE, entries: Iterable[bytes] = ()) -> Publisher:
    """An epoch that cites more than the reader has, and two bulletins."""
    publisher = Publisher(at=directory(more, entries))
    publisher.send(publisher.announcement())
    publisher.send(publisher.bulletin(1))
    publisher.send(publisher.bulletin(2))
    return publisher


async def grows(node: Reading, more: Iterable[bytes] = MORE) -> None:
    for each in more:
        await node.directory.take(DIRECTORY_DOCUMENTS, each)


async def test_they_are_read_in_order_when_the_directory_has_come(tmp_path: Path) -> None:
    p = ahead()
    async with reading(tmp_path, patience=0) as node:
        await node.take(sent(p)[:3], live=True)
        await node.take(sent(p)[3:], live=True)
        assert await node.titles() == []
        assert sorted(await node.refusals()) == [("log_behind", "f")] * 3 + [("unknown_epoch", "w")]
        assert await node.ledger.standing(AlarmName.LOG_BEHIND) == STANDS
        await grows(node)
        await node.feed.look_again()
        assert await node.titles() == TITLES
        assert await node.refusals() == []
        assert node.ledger.held == {}
        assert node.at(p)
        assert await node.ledger.standing(AlarmName.LOG_BEHIND) == set()


async def test_before_what_comes_next_and_after_a_restart(tmp_path: Path) -> None:
    p = ahead()
    async with reading(tmp_path, patience=0) as node:
        await node.take(sent(p))
    async with reading(tmp_path, patience=0) as node:
        await grows(node)
        await node.take([(p.subject, p.send(p.bulletin(3)))], live=True)
        assert await node.titles() == [*TITLES, "Bulletin 3"]
        assert await node.refusals() == []


async def test_by_themselves_while_the_node_runs(tmp_path: Path) -> None:
    p = ahead()
    async with reading(tmp_path, patience=0) as node:
        await node.take(sent(p))
        following = asyncio.create_task(node.feed.follow())
        await grows(node)
        await node.feed.fresh.stored.wait()
        assert await node.titles() == TITLES
        following.cancel()


async def test_what_comes_again_meanwhile_is_known(tmp_path: Path) -> None:
    """From the hub, or from another batch: once it is read, and nothing of it is left in the quarantine."""
    p = ahead()
    async with reading(tmp_path, patience=0) as node:
        await node.take(sent(p))
        await node.take(sent(p))
        assert len(await node.refusals()) == 4
        await grows(node)
        node.sequence = 0
        await node.take(sent(p))
        assert await node.titles() == TITLES
        assert await node.refusals() == []


async def test_nobody_else_waits(tmp_path: Path) -> None:
    """Nor for the second of them in a batch: the first has waited in vain."""
    p, other = ahead(), Publisher(JPN)
    other.send(other.announcement())
    other.send(other.bulletin(8))
    p.send(p.beat())
    async with reading(tmp_path, patience=0) as node:
        await node.take([*sent(p), *sent(other)])
        assert await node.titles() == ["Bulletin 8"]
        await grows(node)
        await node.feed.look_again()
        assert sorted(await node.titles()) == [*TITLES, "Bulletin 8"]
        assert node.at(p)


async def test_a_membership_log_is_waited_for_like_the_directory(tmp_path: Path) -> None:
    out = by_owners(entry(memberships()[COM], op="remove", id="unx"))
    p = ahead((), [out])
    async with reading(tmp_path, patience=0) as node:
        await node.take(sent(p))
        assert await node.titles() == []
        await node.directory.take(f"m.{COM}", out)
        await node.feed.look_again()
        assert await node.titles() == TITLES


async def test_a_log_that_turns_out_otherwise_is_a_split_view(tmp_path: Path) -> None:
    """What waited is refused for what it is, and waits no longer."""
    p = ahead([UNX.successor()])
    async with reading(tmp_path, patience=0) as node:
        await node.take(sent(p)[:1])
        await grows(node)
        await node.feed.look_again()
        assert await node.refusals() == [(str(Code.SPLIT_VIEW), "f")]
        assert node.ledger.held == {}


async def test_a_publisher_that_goes_on_with_what_is_here_is_read(tmp_path: Path) -> None:
    """It takes back what it cited: a gap, and no end of waiting."""
    p = ahead()
    async with reading(tmp_path, patience=0) as node:
        await node.take(sent(p))
        p.at, p.ep = directory(), p.ep + 1
        p.send(p.announcement())
        p.send(p.bulletin(3))
        await node.take(sent(p)[-3:], live=True)
        assert await node.titles() == ["Bulletin 3"]
        assert node.at(p)
        await grows(node)
        await node.feed.look_again()
        assert await node.titles() == ["Bulletin 3"]
        assert node.ledger.held == {}


async def test_a_forgery_never_stands_on_what_waits(tmp_path: Path) -> None:
    p = ahead()
    far = p.announcement(dir=Head(10_000, bytes(32)))
    forged = bytearray(p.bulletin(3))
    forged[-1] ^= 1
    async with reading(tmp_path, patience=0) as node:
        await node.take([*sent(p), (p.subject, bytes(forged))], live=True)
        assert (str(Code.BAD_SIGNATURE), "f") in await node.refusals()
        await grows(node)
        await node.take([(p.subject, far)], live=True)
        assert await node.titles() == TITLES
        assert await node.refusals() == [(str(Code.BAD_SIGNATURE), "f"), (str(Code.LOG_BEHIND), "f")]


async def test_a_new_key_waits_for_the_head_that_confirms_it(tmp_path: Path) -> None:
    """The witnesses are away for longer than a head is fresh; nobody else waits for that."""
    p, other = Publisher(signer=FRA.next_signing), Publisher(JPN)
    for each, number in ((p, 1), (p, 2), (other, 8)):
        each.sent or each.send(each.announcement())
        each.send(each.bulletin(number))
    now = AT + FRESHNESS
    async with reading(tmp_path, MORE, lambda: now, patience=0) as node:
        known = node.ledger.known()
        await node.ledger.take_head(note(Head(known.head.size - 1, known.roots[-2]), AT), AT)
        await node.take([*sent(p), *sent(other)])
        assert await node.titles() == ["Bulletin 8"]
        assert [code for code, what in await node.refusals() if what == "f"] == ["stale_head"] * 3
        places = [each.number for each in await node.ledger.quarantine(100)]
        await grows(node, [UNX.successor()])
        await node.feed.look_again()
        assert [each.number for each in await node.ledger.quarantine(100)] == places
        await node.directory.take(DIRECTORY_HEAD, note(known.head, now))
        await node.feed.look_again()
        assert await node.titles() == ["Bulletin 8", *TITLES]
        assert await node.refusals() == []
        assert node.at(p)


async def test_bulletins_by_a_key_that_is_not_here_stay_with_its_announcement(tmp_path: Path) -> None:
    p = Publisher(at=directory(MORE), signer=FRA.next_signing)
    p.send(p.announcement())
    p.send(p.bulletin(1))
    p.send(p.bulletin(2))
    async with reading(tmp_path, patience=0) as node:
        await node.take(sent(p)[:3])
        await node.take(sent(p)[3:], live=True)
        await grows(node)
        await node.feed.look_again()
        assert await node.refusals() == []
        assert await node.titles() == TITLES
        assert node.at(p)


async def test_bulletins_by_who_is_not_a_member_here_yet_stay_with_the_announcement(tmp_path: Path) -> None:
    joined = by_owners(entry(memberships()[COM], op="add", id="unx", role="member"))
    p = Publisher(UNX, at=directory((), [joined]))
    p.send(p.announcement())
    p.send(p.bulletin(1))
    p.send(p.bulletin(2))
    async with reading(tmp_path, patience=0) as node:
        await node.take(sent(p))
        await node.directory.take(f"m.{COM}", joined)
        await node.feed.look_again()
        assert await node.refusals() == []
        assert await node.titles() == TITLES


async def test_who_has_just_joined_waits_for_the_log_that_says_so(tmp_path: Path) -> None:
    """The two feeds are not ordered: what an owner says may come before its membership, and our own."""
    async with await Store.open(tmp_path / "node.db", KEY, tables.NODE) as store:
        ledger = await Ledger.load(store)
        for each in documents():
            await ledger.append(each, membership=False)
    p = Publisher()
    p.send(p.announcement())
    p.send(p.sealed(CARD_OF_COM.to_bytes(), 2, kind=CARD))
    async with reading(tmp_path, patience=0) as node:
        await node.take(sent(p)[-1:], live=True)
        assert await node.refusals() == [("log_behind", "f")]
        assert await node.ledger.standing(AlarmName.LOG_BEHIND) == STANDS
        first, *rest = memberships()[COM]
        await node.directory.take(f"m.{COM}", first)
        await node.feed.look_again()
        assert await node.refusals() == []  # the owner's own: the card is of an epoch before ours
        assert await node.ledger.standing(AlarmName.LOG_BEHIND) == set()
        for each in rest:
            await node.directory.take(f"m.{COM}", each)
        assert await node.ledger.standing(AlarmName.GHOST_MEMBER) == set()
        assert node.ledger.held == {}


async def test_the_alarm_stands_while_anything_of_it_waits(tmp_path: Path) -> None:
    p = ahead()
    further = directory([*MORE, UNX.successor()])
    p.at, p.ep = further, p.ep + 1
    p.send(p.announcement())
    async with reading(tmp_path, patience=0) as node:
        await node.take(sent(p))
        await grows(node)
        await node.feed.look_again()
        assert await node.titles() == TITLES
        assert await node.ledger.standing(AlarmName.LOG_BEHIND) == STANDS
        await grows(node, [UNX.successor()])
        await node.feed.look_again()
        assert await node.ledger.standing(AlarmName.LOG_BEHIND) == set()


async def test_what_was_pushed_out_of_the_quarantine_holds_up_nothing(tmp_path: Path) -> None:
    p = Publisher()
    p.send(p.announcement())
    async with reading(tmp_path, patience=0) as node:
        await node.take(sent(p))
        p.at = directory(MORE)
        await node.take([(p.subject, p.send(p.beat()))])
        assert list(node.ledger.held.values()) == [Code.LOG_BEHIND]
        await node.ledger.store.transact(lambda connection: connection.execute("DELETE FROM quarantine"))
        await grows(node)
        await node.take([(p.subject, p.send(p.bulletin(1)))], live=True)
        assert await node.titles() == ["Bulletin 1"]
        assert node.ledger.held == {}


async def test_a_full_disk_does_not_end_who_follows(tmp_path: Path) -> None:
    """Nor with it the node: what waits is looked at again with what comes next."""
    p = ahead()
    for number in range(3, 40):
        p.send(p.bulletin(number))
    async with reading(tmp_path, patience=0) as node:
        await node.take(sent(p))
        await grows(node)
        await has_room(node, 1)
        following = asyncio.create_task(node.feed.follow())
        for _ in range(2):  # it has its turn between the two
            with pytest.raises(OperationError, match="disk_full"):
                await node.feed.look_again()
        assert not following.done()
        await has_room(node, 99_999)
        await grows(node, [UNX.successor()])
        await node.feed.fresh.stored.wait()
        assert node.at(p)
        following.cancel()


async def has_room(node: Reading, pages: int) -> None:
    sql = f"PRAGMA max_page_count = {pages}"
    await node.ledger.store.transact(lambda connection: connection.execute(sql).fetchall())


async def test_a_receipt_that_came_before_the_hub_s_key_is_read_once(tmp_path: Path) -> None:
    root, hub, *rest = documents()
    async with await Store.open(tmp_path / "node.db", KEY, tables.NODE) as store:
        ledger = await Ledger.load(store)
        for each in (root, *rest):
            await ledger.append(each, membership=False)
    answer = Answer(JPN.endpoint, sha256(b"frame").hexdigest(), ADMITTED, AT)
    async with reading(tmp_path, patience=0) as node:
        await node.take([(receipts_for(JPN.endpoint), issue([answer], HUB)[JPN.endpoint])])
        assert await node.refusals() == [("log_behind", "r")]
        await grows(node, [hub])
        await node.feed.look_again()
        assert await node.refusals() == []
        assert node.ledger.held == {}


async def test_a_restored_node_is_not_back_before_its_own_frames_are_read(tmp_path: Path) -> None:
    """It would take them for a stranger's then, and be silent; and give their places to others."""
    p = Publisher(JPN, at=directory(MORE))
    p.send(p.announcement())
    p.send(p.bulletin(1))
    async with reading(tmp_path, patience=0) as node:
        store = node.ledger.store
        outbox = Outbox(store, node.ledger, no_composing)
        await store.transact(partial(returned.begin, made=AT))
        await store.transact(partial(returned.reach, until=len(sent(p))))
        await node.take(sent(p))
        assert not await outbox.come_back(JPN.endpoint, AT)
        await grows(node)
        await node.feed.look_again()
        assert await outbox.come_back(JPN.endpoint, AT)
        assert outbox.chain(COM, "routine").head == p.head
        assert await own_frames.alone(store)
        assert await node.titles() == ["Bulletin 1"]


@pytest.mark.parametrize("again", [False, True])
async def test_nobody_passes_what_waits_when_the_directory_comes_meanwhile(
    tmp_path: Path, *, again: bool
) -> None:
    """A heartbeat waits for it, too, and could be read before what stands in front of it; an announcement
    that the hub gives `again`, without the wrap of its epoch, which does not come once more.
    """
    p, judged = ahead(), asyncio.Event()

    def clock() -> int:
        judged.set()
        return AT

    async with reading(tmp_path, patience=0) as node:
        await node.take(sent(p))
    async with reading(tmp_path, clock=clock) as node:
        await node.feed.look_again()
        judged.clear()
        node.sequence = 0 if again else node.sequence
        comes = sent(p)[:1] if again else [(p.subject, p.send(p.beat()))]
        taking = asyncio.create_task(node.take(comes, live=True))
        await judged.wait()
        await grows(node)
        await taking
        await node.feed.look_again()
        assert await node.titles() == TITLES
        assert await node.refusals() == []
        assert node.ledger.held == {}
        assert node.at(p)

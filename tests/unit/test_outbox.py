"""The outbox on a real store: journaled together, settled by receipts, whole after any stop."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw
import pytest

from schemas.chain import ChainHead
from schemas.errors import Code, DraftError, LiaisonError, OperationError
from schemas.frame import BULLETIN, EPOCH, parse_frame
from schemas.receipts import ADMITTED, Answer
from schemas.subjects import FrameSubject, parse_frame_subject
from schemas.vocabulary import History, Precedence
from subscribers.exchange.composer import Context, Item, Limits
from subscribers.exchange.outbox import Outbox
from subscribers.storage import tables
from subscribers.storage.journal import Settled, Signing, Waiting, settle
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store
from tests.support.federation import AT, FRA, bulletin, by_owners, documents, entry, memberships, place, uuid

KEY = bytes(range(32))


@dataclass
class Box:
    """An outbox, its store, and what it told of items."""

    outbox: Outbox
    store: Store
    ledger: Ledger
    told: list[Settled]
    _sent: int = 0

    async def put(self, number: int, where: FrameSubject | None = None) -> None:
        await self.outbox.put(where or place(), lambda _: (item(number), f"FRA-2026-{number:04}"))

    async def answer(self, *answers: tuple[Waiting, str], signing: Signing | None = None) -> None:
        """Receipts in one batch."""
        given = [Answer(FRA.endpoint, each.sha256, code, AT) for each, code in answers]
        settlement = await self.store.transact(lambda connection: settle(connection, given, signing))
        await self.outbox.merge(settlement)

    async def waiting(self) -> list[Waiting]:
        """What a sender that has sent everything and begins again would send."""
        while batch := await self.outbox.waiting(after=self._sent):
            self._sent = batch[-1].number
        await self.outbox.waiting(after=self._sent)
        return await self.outbox.waiting()

    async def frames(self) -> list[tuple[str, int, str]]:
        """Kind, number in the chain and id of the frames that wait, in order."""
        found = []
        for each in await self.waiting():
            if each.subject.startswith("in."):
                header = parse_frame(each.raw).header
                found.append((header.k, header.seq, header.id))
        return found

    async def is_chained(self, head: ChainHead) -> ChainHead:
        """That the frames that wait follow each other from `head` on; the last of them."""
        for each in await self.waiting():
            if each.subject.startswith("in."):
                header = parse_frame(each.raw).header
                assert (header.seq, header.prev) == (head.seq + 1, head.hash)
                head = ChainHead(header.seq, each.sha256)
        return head

    async def state(self, number: int) -> tuple[str, str | None]:
        return await self.outbox.state_of(uuid(number))


def item(number: int) -> Item:
    return Item(BULLETIN, uuid(number), bulletin(number).to_bytes(), History.MEMBERS)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Box]:
    """The outbox of `FRA`; the directory is there."""
    ids = iter(range(0xE000, 0xF000))
    async with await Store.open(path / "node.db", KEY, tables.NODE) as store:
        ledger = await Ledger.load(store)
        if ledger.directory is None:
            for each in documents():
                await ledger.append(each, membership=False)
            for log in memberships().values():
                for each in log:
                    await ledger.append(each, membership=True)

        def context(next_epoch: int) -> Context:
            return Context(
                ledger.known(), FRA.kid, FRA.signing, AT, next_epoch, lambda: uuid(next(ids)), Limits()
            )

        box = Box(Outbox(store, ledger, context), store, ledger, [])
        box.outbox.on_settled = box.told.append
        await box.outbox.load()
        try:
            yield box
        finally:
            await box.outbox.close()


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    async with opened(tmp_path) as made:
        yield made


async def test_admitted_one_after_the_other(box: Box) -> None:
    await box.put(1)
    await box.put(2)
    waiting = await box.waiting()
    assert [each[0] for each in await box.frames()] == [EPOCH, BULLETIN, BULLETIN]
    assert len(waiting) == 4
    last = await box.is_chained(ChainHead())
    await box.answer(*((each, ADMITTED) for each in waiting))
    assert await box.waiting() == []
    assert box.told == [Settled(uuid(1), ADMITTED), Settled(uuid(2), ADMITTED)]
    assert await box.state(1) == ("admitted", None)
    assert await box.outbox.size() == 0
    await box.put(3)
    assert await box.frames() == [(BULLETIN, 3, uuid(3))]
    await box.is_chained(last)


async def test_an_epoch_for_many_readers_is_begun_in_the_writers_thread(box: Box) -> None:
    where = []
    given = box.outbox._context  # noqa: SLF001 - to see in which thread it is composed

    def context(next_epoch: int) -> Context:
        where.append(threading.current_thread() is threading.main_thread())
        return given(next_epoch)

    box.outbox._context = context  # noqa: SLF001
    box.outbox.wraps_here = 2
    await box.put(1)
    await box.put(2)
    assert where == [True, False, True], "tried here, begun there; then there is nothing to wrap"
    assert [each[0] for each in await box.frames()] == [EPOCH, BULLETIN, BULLETIN]
    await box.is_chained(ChainHead())


async def test_what_is_open_is_there_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as box:
        await box.put(1)
        await box.put(2)
        before = await box.waiting()
        await box.answer((before[0], ADMITTED))
    async with opened(tmp_path) as box:
        assert await box.waiting() == before[1:]
        await box.put(3)
        await box.is_chained(ChainHead(0, before[0].sha256))
        await box.answer(*((each, ADMITTED) for each in await box.waiting()))
        assert [each.id for each in box.told] == [uuid(1), uuid(2), uuid(3)]


async def test_many_at_once_share_a_commit_and_stay_in_order(box: Box) -> None:
    await asyncio.gather(*(box.put(number) for number in range(1, 101)))
    assert [each[2] for each in await box.frames()][1:] == [uuid(number) for number in range(1, 101)]
    await box.is_chained(ChainHead())


async def test_a_refused_one_is_parked_and_those_behind_it_move_up(box: Box) -> None:
    for number in (1, 2, 3):
        await box.put(number)
    e, w, one, two, _ = await box.waiting()
    await box.answer((e, ADMITTED), (w, ADMITTED), (one, ADMITTED), (two, Code.EXPIRED))
    assert await box.state(2) == ("refused", "expired")
    assert [(kind, seq) for kind, seq, _ in await box.frames()] == [(EPOCH, 2), (BULLETIN, 3)]
    await box.is_chained(ChainHead(1, one.sha256))
    assert box.told[-1] == Settled(uuid(2), "expired")


async def test_parked_and_killed_before_the_rest_moved_up(tmp_path: Path) -> None:
    async with opened(tmp_path) as box:
        for number in (1, 2):
            await box.put(number)
        e, w, one, _ = await box.waiting()
        given = [Answer(FRA.endpoint, each.sha256, ADMITTED, AT) for each in (e, w)]
        given.append(Answer(FRA.endpoint, one.sha256, Code.EXPIRED, AT))
        await box.store.transact(lambda connection: settle(connection, given))  # and no more
    async with opened(tmp_path) as box:
        assert [(kind, seq) for kind, seq, _ in await box.frames()] == [(EPOCH, 1), (BULLETIN, 2)]
        await box.is_chained(ChainHead(0, e.sha256))


async def test_what_the_disk_had_no_room_for_moves_up_when_it_has(box: Box) -> None:
    """The refusal is on the disk, and those behind it could not be made anew."""
    await asyncio.gather(*(box.put(number) for number in range(1, 201)))
    e, w, one, *_ = await box.waiting()

    def fill(connection: apsw.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 1").fetchall()  # no more than there are

    await box.store.transact(fill)
    with pytest.raises(OperationError, match="disk_full"):
        await box.answer((e, ADMITTED), (w, ADMITTED), (one, Code.EXPIRED))
    assert await box.state(1) == ("refused", "expired")
    await box.store.transact(
        lambda connection: connection.execute("PRAGMA max_page_count = 99999").fetchall()
    )
    await box.answer((one, Code.EXPIRED))  # the hub gives it again
    await box.is_chained(ChainHead(0, e.sha256))


async def test_a_gap_after_a_loss_sends_everything_again(box: Box) -> None:
    for number in (1, 2):
        await box.put(number)
    waiting = await box.waiting()
    await box.answer((waiting[3], Code.GAP))
    assert box.outbox.resend
    assert await box.waiting() == waiting


@pytest.mark.parametrize("code", [Code.FORK, Code.GAP, Code.REPLAYED])
async def test_a_chain_that_the_hub_knows_otherwise_is_not_sent_for_ever(box: Box, code: Code) -> None:
    """An old copy of the state: the next place in the chain is taken."""
    await box.put(1)
    await box.answer(*((each, ADMITTED) for each in await box.waiting()))
    await box.put(2)
    (two,) = await box.waiting()
    await box.answer((two, code))
    assert not box.outbox.resend
    assert await box.state(2) == ("refused", str(code))
    assert await box.waiting() == []


async def test_frames_that_came_back_without_their_receipts_are_counted(box: Box) -> None:
    await box.put(1)
    waiting = await box.waiting()
    await box.answer(*((each, ADMITTED) for each in waiting))
    await box.put(2)
    (two,) = await box.waiting()
    subject = parse_frame_subject(two.subject)

    def passed_on(connection: apsw.Connection) -> None:
        row = (FRA.endpoint, subject.community, str(subject.precedence), 2, two.sha256, 0)
        connection.execute("INSERT OR REPLACE INTO chains VALUES (?, ?, ?, ?, ?, ?)", row)

    await box.store.transact(passed_on)
    await box.answer((two, Code.REPLAYED))
    assert await box.state(2) == ("queued", None)
    await box.is_chained(ChainHead(2, two.sha256))
    assert (await box.frames())[-1] == (BULLETIN, 4, uuid(2))


async def test_wraps_for_nobody_hold_nothing_up(box: Box) -> None:
    await box.put(1)
    e, w, one = await box.waiting()
    await box.answer((e, ADMITTED), (w, Code.NOT_MEMBER), (one, ADMITTED))
    assert await box.state(1) == ("admitted", None)
    await box.put(2)
    await box.is_chained(ChainHead(1, one.sha256))


async def test_wraps_that_came_without_their_announcement_go_again(box: Box) -> None:
    await box.put(1)
    waiting = await box.waiting()
    await box.answer((waiting[1], Code.UNKNOWN_EPOCH))
    assert box.outbox.resend
    assert await box.waiting() == waiting
    await box.answer((waiting[0], ADMITTED))
    box.outbox.resend = False
    await box.answer((waiting[1], Code.UNKNOWN_EPOCH))
    assert not box.outbox.resend
    assert await box.state(1) == ("refused", "unknown_epoch")


async def test_chains_are_apart(box: Box) -> None:
    flash = place(precedence=Precedence.FLASH)
    await box.put(1)
    await box.put(2, flash)
    waiting = await box.waiting()
    await box.answer((waiting[0], Code.SUSPENDED))
    assert await box.state(1) == ("refused", "suspended")
    assert await box.state(2) == ("queued", None)
    assert [each.subject.split(".")[3] for each in await box.waiting() if each.subject[0] == "i"] == [
        "flash"
    ] * 2


async def test_what_is_not_ours_is_ignored(box: Box) -> None:
    await box.put(1)
    await box.answer((Waiting(0, "", b"", "ab" * 32), ADMITTED), (Waiting(0, "", b"", "cd" * 32), Code.GAP))
    assert await box.outbox.size() == 1
    assert not box.outbox.resend


async def test_one_that_cannot_be_made_does_not_stop_the_others(box: Box) -> None:
    def broken(_: apsw.Connection) -> tuple[Item, str]:
        raise DraftError(Code.TOO_LARGE, "too long", "shorten it")

    makes: list[Callable[[apsw.Connection], tuple[Item, str]]] = [
        lambda _: (item(1), "FRA-2026-0001"),
        broken,
        lambda _: (item(2), "FRA-2026-0002"),
    ]
    results = await asyncio.gather(*(box.outbox.put(place(), make) for make in makes), return_exceptions=True)
    assert [type(each) for each in results] == [type(None), DraftError, type(None)]
    assert [each[2] for each in await box.frames()][1:] == [uuid(1), uuid(2)]
    await box.is_chained(ChainHead())


async def test_the_same_id_twice_is_an_error_and_leaves_the_first(box: Box) -> None:
    await box.put(1)
    with pytest.raises((apsw.ConstraintError, LiaisonError)):
        await box.put(1)
    await box.put(2)
    assert [each[2] for each in await box.frames()][1:] == [uuid(1), uuid(2)]
    await box.is_chained(ChainHead())


async def test_a_removed_reader_gets_no_more_keys(box: Box) -> None:
    await box.put(1)
    await box.answer(*((each, ADMITTED) for each in await box.waiting()))
    log = memberships()[place().community]
    removed = by_owners(entry(log, op="remove", id="jpn", issued=AT, nbf=AT))
    await box.outbox._ledger.append(removed, membership=True)  # noqa: SLF001 - the same ledger as the feed's
    await box.put(2)
    assert [kind for kind, *_ in await box.frames()] == [EPOCH, BULLETIN]


@pytest.mark.parametrize("code", [Code.UNKNOWN_KEY, Code.REVOKED_KEY])
async def test_frames_of_a_replaced_key_are_made_anew(box: Box, code: Code) -> None:
    await box.put(1)
    await box.put(2)
    before = await box.waiting()
    replaced = Signing("0" * 32, rotating=False)  # what was sent is by another key than this
    wraps = Code.UNKNOWN_EPOCH  # for the hub has not taken their announcement
    given = [(each, code if each.subject.startswith("in.") else wraps) for each in before]
    await box.answer(*given, signing=replaced)
    after = await box.waiting()
    assert {each.sha256 for each in after}.isdisjoint(each.sha256 for each in before)
    assert [kind for kind, _, _ in await box.frames()] == ["e", "b", "b"]
    await box.is_chained(ChainHead())
    assert [await box.state(number) for number in (1, 2)] == [("queued", None)] * 2
    assert box.told == []


async def test_keys_change_while_an_answer_is_taken_in(box: Box) -> None:
    """On disk already, and not yet at hand: what is made anew goes on from what the hub has."""
    await box.put(1)
    await box.put(2)
    announced, wraps, first, _ = await box.waiting()
    given = [Answer(FRA.endpoint, each.sha256, ADMITTED, AT) for each in (announced, wraps, first)]
    settlement = await box.store.transact(lambda connection: settle(connection, given))
    await box.outbox.renew()
    await box.outbox.merge(settlement)
    assert [each[:2] for each in await box.frames()] == [(EPOCH, 2), (BULLETIN, 3)]
    await box.is_chained(ChainHead(1, first.sha256))


@pytest.mark.parametrize("code", [Code.FORK, Code.GAP, Code.REPLAYED])
async def test_a_frame_that_stands_behind_what_is_admitted_is_made_anew(box: Box, code: Code) -> None:
    """Sent again as it is, it would be refused for ever."""
    await box.put(1)
    await box.put(2)
    announced, wraps, first, second = await box.waiting()
    await box.answer((announced, ADMITTED), (wraps, ADMITTED), (second, ADMITTED), (first, code))
    assert not box.outbox.resend
    assert await box.state(1) == ("queued", None)
    assert [each[:2] for each in await box.frames()] == [(EPOCH, 3), (BULLETIN, 4)]
    await box.is_chained(ChainHead(2, second.sha256))


async def test_frames_wait_while_their_key_is_being_replaced(box: Box) -> None:
    await box.put(1)
    before = await box.waiting()
    first = next(each for each in before if each.subject.startswith("in."))
    await box.answer((first, Code.UNKNOWN_KEY), signing=Signing(FRA.kid, rotating=True))
    assert [each.sha256 for each in await box.waiting()] == [each.sha256 for each in before]
    await box.outbox.renew()
    assert {each.sha256 for each in await box.waiting()}.isdisjoint(each.sha256 for each in before)
    assert await box.state(1) == ("queued", None)


async def test_a_key_that_nobody_replaces_is_refused_for_good(box: Box) -> None:
    await box.put(1)
    first = next(each for each in await box.waiting() if each.subject.startswith("in."))
    await box.answer((first, Code.REVOKED_KEY), signing=Signing(FRA.kid, rotating=False))
    assert await box.state(1) == ("refused", "revoked_key")


async def test_what_is_over_quota_is_held_back_and_goes_again_and_flash_goes_at_once(box: Box) -> None:
    """Nothing is parked; routine frames wait their time, and the sender then begins at the first of them."""
    await box.put(1)
    waiting = await box.waiting()
    await box.answer((waiting[1], Code.OVER_QUOTA), (waiting[2], Code.GAP))
    assert await box.state(1) == ("queued", None)
    assert 0 < box.outbox.held_for() <= 1
    urgent = place(precedence=Precedence.FLASH)
    await box.put(2, urgent)
    flash = await box.outbox.waiting()
    assert {parse_frame_subject(each.subject).precedence for each in flash if each.subject[0] == "i"} == {
        Precedence.FLASH
    }
    assert [each.subject[:2] for each in flash] == ["in", "s.", "in"], "with its epoch's wraps"
    box.outbox.resend = False
    box.outbox.ready.clear()
    assert await box.outbox.waiting(after=flash[-1].number) == []
    assert box.outbox.resend
    assert box.outbox.ready.is_set()
    assert box.outbox.held_for() == 0
    assert len(await box.outbox.waiting()) == len(waiting) + len(flash)

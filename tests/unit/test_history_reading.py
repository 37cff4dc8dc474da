"""A community's past on its way into the archive: staged, checked, opened, on a real store, beside the live
feed. FORMAT.md, "History".
"""

import asyncio
import dataclasses
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import Code, LiaisonError
from schemas.frame import parse_frame
from schemas.pages import OldFrame, Page
from schemas.signing import Signer
from schemas.subjects import wraps_for
from schemas.vocabulary import History, Kind
from subscribers.directory.feed import WAIT_FOR_LOG, DirectoryFeed
from subscribers.exchange.batch import Piece
from subscribers.exchange.composer import Context
from subscribers.exchange.outbox import Outbox
from subscribers.exchange.traffic_feed import TrafficFeed
from subscribers.judging.alarms import listed
from subscribers.keyring.key_store import Rack
from subscribers.keys import Keyring, Profile
from subscribers.records import Filters, Record
from subscribers.sealing import EpochKey, wrap
from subscribers.sharing.asking import Joiner
from subscribers.sharing.chronicle import Chronicle
from subscribers.storage import history_rows as rows
from subscribers.storage import tables
from subscribers.storage.archive import Archive
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store
from tests.support.federation import (
    AT,
    COM,
    FRA,
    JPN,
    Publisher,
    directory,
    documents,
    memberships,
    seed,
    unsigned,
    uuid,
)

KEY = bytes(range(32))
Message = tuple[str, bytes]


def no_composing(_: int) -> Context:
    raise AssertionError


@dataclasses.dataclass
class Node:
    """A node of `jpn` and what it holds; `sequence` is where the hub's stream stands."""

    feed: TrafficFeed
    chronicle: Chronicle
    ledger: Ledger
    store: Store
    sequence: int = 1000

    async def live(self, *messages: Message) -> None:
        pieces = [Piece(*each, self.sequence + place) for place, each in enumerate(messages, 1)]
        self.sequence += len(pieces)
        await self.feed.take(pieces, live=True)

    async def history(self, old: Sequence[bytes], publisher: Publisher) -> None:
        """Want the community's past, be given it in two pages, and check it."""
        await self.want()
        frames = [OldFrame(place, publisher.subject, raw) for place, raw in enumerate(old, 1)]
        middle = len(frames) // 2
        first = Page(self.sequence, middle < len(frames), tuple(frames[:middle]))
        for page in (first, Page(self.sequence, more=False, frames=tuple(frames[middle:]))):
            if page.frames or not page.more:
                await self.chronicle.stage(COM, page, self.sequence)
        await self.store.transact(lambda connection: rows.is_fetched(connection, COM))
        await self.chronicle.check(COM)

    async def want(self) -> None:
        def write(connection: apsw.Connection) -> None:
            rows.want(connection, COM, AT)
            rows.note_end(connection, COM, self.sequence)

        await self.store.transact(write)

    async def finished(self) -> str:
        """The state, after what a node does when nothing waits for a key."""
        await self.store.transact(lambda connection: rows.is_opened(connection, COM))
        return (await self.wanted()).state

    async def held(self) -> dict[str, Record]:
        page = await Archive(self.store).latest(Filters(), 100)
        return {each.bulletin.title: each for each in page.items}

    async def refusals(self) -> list[str]:
        return [str(each.code) for each in await self.ledger.quarantine(100)][::-1]

    async def wanted(self) -> rows.Wanted:
        return (await rows.wanted(self.store))[0]


@asynccontextmanager
async def opened(path: Path, patience: float = WAIT_FOR_LOG) -> AsyncIterator[Node]:
    async with await Store.open(path / "node.db", KEY, tables.NODE) as store:
        ledger = await Ledger.load(store, "jpn")
        if ledger.directory is None:
            for each in documents():
                await ledger.append(each, membership=False)
            for log in memberships().values():
                for each in log:
                    await ledger.append(each, membership=True)
        outbox = Outbox(store, ledger, no_composing)
        await outbox.load()
        keys = Keyring.create(path / f"keys-{ledger.sequence}", "jpn", "Agency jpn", "JPN")
        keys = dataclasses.replace(keys, profile=Profile(id="jpn", name="n", code="JPN"), encryption=JPN.kem)
        rack, logs = Rack(path, keys), DirectoryFeed(ledger, JPN.endpoint, lambda: AT, patience)
        feed = TrafficFeed(store, ledger, outbox, logs, rack, JPN.endpoint, lambda: AT)
        joiner = Joiner(rack, JPN.endpoint, lambda: AT, 1000)
        chronicle = Chronicle(store, ledger, logs, feed.fresh, joiner)
        await chronicle.load()
        try:
            yield Node(feed, chronicle, ledger, store, max(1000, ledger.sequence))
        finally:
            await outbox.close()


def wrap_for(raw: bytes, key: EpochKey | None = None) -> Message:
    """The key of an announced epoch for `jpn`."""
    frame = parse_frame(raw)
    real = EpochKey(seed(f"epoch {FRA.id} {COM} {frame.header.ep}"))
    return wraps_for(JPN.endpoint), wrap(key or real, bytes.fromhex(frame.hash), JPN.keys()).to_bytes()


class Story:
    """What `fra` published before `jpn` came, the anchor, and one bulletin after it."""

    def __init__(self) -> None:
        p = self.publisher = Publisher()
        self.announced = [p.send(p.announcement())]
        p.send(p.bulletin(1))
        p.ep = 1
        self.announced.append(p.send(p.announcement(History.NONE)))
        p.send(p.bulletin(2, history="none"))
        p.ep = 2
        self.announced.append(p.send(p.announcement()))
        p.send(p.bulletin(3))
        p.send(p.bulletin(4, kind=Kind.AMENDMENT, links=[{"relation": "amends", "id": uuid(1)}]))
        self.old = list(p.sent)
        p.ep = 3
        self.anchor = p.send(p.announcement())
        retracts = {"kind": Kind.RETRACTION, "links": [{"relation": "retracts", "id": uuid(3)}]}
        self.after = p.send(p.bulletin(5, **retracts))

    @property
    def live(self) -> list[Message]:
        subject = self.publisher.subject
        return [(subject, self.anchor), wrap_for(self.anchor), (subject, self.after)]


EXPECTED = {
    "Bulletin 1": ("amended", True),
    "Bulletin 3": ("retracted", True),
    "Bulletin 4": ("current", True),
    "Bulletin 5": ("current", False),
}


async def test_the_past_is_read_marked_and_takes_effect(tmp_path: Path) -> None:
    story = Story()
    async with opened(tmp_path) as node:
        await node.live(*story.live)
        await node.history(story.old, story.publisher)
        (waiting,) = await rows.waiting(node.store, COM)
        assert (waiting.publisher, waiting.frames, len(waiting.announcements)) == (FRA.endpoint, 3, 2)
        await node.live(wrap_for(story.announced[0]), wrap_for(story.announced[2]))
        assert node.feed.unlocked.is_set()
        await node.chronicle.open(COM)
        held = await node.held()
        assert {title: (each.state, "history" in each.flags) for title, each in held.items()} == EXPECTED
        wanted = await node.wanted()
        assert (wanted.opened, wanted.withheld, wanted.missing) == (3, 1, 0)
        assert await node.refusals() == []
        assert await Archive(node.store).for_digest(COM, 0, AT + 1) == [held["Bulletin 5"]]
        assert await rows.waiting(node.store, COM) == []


async def test_a_key_that_comes_behind_the_opening_is_not_passed_over(tmp_path: Path) -> None:
    """Nothing waits for a key any more, and yet not all is opened."""
    story = Story()
    async with opened(tmp_path) as node:
        await node.live(*story.live)
        await node.history(story.old, story.publisher)
        await node.live(wrap_for(story.announced[0]))
        await node.chronicle.open(COM)
        await node.live(wrap_for(story.announced[2]))
        assert await rows.waiting(node.store, COM) == []
        assert await node.finished() == rows.WAITING
        await node.chronicle.open(COM)
        assert await node.finished() == rows.DONE
        assert set(await node.held()) == set(EXPECTED)


@pytest.mark.parametrize("signer", [FRA.signing, FRA.next_signing])
async def test_the_past_waits_for_the_directory_that_it_cites(tmp_path: Path, signer: Signer) -> None:
    """Also for the document that binds its key; what was refused meanwhile would never be asked for again."""
    p, grown = Publisher(at=directory([FRA.successor()]), signer=signer), FRA.successor()
    announced = p.send(p.announcement())
    p.send(p.bulletin(1))
    async with opened(tmp_path, patience=0) as node:
        for _ in range(2):
            with pytest.raises(LiaisonError) as behind:
                await node.history(p.sent, p)
            assert behind.value.code is Code.LOG_BEHIND
        await node.ledger.append(grown, membership=False)
        await node.history(p.sent, p)
        await node.live(wrap_for(announced))
        await node.chronicle.open(COM)
        assert set(await node.held()) == {"Bulletin 1"}
        assert await node.refusals() == []


async def test_what_is_asked_for_anew_is_not_taken_for_done(tmp_path: Path) -> None:
    """Whatever step is under way when somebody asks."""
    async with opened(tmp_path) as node:
        await node.store.transact(lambda connection: rows.want(connection, COM, AT))
        for step in (rows.is_fetched, rows.is_checked, rows.is_opened):
            await node.store.transact(partial(step, community=COM))
            assert (await node.wanted()).state == rows.FETCHING


async def test_a_key_that_nobody_may_pass_on(tmp_path: Path) -> None:
    story, another = Story(), EpochKey(seed("another"))
    async with opened(tmp_path) as node:
        await node.live(*story.live)
        await node.history(story.old, story.publisher)
        await node.live(wrap_for(story.announced[1]))
        assert await node.refusals() == [str(Code.HISTORY_NONE)]
        await node.live(wrap_for(story.announced[0], another))
        assert await node.refusals() == [str(Code.HISTORY_NONE), str(Code.KEY_MISMATCH)]
        await node.chronicle.open(COM)
        assert set(await node.held()) == {"Bulletin 5"}


async def test_what_the_hub_leaves_out_or_swaps_is_seen(tmp_path: Path) -> None:
    story = Story()
    async with opened(tmp_path) as node:
        await node.live(*story.live)
        forged = [story.old[0], unsigned(story.old[1]), *story.old[3:]]
        await node.history(forged, story.publisher)
        assert await node.refusals() == [str(Code.BAD_SIGNATURE), str(Code.UNKNOWN_EPOCH)]
        assert (await node.wanted()).missing == 2
        names = {str(each.key.name) for each in await listed(node.store, 10)}
        assert "gap" in names


async def test_a_past_of_which_nothing_comes_is_missed_once(tmp_path: Path) -> None:
    story = Story()
    async with opened(tmp_path) as node:
        await node.live(*story.live)
        for _ in range(2):
            await node.history([], story.publisher)
            assert (await node.wanted()).missing == len(story.old)
        assert [str(each.key.name) for each in await listed(node.store, 10)] == ["gap"]


async def test_the_past_of_a_chain_that_begins_later(tmp_path: Path) -> None:
    """Nothing was live yet: the anchor is held against the past that was read."""
    story = Story()
    other = Publisher(head=story.publisher.head, ep=7)
    other.head = other.head._replace(seq=len(story.old) - 1)
    async with opened(tmp_path) as node:
        await node.history(story.old, story.publisher)
        await node.live((other.subject, other.announcement()))
        assert await node.refusals() == [str(Code.FORK)]
    async with opened(tmp_path) as node:  # what was read is known after a restart
        await node.live((other.subject, other.announcement()))
        assert await node.refusals() == [str(Code.FORK)] * 2
        await node.live(*story.live)
        assert set(await node.held()) == {"Bulletin 5"}
        await node.history(story.old, story.publisher)  # again, and nothing twice
        await node.live(*map(wrap_for, (story.announced[0], story.announced[2])))
        await node.chronicle.open(COM)
        assert set(await node.held()) == set(EXPECTED)
        assert len(await node.refusals()) == 2


async def test_own_frames_and_other_communities_are_left_alone(tmp_path: Path) -> None:
    own = Publisher(JPN)
    own.send(own.announcement())
    async with opened(tmp_path) as node:
        await node.history(own.sent, own)
        assert await rows.chains(node.store, COM) == []
        elsewhere = Publisher(com="07" * 16)
        elsewhere.send(elsewhere.announcement())
        await node.history(elsewhere.sent, elsewhere)
        assert await rows.chains(node.store, COM) == []
        assert await node.refusals() == []


@settings(max_examples=12)
@given(st.permutations(range(6)), st.integers(0, 3))
def test_any_order_of_history_and_live_gives_the_same_archive(order: list[int], early: int) -> None:
    """The live frames come in their order, and the past is staged behind what the hub had given by then; keys
    and openings come whenever they like.
    """

    async def play(path: Path) -> None:
        story = Story()
        async with opened(path) as node:
            await node.live(*story.live[:early])
            await node.history(story.old, story.publisher)
            left = iter(story.live[early:])
            for what in order:
                if what in {0, 1}:
                    await node.live(wrap_for(story.announced[2 * what]))
                elif what == 2:
                    await node.chronicle.open(COM)
                elif (message := next(left, None)) is not None:
                    await node.live(message)
            await node.chronicle.open(COM)
            held = await node.held()
            assert {title: (each.state, "history" in each.flags) for title, each in held.items()} == EXPECTED
            assert await node.refusals() == []

    with tempfile.TemporaryDirectory() as path:
        asyncio.run(play(Path(path)))

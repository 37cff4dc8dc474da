"""The traffic feed on a real store: what a backlog and revoked keys leave in archive and quarantine."""

import asyncio
import dataclasses
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from schemas.chain import ChainKey
from schemas.frame import parse_frame
from schemas.merkle import Head
from schemas.onward import sign_grant
from schemas.operations import Operation, OperationKind, OperationState, operations_for, sign_operation
from schemas.signing import Signer
from schemas.subjects import DIRECTORY_HEAD, wraps_for
from schemas.vocabulary import AlarmName, History, Tlp
from subscribers.directory.feed import DirectoryFeed
from subscribers.exchange.batch import Piece
from subscribers.exchange.composer import Context
from subscribers.exchange.outbox import Outbox
from subscribers.exchange.traffic_feed import TrafficFeed
from subscribers.judging.alarms import AlarmKey
from subscribers.judging.held import ancestors
from subscribers.keyring.key_store import Rack
from subscribers.keys import Keyring, Profile
from subscribers.records import Filters
from subscribers.sealing import wrap
from subscribers.storage import tables
from subscribers.storage.archive import Archive
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store
from subscribers.writing.replies import sealed_payload
from tests.support.federation import (
    AT,
    COM,
    DAY,
    FRA,
    FRESHNESS,
    HUB,
    JPN,
    OTHER,
    REGISTRAR,
    UNX,
    Party,
    Publisher,
    bulletin,
    by_owners,
    documents,
    entry,
    memberships,
    unsigned,
    uuid,
)
from tests.support.onward import Scene
from tests.unit.test_replaced import note

KEY = bytes(range(32))
SUCCEEDED = [FRA.successor(), FRA.revocation()]


def no_composing(_: int) -> Context:
    raise AssertionError


@dataclass
class Reading:
    """The node of `JPN`, as far as it reads."""

    feed: TrafficFeed
    ledger: Ledger
    archive: Archive
    sequence: int
    directory: DirectoryFeed

    async def take(self, messages: Sequence[tuple[str, bytes]], *, live: bool = False) -> None:
        """One batch, as the hub would give it."""
        pieces = [Piece(*each, self.sequence + place) for place, each in enumerate(messages, 1)]
        self.sequence += len(pieces)
        await self.feed.take(pieces, live=live)

    async def titles(self) -> list[str]:
        """What the archive has, in the order in which it came."""
        page = await self.archive.latest(Filters(), 100)
        return [each.bulletin.title for each in page.items][::-1]

    async def refusals(self) -> list[tuple[str, str]]:
        """Code and the beginning of the subject of what was refused, oldest first."""
        return [(str(each.code), each.subject[:1]) for each in await self.ledger.quarantine(100)][::-1]

    def at(self, publisher: Publisher) -> bool:
        """Whether the reader's chain stands where the publisher's does."""
        key = ChainKey(publisher.party.endpoint, publisher.com, publisher.precedence.value)
        return self.ledger.chains[key].head == publisher.head


@asynccontextmanager
async def reading(
    path: Path, more: Sequence[bytes] = (), clock: Callable[[], int] = lambda: AT, patience: float = 10.0
) -> AsyncIterator[Reading]:
    async with await Store.open(path / "node.db", KEY, tables.NODE) as store:
        ledger = await Ledger.load(store)
        if ledger.directory is None:
            for each in (*documents(), *more):
                await ledger.append(each, membership=False)
            for log in memberships().values():
                for each in log:
                    await ledger.append(each, membership=True)
        outbox = Outbox(store, ledger, no_composing)
        await outbox.load()
        keys = Keyring.create(path / f"keys-{ledger.sequence}", "jpn", "Agency jpn", "JPN")
        keys = dataclasses.replace(keys, profile=Profile(id="jpn", name="n", code="JPN"), encryption=JPN.kem)
        directory = DirectoryFeed(ledger, JPN.endpoint, clock, patience)
        feed = TrafficFeed(
            store, ledger, outbox, directory, Rack(path, keys), JPN.endpoint, clock
        )  # fmt: skip
        try:
            yield Reading(feed, ledger, Archive(store), ledger.sequence, directory)
        finally:
            await outbox.close()


def sent(publisher: Publisher) -> list[tuple[str, bytes]]:
    """Its frames, each announcement followed by the wrap for `JPN`."""
    messages = []
    for raw in publisher.sent:
        messages.append((publisher.subject, raw))
        frame = parse_frame(raw)
        if frame.header.k == "e":
            key = dataclasses.replace(publisher, ep=frame.header.ep).key
            wrapped = wrap(key, bytes.fromhex(frame.hash), JPN.keys())
            messages.append((wraps_for(JPN.endpoint), wrapped.to_bytes()))
    return messages


def chain(*numbers: int) -> Publisher:
    publisher = Publisher()
    publisher.send(publisher.announcement())
    for number in numbers:
        publisher.send(publisher.bulletin(number))
    return publisher


async def test_a_backlog_and_live_frames(tmp_path: Path) -> None:
    """One forged frame that a later one cites: authentic in a backlog, refused when it comes by itself."""
    p = chain(1)
    p.send(unsigned(p.bulletin(2)))
    p.send(p.bulletin(3))
    async with reading(tmp_path) as node:
        await node.take(sent(p))
        assert await node.titles() == ["Bulletin 1", "Bulletin 2", "Bulletin 3"]
        assert await node.refusals() == []
        p.send(unsigned(p.bulletin(4)))
        p.send(p.bulletin(5))
        await node.take(sent(p)[-2:], live=True)
        assert (await node.titles())[-1] == "Bulletin 5"
        assert await node.refusals() == [("bad_signature", "f")]
        assert node.at(p)


async def test_a_feed_set_back_while_it_was_on_the_way_is_no_replay_by_anybody(tmp_path: Path) -> None:
    """The same messages twice, by the same places in the stream: within one batch, and over two."""
    told = [Piece(*each, place) for place, each in enumerate(sent(chain(1, 2, 3)), 1)]
    async with reading(tmp_path) as node:
        await node.feed.take([*told[:4], *told[1:]], live=False)
        await node.feed.take(told[1:], live=False)
        assert await node.refusals() == []
        assert await node.titles() == ["Bulletin 1", "Bulletin 2", "Bulletin 3"]
        again = [Piece(each.subject, each.data, 100 + place) for place, each in enumerate(told[2:4])]
        await node.feed.take(again, live=False)  # by somebody who has stored them anew
        assert await node.refusals() == [("replayed", "f")] * 2


async def test_a_revoked_key_whose_successor_is_in_the_batch(tmp_path: Path) -> None:
    p = chain(1, 2)
    p.rekey()
    p.send(p.bulletin(3))
    async with reading(tmp_path, SUCCEEDED) as node:
        await node.take(sent(p))
        assert await node.titles() == ["Bulletin 1", "Bulletin 2", "Bulletin 3"]
        assert await node.refusals() == []


async def test_a_revoked_key_whose_successor_comes_later(tmp_path: Path) -> None:
    """Refused and kept; then its successor's frame brings it back, in order, after a restart as well."""
    p = chain(1, 2)
    backdated = chain(1)
    backdated.iat = AT - DAY
    stray = (backdated.subject, backdated.bulletin(9))
    async with reading(tmp_path, SUCCEEDED) as node:
        await node.take([*sent(p)[:3], stray])
        await node.take(sent(p)[3:], live=True)
        assert await node.titles() == []
        codes = ["revoked_key", "unknown_epoch", "revoked_key", "revoked_key", "revoked_key"]
        assert sorted(code for code, _ in await node.refusals()) == sorted(codes)
        assert node.ledger.chains == {}
    async with reading(tmp_path) as node:
        await node.take(sent(p)[2:])  # the hub gives some of it again: it is known, and no news
        assert len(await node.refusals()) == len(codes)
        p.rekey()
        p.send(p.bulletin(3))
        await node.take(sent(p)[-3:], live=True)
        assert await node.titles() == ["Bulletin 1", "Bulletin 2", "Bulletin 3"]
        assert await node.refusals() == [("revoked_key", "f")]
        assert node.at(p)
        assert len(node.ledger.held) == 1
    async with reading(tmp_path) as node:
        assert list(node.ledger.held) == [parse_frame(stray[1]).hash]


async def test_only_so_much_of_what_is_held_is_fetched_at_once(tmp_path: Path) -> None:
    p = chain(1, 2, 3, 4, 5)
    async with reading(tmp_path, SUCCEEDED) as node:
        await node.take(sent(p))
        last = parse_frame(p.sent[-1]).hash
        found = await ancestors(node.ledger.store, node.ledger.held, last, 2)
        assert [parse_frame(each.data).header.seq for each in found] == [4, 5]


async def test_a_successors_forgery_brings_nothing_back(tmp_path: Path) -> None:
    p = chain(1)
    async with reading(tmp_path, SUCCEEDED) as node:
        await node.take(sent(p))
        refused = await node.refusals()
        p.rekey()
        await node.take([(p.subject, unsigned(p.sent[-1]))])
        assert await node.titles() == []
        assert await node.refusals() == [*refused, ("bad_signature", "f")]
        assert len(node.ledger.held) == 3


async def test_what_is_brought_back_is_judged_like_everything_else(tmp_path: Path) -> None:
    """A bulletin that is none moves the chain and is refused for what it is; another past stays refused."""
    p = chain(1)
    p.send(p.sealed(b"not a bulletin", 2))
    q = chain(1)
    q.send(q.bulletin(7))
    async with reading(tmp_path, SUCCEEDED) as node:
        await node.take([*sent(p), *sent(q)[-1:]])
        p.rekey()
        await node.take(sent(p)[-2:])
        assert await node.titles() == ["Bulletin 1"]
        assert await node.refusals() == [("revoked_key", "f"), ("bad_json", "f")]
        assert node.at(p)
        q.rekey()
        q.send(q.bulletin(8))
        await node.take([sent(q)[-1]])
        assert await node.titles() == ["Bulletin 1"]


async def test_what_is_brought_back_and_refused_again_stays_where_it_was(tmp_path: Path) -> None:
    """Its publisher was no member when it was made: the successor's word changes nothing of that."""
    p = chain(1)
    p.iat = AT + 10
    p.send(p.bulletin(2))
    p.iat = AT
    out = by_owners(entry(memberships()[COM], op="remove", id="fra", nbf=AT + 5))
    async with reading(tmp_path, SUCCEEDED) as node:
        await node.ledger.append(out, membership=True)
        await node.take(sent(p))
        p.rekey()
        p.send(p.bulletin(3))
        await node.take(sent(p)[-3:])
        assert await node.titles() == ["Bulletin 1", "Bulletin 3"]
        assert await node.refusals() == [("revoked_key", "f")]
        assert len(node.ledger.held) == 1


async def test_what_was_pushed_out_of_the_quarantine_is_a_gap(tmp_path: Path) -> None:
    p = chain(1)
    async with reading(tmp_path, SUCCEEDED) as node:
        await node.take(sent(p))
        await node.ledger.store.transact(lambda connection: connection.execute("DELETE FROM quarantine"))
        p.rekey()
        p.send(p.bulletin(3))
        await node.take(sent(p)[-3:])
        assert await node.titles() == ["Bulletin 3"]
        assert node.at(p)


def answer(number: int, target: int, reader: Party = JPN, **changes: str) -> bytes:
    """The sealed payload of an acknowledgement by `FRA`, with the id `uuid(number)`."""
    links = [{"relation": "acknowledges", "id": uuid(target)}]
    fields = {"kind": "acknowledgement", "title": f"Acknowledged {target}", "history": "none", **changes}
    said = bulletin(number, FRA, links=links, **fields)
    return sealed_payload(said.to_bytes(), said.id, COM, FRA.endpoint, reader.id, [reader.keys(), FRA.keys()])


async def asked(reader: Reading) -> Publisher:
    """A bulletin of the reader's own agency, in its archive; and a chain of `FRA` under an epoch for
    replies.
    """
    own = Publisher(JPN)
    own.send(own.announcement())
    own.send(own.bulletin(90))
    await reader.take(sent(own), live=True)
    publisher = Publisher()
    publisher.send(publisher.announcement(hist=History.NONE))
    await reader.take(sent(publisher), live=True)
    return publisher


async def test_a_private_reply_to_a_bulletin_of_ours_is_kept_under_it(tmp_path: Path) -> None:
    async with reading(tmp_path) as reader:
        publisher = await asked(reader)
        raw = publisher.send(publisher.sealed(answer(1, 90), 1))
        await reader.take([(publisher.subject, raw)], live=True)
        assert await reader.titles() == ["Bulletin 90", "Acknowledged 90"]
        (reply,) = await reader.archive.replies(uuid(90))
        assert (reply.agency, reply.own) == ("fra", False)
        assert reply.flags == {"private"}
        assert await reader.archive.replies(uuid(90), tlp_at_most=Tlp.GREEN) == []
        await reader.take([(publisher.subject, publisher.send(publisher.sealed(answer(2, 90), 2)))])
        assert len(await reader.archive.replies(uuid(90))) == 2
        assert len(await reader.archive.replies(uuid(90), 1)) == 1
        assert await reader.refusals() == []


async def test_a_private_reply_for_others_leaves_nothing_but_its_place(tmp_path: Path) -> None:
    async with reading(tmp_path) as reader:
        publisher = await asked(reader)
        raw = publisher.send(publisher.sealed(answer(1, 90, UNX), 1))
        await reader.take([(publisher.subject, raw)], live=True)
        await reader.take([(publisher.subject, publisher.send(publisher.bulletin(2, history="none")))])
        assert await reader.titles() == ["Bulletin 90", "Bulletin 2"]
        assert await reader.refusals() == []
        (after,) = (await reader.archive.latest(Filters(), 1)).items
        assert after.flags == set()
        assert reader.at(publisher)


async def test_a_private_reply_to_what_we_did_not_say_is_refused(
    tmp_path: Path,
) -> None:
    async with reading(tmp_path) as reader:
        publisher = await asked(reader)
        theirs = publisher.send(publisher.bulletin(5, history="none"))
        await reader.take([(publisher.subject, theirs)], live=True)
        payloads = [answer(1, 5), answer(2, 77), answer(3, 90, kind="threat"), answer(4, 90)]
        for number, payload in enumerate(payloads, 1):
            raw = publisher.send(publisher.sealed(payload, number))
            await reader.take([(publisher.subject, raw)], live=True)
        assert await reader.refusals() == [("not_a_reply", "f")] * 3
        assert await reader.titles() == ["Bulletin 90", "Bulletin 5", "Acknowledged 90"]
        assert reader.at(publisher)


async def test_what_there_is_to_say_of_a_late_private_reply(tmp_path: Path) -> None:
    async with reading(tmp_path) as reader:
        publisher = await asked(reader)
        publisher.send(publisher.bulletin(7, history="none"))  # withheld
        raw = publisher.send(publisher.sealed(answer(1, 90), 1, exp=AT))
        await reader.take([(publisher.subject, raw)], live=True)
        (reply,) = await reader.archive.replies(uuid(90))
        assert reply.flags == {"private", "gap_before", "expired"}


async def test_a_frame_by_a_new_key_waits_for_the_head_that_reaches_it(tmp_path: Path) -> None:
    begun, now = asyncio.Event(), AT + FRESHNESS

    def clock() -> int:
        begun.set()
        return now

    async with reading(tmp_path, [FRA.successor()], clock) as node:
        known = node.ledger.known()
        before = Head(known.head.size - 1, known.roots[-2])
        await node.ledger.take_head(note(before, AT), AT)
        publisher = Publisher(signer=FRA.next_signing)
        publisher.send(publisher.announcement())
        publisher.send(publisher.bulletin(1))
        taking = asyncio.create_task(node.take(sent(publisher)))
        await begun.wait()
        assert not taking.done()
        await node.directory.take(DIRECTORY_HEAD, note(known.head, now))
        await taking
        assert await node.titles() == ["Bulletin 1"]
        assert await node.refusals() == []


async def test_what_its_originator_did_not_let_go_on_is_refused(tmp_path: Path) -> None:
    """And its chain goes on: the next bulletin is read, as is what was granted to its carrier."""
    scene, p = Scene(), Publisher(FRA, com=OTHER)
    granted = scene.released(grant=sign_grant(scene.grant(carrier="fra"), FRA.signing))
    p.send(p.announcement())
    for number, release in ((8, scene.released()), (9, granted)):
        own = {"id": uuid(number), "ref": f"FRA-2026-{number:04d}"}
        p.send(p.sealed(scene.carried(release, **own).to_bytes(), number))
    async with reading(tmp_path) as node:
        await node.take(sent(p), live=True)
        assert await node.refusals() == [("not_granted", "f")]
        assert await node.titles() == ["Bulletin 1"]
        assert node.at(p)


async def test_what_the_hub_tells_of_its_service_stands_until_it_says_otherwise(tmp_path: Path) -> None:
    """An alarm without a frame, and none for a record that the hub has not signed, which is a forgery."""
    mine, lag = operations_for(JPN.endpoint), AlarmName.HUB_LAG

    def record(state: OperationState, signer: Signer = HUB) -> tuple[str, bytes]:
        told = Operation(
            at=AT, kind=OperationKind.LAG, about=FRA.endpoint, state=state, value=9, limit=2, code=""
        )  # fmt: skip
        return mine, sign_operation(told, signer)

    async with reading(tmp_path) as node:
        await node.take([record(OperationState.RAISED), record(OperationState.RAISED, REGISTRAR)])
        assert await node.ledger.standing(lag) == {AlarmKey(lag, publisher=FRA.endpoint)}
        assert await node.refusals() == [("bad_signature", "o")]
        assert len(await node.ledger.standing(AlarmName.FORGERY)) == 1
        node.sequence = 0  # an acknowledgement was lost
        await node.take([record(OperationState.CLEARED)])
        assert await node.ledger.standing(lag)
        node.sequence = 2
        await node.take([record(OperationState.CLEARED)])
        assert not await node.ledger.standing(lag)


async def test_what_is_committed_after_a_digest_stands_in_the_next_one(tmp_path: Path) -> None:
    """It was opened in the one period, and came to the disk in the other."""
    now, opened = [AT], asyncio.Event()

    def clock() -> int:
        opened.set()
        return now[0]

    p = chain()
    async with reading(tmp_path, clock=clock) as node:
        await node.take(sent(p), live=True)
        p.send(p.bulletin(1))
        opened.clear()
        async with node.ledger.store.write():
            taking = asyncio.create_task(node.take(sent(p)[-1:], live=True))
            await opened.wait()
            now[0] = AT + 1
            assert await node.archive.for_digest(COM, AT - DAY, AT + 1) == []
        await taking
        (late,) = await node.archive.for_digest(COM, AT + 1, AT + DAY)
        assert late.bulletin.title == "Bulletin 1"


async def test_what_is_long_is_written_beside_the_loop(tmp_path: Path) -> None:
    beside: list[bool] = []

    def clock() -> int:  # asked while the batch is written, too
        beside.append(threading.current_thread() is not threading.main_thread())
        return AT

    async with reading(tmp_path, clock=clock) as node:
        publisher = Publisher()
        publisher.send(publisher.announcement())
        publisher.send(publisher.bulletin(1))
        await node.take(sent(publisher))
        assert not any(beside)
        publisher.send(publisher.bulletin(2, body="Seen again. " * 1_600))
        await node.take(sent(publisher)[-1:])
        assert any(beside)
        assert len(await node.titles()) == 2

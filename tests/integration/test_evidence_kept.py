"""What a node keeps of its feed, in a real store, is enough to prove to others what was signed: bulletins,
forks, and the hub's receipts for its own.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from schemas.chain import ChainHead
from schemas.encoding import to_base64
from schemas.errors import Code, LiaisonError
from schemas.evidence import Evidence, parse_evidence
from schemas.frame import parse_frame
from schemas.proof import Report, check
from schemas.receipts import Answer, issue
from schemas.subjects import receipts_for, wraps_for
from schemas.vocabulary import Precedence
from subscribers.directory.feed import DirectoryFeed
from subscribers.exchange.batch import Piece
from subscribers.exchange.composer import Context
from subscribers.exchange.outbox import Outbox
from subscribers.exchange.traffic_feed import TrafficFeed
from subscribers.judging.showing import Shelf, check_signed, compose
from subscribers.keyring.key_store import Rack
from subscribers.keys import Keyring
from subscribers.sealing import wrap
from subscribers.storage import tables
from subscribers.storage.archive import NewRecord, put
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store
from tests.support.federation import (
    AT,
    COM,
    FRA,
    HUB,
    JPN,
    Publisher,
    bulletin,
    changed,
    documents,
    envelope,
    memberships,
    uuid,
)

PINNED = sha256(documents()[0]).digest()


@dataclass
class Node:
    """The reading half of a node of `jpn`, fed by hand."""

    store: Store
    ledger: Ledger
    feed: TrafficFeed
    numbers: Iterator[int]

    async def take(self, *pieces: tuple[str, bytes]) -> None:
        """One batch."""
        await self.feed.take(
            [Piece(subject, data, next(self.numbers)) for subject, data in pieces], live=True
        )

    async def begin(self, publisher: Publisher) -> None:
        """The announcement of a publisher's epoch and the wrap of its key."""
        raw = publisher.send(publisher.announcement())
        keys = self.ledger.known().endpoints[JPN.endpoint]
        made = wrap(publisher.key, sha256(raw).digest(), keys)
        await self.take((publisher.subject, raw), (wraps_for(JPN.endpoint), made.to_bytes()))

    async def evidence(self, what: str | int, *, text: bool = True, membership: bool = True) -> Evidence:
        """As the node answers."""
        shelf = Shelf(self.store)
        kept = await (shelf.bulletin(what, text=text) if isinstance(what, str) else shelf.refused(what))
        papers, entries = await shelf.logs(kept.header.com)
        return compose(kept, papers, entries if membership else [], self.ledger.known(), None)

    async def newest(self) -> tuple[int, Code]:
        """Number and code of the last refusal."""
        (refused,) = await self.ledger.quarantine(1)
        return refused.number, refused.code


@pytest_asyncio.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    keys = Keyring.create(tmp_path / "keys", "jpn", "Liaison Bureau", "JPN")
    async with await Store.open(tmp_path / "node.db", keys.archive, tables.NODE) as store:
        ledger = await Ledger.load(store)
        public = {"signing": to_base64(keys.signing.public), "kem": to_base64(keys.encryption.public)}
        newer = envelope(JPN.keys(version=2, **public), JPN.identity)
        for each in (*documents(), newer):
            await ledger.append(each, membership=False)
        for log in memberships().values():
            for each in log:
                await ledger.append(each, membership=True)

        def context(_: int) -> Context:
            raise AssertionError("nothing is composed here")

        outbox = Outbox(store, ledger, context)
        directory = DirectoryFeed(ledger, JPN.endpoint, lambda: AT)
        rack = Rack(tmp_path, keys)
        feed = TrafficFeed(store, ledger, outbox, directory, rack, JPN.endpoint, lambda: AT)
        yield Node(store, ledger, feed, count(1))


def verdict(evidence: Evidence) -> Report:
    return check(parse_evidence(evidence.to_bytes()), PINNED)


def by(node: Node, **fields: object) -> Publisher:
    return Publisher(at=node.ledger.known(), **fields)  # type: ignore[arg-type]


async def test_a_bulletin_that_was_opened_can_be_proved(node: Node) -> None:
    publisher = by(node)
    await node.begin(publisher)
    await node.take((publisher.subject, publisher.send(publisher.bulletin(1))))
    made = await node.evidence(uuid(1))
    found = verdict(made)
    assert found.proved
    assert made.content
    assert made.content.payload.encode() == bulletin(1).to_bytes()
    assert {each.check for each in found.findings if each.status == "not_shown"} == {"receipt"}
    less = await node.evidence(uuid(1), text=False, membership=False)
    assert verdict(less).proved
    assert (less.content, less.membership) == (None, None)
    shown = less.to_bytes()
    assert b"Bulletin 1" not in shown
    assert JPN.id.encode() not in shown


async def test_what_was_archived_without_proof_is_refused_clearly(node: Node) -> None:
    said = bulletin(3)
    record = NewRecord(said, said.to_bytes(), COM, "fra", AT)
    async with node.store.write() as tx:
        await tx.run(lambda connection: put(connection, record))
    with pytest.raises(LiaisonError, match="before the node kept what proves it") as caught:
        await node.evidence(uuid(3))
    assert caught.value.code is Code.NOT_FOUND


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
async def test_a_fork_shows_both_frames(node: Node, together: bool) -> None:
    publisher = by(node)
    await node.begin(publisher)
    past = publisher.head
    one = publisher.send(publisher.bulletin(1))
    publisher.head = past
    two = publisher.bulletin(2)
    pieces = [(publisher.subject, one), (publisher.subject, two)]
    for batch in [pieces] if together else [pieces[:1], pieces[1:]]:
        await node.take(*batch)
    number, code = await node.newest()
    assert code is Code.FORK
    made = check_signed(await node.evidence(number))
    assert made.type == "equivocation"
    assert verdict(made).proved
    assert {parse_frame(one).header_bytes.decode(), parse_frame(two).header_bytes.decode()} == {
        each.header for each in made.frames
    }


async def test_another_past_and_a_heartbeat_that_lies_are_shown_with_what_they_contradict(node: Node) -> None:
    publisher, flash = by(node), by(node, precedence=Precedence.FLASH, ep=1)
    await node.begin(publisher)
    await node.begin(flash)
    lie = publisher.beat(ChainHead(0, "1" * 64))
    await node.take((publisher.subject, lie))
    number, code = await node.newest()
    assert code is Code.FORK
    assert verdict(await node.evidence(number)).proved
    publisher.send(lie)  # authentic and in its place: it moved the chain
    publisher.head = ChainHead(publisher.head.seq, "2" * 64)
    await node.take((publisher.subject, publisher.bulletin(4)))
    number, code = await node.newest()
    assert code is Code.FORK
    made = await node.evidence(number)
    assert verdict(made).findings[0].status == "proved"
    assert "another frame there" in verdict(made).findings[0].text


async def test_a_refused_frame_is_shown_alone_and_a_forged_one_not_at_all(node: Node) -> None:
    publisher = by(node)
    await node.begin(publisher)
    raw = publisher.sealed(b"{}", 5)
    await node.take((publisher.subject, raw))
    number, code = await node.newest()
    assert code is Code.BAD_DOCUMENT
    made = check_signed(await node.evidence(number))
    assert made.type == "frame"
    assert verdict(made).proved
    await node.take((publisher.subject, changed(raw, len(raw) - 1)))
    number, code = await node.newest()
    assert code is Code.BAD_SIGNATURE
    with pytest.raises(LiaisonError) as caught:
        check_signed(await node.evidence(number))
    assert caught.value.code is Code.BAD_SIGNATURE
    with pytest.raises(LiaisonError) as caught:
        await node.evidence(number + 1)
    assert caught.value.code is Code.NOT_FOUND


async def test_our_own_bulletin_is_shown_with_the_hubs_receipt(node: Node) -> None:
    publisher = by(node, party=JPN)
    await node.begin(publisher)
    raw = publisher.send(publisher.bulletin(1))
    digest = sha256(raw).hexdigest()
    async with node.store.write() as tx:
        await tx.execute(
            "INSERT INTO outgoing(number, id, ref, kind, community, subject, history)"
            " VALUES (1, ?, 'JPN-2026-0001', 'b', ?, ?, 'members')",
            (uuid(1), COM, publisher.subject),
        )
        await tx.execute("INSERT INTO own_chains VALUES (?, 'routine', 1, ?, 1, ?)", (COM, digest, digest))
        await tx.execute(
            "INSERT INTO submissions(item, kind, subject, seq, sha256, raw) VALUES (1, 'b', ?, 1, ?, ?)",
            (publisher.subject, digest, raw),
        )
    answers = [Answer(JPN.endpoint, digest, "admitted", AT + 5), Answer(FRA.endpoint, digest, "fork", AT)]
    receipt = issue(answers, HUB)[JPN.endpoint]
    await node.take((publisher.subject, raw), (receipts_for(JPN.endpoint), receipt))
    made = await node.evidence(uuid(1))
    assert verdict(made).proved
    assert "2026-01-31T08:30:00Z" in next(
        each.text for each in verdict(made).findings if each.check == "receipt"
    )

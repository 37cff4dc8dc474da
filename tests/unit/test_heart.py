"""The node's heart on a real store, in simulated time: what it sends, to whom it listens, whom it accuses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw
import pytest

from schemas.chain import ChainHead, ChainKey
from schemas.encoding import to_base64
from schemas.errors import Code
from schemas.frame import BULLETIN, HEARTBEAT, Frame, parse_frame
from schemas.limits import HEARTBEAT_FIRST
from schemas.receipts import ADMITTED, Answer
from schemas.subjects import FrameSubject
from schemas.vocabulary import History, Precedence
from subscribers.exchange.composer import Context, Item, Limits
from subscribers.exchange.heart import Heart
from subscribers.exchange.hub_link import Admission, HubKey, HubLink
from subscribers.exchange.outbox import Outbox
from subscribers.judging.alarms import Alarm, AlarmKey, AlarmName, Raised, acknowledge, listed
from subscribers.judging.missed import losses
from subscribers.judging.own_frames import claim
from subscribers.judging.trust import Beat, Chain, LogBehind
from subscribers.keys import Keyring
from subscribers.storage import tables
from subscribers.storage.journal import settle
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store
from tests.support.federation import (
    AT,
    COM,
    FRA,
    JPN,
    Publisher,
    Station,
    bulletin,
    by_owners,
    documents,
    entry,
    memberships,
    place,
    uuid,
)
from tests.vectors.recipe import started

MINUTE = 60_000
FLASH = place(precedence=Precedence.FLASH)
SILENCE = AlarmKey(AlarmName.SILENCE, COM, JPN.endpoint)


@dataclass
class Body:
    """FRA's heart with its outbox and ledger; `now` is the time."""

    store: Store
    ledger: Ledger
    outbox: Outbox
    heart: Heart
    now: list[int]

    async def at(self, minutes: float, since: int = AT) -> None:
        """What is due that many minutes after AT is done."""
        self.now[0] = AT + round(minutes * MINUTE)
        await self.heart.tick(since)

    async def say(self, number: int, where: FrameSubject | None = None) -> None:
        item = Item(BULLETIN, uuid(number), bulletin(number).to_bytes(), History.MEMBERS)
        await self.outbox.put(where or place(), lambda _: (item, f"FRA-2026-{number:04}"))

    async def answered(self, code: str = ADMITTED) -> list[Frame]:
        """The hub answers everything that waits, and passes frames that it admits on to us as well."""
        waiting = await self.outbox.waiting()
        frames = [parse_frame(each.raw) for each in waiting if each.subject.startswith("in.")]
        given = [Answer(FRA.endpoint, each.sha256, code, self.now[0]) for each in waiting]
        if code == ADMITTED:
            changes = self.ledger.changes()
            for each in frames:
                changes.move(each, Chain(ChainHead(each.header.seq, each.hash), 0), self.now[0])

            def write(connection: apsw.Connection) -> None:
                changes.save(connection)
                claim(connection, frames, self.now[0])

            await self.store.transact(write)
            self.ledger.merge(changes)
        await self.outbox.merge(await self.store.transact(lambda connection: settle(connection, given)))
        await self.outbox.waiting(after=waiting[-1].number if waiting else 0)
        return frames

    async def alarms(self) -> list[Raised]:
        return await listed(self.store, 10, past=True)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Body]:
    keys = Keyring.create(path / "keys", "fra", "France", "FRA")
    admission = Admission(
        v=1, agency="fra", endpoint=FRA.endpoint, user_jwt="x.y.z", urls=[], root=to_base64(b"-"),
        fingerprint="00" * 32, hub=HubKey(name="hub", key=to_base64(bytes(32))),
    )  # fmt: skip
    ids, now = iter(range(0xE000, 0xF000)), [AT]
    async with await Store.open(path / "node.db", bytes(32), tables.NODE) as store:
        ledger = await Ledger.load(store)

        def context(next_epoch: int) -> Context:
            known = ledger.known()
            return Context(known, FRA.kid, FRA.signing, now[0], next_epoch, lambda: uuid(next(ids)), Limits())

        outbox = Outbox(store, ledger, context)
        await outbox.load()
        link = HubLink(admission, keys, outbox)
        heart = Heart(
            ledger, outbox, link, FRA.endpoint, lambda: now[0], lambda: uuid(next(ids)), HEARTBEAT_FIRST
        )
        try:
            yield Body(store, ledger, outbox, heart, now)
        finally:
            await outbox.close()


@pytest.fixture
async def body(tmp_path: Path) -> AsyncIterator[Body]:
    async with opened(tmp_path) as made:
        for each in documents():
            await made.ledger.append(each, membership=False)
        for log in memberships().values():
            for each in log:
                await made.ledger.append(each, membership=True)
        yield made


async def test_a_node_that_is_not_enrolled_has_no_pulse(tmp_path: Path) -> None:
    async with opened(tmp_path) as body:
        await body.ledger.append(documents()[0], membership=False)
        await body.at(99)
        assert await body.outbox.waiting() == []


async def test_a_chain_that_has_not_begun_is_still(body: Body) -> None:
    await body.at(99)
    assert await body.outbox.waiting() == []


async def test_beats_follow_the_schedule_and_are_nobodys_bulletins(body: Body) -> None:
    await body.say(1)
    *_, said = await body.answered()
    head, found = ChainHead(said.header.seq, said.hash), []
    for minute in range(1, 101):
        await body.at(minute)
        assert await body.outbox.size() == 0
        for each in await body.answered():
            assert (each.header.k, each.header.seq, each.header.prev) == (HEARTBEAT, head.seq + 1, head.hash)
            head = ChainHead(each.header.seq, each.hash)
            found.append(minute)
    assert found == [5, 10, 20, 40, 80]
    rows = await body.store.query("SELECT kind FROM outgoing")
    assert rows == [(BULLETIN,)]
    await body.say(2)
    (again,) = await body.answered()
    assert again.header.seq == head.seq + 1


async def test_a_beat_names_what_the_hub_has_admitted_of_the_other_chain(body: Body) -> None:
    await body.say(1)
    await body.say(2, FLASH)
    await body.answered()
    await body.say(3, FLASH)  # on its way: it may be made again
    await body.at(6)
    *_, beat = [each for each in await body.answered() if each.header.k == HEARTBEAT]
    routine, flash = beat.header.heads
    assert beat.header.pr == "routine"
    assert routine == (beat.header.seq, beat.header.prev)
    assert flash[0] == 2
    assert (beat.header.dir, beat.header.mem) == (
        body.ledger.known().head,
        body.ledger.known().communities[COM].head,
    )
    await body.at(12)
    flash_beat, *_ = [each for each in await body.answered() if each.header.pr == "flash"]
    assert flash_beat.header.heads[0] == (beat.header.seq + 1, beat.hash)


async def test_nothing_piles_up_while_the_hub_is_away(body: Body) -> None:
    await body.say(1)
    await body.answered()
    for minute in range(5, 200):
        await body.at(minute)
    assert len(await body.outbox.waiting()) == 1


async def test_a_hub_that_does_not_answer_is_told_once_and_ends_with_its_answer(body: Body) -> None:
    await body.say(1)
    for minute in (1.0, 5.0, 6.0):  # first seen after a minute
        await body.at(minute)
    assert await body.alarms() == []
    for minute in (6.1, 7, 20):
        await body.at(minute)
    (alarm,) = await body.alarms()
    assert (alarm.key, alarm.times, alarm.ended) == (AlarmKey(AlarmName.UNANSWERED), 1, None)
    await body.answered()
    await body.at(21)
    (alarm,) = await body.alarms()
    assert alarm.ended == body.now[0]


async def test_a_hub_that_was_away_is_given_its_time_again(body: Body) -> None:
    await body.say(1)
    await body.at(1)
    await body.at(30, since=AT + 29 * MINUTE)
    assert await body.alarms() == []
    await body.at(35, since=AT + 29 * MINUTE)
    assert [each.key.name for each in await body.alarms()] == [AlarmName.UNANSWERED]


async def test_no_beat_is_set_on_a_stranger_s_frame(body: Body) -> None:
    await body.say(1)
    sent = await body.answered()
    await body.store.transact(lambda connection: claim(connection, sent[:1], AT))  # as if it were not ours
    await body.at(5)
    assert await body.outbox.waiting() == []
    assert [each.key.name for each in await body.alarms()] == [AlarmName.STOLEN_KEY]


async def test_a_refused_beat_is_forgotten_and_tried_again_later(body: Body) -> None:
    await body.say(1)
    await body.answered()
    await body.at(5)
    assert [each.header.k for each in await body.answered(Code.SPLIT_VIEW)] == [HEARTBEAT]
    (alarm,) = await body.alarms()
    assert alarm.key == AlarmKey(AlarmName.SPLIT_VIEW, COM, FRA.endpoint)
    await body.at(5.5)
    assert await body.outbox.waiting() == []
    await body.at(10)
    assert [each.header.k for each in await body.answered()] == [HEARTBEAT]


async def test_a_beat_behind_a_refused_bulletin_goes_with_it(body: Body) -> None:
    await body.say(1)
    waiting = await body.outbox.waiting()
    await body.outbox.put(place(), lambda _: (Item(HEARTBEAT, uuid(77), b"", History.NONE), ""))
    given = [Answer(FRA.endpoint, waiting[0].sha256, Code.EXPIRED, AT)]
    await body.outbox.merge(await body.store.transact(lambda connection: settle(connection, given)))
    assert await body.outbox.waiting() == []
    assert await body.store.query("SELECT kind, state FROM outgoing") == [(BULLETIN, "refused")]


async def test_who_has_left_is_still(body: Body) -> None:
    await body.say(1)
    await body.answered()
    removed = by_owners(entry(memberships()[COM], op="remove", id="fra", issued=AT, nbf=AT))
    await body.ledger.append(removed, membership=True)
    await body.at(90)
    assert await body.outbox.waiting() == []


async def test_a_grown_log_is_told_soon(body: Body) -> None:
    await body.say(1)
    await body.answered()
    for minute in (5, 10, 20, 40):
        await body.at(minute)
        assert len(await body.answered()) == 1
    change = by_owners(entry(memberships()[COM], op="remove", id="unx", issued=AT, nbf=AT))
    await body.ledger.append(change, membership=True)
    await body.at(44)
    assert await body.answered() == []
    await body.at(45)
    (beat,) = await body.answered()
    assert beat.header.mem == body.ledger.known().communities[COM].head
    await body.at(46)
    assert await body.answered() == []


async def heard(body: Body, raw: bytes, minutes: int = 0) -> None:
    """A frame of somebody comes."""
    frame, changes = parse_frame(raw), body.ledger.changes()
    chain = Chain(ChainHead(frame.header.seq, frame.hash), 0)
    changes.move(frame, chain, AT + minutes * MINUTE)
    await body.store.transact(changes.save)
    body.ledger.merge(changes)


async def test_silence_is_told_once_and_ends_with_the_next_frame(body: Body) -> None:
    speaker = Publisher(JPN)
    await heard(body, speaker.send(speaker.announcement()))
    await body.at(10)
    assert await body.alarms() == []
    for minute in (11, 12, 13):
        await body.at(minute)
    (alarm,) = await body.alarms()
    assert (alarm.key, alarm.times, alarm.ended) == (SILENCE, 1, None)
    assert "every 5 minutes" in alarm.detail
    await acknowledge(body.store, alarm.number, AT)
    await body.at(14)
    await heard(body, speaker.send(speaker.beat()), 15)
    await body.at(16)
    (over,) = await body.alarms()
    assert over.ended == AT + 16 * MINUTE


async def test_our_own_absence_is_nobodys_silence(body: Body) -> None:
    speaker = Publisher(JPN)
    await heard(body, speaker.send(speaker.announcement()))
    await body.at(60, since=AT + 55 * MINUTE)
    assert await body.alarms() == []


async def test_who_may_not_speak_is_not_missed(body: Body) -> None:
    speaker = Publisher(JPN)
    await heard(body, speaker.send(speaker.announcement()))
    removed = by_owners(entry(memberships()[COM], op="remove", id="jpn", issued=AT, nbf=AT))
    await body.ledger.append(removed, membership=True)
    await body.at(60)
    assert await body.alarms() == []


async def test_pulses_outlast_a_restart(body: Body) -> None:
    speaker = Publisher(JPN)
    await heard(body, speaker.send(speaker.announcement()), 3)
    again = await Ledger.load(body.store)
    assert again.pulses == body.ledger.pulses
    assert len(again.pulses) == 1


def test_a_gap_and_a_hidden_tail_name_the_frame_that_shows_them() -> None:
    publisher, station = started(), Station()
    known = Chain(ChainHead(0, publisher.sent[0].hex()), 0)
    station.follow(publisher)
    publisher.send(publisher.bulletin(1))
    hidden = publisher.beat()
    verdict = station.judge(publisher.subject, hidden)
    assert isinstance(verdict, Beat)
    frame = parse_frame(hidden)
    gap = AlarmKey(AlarmName.GAP, COM, FRA.endpoint)
    assert losses(verdict, known, AT) == [
        Alarm(gap, AT, f"routine frames 1 to {frame.header.seq - 1} have not come", frame.hash)
    ]
    key = ChainKey.of(frame)
    behind = verdict._replace(behind=(key,))
    words = "the latest routine frames have not come"
    tail = AlarmKey(AlarmName.SUPPRESSED_TAIL, key.community, key.publisher)
    assert losses(behind, Chain(ChainHead(frame.header.seq - 1, ""), 0), AT) == [
        Alarm(tail, AT, words, frame.hash)
    ]
    assert losses(LogBehind("directory", 9), known, AT) == []

"""What stands in our chains and was not made here stops the outbox, until the operator says so."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from schemas.chain import ChainHead, ChainKey
from schemas.errors import Code, LiaisonError
from schemas.frame import EPOCH, Frame, parse_frame
from schemas.receipts import ADMITTED
from subscribers.judging.alarms import AlarmKey, AlarmName, listed
from subscribers.judging.own_frames import alone, claim
from subscribers.judging.trust import Announced, Chain, EpochId
from tests.support.federation import AT, COM, FRA, Publisher, Station, place
from tests.unit.test_outbox import Box, opened

STOLEN = AlarmKey(AlarmName.STOLEN_KEY, COM, FRA.endpoint)
ROUTINE = ChainKey(FRA.endpoint, COM, "routine")


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    async with opened(tmp_path) as made:
        yield made


async def come(box: Box, *frames: bytes) -> None:
    """The feed brings frames in our name, and the ledger follows their chain."""
    changes = box.ledger.changes()
    parsed = [parse_frame(each) for each in frames]
    for each in parsed:
        changes.move(each, Chain(ChainHead(each.header.seq, each.hash), 0), AT)
        if each.header.k == EPOCH:
            verdict = Station(FRA).judge(place().traffic(), each.raw)
            assert isinstance(verdict, Announced)
            changes.learn(verdict.id, verdict.epoch)

    def write(connection: apsw.Connection) -> None:
        changes.save(connection)
        claim(connection, parsed, AT)

    await box.store.transact(write)
    box.ledger.merge(changes)


async def ours(box: Box) -> list[Frame]:
    """The frames that wait, passed on and admitted now."""
    waiting = await box.waiting()
    frames = [each.raw for each in waiting if each.subject.startswith("in.")]
    await come(box, *frames)
    await box.answer(*((each, ADMITTED) for each in waiting))
    return list(map(parse_frame, frames))


def stranger(after: Frame, ep: int) -> bytes:
    """An announcement by somebody with our signing key, next after one of our frames."""
    head = ChainHead(after.header.seq, after.hash)
    return dataclasses.replace(Publisher(ep=ep), head=head).announcement()


async def alarms(box: Box) -> dict[AlarmKey, int]:
    return {each.key: each.number for each in await listed(box.store, 10)}


async def test_our_own_frames_come_and_nobody_minds(box: Box) -> None:
    await box.put(1)
    await ours(box)
    await box.put(2)
    assert await alone(box.store)
    assert await alarms(box) == {}


async def test_a_stranger_s_frame_stops_everything_until_the_operator_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as box:
        await box.put(1)
        sent = await ours(box)
        await come(box, foreign := stranger(sent[-1], 7))
        (number,) = (await alarms(box)).values()
        assert not await alone(box.store)
        with pytest.raises(LiaisonError) as refused:
            await box.put(2)
        assert refused.value.code is Code.STOLEN_KEY
    async with opened(tmp_path) as box:
        for each in (number + 1, number):
            with pytest.raises(LiaisonError):
                await box.put(3)
            await box.outbox.go_on(each, FRA.endpoint, AT)
        assert await alone(box.store)
        assert await alarms(box) == {}
        await box.put(4)
        head = parse_frame(foreign)
        await box.is_chained(ChainHead(head.header.seq, head.hash))
        first = parse_frame((await box.waiting())[0].raw)
        assert (first.header.k, first.header.ep) == (EPOCH, 8)  # above the stranger's
        await box.outbox.go_on(number, FRA.endpoint, AT)  # it is over: nothing moves
        await box.put(5)
        await box.is_chained(ChainHead(head.header.seq, head.hash))


async def test_what_is_said_while_the_operator_decides_stands_behind_the_stranger_s_too(box: Box) -> None:
    """It was asked for when the decision was on its way to the disk; the stranger has begun two epochs."""
    await box.put(1)
    sent = await ours(box)
    await come(box, foreign := stranger(sent[-1], 7))
    await come(box, latest := stranger(parse_frame(foreign), 1))
    (number,) = (await alarms(box)).values()
    async with box.store.write():
        going_on = asyncio.create_task(box.outbox.go_on(number, FRA.endpoint, AT))
        await turned()
        putting = asyncio.create_task(box.put(2))
        await turned()
    await asyncio.gather(going_on, putting)
    head = parse_frame(latest)
    await box.is_chained(ChainHead(head.header.seq, head.hash))
    announced = [each for each in await box.waiting() if each.subject.startswith("in.")]
    assert parse_frame(announced[0].raw).header.ep > 7  # the highest of the stranger's
    assert box.ledger.epochs[EpochId(FRA.endpoint, COM, 1)].announcement.hex() == head.hash


async def turned() -> None:
    """Everybody who can has come to where they wait."""
    for _ in range(8):
        await asyncio.sleep(0)


async def test_what_lost_its_place_to_a_stranger_is_parked(box: Box) -> None:
    await box.put(1)
    sent = await ours(box)
    await box.put(2)
    await box.put(3)
    lost, behind = await box.waiting()
    await come(box, stranger(sent[-1], 7))
    await box.answer((lost, "fork"))
    await box.answer((behind, "fork"))
    assert await box.state(2) == ("refused", "stolen_key")
    assert await box.state(3) == ("refused", "stolen_key")
    assert await box.waiting() == []
    assert STOLEN in await alarms(box)


async def test_a_chain_that_we_never_began(box: Box) -> None:
    publisher = Publisher(ep=3)
    await come(box, publisher.send(publisher.announcement()))
    (number,) = (await alarms(box)).values()
    await box.outbox.go_on(number, FRA.endpoint, AT)
    await box.put(1)
    await box.is_chained(publisher.head)


async def test_another_frame_in_our_place_that_never_came_is_told_of_by_the_refusal(box: Box) -> None:
    await box.put(1)
    await ours(box)
    await box.put(2)
    (waiting,) = await box.waiting()
    await box.answer((waiting, "fork"))
    assert set(await alarms(box)) == {AlarmKey(AlarmName.FORK, COM, FRA.endpoint)}
    assert await box.state(2) == ("refused", "fork")


async def test_a_receipt_for_what_was_passed_on_to_nobody_raises_an_alarm(box: Box) -> None:
    await box.put(1)
    await box.answer(*((each, ADMITTED) for each in await box.waiting()))
    assert set(await alarms(box)) == {AlarmKey(AlarmName.SUPPRESSED_TAIL, COM, FRA.endpoint)}
    assert await box.state(1) == ("admitted", None)

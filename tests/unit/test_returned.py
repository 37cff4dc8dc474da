"""A node restored from a copy: what the lost machine said is its own, and no number is given twice."""

import shutil
from pathlib import Path

import apsw
import pytest

from schemas.chain import ChainHead
from schemas.errors import Code, LiaisonError
from schemas.frame import EPOCH, parse_frame
from schemas.receipts import ADMITTED
from subscribers.judging import returned
from subscribers.judging.alarms import listed
from subscribers.judging.own_frames import alone
from subscribers.judging.returned import HubCopy, Returned, standing
from subscribers.recovery.returning import Returning
from tests.support.cut_short import cut_short
from tests.support.federation import AT, FRA
from tests.unit.test_outbox import Box, opened
from tests.unit.test_own_frames import alarms, come, ours, stranger

HOUR = 3_600_000


async def copied(tmp_path: Path, *, queued: int = 0) -> tuple[list[bytes], Path]:
    """Bulletin 1 is admitted, a copy is made, 2 and 3 are said after it (and what was queued in it, too); the
    frames that came after the copy, and where the copy is.
    """
    old = tmp_path / "old"
    old.mkdir()
    async with opened(tmp_path) as box:
        await box.put(1)
        await ours(box)
        if queued:
            await box.put(queued)
            await box.outbox.renew()  # made anew after the copy, by another place in the chain
        await box.store.checkpoint()
        shutil.copy(tmp_path / "node.db", old / "node.db")
        await box.outbox.renew()
        for number in (2, 3):
            await box.put(number)
        frames = [each.raw for each in await box.waiting() if each.subject.startswith("in.")]
    return frames, old


async def back(box: Box) -> bool:
    await box.store.transact(lambda connection: returned.reach(connection, 99))
    return await box.outbox.come_back(FRA.endpoint, AT + 7)


async def refused(box: Box, number: int) -> Code:
    with pytest.raises(LiaisonError) as error:
        await box.put(number)
    return error.value.code


async def numbers(box: Box) -> int:
    return int(
        (await box.store.query("SELECT coalesce(max(value), 0) FROM counters WHERE name LIKE 'ref-%'"))[0][0]
    )


async def test_it_says_nothing_before_it_has_read_what_it_said(tmp_path: Path) -> None:
    frames, old = await copied(tmp_path)
    async with opened(old) as box:
        sequence = await box.store.transact(lambda connection: returned.begin(connection, AT))
        assert await standing(box.store) == Returned(
            AT, sequence, salvaged=False, until=None, found=0, ended=None
        )
        assert await refused(box, 4) is Code.RESTORING
        assert not await box.outbox.come_back(FRA.endpoint, AT)  # the hub has set nothing back yet
    async with opened(old) as box:  # nor after a restart
        assert await refused(box, 4) is Code.RESTORING
        await come(box, *frames)
        assert await alone(box.store)
        assert await alarms(box) == {}
        assert await back(box)
        assert await standing(box.store) == Returned(
            AT, 0, salvaged=False, until=99, found=len(frames), ended=AT + 7
        )
        last = parse_frame(frames[-1])
        await box.put(4)
        await box.is_chained(ChainHead(last.header.seq, last.hash))
        assert await numbers(box) == 2  # those of the two bulletins of which the copy knew nothing
        assert not await box.outbox.come_back(FRA.endpoint, AT)
        head = parse_frame((await box.waiting())[0].raw).header
        assert head.k == EPOCH
        assert head.ep > max(parse_frame(each).header.ep for each in frames)


async def test_it_comes_back_also_when_the_connection_is_lost_meanwhile(tmp_path: Path) -> None:
    frames, old = await copied(tmp_path)
    async with opened(old) as box:
        await box.store.transact(lambda connection: returned.begin(connection, AT))
        await come(box, *frames)
        await box.store.transact(lambda connection: returned.reach(connection, 99))
        await cut_short(box.store, box.outbox.come_back(FRA.endpoint, AT))
        await box.put(4)
        last = parse_frame(frames[-1])
        await box.is_chained(ChainHead(last.header.seq, last.hash))
        head = parse_frame((await box.waiting())[0].raw).header
        assert head.ep > max(parse_frame(each).header.ep for each in frames)


async def test_what_waited_in_the_copy_and_was_sent_since_is_not_sent_again(tmp_path: Path) -> None:
    frames, old = await copied(tmp_path, queued=9)
    async with opened(old) as box:
        await box.store.transact(lambda connection: returned.begin(connection, AT))
        waiting = await box.waiting()
        await box.outbox.renew()  # whatever asks for it: nothing is made anew now
        assert await box.waiting() == waiting
        await come(box, *frames)
        assert await back(box)
        assert await box.state(9) == ("admitted", None)
        assert await box.frames() == []
        await box.put(4)
        last = parse_frame(frames[-1])
        await box.is_chained(ChainHead(last.header.seq, last.hash))


async def test_what_waited_in_the_copy_and_never_went_out_goes_out(tmp_path: Path) -> None:
    _, old = await copied(tmp_path, queued=9)
    async with opened(old) as box:
        await box.store.transact(lambda connection: returned.begin(connection, AT))
        assert await back(box)
        assert await box.state(9) == ("queued", None)
        assert [each[2] for each in await box.frames() if each[0] == "b"] != []
        await box.answer(*((each, ADMITTED) for each in await box.waiting()))
        assert await box.state(9) == ("admitted", None)


async def test_afterwards_a_strangers_frame_is_one_again(tmp_path: Path) -> None:
    frames, old = await copied(tmp_path)
    async with opened(old) as box:
        await box.store.transact(lambda connection: returned.begin(connection, AT))
        await come(box, *frames)
        await back(box)
        await come(box, stranger(parse_frame(frames[-1]), 70))
        assert not await alone(box.store)
        assert await refused(box, 4) is Code.STOLEN_KEY


async def test_a_copy_that_was_pieced_together_is_read_from_the_beginning(tmp_path: Path) -> None:
    async with opened(tmp_path) as box:

        def begun(connection: apsw.Connection) -> int:
            connection.execute("INSERT INTO feeds VALUES ('TRAFFIC', 41)")
            assert returned.begin(connection, AT) == 41
            return returned.begin(connection, AT, salvaged=True, sequence=0)

        assert await box.store.transact(begun) == 0
        found = await standing(box.store)
        assert found is not None
        assert found.salvaged


def returning(box: Box, hub: HubCopy | None) -> Returning:
    """At a hub that came back from `hub` since."""

    async def copy() -> HubCopy | None:
        return hub

    return Returning(box.store, box.outbox, FRA.endpoint, lambda: AT + 7, copy)


async def read_on(box: Box, hub: HubCopy | None, *frames: bytes) -> Returning:
    """Restored from a copy, and all has been read that the hub has."""
    await box.store.transact(lambda connection: returned.begin(connection, AT))
    await come(box, *frames)
    await box.store.transact(lambda connection: returned.reach(connection, 99))
    node = returning(box, hub)
    await node.finish()
    return node


async def test_where_the_hub_was_restored_too_nothing_is_said_before_the_operator_decides(
    tmp_path: Path,
) -> None:
    _, old = await copied(tmp_path)
    async with opened(old) as box:
        node = await read_on(box, HubCopy(AT, AT + HOUR))
        assert await refused(box, 4) is Code.RESTORING
        (alarm,) = await listed(box.store, 10)
        assert alarm.key.name == "rollback"
        assert alarm.key.publisher == FRA.endpoint
        await node.seen(alarm.number + 1)
        assert await refused(box, 4) is Code.RESTORING
    async with opened(old) as box:
        node = returning(box, None)
        await node.finish()
        assert await refused(box, 4) is Code.RESTORING, "another connection, with nothing new"
        await node.seen(alarm.number)
        await box.put(4)
        assert (await box.state(4))[0] == "queued"


async def test_a_frame_in_our_name_that_comes_while_it_waits_for_the_operator_is_a_strangers(
    tmp_path: Path,
) -> None:
    frames, old = await copied(tmp_path)
    async with opened(old) as box:
        await read_on(box, HubCopy(AT, AT + HOUR), *frames[:-1])
        await come(box, frames[-1])
        assert not await alone(box.store)


@pytest.mark.parametrize("since, waits", [(HOUR, False), (-HOUR, True)])
async def test_a_machine_that_had_met_the_restored_hub_has_lost_nothing(
    tmp_path: Path, since: int, *, waits: bool
) -> None:
    frames, old = await copied(tmp_path)
    last = max(parse_frame(each).header.iat for each in frames)
    async with opened(old) as box:
        await read_on(box, HubCopy(AT - 2 * HOUR, last - since), *frames)
        copy = await standing(box.store)
        assert copy is not None
        assert (copy.ended is None) is waits

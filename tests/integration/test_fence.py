"""Fences, on a real server: whoever put up the last one writes, and nobody who did before; nor does a former
holder read any more without that being seen.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.arrival import unbroken
from hub.batch import BatchRefused, Outgoing, publish_batch, publish_ordered
from hub.durables import ADMISSION, ensure_admission
from hub.fence import OFFICE_FENCE, Fence, partition_fence
from hub.pull import Pull
from hub.stream_limits import StreamLimits
from hub.streams import INTAKE
from schemas.errors import Code, OperationError
from schemas.subjects import DIRECTORY_DOCUMENTS
from tests.support.hub_world import stored
from tests.support.nats_server import DEADLINE, hub_nats

PLACES = {
    "partition": ("TRAFFIC", partition_fence(0), "f.live.c.routine.A"),
    "office": ("DIRECTORY", OFFICE_FENCE, DIRECTORY_DOCUMENTS),
}


@pytest.mark.parametrize("place", PLACES)
async def test_a_former_holder_writes_nothing_more(tmp_path: Path, place: str) -> None:
    stream, subject, written = PLACES[place]
    async with hub_nats(tmp_path, limits=StreamLimits(shared=True)) as made:
        nc = made.hub
        former, holder = (Fence(nc, subject, name, lambda: True) for name in ("a", "b"))

        def under(fence: Fence, *payloads: bytes) -> list[Outgoing]:
            """The first of a batch says it for all."""
            first, *others = payloads
            return [Outgoing(written, first, fence.headers), *(Outgoing(written, each) for each in others)]

        await former.put_up()
        await publish_batch(nc, under(former, b"1", b"2"), batch_id="in-time")
        # Its next fence is the last one again, as after every reconnection.
        await former.put_up()
        late = under(former, b"late 1", b"late 2")
        await holder.put_up()
        for count in (1, 2):
            with pytest.raises(BatchRefused, match="wrong last sequence") as refused:
                await publish_batch(nc, late[:count], batch_id=f"late-{count}")
            assert not refused.value.duplicate
            assert not refused.value.away
        with pytest.raises(BatchRefused, match="wrong last sequence"):
            await publish_ordered(nc, late[:1], batch_id="late-alone")
        await publish_batch(nc, under(holder, b"3", b"4"), batch_id="holder")
        with pytest.raises(BatchRefused, match="wrong last sequence"):
            await publish_batch(nc, late, batch_id="later")
        # Whoever takes the duty back is let in again, and shuts out in turn.
        await former.put_up()
        await publish_batch(nc, under(former, b"5"), batch_id="back")
        with pytest.raises(BatchRefused, match="wrong last sequence"):
            await publish_batch(nc, under(holder, b"late 3"), batch_id="shut-out")
        assert [each.data for each in await stored(nc, stream, written)] == [b"1", b"2", b"3", b"4", b"5"]


async def test_a_fence_is_one_partitions_alone(tmp_path: Path) -> None:
    async with hub_nats(tmp_path, limits=StreamLimits(shared=True)) as made:
        nc = made.hub
        ours, others = (Fence(nc, partition_fence(number), "a", lambda: True) for number in (0, 1))
        await ours.put_up()
        await others.put_up()
        await publish_batch(nc, [Outgoing("f.live.c.routine.A", b"1", ours.headers)], batch_id="ours")
        await publish_batch(nc, [Outgoing("f.live.c.routine.B", b"2", others.headers)], batch_id="others")
        assert [each.data for each in await stored(nc, "TRAFFIC", "f.>")] == [b"1", b"2"]


async def test_who_is_not_sure_of_a_duty_shuts_nobody_out(tmp_path: Path) -> None:
    async with hub_nats(tmp_path, limits=StreamLimits(shared=True)) as made:
        nc = made.hub
        holder = Fence(nc, OFFICE_FENCE, "a", lambda: True)
        await holder.put_up()
        with pytest.raises(OperationError) as refused:
            await Fence(nc, OFFICE_FENCE, "b", lambda: False).put_up()
        assert refused.value.code is Code.HUB_UNREACHABLE
        await publish_batch(nc, [Outgoing(DIRECTORY_DOCUMENTS, b"1", holder.headers)], batch_id="holder")
        assert [each.data for each in await stored(nc, "DIRECTORY", DIRECTORY_DOCUMENTS)] == [b"1"]


async def test_a_holder_reads_what_a_former_one_has_asked_for(tmp_path: Path) -> None:
    """The former one stands still: its question is open, and it never acknowledges."""
    async with hub_nats(tmp_path, limits=StreamLimits(shared=True)) as made:
        nc, subjects = made.hub, ["i.0.>"]
        await ensure_admission(nc, ADMISSION, subjects, anew=True)
        async with Pull(nc, INTAKE, ADMISSION, heartbeat=10.0) as former:
            await ensure_admission(nc, ADMISSION, subjects, anew=True)
            async with Pull(nc, INTAKE, ADMISSION, fresh=True) as pull:
                holder = unbroken(pull)
                sent = [b"%d" % number for number in range(6)]
                await sent_in(nc, sent)
                assert await taken(holder, len(sent)) == sent
                # It goes on, and asks once more before it knows that its duty is another's.
                await former.rearm()
                await sent_in(nc, sent)
                with pytest.raises(OperationError, match="went to another") as broken:
                    await taken(holder, len(sent))
                assert broken.value.code is Code.HUB_UNREACHABLE


async def sent_in(nc: Client, payloads: list[bytes]) -> None:
    """As an endpoint sends them, one after the other."""
    for each in payloads:
        await nc.request("i.0.s.doc.A", each, timeout=DEADLINE)


async def taken(messages: AsyncIterator[list[Msg]], count: int) -> list[bytes]:
    """So many payloads, in the order in which they come."""
    found: list[bytes] = []
    async with asyncio.timeout(DEADLINE):
        while len(found) < count:
            found += [each.data for each in await anext(messages)]
    return found

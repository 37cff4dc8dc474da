"""The standing pull over a real server: order, batches, statuses, and what the server takes away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig

from schemas.errors import Code, OperationError
from subscribers.local import LocalNats, LocalSettings
from subscribers.pull import Pull, ack
from tests.support.local_nats import DEADLINE
from tests.support.nats_server import eventually

STREAM = "WORK"


@asynccontextmanager
async def work(directory: Path) -> AsyncIterator[tuple[Client, JetStreamContext]]:
    """A stream WORK on `work.>` with a durable `me`, and the connection of its owner."""
    async with LocalNats.open(LocalSettings(directory=directory)) as local:
        nc = await local.connection()
        js = nc.jetstream(timeout=DEADLINE)
        await js.add_stream(StreamConfig(name=STREAM, subjects=["work.>"]))
        await make_durable(js)
        async with asyncio.timeout(DEADLINE):
            yield nc, js


async def make_durable(js: JetStreamContext) -> None:
    await js.add_consumer(
        STREAM,
        ConsumerConfig(
            name="me", durable_name="me", ack_policy=AckPolicy.EXPLICIT, ack_wait=30, max_ack_pending=5_000
        ),
    )


async def send(js: JetStreamContext, first: int, count: int) -> None:
    futures = [await js.publish_async("work.x", str(n).encode()) for n in range(first, first + count)]
    await asyncio.gather(*futures)


async def take(pull: Pull, count: int) -> tuple[list[int], list[int]]:
    """`count` messages, acknowledged: their numbers, and the sizes of the lists they came in."""
    numbers: list[int] = []
    sizes: list[int] = []
    async for messages in pull:
        sizes.append(len(messages))
        for message in messages:
            numbers.append(int(message.data))
            await ack(message)
        if len(numbers) >= count:
            break
    return numbers, sizes


async def settled(js: JetStreamContext) -> int:
    """How many messages are neither delivered nor acknowledged."""
    info = await js.consumer_info(STREAM, "me")
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


async def few_wait(js: JetStreamContext) -> bool:
    """Whether no more requests stand than are needed."""
    return ((await js.consumer_info(STREAM, "me")).num_waiting or 0) <= 3


async def test_everything_comes_once_in_order_in_bounded_lists(tmp_path: Path) -> None:
    async with work(tmp_path) as (nc, js):
        await send(js, 0, 3_000)
        async with Pull(nc, stream=STREAM, durable="me", batch=64) as pull:
            numbers, sizes = await take(pull, 3_000)
        await nc.flush()
        assert numbers == list(range(3_000))
        assert max(sizes) <= 96
        assert await settled(js) == 0


async def test_one_message_comes_at_once_and_lists_form_while_the_reader_works(tmp_path: Path) -> None:
    async with work(tmp_path) as (nc, js), Pull(nc, stream=STREAM, durable="me") as pull:
        reading = aiter(pull)
        first = asyncio.ensure_future(anext(reading))
        await send(js, 0, 1)
        assert [message.data for message in await first] == [b"0"]
        await send(js, 1, 100)  # while the reader is busy with the first
        await nc.flush()
        sizes: list[int] = []
        while sum(sizes) < 100:
            sizes.append(len(await anext(reading)))
        assert max(sizes) > 1


async def test_requests_that_expire_are_renewed(tmp_path: Path) -> None:
    async with work(tmp_path) as (nc, js):
        short = Pull(nc, stream=STREAM, durable="me", batch=8, heartbeat=0.1, expires=0.25)
        async with short as pull:
            reading = asyncio.create_task(take(pull, 40))
            renewed = 0
            watch = await nc.subscribe("$JS.API.CONSUMER.MSG.NEXT.WORK.me")
            while renewed < 3:
                await watch.next_msg(timeout=DEADLINE)
                renewed += 1
            await send(js, 0, 40)
            numbers, _ = await reading
            assert numbers == list(range(40))
            assert pull.trouble is None
            # What was asked for once too often, when the server was silent for a moment, expires by itself.
            await eventually(lambda: few_wait(js))


async def test_a_durable_that_is_deleted_and_made_again_is_picked_up(tmp_path: Path) -> None:
    async with work(tmp_path) as (nc, js), Pull(nc, stream=STREAM, durable="me") as pull:
        await send(js, 0, 5)
        assert (await take(pull, 5))[0] == list(range(5))
        reading = asyncio.create_task(take(pull, 7))
        await nc.flush()
        await js.delete_consumer(STREAM, "me")
        requests = await nc.subscribe("$JS.API.CONSUMER.MSG.NEXT.WORK.me")
        await requests.next_msg(timeout=DEADLINE)  # it has been told, and asks again
        assert pull.trouble is not None
        await make_durable(js)
        await send(js, 5, 2)
        assert (await reading)[0] == list(range(7))
        assert pull.trouble is None


async def test_a_stream_that_does_not_exist_is_waited_for(tmp_path: Path) -> None:
    async with work(tmp_path) as (nc, js), Pull(nc, stream="LATER", durable="me", heartbeat=0.1) as pull:
        reading = asyncio.create_task(take(pull, 1))
        requests = await nc.subscribe("$JS.API.CONSUMER.MSG.NEXT.LATER.me")
        for _ in range(2):
            await requests.next_msg(timeout=DEADLINE)
        assert pull.trouble is not None
        await js.add_stream(StreamConfig(name="LATER", subjects=["later"]))
        await js.add_consumer(
            "LATER", ConsumerConfig(name="me", durable_name="me", ack_policy=AckPolicy.EXPLICIT)
        )
        await js.publish("later", b"7")
        assert (await reading)[0] == [7]


async def test_a_rearmed_pull_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    async with work(tmp_path) as (nc, js), Pull(nc, stream=STREAM, durable="me", batch=16) as pull:
        reading = asyncio.create_task(take(pull, 200))
        for first in range(0, 200, 20):
            await send(js, first, 20)
            pull.rearm()
        assert (await reading)[0] == list(range(200))


async def test_the_end_of_the_connection_ends_the_pull(tmp_path: Path) -> None:
    async with work(tmp_path) as (nc, _):
        pull = Pull(nc, stream=STREAM, durable="me", lost=Code.NODE_UNREACHABLE)
        async with pull:
            reading = asyncio.create_task(take(pull, 1))
            await nc.flush()
            await nc.close()
            pull.rearm()
            with pytest.raises(OperationError) as caught:
                await reading
            assert caught.value.code is Code.NODE_UNREACHABLE


async def test_a_second_pull_on_the_durable_shares_it(tmp_path: Path) -> None:
    async with work(tmp_path) as (nc, js):
        left = Pull(nc, stream=STREAM, durable="me", batch=4)
        right = Pull(nc, stream=STREAM, durable="me", batch=4)
        found: list[int] = []
        done = asyncio.Event()

        async def read(pull: Pull) -> None:
            async for messages in pull:
                for message in messages:
                    found.append(int(message.data))
                    await ack(message)
                if len(found) == 300:
                    done.set()

        async with left, right:
            tasks = [asyncio.create_task(read(each)) for each in (left, right)]
            await send(js, 0, 300)
            await done.wait()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert sorted(found) == list(range(300))


async def test_a_reader_may_linger_for_more_until_it_has_enough(tmp_path: Path) -> None:
    async with work(tmp_path) as (nc, js), Pull(nc, stream=STREAM, durable="me") as pull:
        await send(js, 0, 1)
        first = await anext(aiter(pull))
        late = asyncio.create_task(pull.linger(DEADLINE, lambda message: message.data == b"3"))
        await send(js, 1, 3)
        assert [int(each.data) for each in [*first, *await late]] == [0, 1, 2, 3]
        assert await pull.linger(0.001, lambda _: True) == []

"""The loop behind the republisher: at once, at each news, in the time that is asked for, after refusals."""

import asyncio
from collections.abc import Iterator

from schemas.errors import Code, OperationError
from subscribers.telling.following import follow

DEADLINE = 45.0
LONG = 3_600.0


async def test_work_is_done_at_once_at_each_news_and_in_its_time() -> None:
    news, done = asyncio.Event(), asyncio.Queue[None]()
    pauses: Iterator[float] = iter((LONG, 0.0, 0.0, LONG))

    async def work() -> float:
        done.put_nowait(None)
        return next(pauses)

    loop = asyncio.create_task(follow(news, work, "work"))
    async with asyncio.timeout(DEADLINE):
        await done.get()
        news.set()  # nothing but this wakes it
        for _ in range(3):
            await done.get()
    loop.cancel()
    await asyncio.wait([loop])
    assert next(pauses, None) is None
    assert not news.is_set()


async def test_news_after_a_refusal_are_worked_on() -> None:
    news, done = asyncio.Event(), asyncio.Queue[None]()

    async def work() -> float:
        done.put_nowait(None)
        raise OperationError(Code.DISK_FULL, "no room", "make some")

    loop = asyncio.create_task(follow(news, work, "work"))
    async with asyncio.timeout(DEADLINE):
        await done.get()
        news.set()
        await done.get()
    loop.cancel()
    await asyncio.wait([loop])
    assert loop.cancelled()

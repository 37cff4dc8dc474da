"""A task that is told to end does end, though the answer that it waits for comes in the same moment."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

import hub.nats_client
import subscribers.nats_client

Call = Callable[[asyncio.Future[str]], Coroutine[Any, Any, str]]
SIDES = pytest.mark.parametrize("heeding", [hub.nats_client.heeding, subscribers.nats_client.heeding])


async def waited(answer: asyncio.Future[str]) -> str:
    """As nats-py waits for an answer."""
    return await asyncio.wait_for(answer, 60)


async def caught(answer: asyncio.Future[str]) -> str:
    """As nats-py flushes."""
    try:
        return await answer
    except asyncio.CancelledError:
        return "flushed"


async def made_a_failure(answer: asyncio.Future[str]) -> str:
    """As nats-py connects."""
    try:
        return await answer
    except asyncio.CancelledError:
        raise OSError from None


@SIDES
@pytest.mark.parametrize("call", [waited, caught, made_a_failure])
async def test_who_is_told_to_end_while_it_is_answered_ends(
    heeding: Callable[[Call], Call], call: Call
) -> None:
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(heeding(call)(answer))
    await asyncio.sleep(0)
    answer.set_result("the answer")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@SIDES
async def test_an_answer_and_a_failure_come_through(heeding: Callable[[Call], Call]) -> None:
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    answer.set_result("the answer")
    assert await heeding(waited)(answer) == "the answer"
    failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    failed.set_exception(ConnectionRefusedError)
    with pytest.raises(ConnectionRefusedError):
        await heeding(waited)(failed)


@SIDES
async def test_what_is_done_while_a_task_ends_is_done(heeding: Callable[[Call], Call]) -> None:
    """Closing in a `finally`: the cancellation that led there is not heard a second time."""
    closed: list[str] = []

    async def close(_: asyncio.Future[str]) -> str:
        await asyncio.sleep(0)
        return "closed"

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            closed.append(await heeding(close)(asyncio.get_running_loop().create_future()))

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed == ["closed"]

"""A bot that ends answers first what it was asked, and leaves nothing running behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiogram import Bot, Dispatcher, Router
from aiogram.types import Update

from bots.doors.telegram.underway import Underway

TOKEN = "42:" + "a" * 35
LINE = {
    "update_id": 1,
    "message": {"message_id": 1, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "/latest"},
}


async def asked(underway: Underway, answer: Callable[[], Awaitable[None]]) -> asyncio.Task[object]:
    """One update, answered by `answer` in a task, as aiogram does when it polls."""
    dispatcher, router, begun = Dispatcher(disable_fsm=True), Router(), asyncio.Event()
    dispatcher.update.outer_middleware(underway)

    async def message(_: object) -> None:
        begun.set()
        await answer()

    router.message.register(message)
    dispatcher.include_router(router)
    update = Update.model_validate(LINE)
    task: asyncio.Task[object] = asyncio.create_task(dispatcher.feed_update(Bot(TOKEN), update))
    await begun.wait()
    return task


async def test_what_is_being_answered_is_waited_for() -> None:
    underway, answer, said = Underway(), asyncio.Event(), list[str]()

    async def slow() -> None:
        await answer.wait()
        said.append("here it is")

    task = await asked(underway, slow)
    end = asyncio.create_task(underway.finish())
    answer.set()
    await end
    assert task.done()
    assert said == ["here it is"]


async def test_what_takes_too_long_is_cancelled_and_gone() -> None:
    underway = Underway()
    task = await asked(underway, asyncio.Event().wait)  # type: ignore[arg-type]
    await underway.finish(grace=0)
    assert task.cancelled()
    await underway.finish()  # nothing is left to wait for

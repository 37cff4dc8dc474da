"""Updates that are being answered: none is left to itself when the bot ends.

aiogram answers each update in a task of its own and forgets those tasks when it stops polling. What went on
after the end would find the database closed, and open a connection that nobody closes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiogram import BaseMiddleware
from aiogram.types import TelegramObject

GRACE_SECONDS: Final = 5.0


class Underway(BaseMiddleware):
    """Outermost around every update."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> object:
        """Answer, and be known meanwhile."""
        if task := asyncio.current_task():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await handler(event, data)

    async def finish(self, grace: float = GRACE_SECONDS) -> None:
        """Wait until everything is answered, for `grace` seconds; what takes longer is cancelled."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks.copy(), timeout=grace)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

"""The loop of those who work behind the republisher: do what is due, wait for news or for the time when more
may be.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from schemas.errors import LiaisonError
from subscribers.telling.due import PAUSE

log = structlog.get_logger(__name__)


async def follow(news: asyncio.Event, work: Callable[[], Awaitable[float]], name: str) -> None:
    """Run `work` now, whenever `news` is set, and after the seconds that it gives back; until cancelled.
    Where it is refused it runs again a little later; `name` tells in the log whose work waits.
    """
    while True:
        news.clear()
        try:
            pause = await work()
        except LiaisonError as error:
            log.warning("work waits", work=name, code=str(error.code), reason=error.message)
            pause = PAUSE
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await news.wait()

"""Work that goes on while a block is entered."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog

_log = structlog.get_logger(__name__)

_CANCELS: Final = 4
_CANCEL_SECONDS: Final = 1.0


@asynccontextmanager
async def background(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run these while the block is entered; the first error of one of them ends the block and is raised."""
    owner = asyncio.current_task()
    errors: list[BaseException] = []

    def over(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            errors.append(error)
            if owner is not None:
                owner.cancel()

    tasks = [asyncio.create_task(each) for each in work]
    for task in tasks:
        task.add_done_callback(over)
    try:
        yield
    except asyncio.CancelledError:
        if not errors:
            raise
        if owner is not None:
            owner.uncancel()
        raise errors[0] from None
    finally:
        await end(tasks)


async def end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel until they have ended: Python 3.11's `wait_for` loses a cancellation that comes with its answer.
    What is lost more often than that is left to the end of the loop, so that a hub always stops.
    """
    for _ in range(_CANCELS):
        for task in tasks:
            task.cancel()
        _, pending = await asyncio.wait(tasks, timeout=_CANCEL_SECONDS)
        if not pending:
            return
    _log.warning("tasks did not end when told")

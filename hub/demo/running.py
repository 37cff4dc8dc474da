"""Until told to stop: SIGINT and SIGTERM cancel the work, which then ends its processes in order."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from schemas.errors import Code, OperationError

T = TypeVar("T")


async def interruptible(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`. OperationError `internal` when a signal ended it first; its clean-up has then
    run.
    """
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise OperationError(Code.INTERNAL, "interrupted", "everything was stopped and removed") from None
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

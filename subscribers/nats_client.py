"""nats-py's client, in whose calls a task that is told to end does end, and which goes on reading after a
header that nobody can read.

Under Python 3.11 `asyncio.wait_for` gives an answer that came in the moment of the cancellation, and the
cancellation is forgotten; nats-py waits so, and in places catches it outright. The task would go on for ever
then, and so would the process that waits for it. There is a twin on the hub's side.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from nats.aio import client

P = ParamSpec("P")
T = TypeVar("T")


def heeding(call: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """The same call, which ends with CancelledError if its task was told to end meanwhile, whatever came of
    it.
    """

    @functools.wraps(call)
    async def heard(*args: P.args, **options: P.kwargs) -> T:
        task = asyncio.current_task()
        asked = task.cancelling() if task else 0
        try:
            answer = await call(*args, **options)
        except Exception:
            if task and task.cancelling() > asked:
                raise asyncio.CancelledError from None
            raise
        if task and task.cancelling() > asked:
            raise asyncio.CancelledError
        return answer

    return heard


class Client(client.Client):
    """nats-py's."""

    connect = heeding(client.Client.connect)
    close = heeding(client.Client.close)
    flush = heeding(client.Client.flush)
    publish = heeding(client.Client.publish)
    request = heeding(client.Client.request)
    subscribe = heeding(client.Client.subscribe)

    async def _process_headers(self, headers: bytes) -> dict[str, str] | None:
        # nats-py stops reading for good at a status line that is not UTF-8: one request of a client with such
        # a header would silence the node for everybody, until its pings go unanswered.
        try:
            return await super()._process_headers(headers)
        except (ValueError, IndexError):
            return None

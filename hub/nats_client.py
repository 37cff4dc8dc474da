"""nats-py's client, in whose calls a task that is told to end does end.

Under Python 3.11 `asyncio.wait_for` gives an answer that came in the moment of the cancellation, and the
cancellation is forgotten; nats-py waits so, and in places catches it outright. The task would go on for ever
then, and so would the process that waits for it. There is a twin on the agency's side.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine, Iterable
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


@heeding
async def publish_all(nc: client.Client, messages: Iterable[tuple[str, bytes, dict[str, str]]]) -> None:
    """Publish a subject, a payload and headers each. To heed costs half of what publishing does, and is done
    once for all of them here.
    """
    publish = client.Client.publish
    for subject, payload, headers in messages:
        await publish(nc, subject, payload, headers=headers)

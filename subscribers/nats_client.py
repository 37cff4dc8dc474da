"""nats-py's client, in whose calls a task that is told to end does end, which always tells that it has
closed, and which goes on reading after a header that nobody can read.

Under Python 3.11 `asyncio.wait_for` gives an answer that came in the moment of the cancellation, and the
cancellation is forgotten; nats-py waits so, and in places catches it outright. The task would go on for ever
then, and so would the process that waits for it. There is a twin on the hub's side.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, ParamSpec, TypeVar

from nats.aio import client

_CLOSE_SECONDS: Final = 2.0
"""Within which a server has to take what is still to be sent to it."""

_GONE: Final = (OSError, RuntimeError, AttributeError)
"""What it is to write to a socket that is closed: asyncio's own, uvloop's, and asyncio's with TLS."""

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

    async def _process_op_err(self, e: Exception) -> None:
        # What is on its way to a server that does not answer would be waited for until the network gives up.
        if not (self.is_closed or self.is_reconnecting):
            self._give_up()
        await super()._process_op_err(e)

    async def _close(self, status: int, do_cbs: bool = True) -> None:
        # What was still to be sent to a server that is gone ends nats-py's closing before it has told anybody
        # of it. Without that, to close again comes to the end.
        patience = asyncio.get_running_loop().call_later(_CLOSE_SECONDS, self._give_up)
        try:
            await super()._close(status, do_cbs)
        except _GONE:
            self._pending, self._pending_data_size = [], 0
            self._status = Client.DISCONNECTED
            await super()._close(status, do_cbs)
        finally:
            patience.cancel()
        # Nobody sends any more what others still wait for to be sent.
        while self._flush_queue and not self._flush_queue.empty():
            waiting = self._flush_queue.get_nowait()
            if not waiting.done():
                waiting.set_result(None)

    async def _process_pong(self) -> None:
        # nats-py stops reading for good at the answer to a flush that was given up: somebody else takes it.
        if self._pongs and self._pongs[0].done():
            self._pongs[0] = asyncio.get_running_loop().create_future()
        await super()._process_pong()

    def _give_up(self) -> None:
        if writer := getattr(self._transport, "_io_writer", None):
            writer.transport.abort()

    async def _process_headers(self, headers: bytes) -> dict[str, str] | None:
        # nats-py stops reading for good at a status line that is not UTF-8: one request of a client with such
        # a header would silence the node for everybody, until its pings go unanswered.
        try:
            return await super()._process_headers(headers)
        except (ValueError, IndexError):
            return None

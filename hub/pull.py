"""A standing pull on a durable: messages are handed over as they arrive, alone or in lists, without a timer
in the path.

`Msg` fetches of nats-py wait for a batch to fill or for time to pass. Here the server always holds an open
request, asked again before it runs dry, so that one message comes at once, and whatever came while the last
list was worked on comes as one list. Only lost requests need a clock: the server sends heartbeats on a
request that waits, and their absence asks again.

The same shape serves a hub in its own account and an endpoint through its imports: all it needs is to publish
to `$JS.API.CONSUMER.MSG.NEXT.<stream>.<durable>` and to subscribe to its own inbox (JetStream's pull
protocol, ADR-13, ADR-37).
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Final, Self

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from schemas.errors import Code, OperationError

_NANOSECONDS: Final = 1_000_000_000
_HEARTBEAT: Final = "100"
_EXPIRED: Final = frozenset({"404", "408"})
"""Ends of a request that are part of the work; every other status is trouble."""
NOBODY: Final = "503"
"""What is reported begins so where nobody answers for the durable: no server leads it, or it is gone."""
_MEET_TRIES: Final = 100
_MEET_SECONDS: Final = 0.05


class Pull:
    """Messages of one durable, as lists in stream order, never empty and at most `batch` long.

    Use as `async with Pull(nc, stream, durable) as pull: async for messages in pull: ...`. At most `batch`
    messages are on their way or waiting here, so that a slow reader is not overrun; the durable's
    `max_ack_pending` should be twice that. Acknowledging is the reader's business. `expires` and `heartbeat`
    are seconds; `expires` stays well below the two minutes after which the server forgets a question that
    came from another account. `report` hears of trouble that is being retried (a deleted durable, a server
    without JetStream); without `patient` it is raised, as OperationError HUB_UNREACHABLE: a consumer in
    memory goes with its server and never comes back. Before it is first heard of, it and a durable that is
    `fresh` are asked again at once, for five seconds: the servers of a cluster tell each other of a new
    consumer after one of them said it is there.
    Ends with `nats.errors.ConnectionClosedError` when the connection is closed for good.
    """

    def __init__(  # noqa: PLR0913 - one connection, one durable, and how it is asked
        self,
        nc: Client,
        stream: str,
        durable: str,
        *,
        batch: int = 512,
        expires: float = 30.0,
        heartbeat: float = 2.0,
        report: Callable[[str], None] | None = None,
        patient: bool = True,
        fresh: bool = False,
    ) -> None:
        self._nc = nc
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._inbox = nc.new_inbox()
        self._batch = batch
        self._expires = round(expires * _NANOSECONDS)
        self._heartbeat = heartbeat
        self._report = report
        self._patient = patient
        self._tries = _MEET_TRIES if fresh or not patient else 0
        self._trouble = ""
        self._asked = 0
        self._heard = True
        self._ready: list[Msg] = []
        self._wake = asyncio.Event()
        self._subscription: Subscription | None = None
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._subscription = await self._nc.subscribe(self._inbox, cb=self._arrived)
        await self._top_up()
        self._watch = asyncio.create_task(self._keep_asking(), name="pull")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watch:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        if self._subscription:
            with contextlib.suppress(nats.errors.Error):
                await self._subscription.unsubscribe()

    def __aiter__(self) -> AsyncIterator[list[Msg]]:
        return self

    async def __anext__(self) -> list[Msg]:
        while not self._ready:
            if self._nc.is_closed:
                raise nats.errors.ConnectionClosedError
            if self._trouble and not self._patient:
                raise OperationError(
                    Code.HUB_UNREACHABLE,
                    f"what was being read is gone: {self._trouble}",
                    "it is read again from the beginning",
                )
            self._wake.clear()
            await self._wake.wait()
        taken, self._ready = self._ready, []
        await self._top_up()
        return taken

    async def rearm(self) -> None:
        """Ask again at once, as after a reconnection, which makes the server forget what was asked."""
        self._asked = 0
        await self._top_up()

    async def _arrived(self, message: Msg) -> None:
        self._heard = True
        # A message keeps its own subject, the server's word about a request has the inbox's: a sender's
        # header that looks like a status is none.
        status = (message.headers or {}).get("Status") if message.subject == self._inbox else None
        if status == NOBODY and self._tries:
            await self._meet()
            return
        self._tries = 0
        if status is None:
            self._asked -= 1
            self._ready.append(message)
            self._wake.set()
        elif status != _HEARTBEAT:
            await self._ended(status, message)
            return
        await self._top_up()

    async def _meet(self) -> None:
        """Nobody has answered yet: ask once more."""
        self._tries -= 1
        await asyncio.sleep(_MEET_SECONDS)
        await self.rearm()

    async def _ended(self, status: str, message: Msg) -> None:
        """One request is over: what it had left will not come. Trouble is asked about again by the watch,
        later.
        """
        headers = message.headers or {}
        self._asked -= int(headers.get("Nats-Pending-Messages", self._asked))
        if status in _EXPIRED:
            await self._top_up()
            return
        self._trouble = f"{status} {headers.get('Description', 'no responders')}"
        self._wake.set()
        if self._report:
            self._report(self._trouble)

    async def _top_up(self) -> None:
        self._asked = max(self._asked, 0)
        want = self._batch - self._asked - len(self._ready)
        if want * 2 < self._batch or self._nc.is_closed:
            return
        self._asked += want
        request = {
            "batch": want,
            "expires": self._expires,
            "idle_heartbeat": round(self._heartbeat * _NANOSECONDS),
        }
        await self._nc.publish(self._next, json.dumps(request).encode(), reply=self._inbox)

    async def _keep_asking(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat * 2)
            if self._nc.is_closed:
                self._wake.set()
                return
            if not self._heard or not self._asked:
                with contextlib.suppress(nats.errors.Error):
                    await self.rearm()
            self._heard = False

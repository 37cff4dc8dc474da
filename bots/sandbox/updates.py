"""The queue of updates of one bot, and the one reader that it may have (bots/api#getting-updates)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from bots.sandbox.model import Json
from bots.sandbox.refusals import refuse

KEEP_SECONDS = 24 * 3600  # "Incoming updates are stored on the server ... not longer than 24 hours"
MAX_PENDING = 100_000
MAX_BATCH = 100
MAX_TIMEOUT = 50.0
DEFAULT_TYPES = frozenset({"message", "edited_message", "callback_query", "my_chat_member", "inline_query"})


@dataclass(frozen=True, slots=True)
class _Update:
    id: int
    kind: str
    at: float
    wire: Json


class UpdateQueue:
    """Updates in order, kept until a higher offset confirms them."""

    def __init__(self, clock: Callable[[], float], first_id: int) -> None:
        self._clock = clock
        self._next_id = first_id
        self._pending: deque[_Update] = deque(maxlen=MAX_PENDING)
        self._new = asyncio.Event()
        self._poll: asyncio.Future[None] | None = None
        self.allowed: frozenset[str] = DEFAULT_TYPES

    def __len__(self) -> int:
        self._forget_old()
        return len(self._pending)

    def add(self, kind: str, content: Json) -> int | None:
        """Append an update of the given kind; its id, or None when the bot did not ask for that kind."""
        if kind not in self.allowed:
            return None
        update_id, self._next_id = self._next_id, self._next_id + 1
        self._pending.append(_Update(update_id, kind, self._clock(), {"update_id": update_id, kind: content}))
        self._new.set()
        return update_id

    def clear(self) -> None:
        """Drop what is pending (`drop_pending_updates`)."""
        self._pending.clear()

    def confirm(self, offset: int) -> None:
        """Forget every update below `offset`; a negative offset keeps only the last `-offset` ones."""
        if offset < 0:
            while len(self._pending) > -offset:
                self._pending.popleft()
        while self._pending and self._pending[0].id < offset:
            self._pending.popleft()

    def peek(self, limit: int = 1) -> list[Json]:
        """The first `limit` pending updates."""
        self._forget_old()
        return [self._pending[i].wire for i in range(min(limit, len(self._pending)))]

    async def wait(self, timeout: float | None = None) -> None:
        """Until an update is pending, or `timeout` seconds have gone."""
        self._new.clear()
        if self._pending:
            return
        try:
            async with asyncio.timeout(timeout):
                await self._new.wait()
        except TimeoutError:
            return

    async def poll(self, offset: int, limit: int, timeout: float) -> list[Json]:
        """getUpdates: returns at once when something is pending, else waits for it (seconds, at most 50).

        A second poll ends the first, which is refused with 409, as two bots on one token would be.
        """
        self.end_poll()
        self.confirm(offset)
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._poll = mine
        try:
            if not self._pending and timeout > 0:
                waiter = asyncio.ensure_future(self.wait(min(timeout, MAX_TIMEOUT)))
                try:
                    await asyncio.wait({waiter, mine}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    waiter.cancel()
            if mine.done():
                raise refuse("poll-terminated")
            return self.peek(min(max(limit, 1), MAX_BATCH))
        finally:
            if self._poll is mine:
                self._poll = None

    def end_poll(self) -> None:
        """End a waiting poll with 409: another poll or a webhook takes over."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    def _forget_old(self) -> None:
        horizon = self._clock() - KEEP_SECONDS
        while self._pending and self._pending[0].at < horizon:
            self._pending.popleft()

"""The stream of changes that the page and the test client follow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from bots.sandbox.model import Json

KEEP_EVENTS = 50_000


class EventLog:
    """Changes numbered from 1; readers follow from any number that is still kept, each at its own pace."""

    def __init__(self) -> None:
        self._kept: deque[Json] = deque(maxlen=KEEP_EVENTS)
        self._new = asyncio.Event()
        self._closed = False
        self.last = 0

    def add(self, kind: str, bot_id: int, data: Json) -> None:
        """Append a change of one bot's world and wake the readers."""
        self.last += 1
        self._kept.append({"seq": self.last, "type": kind, "bot": bot_id, "data": data})
        self._new.set()

    def close(self) -> None:
        """End all readers."""
        self._closed = True
        self._new.set()

    def since(self, seq: int) -> list[Json] | None:
        """Changes after number `seq`; None when some of them are forgotten (read the state again)."""
        if seq > self.last or (self._kept and self._kept[0]["seq"] > seq + 1):
            return None
        behind = self.last - seq
        return [self._kept[i] for i in range(len(self._kept) - behind, len(self._kept))]

    async def follow(self, seq: int, idle: float) -> AsyncIterator[list[Json] | None]:
        """Batches of changes after `seq`; an empty one after `idle` quiet seconds, None when some are
        forgotten.
        """
        while not self._closed:
            batch = self.since(seq)
            if batch is None:
                yield None
                return
            if batch:
                seq = batch[-1]["seq"]
                yield batch
                continue
            self._new.clear()
            try:
                async with asyncio.timeout(idle):
                    await self._new.wait()
            except TimeoutError:
                yield []

"""What is left to do when somebody was shut out: their messages are taken back, newest first.

Within 48 hours the service lets a bot delete its message; an older one is rewritten. Whoever shuts out may be
another process, so the database is looked at every few seconds, and at once when this process did it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from bots.clock import Clock
from bots.officers.limit import Limit
from bots.outcomes import ChatFailure, NotSent, TooFast, Unsure
from bots.ports import Chat
from bots.showing.render import Reader, gravestone
from bots.state import State, jobs
from bots.state.partings import Partings
from bots.state.staff import Farewell
from bots.telling.aftermath import DELETE_WITHIN
from bots.telling.pacing import Pacer

LOOK_SECONDS: Final = 5.0
_PRUNE_SECONDS: Final = 3_600.0
_BATCH: Final = 32
_PAUSE: Final = 5.0

_log = structlog.get_logger()


class Janitor:
    """Takes back what was sent, takes up a ceiling that another process changed, lets old audit go. `run`
    until cancelled.
    """

    def __init__(
        self,
        state: State,
        chat: Chat,
        pacer: Pacer,
        clock: Clock,
        limit: Limit,
        audit_seconds: float,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        """`told` is called when there is something to deliver."""
        self._state = state
        self._partings = Partings(state.store)
        self._told = told
        self._chat = chat
        self._pacer = pacer
        self._clock = clock
        self._limit = limit
        self._audit_seconds = audit_seconds
        self._pruned = float("-inf")
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There is something to take back."""
        self._woken.set()

    async def run(self) -> None:
        """Look, do, rest."""
        while True:
            self._woken.clear()
            await self._limit.refresh()
            await self._prune()
            while found := await self._state.staff.farewells(_BATCH):
                for each in found:
                    await self._take_back(each)
            await self._tell()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._woken.wait()

    async def _prune(self) -> None:
        now = self._clock.now()
        if now - self._pruned >= _PRUNE_SECONDS:
            self._pruned = now
            await self._state.audit.prune(now - self._audit_seconds)

    async def _tell(self) -> None:
        """Whoever shut somebody out hears when all is taken back."""
        for each in await self._partings.done():
            await self._state.outbox.add([jobs.parted(each)], self._clock.now())
            await self._partings.end(each.chat)
            self._told()

    async def _take_back(self, each: Farewell) -> None:
        while wait := self._pacer.wait(each.chat, self._clock.now()):
            await self._clock.sleep(wait)
        now = self._clock.now()
        self._pacer.take(each.chat, now)
        try:
            if now - each.sent < DELETE_WITHIN:
                await self._chat.delete(each.chat, each.message)
            else:
                grave = gravestone(None, Reader(each.language, ZoneInfo("UTC")), why="expired")
                await self._chat.edit(each.chat, each.message, grave.parts[0], rows=())
        except TooFast as failure:
            self._pacer.hold(each.chat, now + failure.retry_after)
            return
        except (NotSent, Unsure):
            await self._clock.sleep(_PAUSE)
            return
        except ChatFailure as failure:
            # A chat that shut the bot out keeps what it has; the service lets nobody reach into it.
            await self._partings.missed(each.chat)
            _log.warning("a message could not be taken back", outcome=type(failure).__name__)
        await self._state.staff.taken_back(each)

"""What is left to do when somebody was shut out: all that is in their chat is taken back, newest first.

Within 48 hours the service lets a bot delete a message, whoever wrote it, many by one request; older ones of
the bot are rewritten one by one, those that show bulletins first. Whoever shuts out may be another process,
so the database is looked at every few seconds, and at once when this process did it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from bots.clock import Clock
from bots.officers.limit import Limit
from bots.outcomes import ChatFailure, NotSent, Refused, TooFast, Unsure
from bots.ports import Chat
from bots.showing.render import Reader, gravestone
from bots.state import State, jobs
from bots.state.partings import Partings
from bots.state.staff import Farewell
from bots.telling.aftermath import DELETE_AT_ONCE, DELETE_WITHIN
from bots.telling.pacing import Pacer

LOOK_SECONDS: Final = 5.0
_PRUNE_SECONDS: Final = 3_600.0
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
            while found := await self._next():
                await self._take_back(found)
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

    async def _next(self) -> Sequence[Farewell]:
        """What one request can take back."""
        young = self._clock.now() - DELETE_WITHIN
        staff = self._state.staff
        return await staff.farewells_since(young, DELETE_AT_ONCE) or await staff.farewells(1)

    async def _take_back(self, found: Sequence[Farewell]) -> None:
        """Messages of one chat, together; where that is refused one by one, so that each is counted."""
        chat = found[0].chat
        while wait := self._pacer.wait(chat, self._clock.now()):
            await self._clock.sleep(wait)
        now = self._clock.now()
        self._pacer.take(chat, now)
        try:
            await self._ask(found, now)
        except TooFast as failure:
            self._pacer.hold(chat, now + failure.retry_after)
            return
        except (NotSent, Unsure):
            await self._clock.sleep(_PAUSE)
            return
        except ChatFailure as failure:
            if isinstance(failure, Refused) and len(found) > 1:
                for each in found:
                    await self._take_back([each])
                return
            # A chat that shut the bot out keeps what it has; the service lets nobody reach into it.
            await self._partings.missed(chat, len(found))
            _log.warning(
                "messages could not be taken back", number=len(found), outcome=type(failure).__name__
            )
        await self._state.staff.taken_back(found)

    async def _ask(self, found: Sequence[Farewell], now: float) -> None:
        """Delete what is young; rewrite a single message that is not, or that the service takes for old."""
        first = found[0]
        if now - first.sent < DELETE_WITHIN or first.theirs:
            try:
                await self._chat.delete_all(first.chat, [each.message for each in found])
            except Refused:
                if len(found) > 1 or first.theirs:
                    raise
            else:
                return
        grave = gravestone(None, Reader(first.language, ZoneInfo("UTC")), why="expired")
        await self._chat.edit(first.chat, first.message, grave.parts[0], rows=())

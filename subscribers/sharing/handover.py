"""Passing old keys on to a member that asks: the other side of `subscribers.sharing.history`. FORMAT.md,
"History".

What is asked is kept in the transaction that read it, answered afterwards, and noted: which epochs' keys were
passed on to whom, and when. The originator's flag decides; nobody else is asked.
"""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

import structlog
from nats.errors import Error as NatsError

from schemas.errors import LiaisonError, TrustError
from schemas.history import Handover
from schemas.subjects import handover_submission
from schemas.wraps import Wrap
from subscribers.exchange.hub_link import HubLink
from subscribers.exchange.traffic_feed import TrafficFeed
from subscribers.sharing.asked import accept_request, forget, passed_on
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store

log = structlog.get_logger(__name__)

_AGAIN: Final = 3_600_000
"""Milliseconds in which one epoch's key is passed on to one reader no more than once: asking costs less than
answering.
"""
_PAUSE: Final = 5.0


class Given(NamedTuple):
    """Old keys that were passed on: how many to which agency in which community, and when last."""

    community: str
    agency: str
    epochs: int
    at: int


class Handovers:
    """Answers requests until cancelled. `clock` gives Unix milliseconds."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        link: HubLink,
        feed: TrafficFeed,
        endpoint: str,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._link = link
        self._feed = feed
        self._endpoint = endpoint
        self._clock = clock

    async def run(self) -> None:
        """Answer what is asked, in the order in which it came."""
        while True:
            await self._link.caught_up.wait()
            self._feed.asked.clear()
            try:
                await self.tick()
            except (LiaisonError, NatsError, TimeoutError) as trouble:
                log.warning("history not passed on", reason=str(getattr(trouble, "code", "timeout")))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PAUSE):
                    await self._feed.asked.wait()

    async def tick(self) -> None:
        """Everything that waits, unless who may read is not vouched for."""
        if self._clock() >= self._ledger.sealing_until():
            return
        for number, request in await self._store.query("SELECT number, request FROM asked ORDER BY number"):
            await self._answer(request)
            await self._store.transact(partial(forget, number=number))

    async def given(self) -> list[Given]:
        """What was passed on, latest first."""
        sql = """SELECT community, agency, count(*), max(at) FROM handed WHERE code = 'admitted'
            GROUP BY community, agency ORDER BY max(at) DESC"""
        return [Given(*row) for row in await self._store.query(sql)]

    async def _answer(self, data: bytes) -> None:
        now, ledger = self._clock(), self._ledger
        try:
            # Judged again: who asked may have left since.
            signed = accept_request(data, ledger.known(), ledger.changes().announced(), self._endpoint, now)
            reader = ledger.known().endpoints[signed.request.endpoint]
            wraps = await asyncio.to_thread(passed_on, signed, reader, ledger)
        except (TrustError, KeyError) as gone:
            log.info("history not passed on", code=str(getattr(gone, "code", "gone")))
            return
        fresh = [each for each in wraps if not await self._is_repeat(each, now)]
        if not fresh:
            return
        request = signed.request
        handover = Handover(request.com, request.publisher, fresh[0].kid, tuple(fresh))
        code = await self._link.submit(handover_submission(self._endpoint), handover.to_bytes())
        done = [(each.announcement, each.kid, now, reader.agency, request.com, code) for each in fresh]
        sql = "INSERT OR REPLACE INTO handed VALUES (?, ?, ?, ?, ?, ?)"
        await self._store.transact(lambda connection: connection.executemany(sql, done).fetchall())
        log.info("history passed on", agency=reader.agency, epochs=len(fresh), code=code)

    async def _is_repeat(self, each: Wrap, now: int) -> bool:
        sql = "SELECT 1 FROM handed WHERE announcement = ? AND kid = ? AND at > ?"
        return bool(await self._store.query(sql, (each.announcement, each.kid, now - _AGAIN)))

"""Publishes heads of the directory: offers each to the witnesses, passes it on when their quorum is there."""

import asyncio
import contextlib
from typing import Final

import structlog

from hub.checkpoints import Offer, accept, wait
from hub.office import TROUBLE, Office
from schemas.checkpoint import parse_note
from schemas.limits import CLOCK_SKEW_MAX
from schemas.signing import Signer
from schemas.subjects import DIRECTORY_HEAD, DIRECTORY_OFFER

_log = structlog.get_logger(__name__)

HEAD_TTL: Final = "720h"
"""Heads go after 30 days: the newest is published again long before that."""
OFFER_TTL: Final = "1h"
_PAUSE_SECONDS: Final = 1.0


class Heads:
    """One offer at a time. `run` until cancelled; `cosigned` is what the router calls meanwhile."""

    def __init__(self, office: Office, signer: Signer) -> None:
        self._office = office
        self._signer = signer
        self._offer: Offer | None = None
        self._news = asyncio.Event()
        office.grown.append(self._news.set)

    async def run(self) -> None:
        """Offer when the directory has grown and when it is time, publish what is complete."""
        clock, since = asyncio.get_running_loop().time, 0.0
        while True:
            self._news.clear()
            try:
                if self._left(clock() - since) <= 0:
                    await self._make_offer()
                    since = clock()
                await self._publish()
            except TROUBLE as trouble:
                _log.warning("head not published", reason=str(trouble))
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(self._left(clock() - since), 0)):
                    await self._news.wait()

    def cosigned(self, data: bytes) -> None:
        """Take in what a witness handed in. Call inside `Office.writing`. Raises FormatError, TrustError."""
        office = self._office
        latest = office.clock() + CLOCK_SKEW_MAX
        self._offer = accept(self._offer, parse_note(data), office.directory, office.fingerprint, latest)
        self._news.set()

    def facts(self) -> dict[str, object]:
        """For `status`: the head that is offered, who has cosigned it, and how many must."""
        offer = self._offer
        if offer is None:
            return {"size": 0, "cosigned": [], "quorum": self._office.directory.root.quorum}
        return {"size": offer.head.size, "cosigned": sorted(offer.cosigned), "quorum": offer.root.quorum}

    def _left(self, age: float) -> float:
        return wait(self._offer, self._office.directory.head.size, age) if self._offer else 0.0

    async def _make_offer(self) -> None:
        async with self._office.writing() as state:
            offer = Offer.of(state.directory, self._office.fingerprint, self._signer)
            if offer.root.witnesses:
                await self._office.tell(DIRECTORY_OFFER, offer.note.to_bytes(), OFFER_TTL)
            self._offer = offer

    async def _publish(self) -> None:
        async with self._office.writing() as state:
            # Under another root it would be judged by other witnesses: the next offer is on its way.
            if self._offer and self._offer.root == state.directory.root and (note := self._offer.due):
                await self._office.tell(DIRECTORY_HEAD, note.to_bytes(), HEAD_TTL)
                self._offer = self._offer.published()
                _log.info("head published", size=self._offer.head.size, cosigned=len(self._offer.cosigned))

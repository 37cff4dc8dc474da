"""Purges the archive of what is past its time, by the agency's own rules, once an hour."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

import structlog

from schemas.errors import LiaisonError
from subscribers.core import Core
from subscribers.settings import RetentionRule
from subscribers.storage.retention import purge

_PAUSE_SECONDS: Final = 3600.0

log = structlog.get_logger(__name__)


class Purger:
    """Does nothing where there are no rules."""

    def __init__(self, core: Core, rules: Sequence[RetentionRule]) -> None:
        self._core = core
        self._rules = rules

    async def run(self) -> None:
        """Until cancelled. What fails is tried again an hour later."""
        while self._rules:
            try:
                await self.look()
            except LiaisonError as error:
                log.warning("nothing purged", code=str(error.code))
            await asyncio.sleep(_PAUSE_SECONDS)

    async def look(self) -> int:
        """Purge everything that is due now; how many bulletins."""
        total = 0
        while count := await self._core.store.transact(
            partial(purge, rules=self._rules, now=self._core.clock())
        ):
            total += count
        if total:
            log.info("past retention", purged=total)
        return total

"""Tells the agency's clients of each alarm when it is new, on `alarm.<name>`, and describes alarms to people.

At most once each: who was not there asks `node.alarms`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from schemas.encoding import instant
from schemas.errors import LiaisonError
from subscribers.api import AlarmEntry
from subscribers.judging.alarm_texts import TEXTS
from subscribers.judging.alarms import Raised, listed, newest
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store

_AT_ONCE: Final = 100
_PAUSE: Final = 0.05
"""Seconds. Every commit may have raised one: it is looked when what the commit was for is under way, and once
for all that come in a stream.
"""

log = structlog.get_logger(__name__)


class Herald:
    """Announces what is raised from now on."""

    def __init__(
        self, store: Store, ledger: Ledger, announce: Callable[[str, bytes], Awaitable[None]]
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._announce = announce

    async def run(self) -> None:
        """Until cancelled."""
        last = await newest(self._store)
        while True:
            await self._ledger.alarmed.wait()
            await asyncio.sleep(_PAUSE)
            self._ledger.alarmed.clear()
            for each in reversed(await listed(self._store, _AT_ONCE, past=True, after=last)):
                last = each.number
                log.warning("alarm", alarm=str(each.key.name), community=each.key.community)
                data = told(each, self._ledger).model_dump_json(exclude_none=True).encode()
                try:
                    await self._announce(f"alarm.{each.key.name}", data)
                except LiaisonError as error:
                    log.warning("alarm not announced", code=str(error.code))


def told(alarm: Raised, ledger: Ledger) -> AlarmEntry:
    """An alarm with the names that people know."""
    name, community, publisher = alarm.key
    directory, card = ledger.directory, ledger.cards.get(community)
    keys = directory.endpoints.get(publisher) if directory else None
    what, do = TEXTS[name]
    return AlarmEntry(
        number=alarm.number,
        name=name,
        first=instant(alarm.first),
        last=instant(alarm.last),
        times=alarm.times,
        what=what,
        do=do,
        detail=alarm.detail,
        community=community or None,
        community_slug=card.slug if card else None,
        agency=keys.agency if keys else None,
        frame=alarm.frame or None,
        acked=None if alarm.acked is None else instant(alarm.acked),
        ended=None if alarm.ended is None else instant(alarm.ended),
    )

"""What follows from a change in the directory: its notice is published on the agency's own NATS, and a card
is sealed again when somebody joins who could not read the last one.
"""

import asyncio
import contextlib
from functools import partial
from typing import Final

import structlog
from nats.errors import Error

from schemas.card import Card, parse_card
from schemas.encoding import canonical_json
from schemas.errors import LiaisonError
from subscribers.core import Core
from subscribers.directory import notices
from subscribers.local import LocalNats
from subscribers.local.accounts import notice_subject

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 100
_PAUSE: Final = 1.0
_LONGEST: Final = 5.0
"""Seconds between two looks at the clock: a card is due by the node's clock, not by a sleep."""


class Notifier:
    """Runs beside the feeds."""

    def __init__(self, core: Core, local: LocalNats) -> None:
        self._core = core
        self._local = local
        self._cards = Cards(core)
        self._told = 0

    async def run(self) -> None:
        """Until cancelled. Notices are told live from now on; those from before are in their history."""
        self._told = await notices.last_number(self._core.store)
        grown = self._core.ledger.grown
        while True:
            grown.clear()
            try:
                await self._tell()
                wait = await self._cards.seal()
            except (LiaisonError, Error) as error:
                log.warning("notices wait", reason=type(error).__name__)
                wait = _PAUSE
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await grown.wait()

    async def _tell(self) -> None:
        ledger = self._core.ledger
        while ledger.directory and (
            found := await notices.read(
                self._core.store, ledger.directory, ledger.cards, self._told, _AT_ONCE
            )
        ):
            nc = await self._local.connection()
            for each in found:
                data = canonical_json(each.model_dump(mode="json", exclude_none=True))
                await nc.publish(notice_subject(each.slug), data)
                self._told = each.number
            await nc.flush()


class Cards:
    """Seals the cards of communities when they are due."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def seal(self) -> float:
        """Seal those that are due; the seconds until this is looked at again."""
        core = self._core
        for community, at in await core.store.query("SELECT community, at FROM cards_due ORDER BY at"):
            if at > core.clock():
                return float(min(_LONGEST, (at - core.clock()) / 1000))
            done = partial(notices.sealed, community=community, at=at)
            if card := await self._card(community):
                core.check_voice()
                realm = core.ledger.known().communities[community].community.realm
                await core.publish_card(community, realm, card, done)
            else:
                await core.store.transact(done)
        return _LONGEST

    async def _card(self, community: str) -> Card | None:
        """As it was sealed: another owner may have given it, under a short name that is taken here. None
        without one, or where this agency may not write.
        """
        core = self._core
        log = core.ledger.known().communities[community]
        if log.role(core.keys.profile.id, core.clock()) != "member":
            return None
        rows = await core.store.query("SELECT card FROM founded WHERE community = ?", (community,))
        return parse_card(rows[0][0]) if rows else core.ledger.sealed.get(community)

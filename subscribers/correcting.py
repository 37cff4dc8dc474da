"""Amends this agency's digests when something that they list was amended or retracted, once for each change.

What is due is read from the archive, so nothing is forgotten over a restart; the amendment is journaled in
the transaction that ticks the changes off. Changes that come together are corrected together.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

import apsw
import structlog

from schemas.bulletin import Bulletin
from schemas.errors import Code, LiaisonError, OperationError
from schemas.vocabulary import Relation
from subscribers.core import DAY, SECOND, Core
from subscribers.digest_correction import correction
from subscribers.records import Record
from subscribers.republish import Republisher

_PAUSE: Final = 30.0
_REACH: Final = 90 * DAY
"""Changes older than this (milliseconds) are not looked at again."""
_DUE: Final = """
    SELECT d.id, c.id, c.received FROM changes c
        CROSS JOIN bulletins s ON s.id = c.id
        CROSS JOIN replacements r ON r.position = s.position
        CROSS JOIN bulletins t ON t.id = r.target AND t.replaced_by = c.id
        CROSS JOIN links l ON l.target = t.id AND l.relation = 'contains'
        CROSS JOIN bulletins d ON d.position = l.position AND d.kind = 'digest'
    WHERE c.received > ? AND d.agency = ? AND d.state <> 'retracted'
        AND NOT EXISTS (SELECT 1 FROM corrections k WHERE k.digest = d.id AND k.change = c.id)
"""

log = structlog.get_logger(__name__)


class Corrector:
    """Runs behind the republisher."""

    def __init__(self, core: Core, republisher: Republisher, seconds: float) -> None:
        """`seconds` are waited for further changes."""
        self._core = core
        self._news = republisher.passed.subscribe()
        self._wait = round(seconds * SECOND)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._news.clear()
            try:
                wait = await self.correct()
            except LiaisonError as error:
                log.warning("digests wait to be corrected", code=str(error.code), reason=error.message)
                wait = _PAUSE
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._news.wait()

    async def correct(self) -> float:
        """Amend what is due; the seconds until something else may be."""
        core, now = self._core, self._core.clock()
        due: dict[str, list[tuple[str, int]]] = {}
        us = core.keys.profile.id
        for digest, change, received in await core.store.query(_DUE, (now - _REACH, us)):
            due.setdefault(digest, []).append((change, received))
        wait = _PAUSE
        for digest, changes in due.items():
            left = min(received for _, received in changes) + self._wait - now
            if left > 0:
                wait = min(wait, left / SECOND)
            else:
                await self._amend(await core.archive.get(digest), [change for change, _ in changes])
        return wait

    async def _amend(self, digest: Record, changes: Sequence[str]) -> None:
        core = self._core
        log_ = core.ledger.known().communities[digest.community]
        if log_.role(core.keys.profile.id, core.clock()) != "member":
            return
        core.check_voice()
        contained = [each.id for each in digest.bulletin.links if each.relation is Relation.CONTAINS]
        listed = [each for id in contained if (each := await self._held(id))]
        replacing = {each.replaced_by for each in listed if each.state == "amended" and each.replaced_by}
        replacements = {id: each for id in sorted(replacing) if (each := await self._held(id))}

        def once(connection: apsw.Connection, bulletin: Bulletin) -> None:
            rows = [(digest.bulletin.id, change, bulletin.id) for change in changes]
            connection.executemany("INSERT INTO corrections VALUES (?, ?, ?)", rows)

        draft = correction(digest, listed, replacements)
        await core.publish(draft, digest.community, log_.community.realm, once)
        log.info("digest corrected", community=digest.community, changes=len(changes))

    async def _held(self, id: str) -> Record | None:
        try:
            return await self._core.archive.get(id)
        except OperationError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            return None

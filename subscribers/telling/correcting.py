"""Amends this agency's digests when something that they list was amended or retracted, once for each change.

What is due is read from the archive, so nothing is forgotten over a restart; the amendment is journaled in
the transaction that ticks the changes off. Changes that come together are corrected together. A
correction that the hub refuses is made again.
"""

import functools
from collections.abc import Sequence
from typing import Final

import apsw
import structlog

from schemas.bulletin import Bulletin
from schemas.errors import Code, OperationError, TrustError
from schemas.vocabulary import Relation
from subscribers.core import DAY, SECOND, Core
from subscribers.exchange.attempts import Refused, count, take_back
from subscribers.records import Record
from subscribers.telling.digest_correction import correction
from subscribers.telling.due import Listed, corrections
from subscribers.telling.following import follow
from subscribers.telling.republish import Republisher

_REACH: Final = 90 * DAY
"""Changes older than this (milliseconds) are not looked at again."""
_DUE: Final = """
    SELECT d.id, c.id, c.received, coalesce(a.refused, 0), coalesce(a.at, 0) FROM changes c
        CROSS JOIN bulletins s ON s.id = c.id
        CROSS JOIN replacements r ON r.position = s.position
        CROSS JOIN bulletins t ON t.id = r.target AND t.replaced_by = c.id
        CROSS JOIN links l ON l.target = t.id AND l.relation = 'contains'
        CROSS JOIN bulletins d ON d.position = l.position AND d.kind = 'digest'
        LEFT JOIN attempts a ON a.what = d.id
    WHERE c.received > ? AND d.agency = ? AND d.state <> 'retracted'
        AND NOT EXISTS (SELECT 1 FROM corrections k WHERE k.digest = d.id AND k.change = c.id)
"""
_REFUSED: Final = """
    SELECT k.digest, o.id, coalesce(o.code, '') FROM outgoing o
        CROSS JOIN corrections k ON k.amendment = o.id
    WHERE o.state = 'refused'
"""

log = structlog.get_logger(__name__)


class Corrector:
    """Runs behind the republisher."""

    def __init__(self, core: Core, republisher: Republisher, seconds: float) -> None:
        """`seconds` are waited for further changes."""
        self._core = core
        self._news = republisher.changed.subscribe()
        self._wait = round(seconds * SECOND)

    async def run(self) -> None:
        """Until cancelled."""
        await follow(self._news, self.correct, "corrections")

    async def correct(self) -> float:
        """Amend what is due; the seconds until something else may be."""
        core, now = self._core, self._core.clock()
        if refused := [Refused(*row) for row in await core.store.query(_REFUSED)]:
            await core.store.transact(functools.partial(_take_back, refused=refused, now=now))
        rows = await core.store.query(_DUE, (now - _REACH, core.keys.profile.id))
        listed = [Listed(*row) for row in rows]
        due, pause = corrections(listed, self._wait, now)
        for digest, changes in due.items():
            try:
                await self._amend(await core.archive.get(digest), changes)
            except TrustError as error:  # in one community; those in others need not wait for it
                log.warning("correction waits", digest=digest, code=str(error.code))
                await core.store.transact(functools.partial(count, whats={digest}, now=now))
        return pause

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


def _take_back(connection: apsw.Connection, refused: Sequence[Refused], now: int) -> None:
    take_back(connection, refused, now)
    items = [(each.item,) for each in refused]
    connection.executemany("DELETE FROM corrections WHERE amendment = ?", items)

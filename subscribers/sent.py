"""Our own bulletins that others do not have: those that wait for the hub's answer, and those that were
refused. A refused one keeps its text until somebody drops it.
"""

from typing import Final, NamedTuple

import apsw

from schemas.bulletin import Bulletin, Draft, parse_bulletin
from schemas.errors import Code, OperationError
from schemas.frame import BULLETIN
from schemas.vocabulary import Tlp
from subscribers.api import OutboxEntry
from subscribers.ledger import Ledger
from subscribers.store import Row, Store

_GIVEN: Final = ("v", "id", "ref", "issued")
"""What the node gives to a draft, and a new one gets anew."""
_OPEN: Final = (
    "SELECT id, ref, community, state, code, payload FROM outgoing WHERE state != 'admitted' AND kind = ?"
)


class _Sent(NamedTuple):
    entry: OutboxEntry
    bulletin: Bulletin


class Sent:
    """The outbox, for people. `ceiling` leaves out what the asking client may not see."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger

    async def listed(self, ceiling: Tlp, limit: int) -> list[OutboxEntry]:
        """The newest first."""
        rows = await self._store.query(f"{_OPEN} ORDER BY number DESC LIMIT ?", (BULLETIN, limit))
        found = map(self._sent, rows)
        return [each.entry for each in found if each.bulletin.tlp.rank <= ceiling.rank]

    async def draft(self, ref: str, ceiling: Tlp) -> Draft:
        """The text of one, as it can be published again. OperationError `not_found`."""
        rows = await self._store.query(f"{_OPEN} AND ref = ?", (BULLETIN, ref))
        bulletins = [self._sent(row).bulletin for row in rows]
        if not bulletins or bulletins[0].tlp.rank > ceiling.rank:
            raise _absent()
        return Draft.model_validate(bulletins[0].model_dump(exclude=set(_GIVEN)))

    async def refused(self) -> int:
        """How many were refused and not dropped."""
        sql = "SELECT count(*) FROM outgoing WHERE state = 'refused' AND kind = ?"
        return int((await self._store.query(sql, (BULLETIN,)))[0][0])

    async def drop(self, ref: str, ceiling: Tlp) -> None:
        """Forget a refused one, text and all. OperationError `not_found`; `bad_request` while it may yet be
        admitted.
        """
        await self.draft(ref, ceiling)

        def write(connection: apsw.Connection) -> bool:
            sql = "DELETE FROM outgoing WHERE ref = ? AND kind = ? AND state = 'refused' RETURNING id"
            dropped: list[Row] = connection.execute(sql, (ref, BULLETIN)).fetchall()
            # A digest's period is free again: asked for once more, it is composed anew.
            connection.executemany("DELETE FROM digests WHERE id = ?", dropped)
            return bool(dropped)

        if not await self._store.transact(write):
            raise OperationError(
                Code.BAD_REQUEST,
                "it waits for the hub's answer and may have been admitted",
                "wait for the answer; what was admitted is taken back with a retraction",
            )

    def _sent(self, row: Row) -> _Sent:
        id_, ref, community, state, code, payload = row
        card = self._ledger.cards.get(community)
        entry = OutboxEntry(
            id=id_,
            ref=ref,
            community=community,
            community_slug=card.slug if card else None,
            state=state,
            code=code,
        )
        return _Sent(entry, parse_bulletin(payload))


def _absent() -> OperationError:
    return OperationError(
        Code.NOT_FOUND, "nothing with this reference waits or was refused", "see `liaison-agency outbox`"
    )

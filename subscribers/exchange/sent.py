"""Our own bulletins that others do not have: those that wait for the hub's answer, and those that were
refused. A refused one keeps its text until somebody drops it.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import apsw

from schemas.bulletin import Bulletin, Draft, parse_bulletin
from schemas.errors import Code, OperationError
from schemas.frame import BULLETIN
from schemas.reply import is_sealed
from schemas.vocabulary import Tlp
from subscribers.api import OutboxEntry
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Row, Store

_OPEN: Final = (
    "SELECT id, ref, community, state, code, payload FROM outgoing "
    "WHERE state != 'admitted' AND kind = ? AND ref != ''"  # reports have none: they are nobody's text
)


Unseal = Callable[[str, str, bytes], bytes | None]
"""What a sealed payload of ours says, by its community and id; None where the key has gone."""


class _Sent(NamedTuple):
    entry: OutboxEntry
    bulletin: Bulletin | None
    private: bool

    def may_be_seen(self, ceiling: Tlp) -> bool:
        """What cannot be read any more is taken for the highest marking."""
        tlp = self.bulletin.tlp if self.bulletin else Tlp.RED
        return tlp.rank <= ceiling.rank


class Sent:
    """The outbox, for people. `ceiling` leaves out what the asking client may not see."""

    def __init__(self, store: Store, ledger: Ledger, unseal: Unseal = lambda *_: None) -> None:
        self._store = store
        self._ledger = ledger
        self._unseal = unseal

    async def listed(self, ceiling: Tlp, limit: int) -> list[OutboxEntry]:
        """The newest first."""
        rows = await self._store.query(f"{_OPEN} ORDER BY number DESC LIMIT ?", (BULLETIN, limit))
        found = map(self._sent, rows)
        return [each.entry for each in found if each.may_be_seen(ceiling)]

    async def draft(self, ref: str, ceiling: Tlp) -> Draft:
        """The text of one, as it can be published again. OperationError `not_found`; `bad_request` for a
        private reply, which a draft would make public, and for what is carried on for another.
        """
        found = await self._one(ref, ceiling)
        if found.private or found.bulletin is None:
            fix = "answer the bulletin again with --private"
            raise OperationError(Code.BAD_REQUEST, "it is a private reply: no draft keeps it so", fix)
        if found.bulletin.release:
            fix = "carry it again with `liaison-agency release carry`"
            raise OperationError(Code.BAD_REQUEST, "it carries another's bulletin on: that is no draft", fix)
        return Draft.model_validate(found.bulletin.model_dump(include=set(Draft.model_fields)))

    async def refused(self) -> int:
        """How many were refused and not dropped."""
        sql = "SELECT count(*) FROM outgoing WHERE state = 'refused' AND kind = ? AND ref != ''"
        return int((await self._store.query(sql, (BULLETIN,)))[0][0])

    async def drop(self, ref: str, ceiling: Tlp) -> None:
        """Forget a refused one, text and all. OperationError `not_found`; `bad_request` while it may yet be
        admitted.
        """
        await self._one(ref, ceiling)

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

    async def _one(self, ref: str, ceiling: Tlp) -> _Sent:
        for row in await self._store.query(f"{_OPEN} AND ref = ?", (BULLETIN, ref)):
            found = self._sent(row)
            if found.may_be_seen(ceiling):
                return found
        raise OperationError(
            Code.NOT_FOUND, "nothing with this reference waits or was refused", "see `liaison-agency outbox`"
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
        private = is_sealed(payload)
        text = self._unseal(community, id_, payload) if private else payload
        return _Sent(entry, parse_bulletin(text) if text else None, private)

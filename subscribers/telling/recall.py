"""How this agency's own amendments and retractions stand with the others."""

from typing import Final

from schemas.errors import Code, OperationError
from schemas.vocabulary import Relation, Tlp
from subscribers.core import Core
from subscribers.records import Compliance, Record
from subscribers.telling.compliance import compliance, confirmations, late
from subscribers.telling.republish import CHANGES

_MOST: Final = 100
"""Changes of one bulletin that are told at once."""


class Recall:
    """What the members said of our changes. Refusals are LiaisonError."""

    def __init__(self, core: Core, patience: int) -> None:
        """A retraction that somebody has not confirmed for `patience` milliseconds is told of."""
        self._core = core
        self._patience = patience

    async def compliance(self, ref: str, tlp_at_most: Tlp) -> list[Compliance]:
        """Of the change with this reference or id, or of all changes of that bulletin, newest first.
        OperationError `bad_request` for one of another agency, `not_found` where nothing was changed.
        """
        core = self._core
        record = await core.archive.get(ref)
        if record.agency != core.keys.profile.id:
            fix = "only the originator is told who has applied a change"
            raise OperationError(Code.BAD_REQUEST, "it is another agency's bulletin", fix)
        changes = [record]
        if record.bulletin.kind not in CHANGES:
            relations = (Relation.AMENDS, Relation.RETRACTS)
            changes = await core.archive.linking(record.bulletin.id, relations, _MOST, tlp_at_most)
            changes = [each for each in changes if each.agency == record.agency]
        if not changes:
            raise OperationError(Code.NOT_FOUND, "the bulletin was neither amended nor retracted")
        return [await self._of(each) for each in changes]

    async def unconfirmed(self) -> int:
        """How many of our retractions some member has had long enough to confirm, and has not."""
        core, us = self._core, self._core.keys.profile.id
        ids = await late(core.store, us, core.clock() - self._patience)
        found = [await self._of(await core.archive.get(id)) for id in ids]
        return sum(each.waiting > 0 for each in found)

    async def _of(self, record: Record) -> Compliance:
        directory = self._core.ledger.known()
        log, names = directory.communities[record.community], directory.agencies
        said = await confirmations(self._core.store, record.bulletin.id)
        known = {each: names[each].name for each in names}
        return compliance(record, log, known, said, self._core.clock())

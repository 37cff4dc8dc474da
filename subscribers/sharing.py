"""What the node does for its clients about sharing further: `api.SharingApi`."""

from schemas.encoding import instant
from schemas.errors import Code, OperationError
from subscribers.core import Core
from subscribers.owners import Owners
from subscribers.records import HistoryEntry, HistoryGiven, HistoryReport


class Sharing:
    """On top of the node's core; `owners` finds communities by their names."""

    def __init__(self, core: Core, owners: Owners) -> None:
        self._core = core
        self._owners = owners

    async def history(self) -> HistoryReport:
        """What was asked for, and what was passed on."""
        core = self._core
        wanted = [
            HistoryEntry(
                community=each.wanted.community,
                slug=self._slug(each.wanted.community),
                asked=instant(each.wanted.asked),
                state=each.wanted.state,
                fetched=each.wanted.cursor,
                total=each.wanted.through,
                opened=each.wanted.opened,
                waiting=each.waiting,
                withheld=each.wanted.withheld,
                missing=each.wanted.missing,
            )
            for each in await core.history.status()
        ]
        given = [
            HistoryGiven(
                community=each.community,
                slug=self._slug(each.community),
                agency=each.agency,
                epochs=each.epochs,
                last=instant(each.at),
            )
            for each in await core.handovers.given()
        ]
        return HistoryReport(wanted=wanted, given=given)

    async def history_request(self, community: str) -> HistoryReport:
        """Begin, or ask again. TrustError `not_member`; OperationError `bad_request` behind an air gap."""
        if self._core.parcels is not None:
            raise OperationError(
                Code.BAD_REQUEST,
                "a node without a network cannot ask others for history",
                "ask a member for what you need by other means",
            )
        await self._core.history.request(self._owners.find(community).community.id)
        return await self.history()

    def _slug(self, community: str) -> str:
        card = self._core.ledger.cards.get(community)
        return card.slug if card else community

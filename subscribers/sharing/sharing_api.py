"""What the node does for its clients about sharing further: `api.SharingApi`."""

from schemas.encoding import instant
from schemas.errors import Code, OperationError
from schemas.vocabulary import Tlp
from subscribers.core import Core
from subscribers.owning.owners import Owners
from subscribers.records import HistoryEntry, HistoryGiven, HistoryReport, Published, ReleaseReport
from subscribers.service.roles import ClientIdentity
from subscribers.sharing.releasing import Publish, Releasing


class Sharing:
    """On top of the node's core; `owners` finds communities by their names."""

    def __init__(self, core: Core, owners: Owners, publish: Publish) -> None:
        self._core = core
        self._owners = owners
        self._releasing = Releasing(core, owners, publish)

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

    async def releases(self, ceiling: Tlp) -> ReleaseReport:
        """What was asked for, answered and carried."""
        return await self._releasing.report(ceiling)

    async def release_ask(self, client: ClientIdentity, ref: str, community: str, note: str) -> Published:
        """As `Releasing.ask`."""
        return await self._releasing.ask(client, ref, community, note)

    async def release_answer(
        self, client: ClientIdentity, ref: str, days: int | None, note: str
    ) -> Published:
        """As `Releasing.answer`."""
        return await self._releasing.answer(client, ref, days, note)

    async def release_carry(self, client: ClientIdentity, ref: str) -> list[Published]:
        """As `Releasing.carry`."""
        return await self._releasing.carry(client, ref)

    def _slug(self, community: str) -> str:
        card = self._core.ledger.cards.get(community)
        return card.slug if card else community

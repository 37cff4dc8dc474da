"""What owners do at a node: found communities, let agencies in and put them out, alone or together."""

from functools import partial
from typing import Final

from schemas.card import Card
from schemas.directory import Directory
from schemas.documents import Community as CommunityDocument
from schemas.documents import Membership
from schemas.encoding import instant
from schemas.errors import Code, LiaisonError
from schemas.limits import DOCUMENT_MAX
from schemas.membership import MembershipLog
from schemas.vocabulary import Realm
from subscribers.api import MembershipRole
from subscribers.core import Core
from subscribers.directory import notices
from subscribers.owning.communities import (
    HOUR,
    Change,
    Op,
    Owner,
    card_of,
    change,
    check_notice,
    found,
    propose,
)
from subscribers.owning.proposals import Standing, check_complete, check_owner, countersign, examine
from subscribers.records import Community, MembershipChange, Notice, Proposal

TOGETHER: Final = 24 * HOUR
"""How long owners have to sign when nothing else is said."""


class Owners:
    """Communities as this agency sees and changes them. Refusals are LiaisonError."""

    def __init__(self, core: Core, delay: int) -> None:
        self._core = core
        self._delay = delay
        """The notice, in milliseconds, that this agency demands for an addition."""

    # -- reading ------------------------------------------------------------------------------------------

    def find(self, name: str) -> MembershipLog:
        """A community by its id or short name. LiaisonError `unknown_community`."""
        # An id is never taken for a name: a founder may have chosen a name that is another community's id.
        communities, cards = self._core.ledger.known().communities, self._core.ledger.cards
        named = (communities.get(com) for com, card in cards.items() if card.slug == name)
        log = communities.get(name) or next(named, None)
        if log is None:
            raise LiaisonError(
                Code.UNKNOWN_COMMUNITY, "no such community", "see `liaison-agency community list`"
            )
        return log

    def described(self, log: MembershipLog) -> Community | None:
        """A community that this agency is in or owns; None for another."""
        now = self._core.clock()
        role, owner = log.role(self._agency, now), self._agency in log.community.owners
        if role is None and not owner:
            return None
        card = card_of(log.community.id, self._core.ledger.cards)
        return Community(
            id=log.community.id,
            slug=card.slug,
            title=card.title,
            realm=log.community.realm,
            role="member" if role == "member" else "reader",
            owner=owner,
            members=sorted(log.members(now)),
        )

    def community_log(self, name: str) -> list[MembershipChange]:
        """Every change in a community, in order."""
        return notices.history(self.find(name), self._core.ledger.known())

    async def notices(self, after: int | None, limit: int) -> list[Notice]:
        """Those after a number, oldest first; without a number the newest, newest first."""
        core = self._core
        known = (core.store, core.ledger.known(), core.ledger.cards)
        if after is None:
            return await notices.newest(*known, limit)
        return await notices.read(*known, after, limit)

    # -- alone --------------------------------------------------------------------------------------------

    async def create(self, slug: str, title: str, realm: Realm, rules: str, owners: list[str]) -> Community:
        """Found a community, join it, and seal its card."""
        core, card = self._core, self._card(slug, title, rules)
        owners = list(dict.fromkeys([self._agency, *owners]))
        community, document = found(core.ledger.known(), realm, owners, core.clock(), core.keys.identity)
        await core.submit(document, partial(_has, community=community))
        await self._submit_change(community, "add", self._agency, "member", core.clock())
        await core.publish_card(community, realm, card)
        core.ledger.call(community, card)
        return self._owned(community)

    async def add(self, community: str, agency: str, role: MembershipRole, after: int | None) -> Community:
        """Sign the entry. The card is sealed again when it takes effect, so that the newcomer can read it."""
        log, now = self.find(community), self._core.clock()
        nbf = now + (self._delay if after is None else after)
        check_notice("add", nbf, now, self._delay)
        await self._submit_change(log.community.id, "add", agency, role, nbf)
        return self._owned(log.community.id)

    async def remove(self, community: str, agency: str, after: int | None) -> Community:
        """Sign the entry. The next bulletin of every member begins a new epoch without that agency."""
        log = self.find(community)
        await self._submit_change(
            log.community.id, "remove", agency, "member", self._core.clock() + (after or 0)
        )
        return self._owned(log.community.id)

    # -- together -----------------------------------------------------------------------------------------

    async def community_found(
        self, slug: str, title: str, realm: Realm, rules: str, owners: list[str], threshold: int
    ) -> Proposal:
        """A community whose document others must sign as well. What it is called stays here until then."""
        core, card = self._core, self._card(slug, title, rules)
        owners = list(dict.fromkeys([self._agency, *owners]))
        now = core.clock()
        community, document = found(core.ledger.known(), realm, owners, now, core.keys.identity, threshold)
        async with core.store.write() as tx:
            await tx.execute("INSERT INTO founded VALUES (?, ?)", (community, card.to_bytes()))
        core.ledger.call(community, card)
        return self._told(document)

    async def community_propose(
        self, community: str, op: Op, agency: str, role: MembershipRole, after: int | None
    ) -> Proposal:
        """A change that others must sign as well: `after` milliseconds from now on, until when they may."""
        log, now = self.find(community), self._core.clock()
        await self._core.check_clock()
        if op == "add":
            self._core.check_head()
        least = self._delay if op == "add" else 0
        nbf = now + (least + TOGETHER if after is None else after)
        check_notice(op, nbf, now, self._delay)
        wanted = Change(log.community.id, op, agency, role, nbf)
        return self._told(propose(self._core.ledger.known(), wanted, now, self._as_owner))

    def community_proposal(self, file: str) -> Proposal:
        """What a proposal says, and who has signed it."""
        return self._told(_bytes(file))

    async def community_sign(self, file: str) -> Proposal:
        """A proposal with this agency's signature as well."""
        core = self._core
        await core.check_clock()
        signed = countersign(core.ledger.known(), _bytes(file), core.clock(), self._delay, self._as_owner)
        return self._told(signed)

    async def community_submit(self, file: str) -> Proposal:
        """Hand in a proposal that enough owners have signed; it is in the directory when this returns."""
        core, data = self._core, _bytes(file)
        standing = self._examined(data)
        check_owner(standing, self._agency)
        check_complete(standing)
        told = self._told(data)
        if isinstance(standing.content, CommunityDocument):
            await core.submit(data, partial(_has, community=standing.content.id))
        else:
            await core.submit(data, partial(_holds, entry=standing.content))
        return told

    # -- inside -------------------------------------------------------------------------------------------

    @property
    def _agency(self) -> str:
        return self._core.keys.profile.id

    @property
    def _as_owner(self) -> Owner:
        return Owner(self._agency, self._core.keys.identity)

    def _card(self, slug: str, title: str, rules: str) -> Card:
        if any(held.slug == slug for held in self._core.ledger.cards.values()):
            raise LiaisonError(
                Code.ALREADY_KNOWN, f"there is a community {slug} already", "choose another short name"
            )
        return Card(slug=slug, title=title, rules=rules)

    def _owned(self, community: str) -> Community:
        described = self.described(self._core.ledger.known().communities[community])
        if described is None:
            raise LiaisonError(Code.NOT_MEMBER, "this agency has left the community", "ask another owner")
        return described

    async def _submit_change(
        self, community: str, op: Op, agency: str, role: MembershipRole, nbf: int
    ) -> None:
        core = self._core
        wanted = Change(community, op, agency, role, nbf)
        entry = change(core.ledger.known(), wanted, core.clock(), self._as_owner)
        size = core.ledger.known().communities[community].head.size
        await core.submit(entry, partial(_has_grown, community=community, size=size))

    def _examined(self, data: bytes) -> Standing:
        return examine(self._core.ledger.known(), data, self._core.clock(), self._delay)

    def _told(self, data: bytes) -> Proposal:
        standing, ledger = self._examined(data), self._core.ledger
        content = standing.content
        common = {
            "owners": list(standing.owners),
            "threshold": standing.threshold,
            "signed": list(standing.signed),
            "may_sign": list(standing.may_sign),
            "lacking": standing.lacking,
            "file": data.decode("utf-8"),
        }
        if isinstance(content, CommunityDocument):
            card = ledger.cards.get(content.id)
            return Proposal.model_validate(
                {
                    **common,
                    "what": "found",
                    "community": content.id,
                    "slug": card.slug if card else "",
                    "realm": content.realm,
                }
            )
        return Proposal.model_validate({**common, **self._entry(content)})

    def _entry(self, entry: Membership) -> dict[str, object]:
        directory, card = self._core.ledger.known(), self._core.ledger.cards.get(entry.com)
        return {
            "what": entry.op,
            "community": entry.com,
            "slug": card.slug if card else "",
            "realm": directory.communities[entry.com].community.realm,
            "agency": entry.id,
            "agency_name": directory.agencies[entry.id].name,
            "role": entry.role,
            "effective": instant(entry.nbf),
            "index": entry.index,
        }


def _bytes(file: str) -> bytes:
    data = file.encode("utf-8", "surrogatepass")
    if len(data) > DOCUMENT_MAX:
        raise LiaisonError(Code.TOO_LARGE, "no proposal is that large", "give the file that you were sent")
    return data


def _has(directory: Directory, *, community: str) -> bool:
    return community in directory.communities


def _holds(directory: Directory, *, entry: Membership) -> bool:
    return entry in directory.communities[entry.com].entries


def _has_grown(directory: Directory, *, community: str, size: int) -> bool:
    return directory.communities[community].head.size > size

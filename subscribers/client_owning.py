"""The part of the Python API for owners of communities, and for who wants to know who is in them."""

from collections.abc import Collection
from typing import Final, Literal

from pydantic import TypeAdapter

from schemas.vocabulary import Realm
from subscribers.api import MembershipRole
from subscribers.client_asking import Asking
from subscribers.keyring.key_life import Reader
from subscribers.records import Community, MembershipChange, Notice, Proposal, Published
from subscribers.service.roles import Verb

_COMMUNITY: Final = TypeAdapter(Community)
_READERS: Final = TypeAdapter(list[Reader])
_PROPOSAL: Final = TypeAdapter(Proposal)
_LOG: Final = TypeAdapter(list[MembershipChange])
_NOTICES: Final = TypeAdapter(list[Notice])
_PUBLISHED: Final = TypeAdapter(Published)


class Owning(Asking):
    """Founding, changing and following communities."""

    async def community_create(
        self,
        slug: str,
        title: str,
        *,
        realm: Realm = Realm.LIVE,
        rules: str = "",
        owners: Collection[str] = (),
    ) -> Community:
        """Found a community that this agency owns."""
        fields = {"slug": slug, "title": title, "realm": str(realm), "rules": rules, "owners": list(owners)}
        return await self._ask(Verb.COMMUNITY_CREATE, _COMMUNITY, fields)

    async def community_add(
        self, community: str, agency: str, role: MembershipRole = "member", after: int | None = None
    ) -> Community:
        """Let an agency into a community that this agency owns, `after` milliseconds from now on."""
        fields = {"community": community, "agency": agency, "role": role, "after": after}
        return await self._ask(Verb.COMMUNITY_ADD, _COMMUNITY, fields)

    async def community_remove(self, community: str, agency: str, after: int | None = None) -> Community:
        """Put an agency out of a community that this agency owns, `after` milliseconds from now on."""
        fields = {"community": community, "agency": agency, "after": after}
        return await self._ask(Verb.COMMUNITY_REMOVE, _COMMUNITY, fields)

    async def community_found(
        self,
        slug: str,
        title: str,
        *,
        owners: Collection[str],
        threshold: int,
        realm: Realm = Realm.LIVE,
        rules: str = "",
    ) -> Proposal:
        """A community that `threshold` of its owners must sign, this agency being the first."""
        fields = {"slug": slug, "title": title, "realm": str(realm), "rules": rules, "owners": list(owners)}
        return await self._ask(Verb.COMMUNITY_FOUND, _PROPOSAL, {**fields, "threshold": threshold})

    async def community_propose(
        self,
        community: str,
        op: Literal["add", "remove"],
        agency: str,
        role: MembershipRole = "member",
        after: int | None = None,
    ) -> Proposal:
        """A change that other owners must sign: its `file` goes to them."""
        fields = {"community": community, "op": op, "agency": agency, "role": role, "after": after}
        return await self._ask(Verb.COMMUNITY_PROPOSE, _PROPOSAL, fields)

    async def community_proposal(self, file: str) -> Proposal:
        """What a proposal says, and who has signed it. LiaisonError when it may not be signed any more."""
        return await self._ask(Verb.COMMUNITY_PROPOSAL, _PROPOSAL, {"file": file})

    async def community_sign(self, file: str) -> Proposal:
        """The proposal with this agency's signature as well."""
        return await self._ask(Verb.COMMUNITY_SIGN, _PROPOSAL, {"file": file})

    async def community_submit(self, file: str) -> Proposal:
        """Hand in a proposal that enough owners have signed. LiaisonError `below_threshold`, `not_next`..."""
        return await self._ask(Verb.COMMUNITY_SUBMIT, _PROPOSAL, {"file": file})

    async def community_log(self, community: str) -> list[MembershipChange]:
        """Every change in a community: who was added or removed, by whom, from when on."""
        return await self._ask(Verb.COMMUNITY_LOG, _LOG, {"community": community})

    async def notices(self, after: int | None = None, limit: int = 50) -> list[Notice]:
        """Changes that concern this agency: those after a number, oldest first; without one the newest."""
        return await self._ask(Verb.NOTICES, _NOTICES, {"after": after, "limit": limit})

    async def digest(self, community: str, period: str) -> Published:
        """Compose and publish the digest of a community for a period, once."""
        return await self._ask(Verb.DIGEST, _PUBLISHED, {"community": community, "period": period})

    async def readers(self, community: str) -> list[Reader]:
        """Who can read what is published in a community, and who cannot."""
        return await self._ask(Verb.READERS, _READERS, {"community": community})

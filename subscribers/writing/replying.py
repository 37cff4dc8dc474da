"""What an agency answers to a bulletin, to the whole community or to its originator alone, and what was
answered to it.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import apsw

from schemas.bulletin import Bulletin, Draft
from schemas.errors import Code, DraftError, OperationError, TrustError
from schemas.particulars import Instant, Link
from schemas.reply import parse_sealed, reply_context
from schemas.vocabulary import History, Kind, Language, Relation, Severity, Tlp
from subscribers.core import Core
from subscribers.records import Published, Record
from subscribers.sealing import open_reply
from subscribers.service.roles import ClientIdentity
from subscribers.writing import drafts
from subscribers.writing.private import target_of
from subscribers.writing.replies import recipients_of, sealed_payload

Publish = Callable[[ClientIdentity, Draft, str], Awaitable[Published]]
_RELATIONS: Final = {Kind.ACKNOWLEDGEMENT: Relation.ACKNOWLEDGES, Kind.SIGHTING: Relation.SIGHTS}
_TITLES: Final = {Kind.ACKNOWLEDGEMENT: "Acknowledged", Kind.SIGHTING: "Sighted"}


class Replying:
    """Answers under the marking of the bulletin that they answer. Refusals are LiaisonError."""

    def __init__(self, core: Core, publish: Publish) -> None:
        """`publish` is how a bulletin goes to a whole community."""
        self._core = core
        self._publish = publish

    async def acknowledge(
        self, client: ClientIdentity, ref: str, note: str, officer: str, *, private: bool
    ) -> Published:
        """An acknowledgement bulletin."""
        target = await self._core.archive.get(ref)
        draft = _answer(target.bulletin, Kind.ACKNOWLEDGEMENT, note, officer or client.name)
        return await self._send(client, draft, target, private=private)

    async def sight(
        self,
        client: ClientIdentity,
        ref: str,
        note: str,
        officer: str,
        *,
        regions: list[str],
        seen: Instant | None,
        private: bool,
    ) -> Published:
        """A sighting bulletin: what the bulletin speaks of was seen, there and then."""
        target = await self._core.archive.get(ref)
        draft = _answer(target.bulletin, Kind.SIGHTING, note, officer or client.name)
        draft = draft.model_copy(update={"regions": regions, "valid_from": seen})
        return await self._send(client, draft, target, private=private)

    async def replies(self, ref: str, limit: int, tlp_at_most: Tlp) -> list[Record]:
        """What was answered to a bulletin, newest first."""
        target = await self._core.archive.get(ref)
        return await self._core.archive.replies(target.bulletin.id, limit, tlp_at_most)

    def unseal(self, community: str, id: str, payload: bytes) -> bytes | None:
        """What a private reply of ours says, by the copy that is sealed to ourselves; None where the key has
        gone.
        """
        core = self._core
        context = reply_context(community, id, core.endpoint)
        opened = open_reply(parse_sealed(payload), context, core.rack.kems, core.endpoint)
        return opened[1] if opened else None

    async def seal(
        self,
        client: ClientIdentity,
        draft: Draft,
        community: str,
        also: Callable[[apsw.Connection, Bulletin], None] | None = None,
    ) -> Published:
        """An acknowledgement or sighting in `community`, for the originator of what it answers alone; `also`
        writes more into its transaction. DraftError `bad_draft` for another draft or community.
        """
        target = await self._core.archive.get(target_of(draft))
        if target.community != community:
            fix = "answer it in its own community"
            raise DraftError(Code.BAD_DRAFT, "what it answers is of another community", fix)
        named = draft if draft.drafter else draft.model_copy(update={"drafter": client.name})
        return await self._sealed(named, target, also)

    async def _send(
        self, client: ClientIdentity, draft: Draft, target: Record, *, private: bool
    ) -> Published:
        if not private:
            return await self._publish(client, draft, target.community)
        return await self._sealed(draft, target)

    async def _sealed(
        self, draft: Draft, target: Record, also: Callable[[apsw.Connection, Bulletin], None] | None = None
    ) -> Published:
        core, community = self._core, target.community
        us, them = core.keys.profile.id, target.agency
        if them == us:
            fix = "answer it to the whole community, or not at all"
            raise OperationError(Code.BAD_REQUEST, "the bulletin is this agency's own", fix)
        await core.check_clock()
        core.check_voice()
        core.check_head()
        directory, now = core.ledger.known(), core.clock()
        log = directory.communities[community]
        drafts.check(draft, log.community.realm, log.role(us, now), [target.bulletin.id])
        if log.role(them, now) is None:
            fix = "write to it in a community that it is in"
            raise TrustError(Code.NO_READER, f"{them} is no longer in the community", fix)
        recipients = recipients_of(directory, {us, them})

        def seal(said: Bulletin) -> bytes:
            return sealed_payload(said.to_bytes(), said.id, community, core.endpoint, them, recipients)

        return await core.publish(draft, community, log.community.realm, also, payload=seal)


def _answer(target: Bulletin, kind: Kind, note: str, drafter: str) -> Draft:
    return Draft(
        kind=kind,
        title=f"{_TITLES[kind]}: {target.ref}",
        body=note,
        language=Language.ENGLISH,
        severity=Severity.INFO,
        tlp=target.tlp,
        history=History.NONE,
        links=[Link(relation=_RELATIONS[kind], id=target.id)],
        exercise=target.exercise,
        drafter=drafter,
    )

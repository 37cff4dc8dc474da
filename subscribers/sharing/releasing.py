"""Letting bulletins go on to another community: asking, granting, carrying. FORMAT.md, "Onward release".

All of it travels in ordinary bulletins, so it is logged where they are: who asked, what the originator
answered, and what was carried.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from schemas.bulletin import Draft, Onward, Release, Shared
from schemas.encoding import from_instant, instant
from schemas.errors import Code, OperationError, TrustError
from schemas.membership import MembershipLog
from schemas.onward import FOLLOWS, OWN, Grant, SignedGrant, parse_grant, sign_grant
from schemas.particulars import Link
from schemas.vocabulary import History, Kind, Language, Relation, Severity, Tlp
from subscribers.core import Core
from subscribers.judging.showing import Shelf
from subscribers.owning.owners import Owners
from subscribers.records import Published, Record, ReleasedHere, ReleaseEntry, ReleaseReport
from subscribers.service.roles import ClientIdentity

DAY: Final = 86_400_000
_LISTED_MAX: Final = 500
_ASKED: Final = """SELECT id FROM bulletins JOIN payloads USING (position)
    WHERE kind = 'request' AND json_extract(CAST(payload AS TEXT), '$.onward') IS NOT NULL
    ORDER BY number DESC LIMIT ?"""
_HERE: Final = """SELECT DISTINCT id FROM bulletins JOIN links USING (position) JOIN payloads USING (position)
    WHERE relation = 'related' AND json_extract(CAST(payload AS TEXT), '$.release') IS NOT NULL
    ORDER BY number DESC LIMIT ?"""
_LINKED: Final = """SELECT DISTINCT id FROM bulletins JOIN links USING (position)
    WHERE target = ? AND relation = ? ORDER BY issued, number"""

Publish = Callable[[ClientIdentity, Draft, str], Awaitable[Published]]


class Releasing:
    """On top of the node's core; `publish` is the node's own."""

    def __init__(self, core: Core, owners: Owners, publish: Publish) -> None:
        self._core = core
        self._owners = owners
        self._publish = publish

    async def report(self, ceiling: Tlp) -> ReleaseReport:
        """What was asked for, answered and carried, newest first, as far as this client may see it."""
        asked = [
            await self._entry(record)
            for record in await self._records(_ASKED, _LISTED_MAX)
            if record.bulletin.tlp.rank <= ceiling.rank
        ]
        here = [
            _here(record, record.bulletin.release, self._agency_of(record.bulletin.release))
            for record in await self._records(_HERE, _LISTED_MAX)
            if record.bulletin.release and record.bulletin.tlp.rank <= ceiling.rank
        ]
        return ReleaseReport(asked=[each for each in asked if each], here=here)

    async def ask(self, client: ClientIdentity, ref: str, community: str, note: str) -> Published:
        """Ask the originator of `ref` to let it go on to `community`. TrustError `red_onward`, `not_granted`,
        `wrong_realm`, `not_member`.
        """
        record, target = await self._core.archive.get(ref), self._owners.find(community)
        _check_may_leave(record)
        if record.own:
            raise OperationError(Code.BAD_REQUEST, "it is your own", "publish it there yourself")
        self._check_target(record, target)
        onward = Onward(bulletin=record.bulletin.id, community=target.community.id)
        draft = _draft(client, record, Kind.REQUEST, f"May {record.bulletin.ref} go on?", note)
        related = [Link(relation=Relation.RELATED, id=record.bulletin.id)]
        asked = Shared(**{**draft, "links": related, "onward": onward})
        return await self._publish(client, asked, record.community)

    async def answer(self, client: ClientIdentity, ref: str, days: int | None, note: str) -> Published:
        """Grant what the request `ref` asks for, for so many days, or decline it (`days` None).
        OperationError `not_found`, `forbidden` for what is not this agency's.
        """
        request, onward = await self._request(ref)
        record = await self._core.archive.get(onward.bulletin)
        if not record.own or record.community != request.community:
            raise OperationError(Code.FORBIDDEN, "another agency's bulletin", "leave it to its originator")
        grant = None if days is None else await self._granted(record, onward, request.agency, days)
        word = "Declined" if grant is None else "Granted"
        draft = _draft(client, record, Kind.RESPONSE, f"{word}: {record.bulletin.ref} may go on", note)
        if grant is None:
            draft["title"] = f"Declined: {record.bulletin.ref} stays here"
        links = [Link(relation=Relation.RESPONDS_TO, id=request.bulletin.id)]
        return await self._publish(
            client, Shared(**{**draft, "links": links, "grant": grant}), record.community
        )

    async def carry(self, client: ClientIdentity, ref: str) -> list[Published]:
        """Publish what the granted request `ref` names in its community, and what its originator has said of
        it since; what was carried before is left alone. TrustError `not_granted`, `grant_expired`.
        """
        request, onward = await self._request(ref)
        if not request.own:
            raise OperationError(Code.FORBIDDEN, "another agency asked", "ask the originator yourself")
        grant, record = await self._grant_of(request), await self._core.archive.get(onward.bulletin)
        _check_may_leave(record)
        first = await self._carried(record, onward.community)
        if first is None and record.state == "retracted":
            raise TrustError(Code.NOT_GRANTED, "its originator has taken it back", "leave it where it is")
        done = []
        for each in [record, *await self._follows(record)]:
            if await self._carried(each, onward.community) is None:
                release = await self._release(client, each, grant, first)
                done.append(await self._publish(client, release, onward.community))
                first = first or done[0].id
        return done

    # -- inside -------------------------------------------------------------------------------------------

    async def _request(self, ref: str) -> tuple[Record, Onward]:
        request = await self._core.archive.get(ref)
        if request.bulletin.onward is None:
            raise OperationError(
                Code.NOT_FOUND, "no request for onward release", "see `liaison-agency release list`"
            )
        return request, request.bulletin.onward

    async def _granted(self, record: Record, onward: Onward, carrier: str, days: int) -> str:
        _check_may_leave(record)
        header = (await Shelf(self._core.store).bulletin(record.bulletin.id, text=False)).header
        now = self._core.clock()
        grant = Grant(
            issued=now,
            bulletin=record.bulletin.id,
            pc=header.pc,
            publisher=header.pub,
            source=record.community,
            target=onward.community,
            carrier=carrier,
            until=now + days * DAY,
        )
        return sign_grant(grant, self._core.keys.signing)

    async def _release(
        self, client: ClientIdentity, record: Record, grant: SignedGrant, first: str | None
    ) -> Shared:
        kept = await Shelf(self._core.store).bulletin(record.bulletin.id, text=True)
        frame, content = kept.frames[0], kept.content
        if content is None:
            raise OperationError(Code.INTERNAL, "a bulletin without its text")
        release = Release(
            header=frame.header,
            signature=frame.signature,
            digest=frame.digest,
            salt=content.salt,
            payload=content.payload,
            grant=grant.envelope.to_bytes().decode(),
        )
        links = [Link(relation=Relation.RELATED, id=record.bulletin.id)]
        if (relation := FOLLOWS.get(record.bulletin.kind)) and first:
            links.append(Link(relation=relation, id=first))
        said = record.bulletin.model_dump(exclude={*OWN, "attachments"})
        return Shared(**said, links=links, drafter=client.name, release=release)

    async def _grant_of(self, request: Record) -> SignedGrant:
        """The originator's latest grant in answer to a request."""
        ended = False
        answers = await self._records(_LINKED, request.bulletin.id, str(Relation.RESPONDS_TO))
        for text in [each.bulletin.grant for each in answers[::-1] if each.bulletin.grant]:
            signed = parse_grant(text)
            if signed.grant.until > self._core.clock():
                return signed
            ended = True
        if ended:
            raise TrustError(Code.GRANT_EXPIRED, "the grant has ended", "ask the originator again")
        raise TrustError(Code.NOT_GRANTED, "its originator has not granted it", "wait, or ask by other means")

    async def _follows(self, record: Record) -> list[Record]:
        """What its originator said of it later, in order."""
        found = [
            each
            for kind, relation in FOLLOWS.items()
            for each in await self._records(_LINKED, record.bulletin.id, str(relation))
            if (each.bulletin.kind, each.agency, each.community) == (kind, record.agency, record.community)
        ]
        return sorted(found, key=lambda each: (each.bulletin.issued, each.bulletin.id))

    async def _carried(self, record: Record, community: str) -> str | None:
        """The id under which this agency has carried it there."""
        for each in await self._records(_LINKED, record.bulletin.id, str(Relation.RELATED)):
            if each.own and each.community == community and each.bulletin.release:
                return each.bulletin.id
        sql = "SELECT id, payload FROM outgoing WHERE community = ? AND state = 'queued' AND kind = 'b'"
        for id, payload in await self._core.store.query(sql, (community,)):
            if payload and record.bulletin.id.encode() in payload and b'"release":' in payload:
                return str(id)
        return None

    async def _entry(self, request: Record) -> ReleaseEntry | None:
        onward = request.bulletin.onward
        try:
            record = await self._core.archive.get(onward.bulletin if onward else "")
        except OperationError:
            return None  # about a bulletin that is not here
        if onward is None or record.community != request.community:
            return None
        answers = await self._records(_LINKED, request.bulletin.id, str(Relation.RESPONDS_TO))
        answer = next((each for each in answers[::-1] if each.agency == record.agency), None)
        grant = parse_grant(answer.bulletin.grant).grant if answer and answer.bulletin.grant else None
        steps = [record, *await self._follows(record)] if request.own and grant else []
        left = [each for each in steps if await self._carried(each, onward.community) is None]
        card = self._core.ledger.cards.get(onward.community)
        return ReleaseEntry(
            request=request.bulletin.ref,
            carrier=request.agency,
            asked=request.bulletin.issued,
            ref=record.bulletin.ref,
            originator=record.agency,
            community=request.community_slug,
            target=onward.community,
            target_slug=card.slug if card else "",
            state="asked" if answer is None else "granted" if grant else "declined",
            until=instant(grant.until) if grant else None,
            yours_to_answer=record.own and answer is None,
            to_carry=len(left),
        )

    async def _records(self, sql: str, *bindings: int | str) -> list[Record]:
        return [await self._core.archive.get(id) for (id,) in await self._core.store.query(sql, bindings)]

    def _check_target(self, record: Record, target: MembershipLog) -> None:
        if target.community.id == record.community:
            raise OperationError(Code.BAD_REQUEST, "it is there already", "name another community")
        realm = self._core.ledger.known().communities[record.community].community.realm
        if target.community.realm is not realm:
            raise TrustError(Code.WRONG_REALM, "the communities are of two realms", "choose another")
        if target.role(self._core.keys.profile.id, self._core.clock()) != "member":
            raise TrustError(Code.NOT_MEMBER, "this agency may not publish there", "ask one of its owners")

    def _agency_of(self, release: Release | None) -> str:
        grant = parse_grant(release.grant).grant if release else None
        keys = self._core.ledger.known().endpoints.get(grant.publisher) if grant else None
        return keys.agency if keys else ""


def _check_may_leave(record: Record) -> None:
    if record.bulletin.tlp is Tlp.RED:
        raise TrustError(Code.RED_ONWARD, "TLP:RED stays with those to whom it was given")
    if record.bulletin.release is not None:
        raise TrustError(Code.NOT_GRANTED, "this was carried here itself", "ask its originator")


def _draft(client: ClientIdentity, record: Record, kind: Kind, title: str, note: str) -> dict[str, Any]:
    """A bulletin about another, under the same marking."""
    return {
        "kind": kind,
        "title": title,
        "body": note,
        "language": Language.ENGLISH,
        "severity": Severity.INFO,
        "tlp": record.bulletin.tlp,
        "history": History.NONE,
        "exercise": record.bulletin.exercise,
        "drafter": client.name,
    }


def _here(record: Record, release: Release | None, originator: str) -> ReleasedHere:
    grant = parse_grant(release.grant).grant if release else None
    return ReleasedHere(
        ref=record.bulletin.ref,
        carrier=record.agency,
        community=record.community_slug,
        originator=originator,
        granted=instant(grant.issued if grant else from_instant(record.bulletin.issued)),
    )

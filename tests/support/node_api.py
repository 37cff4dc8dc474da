"""A node without a hub: `NodeApi` in memory, and records for it; the local NATS before it is real."""

# ruff: noqa: ARG002 - a Protocol's methods take what they are given

import json
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Literal

import uuid_utils

from schemas.bulletin import Bulletin, Draft
from schemas.errors import Code, OperationError
from schemas.evidence import Evidence
from schemas.particulars import Link
from schemas.publish import read_examples
from schemas.vocabulary import AlarmName, Kind, Language, Realm, Relation, Severity, Tlp
from subscribers.api import (
    AlarmEntry,
    DirectoryPage,
    Exported,
    Finding,
    Imported,
    MembershipRole,
    OutboxEntry,
    QuarantineEntry,
)
from subscribers.insight.shapes import InsightApi
from subscribers.judging.alarm_texts import TEXTS
from subscribers.keyring.identity_api import IdentityDocument, IdentityRequest, IdentityState
from subscribers.keyring.key_life import KeyInfo, KeyState, Reader
from subscribers.local import ClientIdentity, LocalNats
from subscribers.records import (
    Community,
    Compliance,
    Filters,
    HistoryReport,
    MembershipChange,
    NodeStatus,
    Notice,
    Page,
    Proposal,
    Published,
    Record,
    ReleaseReport,
)
from subscribers.storage.facets import facets_of
from tests.support.node_files import MemoryFiles
from tests.support.node_insight import MemoryInsight

COMMUNITY = "0123456789abcdef0123456789abcdef"
SLUG = "alpha"
NOW = "2026-03-01T08:30:00Z"


def make_draft(title: str = "A title", **fields: object) -> Draft:
    """A draft: a tactic in English, elevated, TLP:GREEN, unless `fields` say otherwise."""
    given = {"kind": "tactic", "language": "en", "severity": "elevated", "tlp": "TLP:GREEN", "title": title}
    return Draft.model_validate({**given, **fields})


def make_record(number: int = 1, **fields: object) -> Record:
    """A record of a new bulletin, `ref` FRA-2026-<number>, in the community `alpha`."""
    title = str(fields.pop("title", f"Bulletin {number}"))
    draft = make_draft(title, **fields)
    return record_of(draft, number)


def record_of(draft: Draft, number: int, community: str = COMMUNITY, slug: str = SLUG) -> Record:
    """What the archive would hold of a draft."""
    identity = {"id": str(uuid_utils.uuid7()), "ref": f"FRA-2026-{number:04d}", "issued": NOW}
    bulletin = Bulletin.model_validate({**draft.model_dump(), **identity})
    return Record(
        bulletin=bulletin,
        community=community,
        community_slug=slug,
        community_title="Alpha",
        agency="fr-dgx",
        agency_name="France",
        received=NOW,
    )


def make_alarm(number: int = 1, name: AlarmName = AlarmName.GAP) -> AlarmEntry:
    """An alarm about fr-dgx in the community `alpha`."""
    what, do = TEXTS[name]
    return AlarmEntry(
        number=number, name=name, first=NOW, last=NOW, times=1, what=what, do=do, detail="",
        community=COMMUNITY, community_slug=SLUG, agency="fr-dgx",
    )  # fmt: skip


class MemorySuccession:
    """The agency's identity, without a key."""

    def identity(self) -> list[IdentityState]:
        return [IdentityState(agency="fr-dgx", agency_name="Agency", own=True, fingerprint="12345")]

    async def identity_new(self) -> IdentityRequest:
        return IdentityRequest(fingerprint="67890", request="{}")

    async def identity_object(self) -> IdentityDocument:
        return IdentityDocument(agency="fr-dgx", document="{}", submitted=True)

    async def identity_take_up(self) -> IdentityDocument:
        return IdentityDocument(agency="fr-dgx", document="{}", submitted=False)


class MemoryOwners:
    """`OwnersApi` on one proposal and a list of notices."""

    def __init__(self) -> None:
        self.told: list[Notice] = []
        self.held = Proposal(
            what="add", community=COMMUNITY, slug=SLUG, realm=Realm.LIVE, agency="kz",
            owners=["fr-dgx", "kz"], threshold=2, signed=["fr-dgx"], may_sign=["kz"], lacking=1, file="{}",
        )  # fmt: skip

    def community_log(self, name: str) -> list[MembershipChange]:
        change = MembershipChange(
            index=0, op="add", agency="fr-dgx", agency_name="France", role="member", effective=NOW,
            issued=NOW, by=["fr-dgx"],
        )  # fmt: skip
        return [change]

    async def notices(self, after: int | None, limit: int) -> list[Notice]:
        if after is None:
            return self.told[::-1][:limit]
        return [each for each in self.told if each.number > after][:limit]

    async def community_found(
        self, slug: str, title: str, realm: Realm, rules: str, owners: list[str], threshold: int
    ) -> Proposal:
        return self.held.model_copy(update={"what": "found", "slug": slug, "threshold": threshold})

    async def community_propose(
        self,
        community: str,
        op: Literal["add", "remove"],
        agency: str,
        role: MembershipRole,
        after: int | None,
    ) -> Proposal:
        return self.held.model_copy(update={"what": op, "agency": agency, "role": role})

    def community_proposal(self, file: str) -> Proposal:
        return self.held

    async def community_sign(self, file: str) -> Proposal:
        return self.held.model_copy(update={"signed": ["fr-dgx", "kz"], "may_sign": [], "lacking": 0})

    async def community_submit(self, file: str) -> Proposal:
        raise OperationError(Code.BELOW_THRESHOLD, "1 of the 2 signatures", "have it signed by kz")


class MemoryReplies:
    """`RepliesApi` on the records of a `MemoryNode`."""

    def __init__(self, node: "MemoryNode") -> None:
        self._node = node

    async def acknowledge(
        self, client: ClientIdentity, ref: str, note: str, officer: str, *, private: bool
    ) -> Published:
        target = await self._node.show(client, ref)
        draft = make_draft(
            "Acknowledged",
            kind=Kind.ACKNOWLEDGEMENT,
            summary=note,
            drafter=officer or None,
            links=[Link(relation=Relation.ACKNOWLEDGES, id=target.bulletin.id)],
        )
        return await self._answer(client, draft, target, private=private)

    async def sight(
        self,
        client: ClientIdentity,
        ref: str,
        note: str,
        officer: str,
        *,
        regions: list[str],
        seen: str | None,
        private: bool,
    ) -> Published:
        target = await self._node.show(client, ref)
        draft = make_draft(
            "Sighted",
            kind=Kind.SIGHTING,
            summary=note,
            drafter=officer or None,
            regions=regions,
            valid_from=seen,
            links=[Link(relation=Relation.SIGHTS, id=target.bulletin.id)],
        )
        return await self._answer(client, draft, target, private=private)

    async def replies(self, ref: str, limit: int, tlp_at_most: Tlp) -> list[Record]:
        (target,) = (each for each in self._node.records if ref in {each.bulletin.ref, each.bulletin.id})
        found = [
            each
            for each in reversed(self._node.records)
            if any(link.id == target.bulletin.id for link in each.bulletin.links)
            and each.bulletin.tlp.rank <= tlp_at_most.rank
        ]
        return found[:limit]

    async def _answer(
        self, client: ClientIdentity, draft: Draft, target: Record, *, private: bool
    ) -> Published:
        return await self._node.publish(client, draft, target.community, private=private)


class MemorySharing:
    """`SharingApi` on nothing that was asked for."""

    async def history(self) -> HistoryReport:
        return HistoryReport(wanted=[], given=[])

    async def history_request(self, community: str) -> HistoryReport:
        raise OperationError(Code.NOT_MEMBER, "this agency is not in the community", "ask an owner")

    async def releases(self, ceiling: Tlp) -> ReleaseReport:
        return ReleaseReport(asked=[], here=[])

    async def release_ask(self, client: ClientIdentity, ref: str, community: str, note: str) -> Published:
        raise OperationError(Code.RED_ONWARD, "it stays", "leave it there")

    async def release_answer(
        self, client: ClientIdentity, ref: str, days: int | None, note: str
    ) -> Published:
        raise OperationError(Code.FORBIDDEN, "another agency's bulletin", "leave it to its originator")

    async def release_carry(self, client: ClientIdentity, ref: str) -> list[Published]:
        return []


class MemoryRecall:
    """`RecallApi` on what it was given."""

    def __init__(self) -> None:
        self.told: list[Compliance] = []

    async def compliance(self, ref: str, tlp_at_most: Tlp) -> list[Compliance]:
        return [each for each in self.told if ref in {each.id, each.ref, *each.bulletins}]


class MemoryNode:
    """`NodeApi` on a list. With `local`, what is published is republished there, as a node does."""

    def __init__(self, records: Iterable[Record] = (), local: LocalNats | None = None) -> None:
        self.records = list(records)
        self.asked: list[ClientIdentity] = []
        self.raised: list[AlarmEntry] = []
        self.once: dict[str, Published] = {}
        self.local = local
        self.owners = MemoryOwners()
        self.replies = MemoryReplies(self)
        self.sharing = MemorySharing()
        self.recall = MemoryRecall()
        self.insight: InsightApi = MemoryInsight(lambda: self.records, _matches)
        self.succession = MemorySuccession()
        self.files = MemoryFiles()
        self._numbers = count(1000)
        self._communities = {SLUG: _community(SLUG, "Alpha", Realm.LIVE, COMMUNITY)}

    async def publish(
        self,
        client: ClientIdentity,
        draft: Draft,
        community: str,
        uploads: Sequence[str] = (),
        once: str | None = None,
        *,
        private: bool = False,
    ) -> Published:
        self.asked.append(client)
        if once in self.once:
            return self.once[once]
        place = self._community(community)
        record = record_of(draft, next(self._numbers), place.id, place.slug)
        attached = {"attachments": [self.files.attached(each) for each in uploads]}
        flags = frozenset({"private"} if private else ())
        bulletin = record.bulletin.model_copy(update=attached)
        record = record.model_copy(update={"bulletin": bulletin, "flags": flags, "own": True})
        self.records.append(record)
        if self.local:
            await self.local.republish([record])
        if once:
            self.once[once] = _published(record)
        return _published(record)

    async def search(
        self,
        client: ClientIdentity,
        words: str,
        filters: Filters,
        limit: int,
        cursor: str | None,
        *,
        ranked: bool,
    ) -> Page:
        self.asked.append(client)
        found = [each for each in self.records if words.casefold() in each.bulletin.title.casefold()]
        return _page(found, filters, limit, cursor)

    async def latest(self, client: ClientIdentity, filters: Filters, limit: int, cursor: str | None) -> Page:
        self.asked.append(client)
        return _page(self.records, filters, limit, cursor)

    async def show(self, client: ClientIdentity, ref: str) -> Record:
        for each in self.records:
            if ref in {each.bulletin.ref, each.bulletin.id}:
                return each
        raise OperationError(Code.NOT_FOUND, "no such bulletin in this archive", "look elsewhere")

    async def evidence(self, client: ClientIdentity, ref: str, *, text: bool, membership: bool) -> Evidence:
        await self.show(client, ref)
        return _evidence(text=text, membership=membership)

    async def evidence_refused(self, client: ClientIdentity, number: int, *, membership: bool) -> Evidence:
        return _evidence(text=False, membership=membership)

    async def communities(self, client: ClientIdentity) -> list[Community]:
        return list(self._communities.values())

    async def status(self, client: ClientIdentity) -> NodeStatus:
        return NodeStatus(
            agency="fr-dgx",
            endpoint="A" * 56,
            connected=True,
            outbox=0,
            archived=len(self.records),
            quarantined=0,
            directory_size=3,
        )

    async def community_create(
        self, client: ClientIdentity, slug: str, title: str, realm: Realm, rules: str, owners: list[str]
    ) -> Community:
        if slug in self._communities:
            raise OperationError(Code.ALREADY_KNOWN, "there is such a community", "choose another name")
        self._communities[slug] = _community(slug, title, realm, f"{len(self._communities):032x}")
        return self._communities[slug]

    async def community_add(
        self, client: ClientIdentity, community: str, agency: str, role: MembershipRole, after: int | None
    ) -> Community:
        return self._with_members(community, [*self._community(community).members, agency])

    async def community_remove(
        self, client: ClientIdentity, community: str, agency: str, after: int | None
    ) -> Community:
        left = [each for each in self._community(community).members if each != agency]
        return self._with_members(community, left)

    async def digest(self, client: ClientIdentity, community: str, period: str) -> Published:
        links = [Link(relation=Relation.CONTAINS, id=each.bulletin.id) for each in self.records]
        return await self.publish(
            client, make_draft(f"Digest {period}", kind=Kind.DIGEST, links=links), community
        )

    async def readers(self, client: ClientIdentity, community: str) -> list[Reader]:
        members = self._community(community).members
        return [Reader(agency=each, role="member", endpoint="A" * 56, can_read=True) for each in members]

    async def keys(self, client: ClientIdentity) -> list[KeyInfo]:
        return [make_key("0" * 32)]

    async def key_rotate(self, client: ClientIdentity, *, encryption: bool) -> list[KeyInfo]:
        return [make_key("1" * 32), make_key("0" * 32, "replaced")]

    async def key_revoke(
        self, client: ClientIdentity, kid: str, reason: str, *, rotate: bool, stop: bool
    ) -> list[KeyInfo]:
        return [make_key(kid, "revoked")]

    async def directory(self, client: ClientIdentity, after: int, *, memberships: bool) -> DirectoryPage:
        return DirectoryPage(items=[])

    async def outbox(self, client: ClientIdentity, limit: int) -> list[OutboxEntry]:
        found = [OutboxEntry(**_published(each).model_dump(exclude={"unreadable"})) for each in self.records]
        return found[::-1][:limit]

    async def outbox_draft(self, client: ClientIdentity, ref: str) -> Draft:
        return make_draft((await self.show(client, ref)).bulletin.title)

    async def outbox_drop(self, client: ClientIdentity, ref: str) -> None:
        self.records.remove(await self.show(client, ref))

    async def quarantine(self, client: ClientIdentity, limit: int) -> list[QuarantineEntry]:
        entry = QuarantineEntry(
            number=7, when=NOW, community=COMMUNITY, agency="fr-dgx", code="fork", message="two"
        )
        return [entry][:limit]

    async def alarms(self, client: ClientIdentity, limit: int, *, past: bool, after: int) -> list[AlarmEntry]:
        standing = [each for each in self.raised if each.number > after and (past or not each.acked)]
        return standing[::-1][:limit]

    async def alarm_ack(self, client: ClientIdentity, number: int) -> AlarmEntry:
        for index, each in enumerate(self.raised):
            if each.number == number:
                self.raised[index] = each.model_copy(update={"acked": NOW})
                return self.raised[index]
        raise OperationError(Code.NOT_FOUND, "there is no such alarm", "see the list")

    async def parcel_export(self, client: ClientIdentity, path: str, documents: list[str]) -> Exported:
        return Exported(path=path, number=0, submissions=len(self.records), documents=len(documents))

    async def parcel_import(self, client: ClientIdentity, path: str, *, skip: bool) -> Imported:
        return Imported(number=0, missing=[3] if skip else [], directory=1, traffic=2, admitted=0, refused={})

    async def doctor(self, client: ClientIdentity) -> list[Finding]:
        return [Finding(check="clock", ok=False, message="an hour off", fix="set the clock")]

    def _community(self, name: str) -> Community:
        for each in self._communities.values():
            if name in {each.slug, each.id}:
                return each
        raise OperationError(Code.UNKNOWN_COMMUNITY, "there is no such community", "use its slug or id")

    def _with_members(self, name: str, members: list[str]) -> Community:
        changed = self._community(name).model_copy(update={"members": members})
        self._communities[changed.slug] = changed
        return changed


def make_key(kid: str, state: KeyState = "current") -> KeyInfo:
    """A signing key as the node lists it."""
    return KeyInfo(kid=kid, use="signing", endpoint="A" * 56, state=state, made=NOW, age_days=1)


def _evidence(*, text: bool, membership: bool) -> Evidence:
    shown = Evidence.model_validate_json(json.dumps(read_examples()["evidence"]))
    withheld = {"content": text, "membership": membership}
    return shown.model_copy(update={name: None for name, asked in withheld.items() if not asked})


def _community(slug: str, title: str, realm: Realm, id_: str) -> Community:
    return Community(
        id=id_, slug=slug, title=title, realm=realm, role="member", owner=True, members=["fr-dgx"]
    )


def _published(record: Record) -> Published:
    return Published(
        id=record.bulletin.id, ref=record.bulletin.ref, community=record.community, state="queued"
    )


def _page(records: list[Record], filters: Filters, limit: int, cursor: str | None) -> Page:
    found = [each for each in reversed(records) if _matches(each, filters)]
    begin = int(cursor or 0)
    end = begin + limit
    return Page(items=found[begin:end], cursor=str(end) if end < len(found) else None, total=len(found))


def _matches(record: Record, filters: Filters) -> bool:
    bulletin = record.bulletin
    order = list(Severity)
    languages: set[Language] = {bulletin.language, *(each.language for each in bulletin.translations)}
    places = {record.community, record.community_slug}
    return (
        (not filters.kinds or bulletin.kind in filters.kinds)
        and order.index(bulletin.severity) >= order.index(filters.severity_at_least)
        and (not filters.communities or bool(places & filters.communities))
        and (not filters.regions or any({each, each[:2]} & filters.regions for each in bulletin.regions))
        and (not filters.languages or bool(filters.languages & languages))
        and all(_is_about(record, name, wanted) for name, wanted in _about(filters).items())
        and bulletin.tlp.rank <= filters.tlp_at_most.rank
        and (filters.since is None or record.received >= filters.since)
    )


def _about(filters: Filters) -> dict[str, frozenset[str]]:
    return {"tactic": filters.tactics, "subject": filters.subjects, "event": filters.events}


def _is_about(record: Record, facet: str, wanted: frozenset[str]) -> bool:
    return not wanted or not facets_of(record.bulletin).isdisjoint(
        (facet, each.casefold()) for each in wanted
    )

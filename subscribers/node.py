"""The node: the one process of an agency with keys. It implements what its clients may ask (`api.NodeApi`) on
top of `core.Core`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Self

import apsw

from schemas.bulletin import Bulletin, Draft
from schemas.encoding import instant
from schemas.errors import Code, FormatError, OperationError
from schemas.evidence import Evidence
from schemas.membership import MembershipLog
from schemas.subjects import parse_frame_subject
from schemas.vocabulary import Realm
from subscribers import api
from subscribers.airgap.node_side import AirGap
from subscribers.api import (
    AlarmEntry,
    MembershipRole,
    OutboxEntry,
    QuarantineEntry,
)
from subscribers.clock import now_ms
from subscribers.core import Core
from subscribers.diagnosis import diagnose
from subscribers.directory.pages import page
from subscribers.exchange.enrolment import LOCAL
from subscribers.exchange.sent import Sent
from subscribers.files.desk import FileDesk, using
from subscribers.insight.desk import Insight
from subscribers.judging import alarms
from subscribers.judging.herald import told
from subscribers.judging.showing import Kept, Shelf, check_signed
from subscribers.judging.showing import compose as compose_evidence
from subscribers.keyring.key_life import KeyInfo, Reader
from subscribers.keyring.rotation import Rotation
from subscribers.keyring.succession import Succession
from subscribers.local import ClientIdentity, LocalNats, LocalSettings
from subscribers.owning.communities import HOUR
from subscribers.owning.owners import Owners
from subscribers.records import Community, Filters, NodeStatus, Page, Published, Record
from subscribers.service.answering import NodeService
from subscribers.settings import NodeSettings
from subscribers.sharing.sharing_api import Sharing
from subscribers.sinks.jsonl import JsonlSink
from subscribers.telling.digest import compose, parse_period
from subscribers.telling.recall import Recall
from subscribers.telling.republish import Republisher, Sink
from subscribers.telling.schedule import running
from subscribers.telling.workers import workers
from subscribers.watching.vitals import Watch
from subscribers.writing import drafts
from subscribers.writing.once import Named, noting
from subscribers.writing.replying import Replying


class Node:
    """Answers the clients of the local NATS. Role and TLP ceiling have been enforced by the service before
    these are called.
    """

    def __init__(
        self,
        core: Core,
        rotation: Rotation,
        files: FileDesk,
        add_delay: int = 0,
        recall_patience: int = 24 * HOUR,
    ) -> None:
        self._core = core
        self.files = files
        """What goes with bulletins, outside their frames."""
        self._rotation = rotation
        self.owners = Owners(core, add_delay)
        """What owners do, and what members are told of it."""
        self.replies = Replying(core, self.publish)
        """What is answered to bulletins."""
        self.insight = Insight(core)
        """Where bulletins come from, and how many there are."""
        self.recall = Recall(core, recall_patience)
        """How our amendments and retractions stand with others."""
        self.watch = Watch(core, rotation)
        """How the node is, for those who watch machines."""
        self.succession = Succession(core)
        """What becomes of the agency's identity key."""
        self._sent = Sent(core.store, core.ledger, self.replies.unseal)
        self.sharing = Sharing(core, self.owners, self.publish)
        self._named = Named(core.store)
        self._digests = asyncio.Lock()

    @classmethod
    @contextlib.asynccontextmanager
    async def running(
        cls, settings: NodeSettings, clock: Callable[[], int] = now_ms
    ) -> AsyncIterator[tuple[Self, LocalNats]]:
        """The whole node, up: store, hub link, local NATS, service, sinks and schedules. It is down when the
        block is left.
        """
        local_settings = LocalSettings(
            directory=settings.state / LOCAL,
            host=settings.host,
            port=settings.port,
            retention_days=settings.local_retention_days,
        )
        async with Core.open(settings, clock) as core, LocalNats.open(local_settings) as local:
            rotation = Rotation(core, settings)
            delays = (settings.add_delay_hours, settings.recall_hours)
            node = cls(core, rotation, FileDesk(core, settings), *(round(hours * HOUR) for hours in delays))
            sinks: list[Sink] = [local]
            if settings.jsonl:
                sinks.append(JsonlSink(settings.jsonl, settings.jsonl_ceiling))
            if last := await local.newest():
                await core.archive.republish_behind(last)  # a power cut may have taken what came after it
            republisher = Republisher(core.archive, core.traffic_feed.fresh, sinks)
            async with (
                NodeService(local, node),
                _background(
                    core.run(),
                    republisher.run(),
                    rotation.run(),
                    *workers(core, local, republisher, settings),
                    node.succession.run(),
                    node.files.run(),
                ),
            ):
                with running(settings.digests, node.compose_digest):
                    yield node, local

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
        """Check, seal, journal; the answer says `queued` when the hub has not answered within a moment."""
        if found := await self._named.found(client.name, once):
            return found
        log = self._community(community)
        if private:
            also = noting(client.name, once, log.community.id, using(()))
            return await self.replies.seal(client, draft, log.community.id, also)
        await self._core.check_clock()
        self._core.check_voice()
        role = log.role(self._agency, self._core.clock())
        known = [link.id for link in draft.links if await self._is_known(link.id)]
        drafts.check(draft, log.community.realm, role, known)
        if draft.drafter is None:
            draft = draft.model_copy(update={"drafter": client.name})
        attachments = await self.files.attached(client, draft, uploads)
        place, also = log.community, using(attachments)
        also = noting(client.name, once, place.id, also)
        published = await self._core.publish(draft, place.id, place.realm, also, attachments=attachments)
        unreadable = tuple(self._rotation.locked_out(log.community.id))
        return published.model_copy(update={"unreadable": unreadable})

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
        """From the archive."""
        return await self._core.archive.search(words, filters, limit, cursor, ranked=ranked)

    async def latest(self, client: ClientIdentity, filters: Filters, limit: int, cursor: str | None) -> Page:
        """From the archive, newest first."""
        return await self._core.archive.latest(filters, limit, cursor)

    async def show(self, client: ClientIdentity, ref: str) -> Record:
        """One bulletin by reference or id; `not_found`."""
        return await self._core.archive.get(ref)

    async def evidence(self, client: ClientIdentity, ref: str, *, text: bool, membership: bool) -> Evidence:
        """What proves a bulletin to a third party."""
        record = await self.show(client, ref)
        kept = await Shelf(self._core.store).bulletin(record.bulletin.id, text=text)
        # What came as an ancestor in a backlog was not held against its own signature then.
        return check_signed(await self._evidence(kept, membership=membership))

    async def evidence_refused(self, client: ClientIdentity, number: int, *, membership: bool) -> Evidence:
        """What proves that a refused frame was signed."""
        kept = await Shelf(self._core.store).refused(number)
        return check_signed(await self._evidence(kept, membership=membership))

    async def communities(self, client: ClientIdentity) -> list[Community]:
        """Those that this agency is in or owns."""
        directory = self._core.ledger.known()
        return [each for log in directory.communities.values() if (each := self.owners.described(log))]

    async def parcel_export(self, client: ClientIdentity, path: str, documents: list[str]) -> api.Exported:
        """As `AirGap.export`; `bad_request` at a node that has a connection."""
        return await self._parcels().export(Path(path), [Path(each) for each in documents])

    async def parcel_import(self, client: ClientIdentity, path: str, *, skip: bool) -> api.Imported:
        """As `AirGap.take`; `bad_request` at a node that has a connection."""
        return await self._parcels().take(Path(path), skip=skip)

    async def status(self, client: ClientIdentity) -> NodeStatus:
        """Connection, backlog and counts."""
        core = self._core
        page = await core.archive.latest(Filters(), 1)
        return NodeStatus(
            agency=self._agency,
            endpoint=core.endpoint,
            connected=core.link.connected,
            outbox=await core.outbox.size(),
            archived=await core.archive.count(),
            quarantined=await core.ledger.quarantined(),
            alarms=await alarms.standing(core.store),
            directory_size=core.ledger.known().head.size,
            head_size=core.ledger.vouched.kept.head.size if core.ledger.vouched.kept else None,
            head_fresh_until=core.ledger.vouched.shown_until(core.ledger.known()),
            head_stale=core.clock() >= core.ledger.fresh_until(),
            last_frame=page.items[0].received if page.items else None,
            key_warning=self._rotation.warning(),
            unconfirmed=await self.recall.unconfirmed(),
        )

    async def community_create(
        self, client: ClientIdentity, slug: str, title: str, realm: Realm, rules: str, owners: list[str]
    ) -> Community:
        """Found a community, join it, and seal its card."""
        self._core.check_head()
        return await self.owners.create(slug, title, realm, rules, owners)

    async def community_add(
        self, client: ClientIdentity, community: str, agency: str, role: MembershipRole, after: int | None
    ) -> Community:
        """Let an agency in."""
        self._core.check_head()
        return await self.owners.add(community, agency, role, after)

    async def community_remove(
        self, client: ClientIdentity, community: str, agency: str, after: int | None
    ) -> Community:
        """Put an agency out."""
        return await self.owners.remove(community, agency, after)

    async def digest(self, client: ClientIdentity, community: str, period: str) -> Published:
        """As `compose_digest`."""
        return await self.compose_digest(community, period)

    async def compose_digest(self, community: str, period: str) -> Published:
        """Compose and publish a community's digest. Asked again for the same period it answers with the one
        that there is.
        """
        core = self._core
        log = self._community(community)
        await core.check_clock()
        core.check_voice()
        span = parse_period(period, core.clock())
        async with self._digests:
            sql = """SELECT o.id, o.ref, o.state, o.code FROM digests d JOIN outgoing o ON o.id = d.id
                WHERE d.community = ? AND d.period = ?"""
            for made, ref, state, code in await core.store.query(sql, (log.community.id, span.name)):
                return Published(id=made, ref=ref, community=log.community.id, state=state, code=code)
            # Behind whatever is being committed: it was received before this moment.
            await core.store.transact(lambda _: None)
            records = await core.archive.for_digest(log.community.id, span.since, span.until)
            draft = compose(records, span, log.community.realm)
            role = log.role(self._agency, core.clock())
            drafts.check(draft, log.community.realm, role, [link.id for link in draft.links])

            def once(connection: apsw.Connection, bulletin: Bulletin) -> None:
                connection.execute(
                    "INSERT INTO digests VALUES (?, ?, ?)", (log.community.id, span.name, bulletin.id)
                )

            return await core.publish(draft, log.community.id, log.community.realm, once)

    async def readers(self, client: ClientIdentity, community: str) -> list[Reader]:
        """Who can read what is published in a community, those who cannot first."""
        return self._rotation.readers(self._community(community).community.id)

    async def keys(self, client: ClientIdentity) -> list[KeyInfo]:
        """The public side of the agency's keys."""
        return self._rotation.keys()

    async def key_rotate(self, client: ClientIdentity, *, encryption: bool) -> list[KeyInfo]:
        """New keys, announced and in use."""
        return await self._rotation.rotate(encryption=encryption)

    async def key_revoke(
        self, client: ClientIdentity, kid: str, reason: str, *, rotate: bool, stop: bool
    ) -> list[KeyInfo]:
        """Sign the revocation and have it in the directory."""
        return await self._rotation.revoke(kid, reason, rotate=rotate, stop=stop)

    async def directory(self, client: ClientIdentity, after: int, *, memberships: bool) -> api.DirectoryPage:
        """The directory as it was verified."""
        return await page(self._core.ledger, after, memberships=memberships)

    async def outbox(self, client: ClientIdentity, limit: int) -> list[OutboxEntry]:
        """Own bulletins that wait or were refused, within the client's ceiling."""
        return await self._sent.listed(client.ceiling, limit)

    async def outbox_draft(self, client: ClientIdentity, ref: str) -> Draft:
        """The text of one of them."""
        return await self._sent.draft(ref, client.ceiling)

    async def outbox_drop(self, client: ClientIdentity, ref: str) -> None:
        """Forget a refused one."""
        await self._sent.drop(ref, client.ceiling)

    async def quarantine(self, client: ClientIdentity, limit: int) -> list[QuarantineEntry]:
        """What was refused, newest first; never what it holds."""
        entries = await self._core.ledger.quarantine(limit)
        return [
            QuarantineEntry(
                number=each.number,
                when=instant(each.at),
                code=str(each.code),
                message=each.message,
                **self._origin(each.subject),
            )
            for each in entries
        ]

    async def alarms(self, client: ClientIdentity, limit: int, *, past: bool, after: int) -> list[AlarmEntry]:
        """What the hub or somebody did that honest ones do not, newest first."""
        found = await alarms.listed(self._core.store, limit, past=past, after=after)
        return [told(each, self._core.ledger) for each in found]

    async def alarm_ack(self, client: ClientIdentity, number: int) -> AlarmEntry:
        """Somebody has seen to it."""
        core = self._core
        await core.go_on(number)
        return told(await alarms.acknowledge(core.store, number, core.clock()), core.ledger)

    async def doctor(self, client: ClientIdentity) -> list[api.Finding]:
        """What is wrong and how to mend it."""
        return await diagnose(self._core, self._rotation.warning(), await self.recall.unconfirmed())

    async def _evidence(self, kept: Kept, *, membership: bool) -> Evidence:
        core = self._core
        documents, entries = await Shelf(core.store).logs(kept.header.com)
        shown, head = entries if membership else [], core.ledger.vouched.kept
        note = head.note.to_bytes() if head else None
        return await asyncio.to_thread(compose_evidence, kept, documents, shown, core.ledger.known(), note)

    @property
    def _agency(self) -> str:
        return self._core.keys.profile.id

    async def _is_known(self, bulletin: str) -> bool:
        try:
            await self._core.archive.get(bulletin)
        except OperationError as error:
            if error.code is Code.NOT_FOUND:
                return False
            raise
        return True

    def _community(self, name: str) -> MembershipLog:
        return self.owners.find(name)

    def _parcels(self) -> AirGap:
        if self._core.parcels is None:
            raise OperationError(
                Code.BAD_REQUEST,
                "this node reads from the hub itself",
                "set LIAISON_AGENCY_AIR_GAP=true where it has no network",
            )
        return self._core.parcels

    def _origin(self, subject: str) -> dict[str, str | None]:
        keys = self._core.ledger.known().endpoints.get(subject.rpartition(".")[2])
        return {"community": community_of(subject), "agency": keys.agency if keys else None}


def community_of(subject: str) -> str | None:
    """The community that a frame's subject names; None for what is no such subject: the hub writes them."""
    try:
        return parse_frame_subject(subject).community
    except FormatError:
        return None


@contextlib.asynccontextmanager
async def _background(*coroutines: Coroutine[None, None, None]) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in coroutines]
        yield
        for task in tasks:
            task.cancel()

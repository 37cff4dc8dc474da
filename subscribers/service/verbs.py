"""What each verb of the service does, with the client's TLP ceiling held to on both sides of the node's
answer.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

import structlog
from pydantic import BaseModel

from schemas.bulletin import parse_draft
from schemas.encoding import from_base64
from schemas.errors import Code, LiaisonError, OperationError
from schemas.evidence import Evidence
from schemas.vocabulary import Tlp
from subscribers.api import ClientAdded, NodeApi, WhoAmI
from subscribers.files.shapes import PIECE_MAX, File
from subscribers.insight.requests import CountsRequest, LikeRequest, ProvenanceRequest
from subscribers.local import ClientIdentity, LocalNats, Verb
from subscribers.records import Filters, Page, Record
from subscribers.service.file_requests import (
    AttachDataRequest,
    AttachRequest,
    AttachStatusRequest,
    FetchDataRequest,
    FetchRequest,
)
from subscribers.service.request import Request
from subscribers.service.requests import (
    AcknowledgeRequest,
    AlarmAckRequest,
    AlarmsRequest,
    ClientAddRequest,
    ClientRemoveRequest,
    CommunityAddRequest,
    CommunityCreateRequest,
    CommunityFoundRequest,
    CommunityLogRequest,
    CommunityProposalRequest,
    CommunityProposeRequest,
    CommunityRemoveRequest,
    ComplianceRequest,
    DigestRequest,
    DirectoryRequest,
    EvidenceRefusedRequest,
    EvidenceRequest,
    KeyRevokeRequest,
    KeyRotateRequest,
    LatestRequest,
    NoticesRequest,
    OutboxItemRequest,
    OutboxRequest,
    ParcelExportRequest,
    ParcelImportRequest,
    PublishRequest,
    QuarantineRequest,
    ReadersRequest,
    RepliesRequest,
    SearchRequest,
    ShowRequest,
    SightRequest,
)
from subscribers.service.roles import verbs
from subscribers.service.sharing_requests import HistoryWanted, ReleaseAnswer, ReleaseAsk, ReleaseCarry
from subscribers.writing import private
from subscribers.writing.drafts import check_regions
from subscribers.writing.once import split

Answer = BaseModel | Sequence[BaseModel] | None

T = TypeVar("T")

_NOT_FOUND: Final = ("there is no bulletin with this reference or id", "check it, or search for it")

log = structlog.get_logger(__name__)


class Desk:
    """Answers a parsed request of a client that may make it."""

    def __init__(self, local: LocalNats, api: NodeApi) -> None:
        self._local = local
        self._api = api

    async def answer(self, client: ClientIdentity, verb: Verb, request: Request) -> Answer:
        """The result of one request. Raises LiaisonError for a refusal."""
        match request:
            case ComplianceRequest():
                await self._show(client, request.ref)
                return await self._api.recall.compliance(request.ref, client.ceiling)
            case LatestRequest() | ShowRequest():
                return await self._read(client, request)
            case PublishRequest():
                return await self._publish(client, request)
            case AttachRequest() | AttachDataRequest() | AttachStatusRequest() | FetchRequest():
                return await self._move(client, request)
            case AcknowledgeRequest() | RepliesRequest():
                await self._show(client, request.ref)  # what the client may not see it cannot answer
                return await self._reply(client, request)
            case ProvenanceRequest() | CountsRequest() | LikeRequest():
                return await self._look_into(client, request)
            case EvidenceRequest() | EvidenceRefusedRequest():
                return await self._prove(client, request)
            case OutboxRequest() | OutboxItemRequest():
                return await self._sent(client, verb, request)
            case ClientAddRequest() | ClientRemoveRequest():
                return await self._change_clients(request)
            case (
                CommunityLogRequest()
                | NoticesRequest()
                | CommunityFoundRequest()
                | CommunityProposeRequest()
                | CommunityProposalRequest()
            ):
                return await self._agree(verb, request)
            case (
                CommunityCreateRequest() | CommunityAddRequest() | CommunityRemoveRequest() | DigestRequest()
            ):
                return await self._own(client, request)
            case _:
                return await self._operate(client, verb, request)

    async def _operate(self, client: ClientIdentity, verb: Verb, request: Request) -> Answer:
        """Keys, alarms, parcels, refusals: what those ask who keep the node running."""
        match request:
            case ReleaseAsk() | ReleaseAnswer() | ReleaseCarry():
                return await self._release(client, request)
            case HistoryWanted():
                return await self._api.sharing.history_request(request.community)
            case ReadersRequest():
                return await self._api.readers(client, request.community)
            case KeyRotateRequest() | KeyRevokeRequest():
                return await self._change_keys(client, request)
            case AlarmsRequest():
                return await self._api.alarms(client, request.limit, past=request.past, after=request.after)
            case AlarmAckRequest():
                return await self._api.alarm_ack(client, request.number)
            case ParcelExportRequest():
                return await self._api.parcel_export(client, request.path, request.documents)
            case ParcelImportRequest():
                return await self._api.parcel_import(client, request.path, skip=request.skip)
            case DirectoryRequest():
                return await self._api.directory(client, request.after, memberships=request.memberships)
            case QuarantineRequest():
                return await self._api.quarantine(client, request.limit)
            case _:
                return await self._tell(client, verb)

    async def _publish(self, client: ClientIdentity, request: PublishRequest) -> Answer:
        fields, once = split(request.draft)
        fields, sealed = private.split(fields)
        draft, uploads = parse_draft(fields), request.attachments
        check_regions(draft)
        if sealed:
            await self._show(client, private.target_of(draft, uploads))
        return await self._api.publish(client, draft, request.community, uploads, once, private=sealed)

    async def _read(self, client: ClientIdentity, request: LatestRequest | ShowRequest) -> Answer:
        if isinstance(request, ShowRequest):
            return await self._show(client, request.ref)
        filters = _lowered(request.filters, client)
        if isinstance(request, SearchRequest):
            page = await self._api.search(
                client, request.words, filters, request.limit, request.cursor, ranked=request.ranked
            )
        else:
            page = await self._api.latest(client, filters, request.limit, request.cursor)
        return _held(page, client)

    async def _show(self, client: ClientIdentity, ref: str) -> Record:
        """The record, or one and the same refusal whether it does not exist or lies above the ceiling."""
        try:
            record = await self._api.show(client, ref)
        except LiaisonError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            record = None
        if record is None or not _allowed(record, client):
            raise OperationError(Code.NOT_FOUND, *_NOT_FOUND)
        return record

    async def _reply(self, client: ClientIdentity, request: AcknowledgeRequest | RepliesRequest) -> Answer:
        replies = self._api.replies
        match request:
            case RepliesRequest():
                return await replies.replies(request.ref, request.limit, client.ceiling)
            case SightRequest(ref=ref, note=note, officer=officer, private=private):
                regions, seen = request.regions, request.seen
                return await replies.sight(
                    client, ref, note, officer, regions=regions, seen=seen, private=private
                )
            case AcknowledgeRequest(ref=ref, note=note, officer=officer, private=private):
                return await replies.acknowledge(client, ref, note, officer, private=private)

    async def _release(
        self, client: ClientIdentity, request: ReleaseAsk | ReleaseAnswer | ReleaseCarry
    ) -> Answer:
        await self._show(client, request.ref)  # what the client may not see it cannot pass on
        sharing = self._api.sharing
        match request:
            case ReleaseAsk():
                return await sharing.release_ask(client, request.ref, request.community, request.note)
            case ReleaseAnswer():
                return await sharing.release_answer(client, request.ref, request.days, request.note)
            case ReleaseCarry():
                return await sharing.release_carry(client, request.ref)

    async def _look_into(
        self, client: ClientIdentity, request: ProvenanceRequest | CountsRequest | LikeRequest
    ) -> Answer:
        if isinstance(request, CountsRequest):
            counts = await self._api.insight.counts(_lowered(request.filters, client), request.step)
            return _within(counts, counts.tlp_at_most, client)
        await self._show(client, request.ref)  # what the client may not see it is told nothing about
        if isinstance(request, LikeRequest):
            filters = _lowered(request.filters, client)
            alike = await self._api.insight.like(request.ref, filters, request.limit)
            return _held(Page(items=alike), client).items
        found = await self._api.insight.provenance(request.ref)
        return _within(found, found.tlp, client)

    async def _prove(
        self, client: ClientIdentity, request: EvidenceRequest | EvidenceRefusedRequest
    ) -> Evidence:
        membership = request.membership
        if isinstance(request, EvidenceRefusedRequest):
            return await self._api.evidence_refused(client, request.number, membership=membership)
        await self._show(client, request.ref)  # what the client may not see it cannot prove
        return await self._api.evidence(client, request.ref, text=request.text, membership=membership)

    async def _sent(
        self, client: ClientIdentity, verb: Verb, request: OutboxRequest | OutboxItemRequest
    ) -> Answer:
        if isinstance(request, OutboxRequest):
            return await self._api.outbox(client, request.limit)
        if verb is Verb.OUTBOX_DRAFT:
            return await self._api.outbox_draft(client, request.ref)
        await self._api.outbox_drop(client, request.ref)
        return None

    async def _move(
        self,
        client: ClientIdentity,
        request: AttachRequest | AttachDataRequest | AttachStatusRequest | FetchRequest,
    ) -> Answer:
        """Files, in pieces."""
        files = self._api.files
        match request:
            case AttachRequest():
                return await files.attach(client, File(**request.model_dump()))
            case AttachDataRequest():
                data = from_base64(request.data, PIECE_MAX)
                return await files.attach_data(client, request.id, request.offset, data)
            case AttachStatusRequest():
                return await files.attach_status(client, request.id)
            case FetchRequest():  # what the client may not see has no attachments for it
                bulletin = (await self._show(client, request.ref)).bulletin.id
                if isinstance(request, FetchDataRequest):
                    return await files.fetch_data(client, bulletin, request.name, request.offset)
                return await files.fetch(bulletin, request.name)

    async def _change_keys(
        self, client: ClientIdentity, request: KeyRotateRequest | KeyRevokeRequest
    ) -> Answer:
        if isinstance(request, KeyRotateRequest):
            return await self._api.key_rotate(client, encryption=request.encryption)
        return await self._api.key_revoke(
            client, request.kid, request.reason, rotate=request.rotate, stop=request.stop
        )

    async def _own(
        self,
        client: ClientIdentity,
        request: CommunityCreateRequest | CommunityAddRequest | CommunityRemoveRequest | DigestRequest,
    ) -> Answer:
        match request:
            case CommunityCreateRequest():
                return await self._api.community_create(
                    client, request.slug, request.title, request.realm, request.rules, request.owners
                )
            case CommunityAddRequest():
                return await self._api.community_add(
                    client, request.community, request.agency, request.role, request.after
                )
            case CommunityRemoveRequest():
                return await self._api.community_remove(
                    client, request.community, request.agency, request.after
                )
            case DigestRequest():
                return await self._api.digest(client, request.community, request.period)

    async def _agree(
        self,
        verb: Verb,
        request: CommunityLogRequest
        | NoticesRequest
        | CommunityFoundRequest
        | CommunityProposeRequest
        | CommunityProposalRequest,
    ) -> Answer:
        owners = self._api.owners
        match request:
            case CommunityLogRequest():
                return owners.community_log(request.community)
            case NoticesRequest():
                return await owners.notices(request.after, request.limit)
            case CommunityFoundRequest() as asked:
                return await owners.community_found(
                    asked.slug, asked.title, asked.realm, asked.rules, asked.owners, asked.threshold
                )
            case CommunityProposeRequest() as asked:
                return await owners.community_propose(
                    asked.community, asked.op, asked.agency, asked.role, asked.after
                )
            case _ if verb is Verb.COMMUNITY_SIGN:
                return await owners.community_sign(request.file)
            case _ if verb is Verb.COMMUNITY_SUBMIT:
                return await owners.community_submit(request.file)
            case _:
                return owners.community_proposal(request.file)

    async def _change_clients(self, request: ClientAddRequest | ClientRemoveRequest) -> Answer:
        if isinstance(request, ClientRemoveRequest):
            await self._local.remove_client(request.name)
            return None
        seed_file = await self._local.add_client(request.name, request.role, request.ceiling)
        return ClientAdded(
            name=request.name, role=request.role, ceiling=request.ceiling, seed_file=str(seed_file.absolute())
        )

    async def _tell(self, client: ClientIdentity, verb: Verb) -> Answer:
        match verb:
            case Verb.COMMUNITIES:
                return await self._api.communities(client)
            case Verb.RELEASES:
                return await self._api.sharing.releases(client.ceiling)
            case Verb.HISTORY:
                return await self._api.sharing.history()
            case Verb.STATUS:
                return await self._api.status(client)
            case Verb.DOCTOR:
                return await self._api.doctor(client)
            case Verb.KEYS:
                return await self._api.keys(client)
            case Verb.IDENTITY:
                return self._api.succession.identity()
            case Verb.IDENTITY_NEW:
                return await self._api.succession.identity_new()
            case Verb.IDENTITY_OBJECT:
                return await self._api.succession.identity_object()
            case Verb.IDENTITY_TAKE_UP:
                return await self._api.succession.identity_take_up()
            case Verb.CLIENTS:
                return [each.identity for each in self._local.clients()]
            case _:
                return WhoAmI(
                    name=client.name, role=client.role, ceiling=client.ceiling, verbs=verbs(client.role)
                )


def _allowed(record: Record, client: ClientIdentity) -> bool:
    return record.bulletin.tlp.rank <= client.ceiling.rank


def _lowered(filters: Filters, client: ClientIdentity) -> Filters:
    lowest = min(filters.tlp_at_most, client.ceiling, key=lambda each: each.rank)
    return filters.model_copy(update={"tlp_at_most": lowest})


def _held(page: Page, client: ClientIdentity) -> Page:
    """The page, once it is sure that nothing in it is above the ceiling that the node was told of."""
    highest = max((each.bulletin.tlp for each in page.items), key=lambda tlp: tlp.rank, default=Tlp.CLEAR)
    return _within(page, highest, client)


def _within(answer: T, tlp: Tlp, client: ClientIdentity) -> T:
    """The answer, once it is sure that the highest marking behind it is within the client's ceiling."""
    if tlp.rank > client.ceiling.rank:
        log.error("answer above the ceiling withheld", client=client.name)
        raise OperationError(
            Code.INTERNAL, "the node's answer passed this client's ceiling", "report this defect"
        )
    return answer

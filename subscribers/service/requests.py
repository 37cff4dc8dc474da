"""The requests of the node's service, one strict model for each verb: pure."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints, ValidationError

from schemas.bulletin import where
from schemas.card import Slug
from schemas.documents import AgencyId
from schemas.encoding import parse_json
from schemas.errors import Code, OperationError
from schemas.limits import (
    ATTACHMENTS_MAX,
    DOCUMENT_MAX,
    INTEGER_MAX,
    LIST_MAX,
    PAYLOAD_MAX,
    SUMMARY_MAX,
)
from schemas.particulars import Body, Instant, Line, Region
from schemas.vocabulary import Realm, Tlp
from subscribers.api import MembershipRole
from subscribers.insight.requests import CountsRequest, LikeRequest, ProvenanceRequest
from subscribers.owning.communities import SPAN_MAX
from subscribers.records import Filters
from subscribers.service import file_requests as files
from subscribers.service.request import Request
from subscribers.service.request import Word as _Word
from subscribers.service.roles import Role, Verb
from subscribers.service.sharing_requests import HistoryWanted, ReleaseAnswer, ReleaseAsk, ReleaseCarry

REQUEST_MAX: Final = 2 * PAYLOAD_MAX
"""Bytes: a draft at its largest, with room for escapes."""
PAGE_MAX: Final = 100
"""The most bulletins in one answer."""
FILTER_MAX: Final = 256
"""The most values that one filter may list."""

_Limit = Annotated[int, Field(ge=1, le=PAGE_MAX, strict=True)]
_Span = Annotated[int, Field(ge=0, le=SPAN_MAX, strict=True)]
_Cursor = Annotated[str, StringConstraints(min_length=1, max_length=512)]


class Nothing(Request):
    """For verbs that need no more than who asks."""


class DirectoryRequest(Request):
    """`directory`: what comes after the number `after`, in the order in which the node took it in."""

    after: Annotated[int, Field(ge=0, le=INTEGER_MAX, strict=True)] = 0
    memberships: Annotated[bool, Field(strict=True)] = False


class PublishRequest(Request):
    """`publish`: the draft as JSON, checked by `parse_draft` for its own refusals."""

    draft: dict[str, Any]
    community: _Word

    attachments: Annotated[list[_Word], Field(max_length=ATTACHMENTS_MAX)] = []
    """Ids of uploads that the hub has."""


class AcknowledgeRequest(Request):
    """`acknowledge`"""

    ref: _Word
    note: Annotated[Body, StringConstraints(max_length=SUMMARY_MAX)] = ""
    officer: Line | Literal[""] = ""
    private: Annotated[bool, Field(strict=True)] = False
    """Sealed to the originator, instead of to the community."""


class SightRequest(AcknowledgeRequest):
    """`sight`"""

    regions: Annotated[list[Region], Field(max_length=LIST_MAX)] = []
    seen: Instant | None = None


class LatestRequest(Request):
    """`latest`"""

    filters: Filters = Filters()
    limit: _Limit = 10
    cursor: _Cursor | None = None


class SearchRequest(LatestRequest):
    """`search`"""

    words: Annotated[str, StringConstraints(max_length=512)]
    ranked: Annotated[bool, Field(strict=True)] = False


class ShowRequest(Request):
    """`show`"""

    ref: _Word


class RepliesRequest(Request):
    """`replies`: what was answered to a bulletin, newest first."""

    ref: _Word
    limit: _Limit = 50


class ComplianceRequest(ShowRequest):
    """`compliance`: an amendment or retraction of ours, or a bulletin of ours that has some."""


class EvidenceRequest(Request):
    """`evidence`: what proves a bulletin to a third party. Without `text` the file shows that something was
    signed, not what; without `membership` not who else is in the community.
    """

    ref: _Word
    text: Annotated[bool, Field(strict=True)] = True
    membership: Annotated[bool, Field(strict=True)] = True


class EvidenceRefusedRequest(Request):
    """`evidence-refused`: the same of a refused frame, by its number in the quarantine."""

    number: Annotated[int, Field(ge=1, le=INTEGER_MAX, strict=True)]
    membership: Annotated[bool, Field(strict=True)] = True


class CommunityCreateRequest(Request):
    """`community-create`"""

    slug: Slug
    title: Line
    realm: Realm = Realm.LIVE
    rules: Annotated[Body, StringConstraints(max_length=SUMMARY_MAX)] = ""
    owners: Annotated[list[AgencyId], Field(max_length=15)] = []
    """Other agencies that own it as well."""


class CommunityAddRequest(Request):
    """`community-add`"""

    community: _Word
    agency: _Word
    role: MembershipRole = "member"
    after: _Span | None = None
    """Milliseconds from now until it takes effect; None: the notice that this agency demands."""


class CommunityRemoveRequest(Request):
    """`community-remove`"""

    community: _Word
    agency: _Word
    after: _Span | None = None


class CommunityFoundRequest(CommunityCreateRequest):
    """`community-found`"""

    threshold: Annotated[int, Field(ge=2, le=16, strict=True)]
    """How many of the owners must sign the community and each change in it."""


class CommunityProposeRequest(CommunityAddRequest):
    """`community-propose`"""

    op: Literal["add", "remove"]


class CommunityProposalRequest(Request):
    """`community-proposal`, `community-sign` and `community-submit`: the proposal's file."""

    file: Annotated[str, StringConstraints(min_length=1, max_length=DOCUMENT_MAX)]


class CommunityLogRequest(Request):
    """`community-log`"""

    community: _Word


class NoticesRequest(Request):
    """`notices`: those after a number, oldest first; without one the newest, newest first."""

    after: Annotated[int, Field(ge=0, le=INTEGER_MAX, strict=True)] | None = None
    limit: _Limit = 50


class DigestRequest(Request):
    """`digest`"""

    community: _Word
    period: _Word


class ReadersRequest(Request):
    """`readers`"""

    community: _Word


class KeyRotateRequest(Request):
    """`key-rotate`"""

    encryption: Annotated[bool, Field(strict=True)] = True
    """Replace the encryption key too; a `keys` document always binds a new signing key."""


class KeyRevokeRequest(Request):
    """`key-revoke`"""

    kid: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    reason: Line | Literal[""] = ""
    rotate: Annotated[bool, Field(strict=True)] = False
    """The key that signs now is replaced first."""
    stop: Annotated[bool, Field(strict=True)] = False
    """The key that signs now is not replaced: this endpoint falls silent."""


class AlarmsRequest(Request):
    """`alarms`"""

    limit: _Limit = 50
    past: Annotated[bool, Field(strict=True)] = False
    """Those that have ended or were acknowledged, too."""
    after: Annotated[int, Field(ge=0, le=INTEGER_MAX, strict=True)] = 0


class AlarmAckRequest(Request):
    """`alarm-ack`"""

    number: Annotated[int, Field(ge=1, le=INTEGER_MAX, strict=True)]


class OutboxRequest(Request):
    """`outbox`"""

    limit: _Limit = 50


class OutboxItemRequest(Request):
    """`outbox-draft` and `outbox-drop`"""

    ref: _Word


class QuarantineRequest(Request):
    """`quarantine`"""

    limit: _Limit = 50


_Path = Annotated[str, StringConstraints(pattern=r"^/[^\x00]{0,1022}$")]


class ParcelExportRequest(Request):
    """`parcel-export`"""

    path: _Path
    documents: Annotated[list[_Path], Field(max_length=64)] = []
    """Files with signed documents or membership entries, to be handed in as well."""


class ParcelImportRequest(Request):
    """`parcel-import`"""

    path: _Path
    skip: Annotated[bool, Field(strict=True)] = False
    """Although parcels before it are missing."""


class ClientAddRequest(Request):
    """`client-add`"""

    name: _Word
    role: Role = Role.READER
    ceiling: Tlp = Tlp.AMBER


class ClientRemoveRequest(Request):
    """`client-remove`"""

    name: _Word


MODELS: Final[dict[Verb, type[Request]]] = {
    Verb.WHOAMI: Nothing,
    Verb.SEARCH: SearchRequest,
    Verb.LATEST: LatestRequest,
    Verb.SHOW: ShowRequest,
    Verb.EVIDENCE: EvidenceRequest,
    Verb.EVIDENCE_REFUSED: EvidenceRefusedRequest,
    Verb.COMMUNITIES: Nothing,
    Verb.STATUS: Nothing,
    Verb.DIRECTORY: DirectoryRequest,
    Verb.FETCH: files.FetchRequest,
    Verb.FETCH_DATA: files.FetchDataRequest,
    Verb.PUBLISH: PublishRequest,
    Verb.ATTACH: files.AttachRequest,
    Verb.ATTACH_DATA: files.AttachDataRequest,
    Verb.ATTACH_STATUS: files.AttachStatusRequest,
    Verb.ACKNOWLEDGE: AcknowledgeRequest,
    Verb.SIGHT: SightRequest,
    Verb.REPLIES: RepliesRequest,
    Verb.COMPLIANCE: ComplianceRequest,
    Verb.PROVENANCE: ProvenanceRequest,
    Verb.COUNTS: CountsRequest,
    Verb.LIKE: LikeRequest,
    Verb.COMMUNITY_CREATE: CommunityCreateRequest,
    Verb.COMMUNITY_ADD: CommunityAddRequest,
    Verb.COMMUNITY_REMOVE: CommunityRemoveRequest,
    Verb.READERS: ReadersRequest,
    Verb.COMMUNITY_LOG: CommunityLogRequest,
    Verb.COMMUNITY_FOUND: CommunityFoundRequest,
    Verb.COMMUNITY_PROPOSE: CommunityProposeRequest,
    Verb.COMMUNITY_PROPOSAL: CommunityProposalRequest,
    Verb.COMMUNITY_SIGN: CommunityProposalRequest,
    Verb.COMMUNITY_SUBMIT: CommunityProposalRequest,
    Verb.NOTICES: NoticesRequest,
    Verb.RELEASES: Nothing,
    Verb.RELEASE_ASK: ReleaseAsk,
    Verb.RELEASE_ANSWER: ReleaseAnswer,
    Verb.RELEASE_CARRY: ReleaseCarry,
    Verb.HISTORY: Nothing,
    Verb.HISTORY_REQUEST: HistoryWanted,
    Verb.DIGEST: DigestRequest,
    Verb.ALARMS: AlarmsRequest,
    Verb.ALARM_ACK: AlarmAckRequest,
    Verb.OUTBOX: OutboxRequest,
    Verb.OUTBOX_DRAFT: OutboxItemRequest,
    Verb.OUTBOX_DROP: OutboxItemRequest,
    Verb.QUARANTINE: QuarantineRequest,
    Verb.DOCTOR: Nothing,
    Verb.KEYS: Nothing,
    Verb.KEY_ROTATE: KeyRotateRequest,
    Verb.KEY_REVOKE: KeyRevokeRequest,
    Verb.IDENTITY: Nothing,
    Verb.IDENTITY_NEW: Nothing,
    Verb.IDENTITY_OBJECT: Nothing,
    Verb.IDENTITY_TAKE_UP: Nothing,
    Verb.PARCEL_EXPORT: ParcelExportRequest,
    Verb.PARCEL_IMPORT: ParcelImportRequest,
    Verb.CLIENTS: Nothing,
    Verb.CLIENT_ADD: ClientAddRequest,
    Verb.CLIENT_REMOVE: ClientRemoveRequest,
}


def parse_request(verb: Verb, data: bytes) -> Request:
    """The request from untrusted bytes; no bytes stand for an empty object.

    Raises LiaisonError `too_large`, `bad_json` or `bad_request`; no text ever repeats a value.
    """
    limit = files.PIECE_REQUEST_MAX if verb is Verb.ATTACH_DATA else REQUEST_MAX
    fields = parse_json(data, limit) if data else {}
    try:
        request = MODELS[verb].model_validate(fields)
    except ValidationError as error:
        raise OperationError(
            Code.BAD_REQUEST, f"{verb}: {where(error)}", "correct the named fields"
        ) from None
    if isinstance(request, LatestRequest | CountsRequest | LikeRequest):
        _bound(request.filters)
    return request


def _bound(filters: Filters) -> None:
    lists = (filters.tactics, filters.subjects, filters.events)
    sets = (filters.kinds, filters.communities, filters.regions, filters.languages, *lists)
    if any(len(each) > FILTER_MAX for each in sets):
        raise OperationError(
            Code.BAD_REQUEST, f"a filter lists more than {FILTER_MAX} values", "ask in parts"
        )

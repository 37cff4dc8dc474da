"""What the node tells its clients: shapes shared by the service, the client library and the bot. No I/O."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.bulletin import Bulletin, where
from schemas.errors import Code, FormatError
from schemas.particulars import CommunityId, Instant, Uuid7
from schemas.vocabulary import Kind, Language, Realm, Severity, Tlp


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Record(_Shape):
    """A bulletin as this agency holds it: the content, where it came from, and what became of it."""

    bulletin: Bulletin
    community: CommunityId
    community_slug: str
    community_title: str
    agency: str
    """The originator's id in the directory, such as `fr-dgx`."""
    agency_name: str
    received: Instant
    own: bool = False
    """Written by this agency."""
    flags: frozenset[Literal["expired", "gap_before", "late", "history", "private", "review_due"]] = (
        frozenset()
    )
    """`private`: sealed to its originator and its sender; nobody else in the community has read it.
    `history`: from before this agency joined, so no news to anybody.
    """
    state: Literal["current", "amended", "retracted"] = "current"
    replaced_by: Uuid7 | None = None


def read_record(data: bytes) -> Record:
    """A record as it stands on a local subject. FormatError, also where a time in it is none."""
    try:
        return Record.model_validate_json(data)
    except ValidationError as error:
        raise FormatError(Code.BAD_DOCUMENT, f"not a bulletin's record: {where(error)}") from None


class Change(_Shape):
    """What an amendment or retraction did to a bulletin that this agency holds. No text of either."""

    bulletin: Uuid7
    """The one that was changed."""
    ref: str
    state: Literal["amended", "retracted"]
    change: Uuid7
    """The amendment or retraction, a bulletin too."""
    change_ref: str
    community: CommunityId
    community_slug: str
    agency: str
    kind: Kind
    severity: Severity
    tlp: Tlp
    """Kind, severity and marking of the bulletin that was changed."""
    exercise: bool
    received: Instant
    """When the change came."""


MemberState = Literal["applied", "failed", "waiting", "read_only", "left"]


class MemberCompliance(_Shape):
    """What one agency said of a change. It is that agency's claim.

    `failed`: it has the change, and something of its own did not take it. `waiting`: not heard yet.
    `read_only`: it may only read there, and cannot report. `left`: it left before it reported.
    """

    agency: str
    agency_name: str
    role: Literal["member", "reader"]
    state: MemberState
    received: Instant | None = None
    applied: Instant | None = None
    reported: Instant | None = None
    """When the report came here; the two before are by the other's clock."""
    archive: str | None = None
    local: str | None = None
    sinks: str | None = None


class Compliance(_Shape):
    """A change that this agency made, and what the members of that time said of it."""

    id: Uuid7
    ref: str
    kind: Kind
    bulletins: list[Uuid7]
    """What it changes."""
    community: CommunityId
    community_slug: str
    issued: Instant
    members: list[MemberCompliance]
    applied: int
    waiting: int
    """Members that have not said that they applied it, and could."""


class Filters(_Shape):
    """What to look for. An empty set means no restriction; everything given must hold."""

    kinds: frozenset[Kind] = frozenset()
    severity_at_least: Severity = Severity.INFO
    communities: frozenset[str] = frozenset()
    """Community ids or slugs."""
    regions: frozenset[str] = frozenset()
    languages: frozenset[Language] = frozenset()
    """Bulletins that have a text, original or translated, in one of these."""
    tactics: frozenset[str] = frozenset()
    """Identifiers of a taxonomy, such as `T1566`, which takes in its sub-techniques."""
    subjects: frozenset[str] = frozenset()
    """References such as `QDi.001`, or names."""
    events: frozenset[str] = frozenset()
    """Names of events."""
    tlp_at_most: Tlp = Tlp.RED
    since: Instant | None = None
    until: Instant | None = None


class Page(_Shape):
    """Part of an answer, newest first unless ranked; `cursor` asks for the next part, None at the end."""

    items: list[Record]
    cursor: str | None = None
    total: Annotated[int, Field(ge=0)] | None = None
    """How many match in all, where that is known cheaply."""


class Community(_Shape):
    """A community that this agency belongs to."""

    id: CommunityId
    slug: str
    title: str
    realm: Realm
    role: Literal["member", "reader"]
    owner: bool
    members: list[str]
    """Agency ids, as of now."""


class Proposal(_Shape):
    """A change that several owners must sign: what the file says, and who has signed it."""

    what: Literal["found", "add", "remove"]
    community: CommunityId
    slug: str = ""
    """What the community is called at this node; empty while it has no name here."""
    realm: Realm
    agency: str = ""
    agency_name: str = ""
    role: Literal["member", "reader"] | None = None
    effective: Instant | None = None
    index: int | None = None
    """Its place in the community's log."""
    owners: list[str]
    threshold: int
    signed: list[str]
    may_sign: list[str]
    lacking: int
    """How many signatures it still needs."""
    file: str
    """The envelope, byte for byte: what goes to the other owners."""


class MembershipChange(_Shape):
    """One entry of a community's log: who was added or removed, by whose signatures, from when on."""

    index: int
    op: Literal["add", "remove"]
    agency: str
    agency_name: str
    role: Literal["member", "reader"]
    effective: Instant
    issued: Instant
    by: list[str]
    """The owners who signed it."""


NoticeKind = Literal[
    "membership",
    "community",
    "keys",
    "revoked",
    "replacing",
    "objected",
    "withdrawn",
    "identity",
    "agency",
    "root",
]


class Notice(_Shape):
    """A change in the directory that concerns this agency. What a kind has no use for is empty."""

    number: int
    """Its place among this node's notices."""
    at: Instant
    kind: NoticeKind
    community: CommunityId | None = None
    slug: str = ""
    title: str = ""
    agency: str = ""
    agency_name: str = ""
    op: Literal["add", "remove"] | None = None
    role: Literal["member", "reader"] | None = None
    by: list[str] = []
    """The owners who signed the entry, or those whom a new community names."""
    effective: Instant | None = None
    index: int | None = None
    version: int | None = None
    threshold: int | None = None
    fingerprint: str = ""
    """Of an identity key that is new, or that was to be: what its agency reads aloud."""
    disputed: bool = False
    """The agency has objected before."""


class HistoryEntry(_Shape):
    """The past of a community that this agency asked for. `fetched` of `total` say how far the hub's stream
    was read; then counts of bulletins, and of frames that nobody has given (`missing`).
    """

    community: CommunityId
    slug: str
    asked: Instant
    state: Literal["fetching", "checking", "waiting", "done"]
    fetched: int
    total: int | None = None
    opened: int
    waiting: int
    """Of which the key has not come yet."""
    withheld: int
    """Which their originators keep from later joiners: they stay unread."""
    missing: int


class HistoryGiven(_Shape):
    """Old keys that this node passed on to another member."""

    community: CommunityId
    slug: str
    agency: str
    epochs: int
    last: Instant


class HistoryReport(_Shape):
    """What this agency asked for, and what it passed on."""

    wanted: list[HistoryEntry]
    given: list[HistoryGiven]


class ReleaseEntry(_Shape):
    """A request that a bulletin (`ref`) may go on to another community, and what became of it."""

    request: str
    """The reference of the request."""
    carrier: str
    """The agency that asks."""
    asked: Instant
    ref: str
    originator: str
    community: str
    """Where the bulletin stands: the short name at this node."""
    target: CommunityId
    target_slug: str
    """Empty for a community that this agency is not in."""
    state: Literal["asked", "granted", "declined"]
    until: Instant | None = None
    yours_to_answer: bool
    to_carry: int
    """Bulletins that this agency may carry and has not: the original, and what was said of it since."""


class ReleasedHere(_Shape):
    """A bulletin that was carried here from another community."""

    ref: str
    carrier: str
    community: str
    originator: str
    granted: Instant


class ReleaseReport(_Shape):
    """Requests for onward release, and what has come by it."""

    asked: list[ReleaseEntry]
    here: list[ReleasedHere]


class Published(_Shape):
    """What became of a draft: `queued` is on this node's disk, `admitted` carries the hub's signed receipt,
    `refused` its code.
    """

    id: Uuid7
    ref: str
    community: CommunityId
    state: Literal["queued", "admitted", "refused"]
    code: str | None = None
    unreadable: tuple[str, ...] = ()
    """Agencies of the community that cannot read it: they have no key that could be used."""


class NodeStatus(_Shape):
    """How the node is doing. Counts since it was made, not since it started."""

    agency: str
    endpoint: str
    connected: bool
    outbox: int
    archived: int
    quarantined: int
    alarms: int = 0
    """Those that stand and nobody has acknowledged."""
    directory_size: int
    head_size: int | None = None
    """Documents under the newest head that the witnesses vouched for; None before the first."""
    head_fresh_until: Instant | None = None
    """From then on the head is stale; None when the root asks for no witnesses."""
    head_stale: bool = False
    """Whether the node begins no new epochs and takes up no new keys."""
    last_frame: Instant | None = None
    unconfirmed: int = 0
    """Retractions of ours that some member has not confirmed in the time that is set."""
    key_warning: str = ""
    """What there is to say of the age of this node's keys."""

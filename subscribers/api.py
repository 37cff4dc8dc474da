"""What the node does for its clients: the Protocol behind its service, and the shapes that only the service
speaks. No I/O.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from schemas.bulletin import Draft
from schemas.evidence import Evidence
from schemas.particulars import CommunityId, Instant, Uuid7
from schemas.vocabulary import AlarmName, Realm, Tlp
from subscribers.files.shapes import FilesApi
from subscribers.insight.shapes import InsightApi
from subscribers.keyring.identity_api import SuccessionApi
from subscribers.keyring.key_life import KeyInfo, Reader
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
from subscribers.service.roles import ClientIdentity, ClientName, Role, Verb

MembershipRole = Literal["member", "reader"]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WhoAmI(ClientIdentity):
    """What the node knows of the client that asks."""

    verbs: tuple[Verb, ...]


class QuarantineEntry(_Shape):
    """A frame that this node refused: where it came from and why, never what it holds. By its `number` an
    administrator asks for evidence of it.
    """

    number: int
    when: Instant
    community: CommunityId | None = None
    agency: str | None = None
    code: str
    message: str


class OutboxEntry(_Shape):
    """A bulletin of our own that others do not have: it waits for the hub's answer, or was refused with this
    code.
    """

    id: Uuid7
    ref: str
    community: CommunityId
    community_slug: str | None = None
    state: Literal["queued", "refused"]
    code: str | None = None


class AlarmEntry(_Shape):
    """An alarm: who did what to whom, how often, and what to do. It never holds what was said."""

    number: int
    name: AlarmName
    first: Instant
    last: Instant
    times: int
    what: str
    do: str
    detail: str
    community: CommunityId | None = None
    community_slug: str | None = None
    agency: str | None = None
    frame: str | None = None
    """SHA-256 of a frame that shows it, in hex."""
    acked: Instant | None = None
    ended: Instant | None = None


class Finding(_Shape):
    """One thing that `doctor` looked at: `message` says how it stands, `fix` what to do about it."""

    check: str
    ok: bool
    message: str
    fix: str = ""


class Exported(_Shape):
    """A parcel for the hub, on this machine's disk."""

    path: str
    number: int
    submissions: int
    """Frames and wraps that the hub has not answered yet: all of them, each time."""
    documents: int


class Imported(_Shape):
    """What a parcel of the courier held."""

    number: int
    missing: list[int]
    """Parcels before it that were passed over."""
    directory: int
    """Documents and membership entries in it."""
    traffic: int
    """Frames, wraps and receipts in it."""
    admitted: int
    """Submissions of ours that the hub has admitted."""
    refused: dict[str, int]
    """Submissions of ours that it has not, by code."""


class DirectoryItem(_Shape):
    """A document of the directory, or an entry of a community's membership log: its envelope as it came."""

    membership: bool
    data: str


class DirectoryPage(_Shape):
    """Some of the directory as the node holds it. `next` is the `after` of the rest, absent at the end."""

    items: list[DirectoryItem]
    next: int | None = None
    note: str | None = None
    """The newest checkpoint that the node holds."""


class ClientAdded(_Shape):
    """A new client: its seed stays in this file on the node's machine, and is never sent."""

    name: ClientName
    role: Role
    ceiling: Tlp
    seed_file: str


class OwnersApi(Protocol):
    """What owners do together, whichever client asks; and what every change is told by."""

    def community_log(self, name: str) -> list[MembershipChange]:
        """Every change in a community, in order."""

    async def notices(self, after: int | None, limit: int) -> list[Notice]:
        """Those after a number, oldest first; without a number the newest, newest first."""

    async def community_found(
        self, slug: str, title: str, realm: Realm, rules: str, owners: list[str], threshold: int
    ) -> Proposal:
        """A community whose document others must sign as well."""

    async def community_propose(
        self,
        community: str,
        op: Literal["add", "remove"],
        agency: str,
        role: MembershipRole,
        after: int | None,
    ) -> Proposal:
        """A change that others must sign as well."""

    def community_proposal(self, file: str) -> Proposal:
        """What a proposal says, and who has signed it."""

    async def community_sign(self, file: str) -> Proposal:
        """A proposal with this agency's signature as well."""

    async def community_submit(self, file: str) -> Proposal:
        """Hand in a proposal that enough owners have signed."""


class RepliesApi(Protocol):
    """What is answered to a bulletin (its reference or id), to the community or, `private`, to its originator
    alone.
    """

    async def acknowledge(
        self, client: ClientIdentity, ref: str, note: str, officer: str, *, private: bool
    ) -> Published:
        """Publish an acknowledgement."""

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
        """Publish a sighting."""

    async def replies(self, ref: str, limit: int, tlp_at_most: Tlp) -> list[Record]:
        """What was answered to it, newest first."""


class SharingApi(Protocol):
    """What goes further than to those who were there, whichever client asks."""

    async def history(self) -> HistoryReport:
        """How far the history of communities has come, and what was passed on to others."""

    async def history_request(self, community: str) -> HistoryReport:
        """Want what came before this agency joined; LiaisonError `not_member`."""

    async def releases(self, ceiling: Tlp) -> ReleaseReport:
        """Requests for onward release and what came by it, up to this marking."""

    async def release_ask(self, client: ClientIdentity, ref: str, community: str, note: str) -> Published:
        """Ask the originator of `ref` to let it go on to `community`."""

    async def release_answer(
        self, client: ClientIdentity, ref: str, days: int | None, note: str
    ) -> Published:
        """Grant the request `ref` for so many days, or decline it."""

    async def release_carry(self, client: ClientIdentity, ref: str) -> list[Published]:
        """Publish what the request `ref` was granted."""


class RecallApi(Protocol):
    """What others did with this agency's amendments and retractions."""

    async def compliance(self, ref: str, tlp_at_most: Tlp) -> list[Compliance]:
        """Of a change, or of all changes of a bulletin, newest first."""


class NodeApi(Protocol):
    """What the service asks of the node. `client` is who asks, vouched for by the server.

    Role and ceiling are enforced by the service before and after each call; refusals are raised as
    LiaisonError.
    """

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
        """Take a draft for a community (slug or id) into the outbox, with files that the hub has; what this
        client has published under the same name `once` already is told, and not published again. `private`:
        an acknowledgement or sighting for the originator alone.
        """

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
        """Bulletins with these words, newest first, or the best first when `ranked`."""

    async def latest(self, client: ClientIdentity, filters: Filters, limit: int, cursor: str | None) -> Page:
        """The newest bulletins."""

    async def show(self, client: ClientIdentity, ref: str) -> Record:
        """One bulletin by reference or id. LiaisonError `not_found`."""

    async def evidence(self, client: ClientIdentity, ref: str, *, text: bool, membership: bool) -> Evidence:
        """What proves a bulletin to a third party. LiaisonError `not_found`, `too_large`."""

    async def evidence_refused(self, client: ClientIdentity, number: int, *, membership: bool) -> Evidence:
        """What proves that a refused frame was signed. LiaisonError `not_found`, or why it proves nothing."""

    async def communities(self, client: ClientIdentity) -> list[Community]:
        """The communities that this agency belongs to."""

    async def status(self, client: ClientIdentity) -> NodeStatus:
        """How the node is doing."""

    async def directory(self, client: ClientIdentity, after: int, *, memberships: bool) -> DirectoryPage:
        """Documents as the node verified them, after that number; with the membership logs it reads."""

    async def community_create(
        self, client: ClientIdentity, slug: str, title: str, realm: Realm, rules: str, owners: list[str]
    ) -> Community:
        """Found a community that this agency owns, with `owners`; each of them alone may change it."""

    async def community_add(
        self, client: ClientIdentity, community: str, agency: str, role: MembershipRole, after: int | None
    ) -> Community:
        """Let an agency in, as an owner; `after` milliseconds from now on."""

    async def community_remove(
        self, client: ClientIdentity, community: str, agency: str, after: int | None
    ) -> Community:
        """Put an agency out, as an owner."""

    @property
    def owners(self) -> "OwnersApi":
        """What several owners do together, and what members are told."""

    @property
    def insight(self) -> InsightApi:
        """Where bulletins come from, and how many there are."""

    @property
    def recall(self) -> "RecallApi":
        """What others did with our changes."""

    @property
    def replies(self) -> "RepliesApi":
        """What is answered to bulletins."""

    @property
    def sharing(self) -> "SharingApi":
        """History for late joiners, and what goes on to other communities."""

    @property
    def succession(self) -> "SuccessionApi":
        """What becomes of the agency's identity key."""

    @property
    def files(self) -> FilesApi:
        """Files that go with bulletins."""

    async def digest(self, client: ClientIdentity, community: str, period: str) -> Published:
        """Compose and publish the digest of a community for a period, once."""

    async def readers(self, client: ClientIdentity, community: str) -> list[Reader]:
        """Who can read what is published in a community, and who cannot."""

    async def keys(self, client: ClientIdentity) -> list[KeyInfo]:
        """The public side of every key that the agency's endpoints have had."""

    async def key_rotate(self, client: ClientIdentity, *, encryption: bool) -> list[KeyInfo]:
        """New keys for this node, in use when this returns."""

    async def key_revoke(
        self, client: ClientIdentity, kid: str, reason: str, *, rotate: bool, stop: bool
    ) -> list[KeyInfo]:
        """Have a signing key refused everywhere from now on."""

    async def outbox(self, client: ClientIdentity, limit: int) -> list[OutboxEntry]:
        """Own bulletins that wait for the hub or were refused, newest first."""

    async def outbox_draft(self, client: ClientIdentity, ref: str) -> Draft:
        """The text of one of them. LiaisonError `not_found`."""

    async def outbox_drop(self, client: ClientIdentity, ref: str) -> None:
        """Forget a refused one. LiaisonError `not_found`, `bad_request`."""

    async def quarantine(self, client: ClientIdentity, limit: int) -> list[QuarantineEntry]:
        """The latest frames that this node refused."""

    async def alarms(self, client: ClientIdentity, limit: int, *, past: bool, after: int) -> list[AlarmEntry]:
        """Alarms numbered above `after`, newest first: those that stand, or the past ones too."""

    async def alarm_ack(self, client: ClientIdentity, number: int) -> AlarmEntry:
        """Say that somebody has seen to an alarm. LiaisonError `not_found`."""

    async def parcel_export(self, client: ClientIdentity, path: str, documents: list[str]) -> Exported:
        """Everything that waits for the hub, into a parcel at `path` on the node's machine."""

    async def parcel_import(self, client: ClientIdentity, path: str, *, skip: bool) -> Imported:
        """Take in a parcel of the courier; `skip` passes over missing ones."""

    async def doctor(self, client: ClientIdentity) -> list[Finding]:
        """What is wrong and how to mend it."""

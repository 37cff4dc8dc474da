"""The public Python API of an agency's node: `async with Agency.open(settings) as agency: ...`

A client holds one key, of its own account on the agency's NATS, and none of the agency's. Everything raises
LiaisonError and nothing else: `node_unreachable` when nobody answers, `forbidden` when the role does not
allow it or the client was removed.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Final, Self, TypeVar

from pydantic import BaseModel, ConfigDict, PositiveFloat, TypeAdapter

from schemas.bulletin import Draft
from schemas.errors import Code, OperationError
from schemas.evidence import Evidence
from schemas.vocabulary import Kind, Tlp
from subscribers.api import (
    DirectoryPage,
    OutboxEntry,
)
from subscribers.client_files import Files
from subscribers.client_insight import Looking
from subscribers.client_operating import Operating
from subscribers.client_owning import Owning
from subscribers.client_sharing import Sharing
from subscribers.feed import Delivery, Feed
from subscribers.link import Link
from subscribers.local.clients import SEED_MAX, public_key
from subscribers.private_files import read_private
from subscribers.records import (
    Community,
    Compliance,
    Filters,
    NodeStatus,
    Page,
    Published,
    Record,
)
from subscribers.requester import Requester, unreachable
from subscribers.service.roles import ClientIdentity, ClientName, Role, Verb

_EVERYTHING: Final = Filters()

_PUBLISHED: Final = TypeAdapter(Published)
_PAGE: Final = TypeAdapter(Page)
_RECORD: Final = TypeAdapter(Record)
_COMPLIANCE: Final = TypeAdapter(list[Compliance])
_RECORDS: Final = TypeAdapter(list[Record])
_EVIDENCE: Final = TypeAdapter(Evidence)
_COMMUNITIES: Final = TypeAdapter(list[Community])
_STATUS: Final = TypeAdapter(NodeStatus)
_DIRECTORY: Final = TypeAdapter(DirectoryPage)
_OUTBOX: Final = TypeAdapter(list[OutboxEntry])
_DRAFT: Final = TypeAdapter(Draft)
_NOTHING: Final[TypeAdapter[None]] = TypeAdapter(None)

T = TypeVar("T")


class ClientSettings(BaseModel):
    """How a client reaches its agency's node. Times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = "nats://127.0.0.1:4333"
    seed_file: Path
    name: ClientName
    timeout: PositiveFloat = 5.0
    """For one request; a restart of the node within it goes unnoticed. What the hub must answer has more."""
    open_timeout: PositiveFloat = 5.0
    """To find a node at all. One that is there has `timeout` to say who we are, if that is more."""

    @classmethod
    def from_directory(cls, directory: Path, name: str) -> Self:
        """Settings of the client `name` of the node whose local NATS keeps its files in `directory`, on this
        machine.

        Raises LiaisonError `node_unreachable` when no node has ever run there.
        """
        try:
            url = read_private(directory / "url", SEED_MAX).decode("ascii", "replace").strip()
        except OperationError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            fix = "start it with `liaison-agency run`, or name another state directory"
            raise OperationError(
                Code.NODE_UNREACHABLE, f"no node has run on {directory.parent}", fix
            ) from None
        return cls(url=url, seed_file=directory / "clients" / f"{name}.nk", name=name)


class Agency(Owning, Operating, Sharing, Looking):
    """A client's view of its agency's node. Made by `Agency.open`; safe for many tasks of one event loop."""

    def __init__(self, settings: ClientSettings, link: Link) -> None:
        self._settings = settings
        self._link = link
        self._requester = Requester(link, settings.url)
        self._feed = Feed(link, settings.name)
        self.files = Files(self._requester)
        """Files that go with bulletins: `attach`, `fetch`, `stream`."""

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: ClientSettings) -> AsyncIterator[Self]:
        """Connect, and learn who the node says we are; reconnects by itself until the block is left.

        Raises LiaisonError `node_unreachable`, `forbidden`, or for the seed file `not_found` and
        `bad_settings`.
        """
        try:
            seed = read_private(settings.seed_file, SEED_MAX).strip()
        except OperationError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            fix = f"make the client with `liaison-agency client add {settings.name}`, or name one that exists"
            raise OperationError(Code.NOT_FOUND, error.message, fix) from None
        public_key(seed)  # a file that is no seed is refused here, with its name, and not by the server
        link = Link(settings.url, seed, settings.name, unreachable=unreachable(settings.url))
        link.start()
        try:
            agency = cls(settings, link)
            await agency._introduce()
            try:
                yield agency
            finally:
                await agency._feed.close()
        finally:
            await link.close()

    @property
    def name(self) -> str:
        """The client's name."""
        return self._settings.name

    @property
    def role(self) -> Role:
        """The client's role, as the node said when it was last asked."""
        return self._identity.role

    @property
    def ceiling(self) -> Tlp:
        """The highest marking that this client is given."""
        return self._identity.ceiling

    async def publish(
        self,
        draft: Draft,
        community: str,
        attachments: Collection[str] = (),
        *,
        once: str | None = None,
        private: bool = False,
    ) -> Published:
        """Give the node a draft for a community (slug or id). It is on the node's disk when this returns.
        `attachments` are ids of what `files.attach` gave.

        After `node_unreachable` the draft may have been taken all the same: look before publishing again, or
        name it `once`, a fresh UUIDv7: asked again under the same name, the node tells what became of it.

        `private`: an acknowledgement or sighting, sealed to the originator of what it answers.
        """
        given = draft.model_dump(mode="json", exclude_none=True) | ({"once": once} if once else {})
        given |= {"private": True} if private else {}
        fields = {"draft": given, "community": community, "attachments": list(attachments)}
        return await self._ask(Verb.PUBLISH, _PUBLISHED, fields)

    async def acknowledge(
        self, ref: str, note: str = "", officer: str = "", *, private: bool = False
    ) -> Published:
        """Publish an acknowledgement of the bulletin `ref` (reference or id); `private`: its originator alone
        can read it.
        """
        fields = {"ref": ref, "note": note, "officer": officer, "private": private}
        return await self._ask(Verb.ACKNOWLEDGE, _PUBLISHED, fields)

    async def sight(
        self,
        ref: str,
        note: str = "",
        officer: str = "",
        *,
        regions: Collection[str] = (),
        seen: str | None = None,
        private: bool = False,
    ) -> Published:
        """Publish a sighting of what the bulletin `ref` speaks of: where (ISO 3166), and when `seen`."""
        fields = {"ref": ref, "note": note, "officer": officer, "private": private}
        place = {"regions": list(regions), "seen": seen}
        return await self._ask(Verb.SIGHT, _PUBLISHED, {**fields, **place})

    async def compliance(self, ref: str) -> list[Compliance]:
        """Who says that they have applied an amendment or retraction of this agency; of a bulletin, all of
        its changes, newest first.
        """
        return await self._ask(Verb.COMPLIANCE, _COMPLIANCE, {"ref": ref})

    async def replies(self, ref: str, limit: int = 50) -> list[Record]:
        """What was answered to the bulletin `ref`, newest first; what only this agency can read as well."""
        return await self._ask(Verb.REPLIES, _RECORDS, {"ref": ref, "limit": limit})

    async def search(
        self,
        words: str,
        *,
        filters: Filters = _EVERYTHING,
        limit: int = 10,
        cursor: str | None = None,
        ranked: bool = False,
    ) -> Page:
        """Archived bulletins with these words, newest first, or the best matches first when `ranked`."""
        fields = {"words": words, "ranked": ranked, **_page_fields(filters, limit, cursor)}
        return await self._ask(Verb.SEARCH, _PAGE, fields)

    async def latest(
        self, filters: Filters = _EVERYTHING, limit: int = 10, cursor: str | None = None
    ) -> Page:
        """The newest archived bulletins."""
        return await self._ask(Verb.LATEST, _PAGE, _page_fields(filters, limit, cursor))

    async def show(self, ref: str) -> Record:
        """One bulletin by reference or id. Raises LiaisonError `not_found`."""
        return await self._ask(Verb.SHOW, _RECORD, {"ref": ref})

    async def evidence(self, ref: str, *, text: bool = True, membership: bool = True) -> Evidence:
        """What proves a bulletin to a third party: `to_bytes()` is the file that `liaison-verify` reads."""
        fields = {"ref": ref, "text": text, "membership": membership}
        return await self._ask(Verb.EVIDENCE, _EVIDENCE, fields)

    async def evidence_refused(self, number: int, *, membership: bool = True) -> Evidence:
        """The same of a refused frame, by its number in the quarantine."""
        fields = {"number": number, "membership": membership}
        return await self._ask(Verb.EVIDENCE_REFUSED, _EVIDENCE, fields)

    async def communities(self) -> list[Community]:
        """The communities that the agency belongs to."""
        return await self._ask(Verb.COMMUNITIES, _COMMUNITIES, {})

    async def status(self) -> NodeStatus:
        """How the node is doing."""
        return await self._ask(Verb.STATUS, _STATUS, {})

    async def directory(self, after: int = 0, *, memberships: bool = False) -> DirectoryPage:
        """Some of the directory as the node verified it, after that number; with `memberships`, the logs of
        the agency's communities as well.
        """
        fields = {"after": after, "memberships": memberships}
        return await self._ask(Verb.DIRECTORY, _DIRECTORY, fields)

    async def outbox(self, limit: int = 50) -> list[OutboxEntry]:
        """Own bulletins that wait for the hub's answer or were refused, newest first."""
        return await self._ask(Verb.OUTBOX, _OUTBOX, {"limit": limit})

    async def outbox_draft(self, ref: str) -> Draft:
        """The text of one of them, to be published again. Raises LiaisonError `not_found`."""
        return await self._ask(Verb.OUTBOX_DRAFT, _DRAFT, {"ref": ref})

    async def outbox_drop(self, ref: str) -> None:
        """Forget a refused one. Raises LiaisonError `not_found`, `bad_request` while it waits."""
        await self._ask(Verb.OUTBOX_DROP, _NOTHING, {"ref": ref})

    async def bulletins(
        self, kinds: Collection[Kind | str] | None = None, communities: Collection[str] | None = None
    ) -> AsyncGenerator[Delivery, None]:
        """Bulletins as they come in, at least once each, from where this client left off; endless.

        Only those of these `kinds` and `communities` (slugs or ids); the others are acknowledged unseen.
        Acknowledge each after handling it: otherwise it comes again, marked `repeated`. Raises LiaisonError
        `forbidden` when the client is removed, `bad_request` when another `bulletins()` of this Agency is
        still running.
        """
        wanted = None if kinds is None else frozenset(str(Kind(each)) for each in kinds)
        places = None if communities is None else frozenset(communities)
        async with aclosing(self._feed.deliveries(wanted, places)) as deliveries:
            async for delivery in deliveries:
                yield delivery

    @property
    def _identity(self) -> ClientIdentity:
        if self._requester.known is None:
            raise OperationError(
                Code.BAD_REQUEST, "this Agency was not opened", "use `async with Agency.open(...)`"
            )
        return self._requester.known

    async def _introduce(self) -> None:
        known = await self._requester.introduce(self._settings.open_timeout, self._settings.timeout)
        if known.name != self.name:
            raise OperationError(
                Code.BAD_SETTINGS,
                f"the seed file is that of the client {known.name}, not of {self.name}",
                "give the seed file and the name of the same client",
            )

    async def _ask(self, verb: Verb, shape: TypeAdapter[T], fields: Mapping[str, object]) -> T:
        return await self._requester.ask(verb, shape, fields, self._settings.timeout)


def _page_fields(filters: Filters, limit: int, cursor: str | None) -> dict[str, object]:
    fields: dict[str, object] = {
        "filters": filters.model_dump(mode="json", exclude_none=True),
        "limit": limit,
    }
    return fields if cursor is None else {**fields, "cursor": cursor}

"""The room's desk: what officers ask for on a page and what they are shown. Knows nothing of HTTP.

Every question goes to the node under the session's ceiling: what is above it is in no list, no number, no
link and no reply. Nothing that the node answers is kept.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from bots.clock import Clock
from bots.drafting.changing import changeable
from bots.drafting.policy import may_draft
from bots.enquiries.desk import NEWS, Desk
from bots.officers.audit import ROOM, ROOM_SIGHTS, Act
from bots.ports import NodeClient, NodeFiles
from bots.room.view import RELATIONS, Entry, Reading, entries, entry, reading
from bots.showing.answerable import Answer, acknowledgeable, answerable
from bots.showing.overtaken import as_marked_now, at
from bots.showing.release import Ceiling
from bots.showing.render import Reader
from bots.state import State
from bots.state.officers import Officer
from bots.wording.words import Words, words
from schemas.attachments import Attachment
from schemas.encoding import instant
from schemas.errors import Code, LiaisonError, OperationError
from schemas.vocabulary import Kind, Language, Severity, Tlp
from subscribers.records import Community, Filters, Page, Record

PAGE: Final = 20
"""Bulletins on one page."""
FLASH_SECONDS: Final = 3 * 86_400.0
"""How long a flash bulletin stands at the head of the list, at most."""
_LINKS_SHOWN: Final = 20
_REPLIES_SHOWN: Final = 50

DOOR: Final = ROOM
"""The front door's name in the audit."""

_log = structlog.get_logger()


class Shelf(NodeFiles, Protocol):
    """Files that go with bulletins: a part of `subscribers.files.Files`."""

    def stream(self, ref: str, name: str, *, offset: int = 0) -> AsyncGenerator[bytes, None]:
        """An attachment's bytes in order; held against the bulletin only when this ends without an error."""


class RoomNode(NodeClient, Protocol):
    """The node as the room's own client."""

    @property
    def files(self) -> Shelf:
        """Files."""


Noted = Callable[[Officer, str, Record], Awaitable[None]]
"""Keep who saw or did what with a bulletin."""


async def only_logged(officer: Officer, what: str, record: Record) -> None:
    """In the log, by its reference."""
    _log.info("reading room", what=what, officer=officer.id, ref=record.bulletin.ref)


def written_down(state: State, clock: Clock) -> Noted:
    """In the log, and in the audit before it is shown."""

    async def noted(officer: Officer, what: str, record: Record) -> None:
        await only_logged(officer, what, record)
        outcome = ROOM_SIGHTS.get(what, "done")
        act = Act(officer.id, officer.name, DOOR, what, record.bulletin.ref, outcome)
        await state.audit.write([act], clock.now())

    return noted


class Above(Exception):
    """The bulletin is marked higher than this session is shown; `ref` is all that may be said."""

    def __init__(self, ref: str, tlp: Tlp) -> None:
        super().__init__(ref)
        self.ref = ref
        self.tlp = tlp


@dataclass(frozen=True, slots=True)
class Question:
    """What a list is asked for; empty fields ask for everything."""

    words: str = ""
    kind: Kind | None = None
    severity: Severity = Severity.INFO
    community: str = ""
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a list."""

    entries: list[Entry]
    cursor: str | None
    total: int | None
    communities: list[Community]
    flash: list[Entry]
    """Late flash bulletins that wait for this officer's acknowledgement; before a list of everything."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A bulletin with what belongs to it: links with the relation in words, None for what is not shown."""

    reading: Reading
    links: list[tuple[str, Entry | None]]
    replies: list[Entry]
    acknowledged: bool
    answers: tuple[Answer, ...]
    """What this officer may answer it with."""
    changes: bool
    """Whether this officer may amend or retract it."""


@dataclass(frozen=True, slots=True)
class RoomDesk:
    """Answers. The node's refusals come through as LiaisonError."""

    node: RoomNode
    state: State
    clock: Clock
    noted: Noted = only_logged

    async def look(self, officer: Officer, top: Tlp, asked: Question) -> Found:
        """A list, newest first."""
        filters = Filters(
            kinds=frozenset({asked.kind}) if asked.kind else NEWS.kinds,
            severity_at_least=asked.severity,
            communities=frozenset({asked.community} if asked.community else ()),
            tlp_at_most=top,
        )
        page = await self._page(asked, filters)
        items = await self._shown(page.items, top)
        flash = await self._flash(officer, top) if asked == Question() else []
        await self._listed(officer, {each.bulletin.id: each for each in (*flash, *items)}.values())
        reader = Reader(officer.language, officer.zone)
        # Their number would tell that the words stand in one that is withheld by now.
        total = page.total if asked.words and len(items) == len(page.items) else None
        places = await self.node.communities()
        return Found(entries(items, reader), page.cursor, total, places, entries(flash, reader))

    async def open(self, officer: Officer, top: Tlp, ref: str, language: Language | None) -> Opened:
        """One bulletin. Raises `Above`, LiaisonError `not_found`."""
        record = await self._within(top, ref)
        bulletin, reader = record.bulletin, Reader(officer.language, officer.zone)
        replies = await self._shown(await self.node.replies(bulletin.id, _REPLIES_SHOWN), top)
        links = await self._links(record, words(reader.language), top)
        opened = Opened(
            reading(record, reader, language),
            [(relation, entry(each, reader) if each else None) for relation, each in links],
            entries(replies, reader),
            await self.state.outbox.acknowledged(bulletin.id, officer.id),
            answerable(record) if may_draft(officer.role) else (),
            changes=changeable(record) and may_draft(officer.role),
        )
        await self.noted(officer, "read", record)
        await self._listed(officer, [*replies, *(each for _, each in links if each)])
        return opened

    async def acknowledge(self, officer: Officer, top: Tlp, ref: str) -> str:
        """Acknowledge once. The bulletin's reference. Raises as `open` does."""
        record = await self._within(top, ref)
        desk = Desk(self.node, self.state, Ceiling(top, top), self.clock)
        given = await desk.acknowledge(officer, record.bulletin.id)
        if given.done:
            await self.noted(officer, "acknowledged", record)
        return record.bulletin.ref

    async def file(
        self, officer: Officer, top: Tlp, ref: str, number: int
    ) -> tuple[Attachment, AsyncGenerator[bytes, None]]:
        """The attachment of that number, counted from 1, and its bytes. Raises as `open` does."""
        record = await self._within(top, ref)
        held = record.bulletin.attachments
        if not 1 <= number <= len(held):
            raise OperationError(Code.NOT_FOUND, "there is no such file", "see the bulletin")
        await self.noted(officer, "downloaded", record)
        return held[number - 1], self.node.files.stream(record.bulletin.id, held[number - 1].name)

    async def _listed(self, officer: Officer, records: Iterable[Record]) -> None:
        await asyncio.gather(*(self.noted(officer, "listed", each) for each in records))

    async def _flash(self, officer: Officer, top: Tlp) -> list[Record]:
        """Flash bulletins that hold and the officer has not acknowledged, here or in chat, newest first."""
        since = instant(int((self.clock.now() - FLASH_SECONDS) * 1000))
        filters = Filters(kinds=NEWS.kinds, severity_at_least=Severity.FLASH, tlp_at_most=top, since=since)
        found = await self._shown((await self.node.latest(filters, PAGE)).items, top)
        return [
            each
            for each in found
            if each.state == "current"
            and acknowledgeable(each)
            and not await self.state.outbox.acknowledged(each.bulletin.id, officer.id)
        ]

    async def _page(self, asked: Question, filters: Filters) -> Page:
        if asked.words:
            return await self.node.search(asked.words, filters=filters, limit=PAGE, cursor=asked.cursor)
        return await self.node.latest(filters, PAGE, asked.cursor)

    async def _shown(self, records: Iterable[Record], top: Tlp) -> list[Record]:
        """Those up to `top`, under the markings that they have by now: an amendment may raise one."""
        return [
            each for each in await as_marked_now(records, at(self.node)) if each.bulletin.tlp.rank <= top.rank
        ]

    async def _within(self, top: Tlp, ref: str) -> Record:
        (record,) = await as_marked_now([await self.node.show(ref)], at(self.node))
        if record.bulletin.tlp.rank > top.rank:
            raise Above(record.bulletin.ref, record.bulletin.tlp)
        return record

    async def _links(self, record: Record, say: Words, top: Tlp) -> list[tuple[str, Record | None]]:
        named = [
            (say.text(RELATIONS[each.relation]), each.id) for each in record.bulletin.links[:_LINKS_SHOWN]
        ]
        if record.replaced_by:
            named.insert(0, (say.text("amended or retracted by"), record.replaced_by))
        return [(relation, await self._linked(id_, top)) for relation, id_ in named]

    async def _linked(self, id_: str, top: Tlp) -> Record | None:
        try:
            return await self._within(top, id_)
        except Above:
            return None
        except LiaisonError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            return None


def places(found: Sequence[Community]) -> list[tuple[str, str]]:
    """Communities for a choice: id and title."""
    return sorted(((each.id, each.title) for each in found), key=lambda pair: pair[1].casefold())

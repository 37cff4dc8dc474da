"""The enquiry desk: what officers ask and what they are answered. Knows nothing of the chat service.

Searches are `bots.enquiries.finding`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from bots.cells.cells import Cell, wanted
from bots.clock import Clock
from bots.dialogue import screens
from bots.officers.roles import Right
from bots.parsing.actions import encode
from bots.ports import NodeClient
from bots.searches.matching import QUIET_KINDS
from bots.showing.answerable import acknowledgeable, answered_id
from bots.showing.buttons import opening
from bots.showing.overtaken import as_marked_now, at, successor
from bots.showing.release import Ceiling, Release
from bots.showing.render import Marks, Reader, View, listing, render
from bots.showing.rendered import Button, Rendered
from bots.state import State
from bots.state.lists import Listed
from bots.state.officers import Officer
from bots.wording.words import words
from schemas.errors import Code, LiaisonError, OperationError
from schemas.vocabulary import Kind, Language
from subscribers.records import Filters, Page, Record

NEWS: Final = Filters(kinds=frozenset(Kind) - QUIET_KINDS)
"""What `/latest` shows: everything but acknowledgements, which every reader makes of every bulletin."""
REPLIES: Final = 100
"""So many answers are looked through for those that are shown."""
PAGE: Final = 5
"""Bulletins in one answer: what a phone shows without scrolling far."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What to show, and the one bulletin that it shows, if it is one."""

    rendered: Rendered
    record: Record | None = None
    language: Language | None = None
    listed: Listed | None = None
    """The bulletins of a list."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What came of acknowledging a bulletin, and what to say about it."""

    ref: str
    text: str
    done: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """Answers. The node's refusals come through as LiaisonError."""

    node: NodeClient
    state: State
    ceiling: Ceiling
    clock: Clock
    within: bool = False
    """Whether its door is within the agency: officers have other numbers there than in chat."""

    async def latest(self, officer: Officer) -> Answer:
        """The newest bulletins."""
        page = await self.node.latest(NEWS, PAGE)
        say = words(officer.language)
        if not page.items:
            return Answer(screens.plain_answer(say.text("No bulletins yet."), officer.language))
        return await self._page(
            officer, page, title="🗂 " + say.text("Latest bulletins"), query={"verb": "latest"}
        )

    async def next_page(self, officer: Officer) -> Answer | None:
        """The part after the last list of the newest; None when there is none."""
        query = await self.state.memory.data(page_key(officer))
        if query.get("verb") != "latest" or not query.get("cursor"):
            return None
        page = await self.node.latest(NEWS, PAGE, query["cursor"])
        if not page.items:
            return None
        return await self._page(officer, page, title="🗂 " + words(officer.language).text("More"), query=query)

    async def show(
        self, officer: Officer, ref: str, *, view: View = View.FULL, language: Language | None = None
    ) -> Answer:
        """One bulletin, as far as the ceiling allows. Raises LiaisonError `not_found`."""
        record = await self.node.show(ref)
        done = await self.state.outbox.acknowledged(record.bulletin.id, officer.id)
        shown = render(
            record,
            self.ceiling,
            Reader(officer.language, officer.zone, officer.may(Right.DRAFT)),
            view=view,
            language=language,
            marks=Marks(
                acknowledged=done,
                after=await successor(record, at(self.node)),
                to=await self._answered(record),
            ),
        )
        return Answer(shown, record, language or officer.language)

    async def of_event(self, officer: Officer, cell: Cell) -> Answer:
        """The last bulletins of an event, of those that may be shown in full: a hit would tell of others what
        they are about.
        """
        say, found = words(officer.language), list[Record]()
        for filters in wanted(cell, Filters(tlp_at_most=self.ceiling.full)):
            page = await self.node.latest(filters, PAGE)
            items = await as_marked_now(page.items, at(self.node))
            found += [each for each in items if self.ceiling.allows(each.bulletin.tlp) is Release.FULL]
        newest = sorted({each.bulletin.id: each for each in found}.values(), key=_issued, reverse=True)[:PAGE]
        name = say.embed(cell.name)
        if not newest:
            text = say.text("No bulletin that may be shown in chat names the event {event}.", event=name)
            return Answer(screens.plain_answer(text, officer.language))
        title = "🗂 " + say.text("Last bulletins of {event}", event=name)
        note = screens.open_one(officer)
        reader = Reader(officer.language, officer.zone)
        shown = listing(newest, self.ceiling, reader, title=title, note=note, rows=opening(newest))
        return Answer(shown, listed=_listed(newest))

    async def replies(self, officer: Officer, record: Record) -> Answer | None:
        """What was answered to a bulletin that is shown in full, as far as that may be; None for nothing."""
        if self.ceiling.allows(record.bulletin.tlp) is not Release.FULL:
            return None  # their number would tell of a bulletin that is withheld
        found = await as_marked_now(await self.node.replies(record.bulletin.id, REPLIES), at(self.node))
        may = [each for each in found if self.ceiling.allows(each.bulletin.tlp) is Release.FULL]
        # Every reader acknowledges: what says something comes first.
        shown = sorted(may, key=lambda each: each.bulletin.kind in QUIET_KINDS)[:PAGE]
        if not shown:
            return None
        title = "↩️ " + words(officer.language).text("What was answered to it")
        reader = Reader(officer.language, officer.zone)
        answers = listing(shown, self.ceiling, reader, title=title, rows=opening(shown))
        return Answer(answers, listed=_listed(shown))

    def drafter(self, officer: Officer) -> str:
        """How other agencies see the officer."""
        return officer.known_as(within=self.within)

    async def _answered(self, record: Record) -> str:
        """The reference of what a bulletin answers, if that may be shown; else empty."""
        key = answered_id(record)
        try:
            found = await as_marked_now([await self.node.show(key)], at(self.node)) if key else []
        except LiaisonError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            return ""
        may = (each.bulletin.ref for each in found if self.ceiling.allows(each.bulletin.tlp) is Release.FULL)
        return next(may, "")

    async def acknowledge(
        self, officer: Officer, ref: str, *, private: bool = False, pressed: int | None = None
    ) -> Acknowledged:
        """Acknowledge once; what came of it. `private`: to the originator alone; `pressed`: the message whose
        button it was. Raises LiaisonError `not_found` or what the node refuses.
        """
        record = await self.node.show(ref)
        say, name = words(officer.language), words(officer.language).embed(record.bulletin.ref)
        if not acknowledgeable(record):
            text = say.text(
                "{ref} takes no acknowledgement: it is your own agency's, or was retracted.", ref=name
            )
            return Acknowledged(record.bulletin.ref, text, done=False)
        if await self.state.outbox.acknowledged(record.bulletin.id, officer.id):
            text = say.text("{ref} was acknowledged already.", ref=name)
            return Acknowledged(record.bulletin.ref, text, done=False)
        drafter = self.drafter(officer)
        published = await self.node.acknowledge(record.bulletin.id, officer=drafter, private=private)
        if published.state == "refused":
            raise OperationError(Code.FORBIDDEN, "the acknowledgement was refused", published.code or "")
        await self.state.outbox.acknowledge(record.bulletin.id, officer.id, self.clock.now(), pressed)
        text = "✅ " + say.text("{ref} acknowledged.", ref=name)
        if private:
            text = "✅ 🔏 " + say.text("{ref} acknowledged, to its originator alone.", ref=name)
        if self.ceiling.allows(record.bulletin.tlp) is not Release.FULL:
            text += "\n" + say.text(
                "That says that your agency has read it. Its text is not shown here: if you have not read it"
                " yet, do so now."
            )
        return Acknowledged(record.bulletin.ref, text, done=True)

    async def _page(self, officer: Officer, page: Page, *, title: str, query: dict[str, str]) -> Answer:
        say = words(officer.language)
        await self.state.memory.set_data(page_key(officer), {**query, "cursor": page.cursor})
        note = screens.open_one(officer)
        reader = Reader(officer.language, officer.zone)
        items = await as_marked_now(page.items, at(self.node))
        rows = opening(items)
        if page.cursor:
            rows += ((Button(say.text("More") + " ▾", encode("next")),),)
        shown = listing(items, self.ceiling, reader, title=title, note=note, rows=rows)
        return Answer(shown, listed=_listed(page.items))


def _issued(record: Record) -> str:
    return record.bulletin.issued


def _listed(records: Iterable[Record]) -> Listed:
    return Listed(tuple(each.bulletin.id for each in records))


def node_trouble(error: LiaisonError, officer: Officer) -> Rendered:
    """What an officer is told when the node refuses or does not answer: a sentence and the code."""
    say = words(officer.language)
    if error.code is Code.NOT_FOUND:
        text = say.text("There is no such bulletin here. Check the reference: it looks like FRA-2026-0042.")
        return replace(screens.plain_answer(text, officer.language), quotes=True)
    text = say.text(
        "Your agency's node does not answer just now. Try again in a minute. ({code})", code=error.code
    )
    return screens.plain_answer(text, officer.language)


def page_key(officer: Officer) -> str:
    """Under which key the question of an officer's last list is remembered."""
    return f"page:{officer.id}"

"""The enquiry desk for public lists: techniques, and names on the UN list, with what was seen of them here.

The lists are public; what was seen is asked of the node under the ceiling, as every search is, so that no
number tells of a bulletin that is withheld. A name is never answered with yes.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bots.clock import Clock, moment
from bots.dialogue.screens import open_one
from bots.enquiries import reference_screens as screens
from bots.enquiries import technique_screens
from bots.enquiries.desk import PAGE, Answer
from bots.enquiries.finding import COUNTED_MAX
from bots.enquiries.library import Edition, Library
from bots.enquiries.reference_screens import About
from bots.enquiries.seen_here import Seen
from bots.enquiries.unsearched import Unsearched, unsearched
from bots.parsing.actions import encode
from bots.ports import NodeClient
from bots.showing.buttons import opening
from bots.showing.overtaken import as_marked_now, at
from bots.showing.release import Ceiling, Release
from bots.showing.render import Reader, listing
from bots.showing.rendered import Button
from bots.state import State
from bots.state.lists import Listed
from bots.state.officers import Officer
from bots.wording.words import words
from schemas.errors import Code, FormatError, LiaisonError
from subscribers.records import Filters, Page, Record
from subscribers.reference.tactics import HITS_MAX, Match, Technique
from subscribers.reference.un_xml import REFERENCE

_BORN: Final = re.compile(r"(?P<name>.*[^\s,])[\s,]+(?P<year>1[89][0-9]{2}|20[0-9]{2})\Z")


@dataclass(frozen=True, slots=True)
class ReferenceDesk:
    """Answers. The node's refusals come through as LiaisonError."""

    node: NodeClient
    state: State
    ceiling: Ceiling
    clock: Clock
    library: Library
    within: bool = False
    """No chat service reads along."""

    async def tactic(self, officer: Officer, text: str) -> Answer:
        """What a technique is, by number or name; or those that may be meant, those seen here first."""
        known = await self.library.techniques()
        if named := known.named(text):
            return await self._technique(officer, named[0], named[1 : technique_screens.FOUND_SHOWN])
        try:
            found = known.look_up(text, None)
        except LiaisonError:
            found = []
        if not found:
            return await self._no_technique(officer, text, known.near_number(text))
        near = text if all(each.match is Match.SPELLING for each in found) else ""
        if found[0].match is Match.NUMBER or len(found) == 1:
            return await self._technique(officer, found[0].technique, near=near)
        every = await self._all_seen([each.technique for each in found[:HITS_MAX]])
        ranked = sorted(every, key=lambda each: not each[1].number)
        shown, left_out = ranked[: technique_screens.FOUND_SHOWN], await self._unsearched()
        left = len(found) - len(shown)
        return Answer(technique_screens.techniques(officer, shown, left_out, left=left, near=near))

    async def technique(self, officer: Officer, number: str) -> Answer:
        """One technique by its number."""
        technique = (await self.library.techniques()).get(number)
        if technique is None:
            return Answer(technique_screens.no_technique(officer))
        return await self._technique(officer, technique)

    async def list_state(self, officer: Officer) -> Answer:
        """Which edition of the UN list there is, what it changed, and how to ask."""
        edition = await self._edition()
        if edition is None:
            return self._no_list(officer)
        return Answer(screens.list_state(officer, edition, self._about_list(edition), within=self.within))

    async def subject(self, officer: Officer, text: str) -> Answer:
        """An entry by its reference; or who may be meant by a name, a year of birth behind it or not."""
        edition = await self._edition()
        if edition is None:
            return self._no_list(officer)
        if edition.un_list.get(text) is not None or REFERENCE.match(text.strip()):
            return await self.entry(officer, text.strip())
        return await self._hits(officer, text, 0)

    async def entry(self, officer: Officer, reference: str) -> Answer:
        """One entry, also one that is on the list no more: bulletins may still name it."""
        edition = await self._edition()
        if edition is None:
            return self._no_list(officer)
        entry = edition.un_list.get(reference)
        seen = await self._seen(self._subjects(edition, reference))
        shown = entry.reference if entry else reference
        about = replace(self._about_list(edition), seen=seen, unsearched=await self._unsearched())
        return Answer(screens.entry(officer, shown, entry, about))

    async def more_hits(self, officer: Officer, start: int) -> Answer | None:
        """The page of possible matches that begins at `start`; None when there is none any more."""
        asked = await self.state.memory.data(_hits_key(officer))
        if not asked.get("text") or await self._edition() is None:
            return None
        return await self._hits(officer, str(asked["text"]), start)

    async def seen(self, officer: Officer, facet: str, value: str) -> Answer | None:
        """The bulletins about a technique or an entry, newest first; None when there are none."""
        return await self._seen_page(officer, facet, value, None)

    async def seen_more(self, officer: Officer) -> Answer | None:
        """The part after the last of them; None when there is none."""
        asked = await self.state.memory.data(_seen_key(officer))
        if not asked.get("cursor"):
            return None
        return await self._seen_page(officer, asked["facet"], asked["value"], asked["cursor"])

    async def _technique(
        self, officer: Officer, technique: Technique, others: Sequence[Technique] = (), *, near: str = ""
    ) -> Answer:
        (_, seen), *rest = await self._all_seen([technique, *others])
        parent = (await self.library.techniques()).get(technique.parent)
        left_out = await self._unsearched()
        shown = technique_screens.technique(
            officer, technique, parent, seen, others=rest, unsearched=left_out, near=near
        )
        return Answer(shown)

    async def _no_technique(self, officer: Officer, text: str, near: Sequence[Technique] | None) -> Answer:
        """Nothing is called `text`; `near` are those with numbers like it, None where it is no number."""
        if near is None:
            return Answer(technique_screens.no_technique(officer))
        if not near:
            return Answer(technique_screens.no_number(officer, text))
        seen, left_out = await self._all_seen(near), await self._unsearched()
        return Answer(technique_screens.techniques(officer, seen, left_out, unknown=text))

    async def _all_seen(self, techniques: Sequence[Technique]) -> list[tuple[Technique, Seen]]:
        numbers = await asyncio.gather(*(self._seen(_naming(each)) for each in techniques))
        return list(zip(techniques, numbers, strict=True))

    async def _unsearched(self) -> Unsearched:
        return await unsearched(self.node, self.ceiling, self.clock.now())

    async def _hits(self, officer: Officer, text: str, start: int) -> Answer:
        edition = await self._edition()
        if edition is None:
            return self._no_list(officer)
        found = _BORN.match(text)
        name, born = (found["name"], int(found["year"])) if found else (text, None)
        try:
            hits = await edition.look_up(name, born)
        except LiaisonError:
            return Answer(screens.list_state(officer, edition, self._about_list(edition), within=self.within))
        await self.state.memory.set_data(_hits_key(officer), {"text": text})
        return Answer(screens.hits(officer, hits, start, self._about_list(edition)))

    async def _edition(self) -> Edition | None:
        try:
            return await self.library.edition()
        except LiaisonError as error:
            if error.code is Code.NOT_FOUND:
                return None
            raise

    def _no_list(self, officer: Officer) -> Answer:
        return Answer(screens.no_list(officer, by_file=self.library.by_file))

    def _about_list(self, edition: Edition) -> About:
        age = (moment(self.clock.now()).date() - edition.day).days
        return About(edition.un_list.date, age, self.library.by_file)

    async def _seen(self, about: Filters) -> Seen:
        """How many there are; what there is much of is counted up to `COUNTED_MAX`."""
        page = await self.node.latest(self._visible(about), PAGE)
        if page.cursor is not None:
            page = await self.node.latest(self._visible(about), COUNTED_MAX)
        found = await self._shown(page)
        shown = len(found)
        known = page.total is not None or page.cursor is None
        number = shown if page.total is None else page.total - len(page.items) + shown
        return Seen(number, more=not known and shown > 0, newest=tuple(found[:PAGE]))

    async def _seen_page(self, officer: Officer, facet: str, value: str, cursor: str | None) -> Answer | None:
        page = await self.node.latest(self._visible(await self._about(facet, value)), PAGE, cursor)
        found = await self._shown(page)
        if not found and page.cursor is None:
            return None
        asked = {"facet": facet, "value": value, "cursor": page.cursor}
        await self.state.memory.set_data(_seen_key(officer), asked)
        say = words(officer.language)
        rows = opening(found)
        if page.cursor:
            rows += ((Button(say.text("More") + " ▾", encode("seen", "more")),),)
        title = "👁 " + say.text("Seen here: {what}", what=say.embed(value))
        note = open_one(officer)
        reader = Reader(officer.language, officer.zone)
        shown = listing(found, self.ceiling, reader, title=title, note=note, rows=rows)
        return Answer(shown, listed=Listed(tuple(each.bulletin.id for each in found)))

    async def _shown(self, page: Page) -> list[Record]:
        """Without what an amendment has put above the ceiling since."""
        now = await as_marked_now(page.items, at(self.node))
        return [each for each in now if self.ceiling.allows(each.bulletin.tlp) is Release.FULL]

    async def _about(self, facet: str, value: str) -> Filters:
        if facet == "tactic":
            return Filters(tactics=frozenset({value}))
        if facet == "subject":
            edition = await self._edition()
            return self._subjects(edition, value) if edition else Filters(subjects=frozenset({value}))
        raise FormatError(Code.BAD_REQUEST, "a button about something unknown")

    def _subjects(self, edition: Edition, reference: str) -> Filters:
        """Bulletins that name an entry: by its reference, or by its whole name."""
        entry = edition.un_list.get(reference)
        names = (entry.reference, entry.name, entry.original) if entry else (reference,)
        return Filters(subjects=frozenset(filter(None, names)))

    def _visible(self, about: Filters) -> Filters:
        return about.model_copy(update={"tlp_at_most": self.ceiling.full})


def _naming(technique: Technique) -> Filters:
    return Filters(tactics=frozenset({technique.id}))


def _hits_key(officer: Officer) -> str:
    return f"hits:{officer.id}"


def _seen_key(officer: Officer) -> str:
    return f"seen:{officer.id}"

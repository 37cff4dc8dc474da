"""More like this: what an officer is shown of the bulletins that are like one.

The ceiling is held to on both sides: of a bulletin that is withheld nothing like it is told, for that would
say what it is about; and nothing that is withheld is found.
"""

from dataclasses import dataclass, replace
from typing import Final

from bots.dialogue import screens
from bots.enquiries.desk import PAGE, Answer
from bots.ports import NodeClient
from bots.searches.matching import QUIET_KINDS
from bots.showing.buttons import opening
from bots.showing.overtaken import as_marked_now, at
from bots.showing.release import Ceiling, Release, Sight
from bots.showing.render import Reader, listing
from bots.showing.rendered import Showing
from bots.state.lists import Listed
from bots.state.officers import Officer
from bots.wording.words import words
from schemas.vocabulary import Kind
from subscribers.records import Filters, Record

KINDS: Final = frozenset(Kind) - QUIET_KINDS - {Kind.DIGEST}
"""Not what only repeats others."""


@dataclass(frozen=True, slots=True)
class Likening:
    """Answers. The node's refusals come through as LiaisonError."""

    node: NodeClient
    ceiling: Ceiling

    async def like(self, officer: Officer, ref: str) -> Answer:
        """The bulletins most like one, best first. Raises LiaisonError `not_found`."""
        say = words(officer.language)
        asked = await self.node.show(ref)
        name = say.embed(asked.bulletin.ref)
        if not await self._shown([asked]):
            text = say.text("{ref} is withheld from chat, and so is what is like it.", ref=name)
            return Answer(screens.plain_answer("🔒 " + text, officer.language))
        filters = Filters(kinds=KINDS, tlp_at_most=self.ceiling.full)
        found = await self._shown(await self.node.like(asked.bulletin.id, filters, PAGE))
        if not found:
            text = say.text("Nothing here is much like {ref}.", ref=name)
            return Answer(screens.plain_answer("🧭 " + text, officer.language))
        title = "🧭 " + say.text("More like {ref}, the most alike first", ref=name)
        note = screens.open_one(officer)
        reader = Reader(officer.language, officer.zone)
        shown = listing(found, self.ceiling, reader, title=title, note=note, rows=opening(found))
        shown = replace(shown, shows=(*shown.shows, Showing(asked.bulletin.ref, Sight.WAITING)))
        return Answer(shown, listed=Listed(tuple(each.bulletin.id for each in found)))

    async def _shown(self, records: list[Record]) -> list[Record]:
        """Those that may be shown in full under the markings that they have by now."""
        now = await as_marked_now(records, at(self.node))
        return [each for each in now if self.ceiling.allows(each.bulletin.tlp) is Release.FULL]

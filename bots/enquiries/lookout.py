"""What officers ask about the archive as a whole, and about where a bulletin comes from. Knows no door."""

from dataclasses import dataclass
from typing import Final

from bots.charts import figures
from bots.charts.numbers import described, figure
from bots.charts.pictures import Pictures
from bots.clock import Clock
from bots.dialogue import screens
from bots.enquiries.desk import Answer
from bots.parsing.actions import encode
from bots.ports import NodeClient
from bots.showing.chain import chain
from bots.showing.inline import Offered, offered
from bots.showing.release import Ceiling
from bots.showing.render import Reader
from bots.showing.rendered import Button, Rendered, Rows
from bots.state.officers import Officer
from bots.wording.words import Words, words
from schemas.errors import Code, LiaisonError
from subscribers.insight.shapes import Step
from subscribers.records import Community

_CHOICES_MAX: Final = 8
"""So many communities are offered as buttons; the others are asked for by name."""


@dataclass(frozen=True, slots=True)
class Lookout:
    """Answers. The node's refusals come through as LiaisonError."""

    node: NodeClient
    ceiling: Ceiling
    clock: Clock
    pictures: Pictures | None = None
    """None behind a door that shows none."""

    async def who(self, officer: Officer, ref: str) -> Answer:
        """The chain of one bulletin. Raises LiaisonError `not_found`."""
        record = await self.node.show(ref)
        told = await self.node.provenance(record.bulletin.id)
        reader = Reader(officer.language, officer.zone)
        return Answer(chain(told, record, self.ceiling, reader, now=self.clock.now()))

    async def inline(self, officer: Officer, ref: str) -> Offered | None:
        """What may be shown of a bulletin in any chat; None for what is not there, or may not."""
        try:
            record = await self.node.show(ref)
        except LiaisonError as error:
            if error.code is Code.NOT_FOUND:
                return None
            raise
        return offered(record, self.ceiling, Reader(officer.language, officer.zone))

    async def stats(self, officer: Officer, name: str = "") -> Answer:
        """Counts of the last weeks; of the last days in the community called `name` (short name, title or
        id).
        """
        communities = await self.node.communities()
        say = words(officer.language)
        place = next((each for each in communities if _is_called(each, name)), None) if name else None
        if name and place is None:
            text = say.text("No community is called so. Choose one:")
            return Answer(screens.plain_answer(text, officer.language, _choices(communities, None, say)))
        step: Step = "day" if place else "week"
        asked = figures.asked(self.clock.now(), step, self.ceiling.full, place.id if place else None)
        counts = await self.node.counts(asked, step)
        numbers = figures.numbers(counts, step, say)
        shown = Rendered(
            described(numbers, say, place.title if place else ""),
            _choices(communities, place, say),
            silent=True,
            passing=True,
            picture=await self.pictures.draw(figure(numbers, say)) if self.pictures and counts.total else b"",
        )
        return Answer(shown)


def _is_called(community: Community, name: str) -> bool:
    return name.casefold() in {community.slug, community.id, community.title.casefold()}


def _choices(communities: list[Community], now: Community | None, say: Words) -> Rows:
    """A button for each community but the one that is shown, and one for all of them together."""
    offered = [each for each in communities if each != now][:_CHOICES_MAX]
    rows = [(Button("📊 " + say.embed(each.title), encode("stat", each.id)),) for each in offered]
    if now:
        rows.insert(0, (Button("📊 " + say.text("All communities"), encode("stat", "all")),))
    return tuple(rows)

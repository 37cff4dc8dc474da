"""Event cells: what a major event is to this agency, and which bulletins are its. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from bots.times import at_local
from schemas.vocabulary import Severity
from subscribers.records import Filters, Record


@dataclass(frozen=True, slots=True)
class Cell:
    """An event. `first` and `last` are its days by the agency's clocks; `community` is the slug of one whose
    bulletins are all its; from `least` up they ring; `report` is when the situation report comes, minutes
    after local midnight, and `covered` up to when the last one told; `closed`: Unix seconds.
    """

    id: int
    slug: str
    name: str
    venues: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None
    community: str = ""
    least: Severity = Severity.FLASH
    report: int | None = None
    covered: float = 0.0
    closed: float | None = None
    bundle: str = ""


def belongs(record: Record, cell: Cell) -> bool:
    """Whether a bulletin is the event's: it names the event, or is of its community."""
    event = record.bulletin.event
    named = event is not None and event.name.casefold() == cell.name.casefold()
    return named or bool(cell.community and record.community_slug == cell.community)


def cell_of(record: Record, cells: Iterable[Cell]) -> Cell | None:
    """The cell of a bulletin. Of several that would have it the one that rings soonest, then the oldest."""
    found = [each for each in cells if each.closed is None and belongs(record, each)]
    order = list(Severity)
    return min(found, key=lambda each: (order.index(each.least), each.id), default=None)


def wanted(cell: Cell, most: Filters) -> tuple[Filters, ...]:
    """What to ask the node for, each on its own: together all of the event's bulletins within `most`."""
    found = [most.model_copy(update={"events": frozenset({cell.name})})]
    if cell.community:
        found.append(most.model_copy(update={"communities": frozenset({cell.community})}))
    return tuple(found)


def ends(cell: Cell, zone: ZoneInfo) -> float | None:
    """When it closes by itself (Unix seconds): at midnight after its last day."""
    if cell.last is None:
        return None
    return at_local(cell.last + timedelta(days=1), 0, zone).timestamp()


def begins(cell: Cell, zone: ZoneInfo) -> float | None:
    """When its first day begins (Unix seconds)."""
    return at_local(cell.first, 0, zone).timestamp() if cell.first else None

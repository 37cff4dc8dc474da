"""What late bulletins name, to be offered as choices: only of those that may be shown in full, for what a
withheld one names stays withheld. Pure.
"""

from collections.abc import Iterable

from bots.searches.menus import Offer
from bots.showing.release import Ceiling, Release
from schemas.bulletin import Bulletin
from subscribers.records import Record


def recent(records: Iterable[Record], ceiling: Ceiling, field: str) -> list[Offer]:
    """Each event, region, subject or tactic once, as first met. Not of what was retracted."""
    found: dict[str, Offer] = {}
    for each in records:
        if each.state != "retracted" and ceiling.allows(each.bulletin.tlp) is Release.FULL:
            for offer in _offers(each.bulletin, field):
                found.setdefault(offer.value.casefold(), offer)
    return list(found.values())


def _offers(bulletin: Bulletin, field: str) -> Iterable[Offer]:
    match field:
        case "regions":
            return (Offer(each, each) for each in bulletin.regions)
        case "events":
            return (Offer(each.name, each.name) for each in (bulletin.event,) if each)
        case "tactics":
            return (Offer(each.id, f"{each.id} {each.name or ''}".rstrip()) for each in bulletin.tactics)
        case _:
            return (
                Offer(each.reference or each.name, f"{each.name} {each.reference or ''}".rstrip())
                for each in bulletin.subjects
            )

"""What was answered to a bulletin, counted for its originator; and requests whose deadline is near. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

from bots.dialogue.screens import screen
from bots.showing.rendered import Rendered
from bots.state.officers import Officer
from bots.wording.labels import KINDS
from bots.wording.markup import Span
from bots.wording.words import words
from schemas.encoding import from_instant
from schemas.vocabulary import Kind, Relation
from subscribers.records import Record

REMIND: Final = 3 * 3600.0
"""So many seconds before its deadline an unanswered request is brought to mind."""
ANSWERS_MAX: Final = 50
"""So many answers are looked at: what the node gives at once."""
_COUNTED: Final = (Kind.ACKNOWLEDGEMENT, Kind.SIGHTING, Kind.RESPONSE)


def tally(officer: Officer, record: Record, answers: Sequence[Record]) -> Rendered:
    """Which agencies acknowledged, sighted and answered a bulletin that may be shown in full."""
    say = words(officer.language)
    spans = [Span("📊 "), *say.code(record.bulletin.ref)]
    for kind in _COUNTED:
        given = [each for each in answers if each.bulletin.kind is kind]
        names = list(dict.fromkeys(say.embed(each.agency_name) for each in given))
        number = say.count("{number} agency", "{number} agencies", len(names))
        spans.append(Span(f"\n\n{say.text(KINDS[kind])}: {number}", "b"))
        if names:
            spans.append(Span("\n" + say.listed(names)))
    if len(answers) >= ANSWERS_MAX:
        spans.append(Span("\n\n" + say.text("Only the latest answers are counted.")))
    return screen(spans, officer.language)


def pressing(records: Iterable[Record], now: float) -> list[Record]:
    """Requests of others that end within `REMIND` and that this agency has not answered."""
    kept = list(records)
    answered = {
        link.id
        for each in kept
        if each.own and each.bulletin.kind is Kind.RESPONSE
        for link in each.bulletin.links
        if link.relation is Relation.RESPONDS_TO
    }
    return [each for each in kept if _presses(each, now) and each.bulletin.id not in answered]


def _presses(record: Record, now: float) -> bool:
    bulletin = record.bulletin
    if (
        bulletin.kind is not Kind.REQUEST
        or record.own
        or record.state != "current"
        or not bulletin.valid_until
    ):
        return False
    return 0 < from_instant(bulletin.valid_until) / 1000 - now <= REMIND

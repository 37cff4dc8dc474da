"""What a digest, a hand-over of a shift or a situation report says: in which order, and nothing twice. Pure.

First what still waits for the officer, then what is new, then what was changed. What is withheld stands
where it would stand whatever it says: its place tells neither kind nor severity.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bots.showing.release import Ceiling, Release
from bots.showing.render import acknowledgeable
from bots.wording.words import Words
from schemas.encoding import from_instant
from schemas.particulars import Link
from schemas.vocabulary import Kind, Relation, Severity
from subscribers.records import Record

WAITING_MAX: Final = 10
"""So many of what waits are named: the oldest are not what a shift begins with."""
_SEVERITIES: Final = list(Severity)
_CHANGES: Final = frozenset({Kind.AMENDMENT, Kind.RETRACTION})


@dataclass(frozen=True, slots=True)
class Gathered:
    """Bulletins in their sections, worst first."""

    waiting: tuple[Record, ...] = ()
    news: tuple[Record, ...] = ()
    changes: tuple[Record, ...] = ()
    left: int = 0
    """So many more wait than `waiting` names."""

    def headed(self, say: Words) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The ids of each section under its heading; empty ones are left out, and one that is alone and new
        needs no heading.
        """
        found = (
            ("⏳ " + self._waits(say), self.waiting),
            ("🆕 " + say.text("New") if self.waiting or self.changes else "", self.news),
            ("✏️ " + say.text("Changed"), self.changes),
        )
        return tuple((head, tuple(each.bulletin.id for each in some)) for head, some in found if some)

    def _waits(self, say: Words) -> str:
        if not self.left:
            return say.text("Still waits for you")
        named = len(self.waiting)
        number, total = say.number(named), say.number(named + self.left)
        return say.text("Still waits for you: {number} of {total}", number=number, total=total)


def gather(
    period: Iterable[Record],
    kept: Sequence[Record],
    acknowledged: Collection[str],
    ceiling: Ceiling,
    now: float,
) -> Gathered:
    """Bulletins of a period, and what waits of all that are `kept`; `acknowledged` are the ids of those that
    the officer acknowledged.
    """
    answered = {link.id for each in kept for link in _answers(each)}
    open_ones = [each for each in _once(kept) if _waits(each, acknowledged, answered, ceiling, now)]
    waiting = sorted(open_ones, key=lambda each: _rank(each, ceiling))[:WAITING_MAX]
    seen = {each.bulletin.id for each in waiting}
    rest = [each for each in _once(period) if each.bulletin.id not in seen and each.state != "retracted"]
    shown = [each for each in rest if ceiling.allows(each.bulletin.tlp) is not Release.WAITING]
    changes = [each for each in shown if each.bulletin.kind in _CHANGES]
    words = {each.bulletin.id for each in (*changes, *waiting)}
    # An amendment has all the words of what it amends.
    news = [each for each in rest if each not in changes and each.replaced_by not in words]
    ranked = [sorted(some, key=lambda each: _rank(each, ceiling)) for some in (news, changes)]
    return Gathered(tuple(waiting), tuple(ranked[0]), tuple(ranked[1]), len(open_ones) - len(waiting))


def title(kind: str, found: int, say: Words, when: str, event: str = "") -> str:
    """The first line of a `digest`, of the hand-over of a `shift`, or of the report on an `event`, which has
    a name. `when` is when it begins, in words.
    """
    match kind:
        case "shift":
            return "🤝 " + say.text("Hand-over of the shift, since {since}", since=when)
        case "event":
            name = say.embed(event)
            return "🏟 " + say.text("{event}: situation report, since {since}", event=name, since=when)
        case _ if found:
            number = say.count(
                "{number} bulletin since {since}", "{number} bulletins since {since}", found, since=when
            )
            return "🗞 " + number
        case _:
            return "🗞 " + say.text("Nothing new since {since}", since=when)


def _waits(
    record: Record, acknowledged: Collection[str], answered: Collection[str], ceiling: Ceiling, now: float
) -> bool:
    bulletin = record.bulletin
    if not acknowledgeable(record) or record.state != "current" or bulletin.id in acknowledged:
        return False
    until = from_instant(bulletin.valid_until) / 1000 if bulletin.valid_until else None
    if until is not None and until <= now:
        return False
    if ceiling.allows(bulletin.tlp) is Release.WAITING:
        return True
    if bulletin.kind is Kind.REQUEST and until is not None:
        return bulletin.id not in answered
    return _SEVERITIES.index(bulletin.severity) >= _SEVERITIES.index(Severity.HIGH)


def _answers(record: Record) -> Iterable[Link]:
    if record.own and record.bulletin.kind is Kind.RESPONSE:
        yield from (each for each in record.bulletin.links if each.relation is Relation.RESPONDS_TO)


def _rank(record: Record, ceiling: Ceiling) -> tuple[int, str]:
    """Worst first, then oldest first; what is withheld comes last, by its age alone."""
    withheld = ceiling.allows(record.bulletin.tlp) is Release.WAITING
    return (1 if withheld else -_SEVERITIES.index(record.bulletin.severity), record.bulletin.issued)


def _once(records: Iterable[Record]) -> list[Record]:
    return list({each.bulletin.id: each for each in records}.values())

"""What waits for an officer, and why: decided here for hand-overs, digests and `/asked` alike. Pure.

A bulletin that is grave enough waits until the officer has acknowledged it. A question waits until the
agency has answered it, acknowledged or not, and whoever subscribes to it. Of what chat may not even show as a
stub, nothing but its marking counts: whether it waits tells neither that it is a question nor how severe it
is.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bots.showing.answerable import acknowledgeable
from bots.showing.release import Ceiling, Release
from bots.telling.tally import standing
from bots.wording.words import Words
from schemas.encoding import from_instant
from schemas.vocabulary import Kind, Relation, Severity
from subscribers.records import Record

SIGN: Final = "⏳"
"""Stands before whatever waits, wherever it is told."""
NEVER: Final = float("inf")
LEAST: Final = Severity.HIGH
"""What is less grave waits for nobody's acknowledgement."""
_MONTH: Final = 30 * 86_400.0
_SEVERITIES: Final = list(Severity)


class Awaits(StrEnum):
    """What is awaited."""

    ACKNOWLEDGEMENT = "acknowledgement"
    """The officer's."""
    ANSWER = "answer"
    """The agency's."""


@dataclass(frozen=True, slots=True)
class Eyes:
    """Through which an officer sees: the ceiling, the time (Unix seconds), the ids of what the officer has
    acknowledged and of what the agency has answered.
    """

    ceiling: Ceiling
    now: float
    acknowledged: Collection[str] = ()
    answered: Collection[str] = ()


def awaits(record: Record, eyes: Eyes) -> Awaits | None:
    """What `record` awaits of the officer, under the marking that it has by now; None for nothing."""
    if not acknowledgeable(record):
        return None
    bulletin, withheld = record.bulletin, eyes.ceiling.allows(record.bulletin.tlp) is Release.WAITING
    if bulletin.kind is Kind.REQUEST and not withheld:
        unanswered = is_open(record, eyes.now) and bulletin.id not in eyes.answered
        return Awaits.ANSWER if unanswered else None
    if record.state != "current" or until(record) <= eyes.now or bulletin.id in eyes.acknowledged:
        return None
    if withheld or _SEVERITIES.index(bulletin.severity) >= _SEVERITIES.index(LEAST):
        return Awaits.ACKNOWLEDGEMENT
    return None


def is_open(record: Record, now: float) -> bool:
    """Whether answers to a question are still wanted; without a deadline, for a month."""
    ends = until(record)
    if ends == NEVER:
        ends = from_instant(record.bulletin.issued) / 1000 + _MONTH
    return record.state != "retracted" and ends > now


def until(record: Record) -> float:
    """Until when it holds, or answers to it are awaited (Unix seconds); NEVER where it does not say."""
    ends = record.bulletin.valid_until
    return from_instant(ends) / 1000 if ends else NEVER


def answered_here(records: Iterable[Record]) -> frozenset[str]:
    """The questions, by their ids, that this agency's own answers among `records` answer."""
    own = (each for each in standing(records) if each.own and each.bulletin.kind is Kind.RESPONSE)
    return frozenset(
        link.id for each in own for link in each.bulletin.links if link.relation is Relation.RESPONDS_TO
    )


def not_answered(named: int, left: int, say: Words) -> str:
    """The heading of others' questions that the agency has not answered, of which `left` are not named."""
    sign = f"{SIGN} 💬 "
    if not left:
        return sign + say.text("Your agency has not answered")
    return sign + say.count(
        "Your agency has not answered {number} question. Here are the {named} most urgent.",
        "Your agency has not answered {number} questions. Here are the {named} most urgent.",
        named + left,
        named=say.number(named),
    )

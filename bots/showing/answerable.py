"""What a bulletin can be answered with by a button: it was seen here, the channel is blocked or confirmed, or
an answer to what it asks. Pure.
"""

from enum import StrEnum
from typing import Final

from schemas.vocabulary import Kind, Relation
from subscribers.records import Record


class Answer(StrEnum):
    """One kind of answer, as its button says it."""

    SEEN = "seen"
    BLOCKED = "blocked"
    CONFIRMED = "confirmed"
    REPLY = "reply"


RELATIONS: Final = frozenset({Relation.RESPONDS_TO, Relation.SIGHTS})
"""How an answer that says something is linked to what it answers."""
_SEEN: Final = frozenset(
    {
        Kind.TACTIC,
        Kind.THREAT,
        Kind.SUBJECT,
        Kind.CHANNEL,
        Kind.NARRATIVE,
        Kind.CYBER,
        Kind.EVENT,
        Kind.AMENDMENT,
    }
)
"""Kinds that speak of something that can be seen elsewhere."""


def answerable(record: Record) -> tuple[Answer, ...]:
    """With what another agency's bulletin can be answered; nothing for one's own and what was retracted."""
    if record.own or record.state == "retracted":
        return ()
    if record.bulletin.kind is Kind.REQUEST:
        return (Answer.REPLY,)
    if record.bulletin.kind not in _SEEN:
        return ()
    if record.bulletin.channel is not None:
        return (Answer.SEEN, Answer.BLOCKED, Answer.CONFIRMED)
    return (Answer.SEEN,)


def answered_id(record: Record) -> str | None:
    """The bulletin that `record` answers; None for what answers none. An acknowledgement says nothing."""
    return next((link.id for link in record.bulletin.links if link.relation in RELATIONS), None)


def acknowledgeable(record: Record) -> bool:
    """Whether there is sense in acknowledging: not one's own, not an acknowledgement, not what was
    retracted.
    """
    return record.bulletin.kind is not Kind.ACKNOWLEDGEMENT and not record.own and record.state != "retracted"

"""A draft that amends or retracts a bulletin of this agency, begun from what that says. Pure."""

from typing import Final

from bots.drafting.draft import HalfDraft, Named
from bots.drafting.translations import made_now
from bots.wording.words import words
from schemas.bulletin import Bulletin
from schemas.encoding import from_instant
from schemas.limits import TITLE_MAX
from schemas.vocabulary import Kind, Realm, Relation
from subscribers.records import Record

UNCHANGED: Final = frozenset({Kind.ACKNOWLEDGEMENT, Kind.RETRACTION})
"""Kinds that leave nothing to change."""


def changeable(record: Record) -> bool:
    """Whether a change of it is offered: its agency's own, not retracted, with nothing newer in its place."""
    said_openly = record.own and "private" not in record.flags
    return said_openly and record.state == "current" and record.bulletin.kind not in UNCHANGED


def changing(record: Record, relation: Relation, *, now: float) -> HalfDraft | None:
    """The draft; `now` in Unix seconds. None where an amendment would lose what cannot be written in a
    conversation.
    """
    bulletin = record.bulletin
    common = HalfDraft(
        tlp=bulletin.tlp,
        community=record.community,
        exercise=bulletin.realm is Realm.EXERCISE,
        kind=Kind.AMENDMENT if relation is Relation.AMENDS else Kind.RETRACTION,
        severity=bulletin.severity,
        language=bulletin.language,
        regions=tuple(bulletin.regions),
        links=(Named(relation=relation, id=bulletin.id, ref=bulletin.ref, least=bulletin.tlp),),
    )
    if relation is Relation.RETRACTS:
        title = words(bulletin.language).text("Retracted: {title}", title=bulletin.title)
        return common.with_(title=title[:TITLE_MAX])
    if _holds_more(bulletin):
        return None
    ends = (
        bulletin.valid_until
        if bulletin.valid_until and from_instant(bulletin.valid_until) > now * 1000
        else None
    )
    whole = common.with_(
        title=bulletin.title,
        summary=bulletin.summary,
        body=bulletin.body,
        grading=bulletin.grading,
        likelihood=bulletin.likelihood,
        tactics=tuple(bulletin.tactics),
        event=bulletin.event,
        caveats=tuple(bulletin.caveats),
        translations=tuple(bulletin.translations),
        valid_until=ends,
        links=(
            *common.links,
            *(Named(relation=each.relation, id=each.id, ref=each.id[:8]) for each in bulletin.links),
        ),
    )
    spoken = [each.language for each in whole.translations]
    return made_now(whole, *spoken) if spoken else whole


def _holds_more(bulletin: Bulletin) -> bool:
    """Whether it has something that the conversation does not ask for."""
    unasked = (bulletin.subjects, bulletin.indicators, bulletin.channel, bulletin.pap, bulletin.attachments)
    return any(unasked) or bulletin.release is not None or bulletin.history.value != "none"

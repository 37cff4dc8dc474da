"""What an amendment changed, in words. Pure. Called by `bots.showing.render` alone, behind the release gate.

An amendment is a bulletin of its own and need not repeat what stays: so what it says otherwise, and what it
adds, is named; what it does not repeat is not said to be gone.
"""

from collections.abc import Iterable
from typing import Final
from zoneinfo import ZoneInfo

from bots.clock import moment
from bots.wording import labels
from bots.wording.places import places
from bots.wording.words import NAMES, Words
from schemas.bulletin import Bulletin
from schemas.encoding import from_instant
from schemas.particulars import Translation
from schemas.vocabulary import Kind, Language, Relation, Severity
from subscribers.records import Record

_SHOWN: Final = 6
"""How many regions or tactics are named."""


def changed_by(record: Record) -> str:
    """The id of what a bulletin amends or retracts; '' when it does neither."""
    links = record.bulletin.links if record.bulletin.kind in (Kind.AMENDMENT, Kind.RETRACTION) else ()
    return next((each.id for each in links if each.relation in (Relation.AMENDS, Relation.RETRACTS)), "")


def what_changed(old: Bulletin, new: Bulletin, say: Words, zone: ZoneInfo) -> list[str]:
    """Short phrases, the most telling first; none when nothing that is told of differs."""
    return [
        *_judged(old, new, say),
        *_dated(old, new, say, zone),
        *_said(old, new, say),
        *_added(old, new, say),
    ]


def title_before(old: Bulletin, new: Bulletin, say: Words) -> str:
    """The title that an amendment replaced, in words; '' when it is the same, or in another language."""
    first = _text(old, new.language)
    if first is None or first.title == new.title:
        return ""
    return say.text("its title was “{old}”", old=say.embed(old.text_in(say.language).title))


def _judged(old: Bulletin, new: Bulletin, say: Words) -> Iterable[str]:
    """How bad, for whom, how sure."""
    order = list(Severity).index
    values = {"old": labels.severity(old.severity, say), "new": labels.severity(new.severity, say)}
    if order(new.severity) > order(old.severity):
        yield say.text("severity raised from “{old}” to “{new}”", **values)
    if order(new.severity) < order(old.severity):
        yield say.text("severity lowered from “{old}” to “{new}”", **values)
    if new.tlp is not old.tlp:
        marks = {"old": say.embed(old.tlp.value), "new": say.embed(new.tlp.value)}
        yield say.text("marked {new}, before {old}", **marks)
    if new.likelihood and new.likelihood is not old.likelihood:
        yield say.text("now held to be {likelihood}", likelihood=say.text(labels.LIKELIHOODS[new.likelihood]))
    if new.grading and new.grading != old.grading:
        yield say.text("graded anew: {grading}", grading=labels.grading(new.grading, say))
    if new.channel and (old.channel is None or new.channel.state is not old.channel.state):
        yield say.text("channel now {state}", state=say.text(labels.CHANNEL_STATES[new.channel.state]))


def _dated(old: Bulletin, new: Bulletin, say: Words, zone: ZoneInfo) -> Iterable[str]:
    if new.valid_until and new.valid_until != old.valid_until:
        until = say.embed(say.when(moment(from_instant(new.valid_until) / 1000), zone))
        yield say.text("now valid until {time}", time=until)


def _said(old: Bulletin, new: Bulletin, say: Words) -> Iterable[str]:
    first = _text(old, new.language)
    if first is None or first.title != new.title:
        yield say.text("new title")
    if first is None or (first.summary, first.body) != (new.summary, new.body):
        yield say.text("new text")
    if fresh := _languages(new) - _languages(old):
        names = ", ".join(NAMES[each] for each in Language if each in fresh)
        yield say.text("now also in {languages}", languages=names)


def _added(old: Bulletin, new: Bulletin, say: Words) -> Iterable[str]:
    regions = [each for each in new.regions if each not in old.regions]
    if regions:
        yield say.text("regions added: {regions}", regions=places(regions[:_SHOWN], say))
    known = {each.id for each in old.tactics}
    tactics = [each.id for each in new.tactics if each.id not in known]
    if tactics:
        yield say.text("tactics added: {tactics}", tactics=say.embed(", ".join(tactics[:_SHOWN])))
    if number := len({each.name for each in new.subjects} - {each.name for each in old.subjects}):
        yield say.count("{number} new subject", "{number} new subjects", number)
    if number := len({each.pattern for each in new.indicators} - {each.pattern for each in old.indicators}):
        yield say.count("{number} new indicator", "{number} new indicators", number)
    if number := len({each.name for each in new.attachments} - {each.name for each in old.attachments}):
        yield say.count("{number} new file", "{number} new files", number)


def _languages(bulletin: Bulletin) -> set[Language]:
    return {bulletin.language, *(each.language for each in bulletin.translations)}


def _text(bulletin: Bulletin, language: Language) -> Translation | None:
    found = bulletin.text_in(language)
    return found if found.language is language else None

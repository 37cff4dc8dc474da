"""The lines of a bulletin that only its full view shows: whom, what, where, by which means; and when, and in
which language. Pure.

Called behind the release gate.
"""

from collections.abc import Iterable
from typing import Final
from zoneinfo import ZoneInfo

from bots.clock import moment
from bots.wording import labels
from bots.wording.words import NAMES, Words
from schemas.bulletin import Bulletin
from schemas.encoding import from_instant
from schemas.particulars import Translation
from schemas.vocabulary import Kind
from subscribers.records import Record

_SHOWN: Final = 12
"""How many of a long list are named; the rest are counted."""


def when(instant: str, say: Words, zone: ZoneInfo) -> str:
    """A moment of a bulletin, by the reader's clock."""
    return say.embed(say.when(moment(from_instant(instant) / 1000), zone))


def valid_until(bulletin: Bulletin, say: Words, zone: ZoneInfo) -> str:
    """Until when it holds, or a request awaits answers; of a bulletin that says so."""
    time = when(bulletin.valid_until or bulletin.issued, say, zone)
    if bulletin.kind is Kind.REQUEST:
        return say.text("answers wanted by {time}", time=time)
    return say.text("valid until {time}", time=time)


def language_note(bulletin: Bulletin, text: Translation, say: Words) -> str:
    """Whether the text is the original or a translation, how official, and from which language; empty where
    there is no other text, and it is the reader's own language.
    """
    shown, original = say.embed(NAMES[text.language]), say.embed(NAMES[bulletin.language])
    if text.language is not bulletin.language:
        if text.official:
            return say.text(
                "{language}, official translation from {original}", language=shown, original=original
            )
        return say.text(
            "{language}, unofficial translation from {original}", language=shown, original=original
        )
    if bulletin.translations:
        return say.text("{language}, the original text", language=shown)
    return "" if text.language is say.language else say.text("Only in {language}", language=shown)


def details(record: Record, say: Words) -> list[str]:
    """Lines in plain text, in a fixed order; none for what the bulletin does not have."""
    bulletin = record.bulletin
    lines: list[str] = []
    if bulletin.channel:
        known = [
            bulletin.channel.address,
            *([bulletin.channel.platform] if bulletin.channel.platform else []),
        ]
        state = say.text(labels.CHANNEL_STATES[bulletin.channel.state])
        lines.append(
            say.text("Channel: {channel} ({state})", channel=say.embed(", ".join(known)), state=state)
        )
    if bulletin.event:
        place = [bulletin.event.name, *([bulletin.event.venue] if bulletin.event.venue else [])]
        lines.append(say.text("Event: {event}", event=say.embed(", ".join(place))))
    if bulletin.subjects:
        named = (
            f"{each.name} ({each.reference})" if each.reference else each.name for each in bulletin.subjects
        )
        lines.append(say.text("Subjects: {names}", names=_some(named, say)))
    if law := bulletin.personal:
        lines.append(say.text("Legal basis: {law}", law=say.embed(law.legal_basis)))
        lines.append(say.text("To be looked at again by {day}", day=say.embed(law.review[:10])))
        lines.append(say.text("Mistakes are put right by: {where}", where=say.embed(law.correction)))
    if bulletin.tactics:
        named = (f"{each.id} {each.name}" if each.name else each.id for each in bulletin.tactics)
        lines.append(say.text("Tactics: {names}", names=_some(named, say)))
    if bulletin.attachments:
        named = (each.name for each in bulletin.attachments)
        lines.append(say.text("Files, on your agency's terminal: {names}", names=_some(named, say)))
    if bulletin.indicators:
        number = len(bulletin.indicators)
        lines.append(
            say.count("{number} indicator, for your systems", "{number} indicators, for your systems", number)
        )
    if bulletin.pap:
        lines.append(say.text("Permissible actions: {pap}", pap=say.embed(bulletin.pap.value)))
    if bulletin.links:
        number = len(bulletin.links)
        lines.append(say.count("{number} linked bulletin", "{number} linked bulletins", number))
    return lines


def _some(names: Iterable[str], say: Words) -> str:
    found = list(names)
    shown = [say.embed(name) for name in found[:_SHOWN]]
    if (left := len(found) - _SHOWN) > 0:
        shown.append(say.count("and {number} more", "and {number} more", left))
    return say.listed(shown)

"""A draft that answers a bulletin: begun from it, under its marking, in its community. Pure.

What has no words of the officer's is said in all languages of the bot.
"""

from typing import Final

from bots.drafting.draft import HalfDraft, Named
from bots.showing.answerable import Answer
from bots.wording.labels import N_
from bots.wording.words import Words, words
from schemas.limits import TITLE_MAX
from schemas.particulars import Translation
from schemas.vocabulary import ChannelState, Kind, Language, Realm, Relation, Severity
from subscribers.records import Record

TITLES: Final = {
    Answer.SEEN: N_("Seen here: {ref}"),
    Answer.BLOCKED: N_("Blocked: {ref}"),
    Answer.CONFIRMED: N_("Confirmed: {ref}"),
}
_STATES: Final = {Answer.BLOCKED: ChannelState.BLOCKED, Answer.CONFIRMED: ChannelState.CONFIRMED}


def answering(record: Record, answer: Answer, language: Language) -> HalfDraft:
    """The draft of an answer to `record`, in `language`."""
    bulletin = record.bulletin
    relation = Relation.SIGHTS if answer is Answer.SEEN else Relation.RESPONDS_TO
    common = HalfDraft(
        tlp=bulletin.tlp,
        community=record.community,
        exercise=bulletin.realm is Realm.EXERCISE,
        severity=Severity.INFO,
        language=language,
        links=(
            Named(
                relation=relation,
                id=bulletin.id,
                ref=bulletin.ref,
                least=bulletin.tlp,
                by=record.agency_name,
            ),
        ),
    )
    if answer is Answer.REPLY:
        say, asked = words(language), bulletin.text_in(language)
        # A title in one language does not begin in another.
        told = asked.language is language
        title = say.text("Answer: {title}", title=asked.title) if told else ""
        title = title or say.text("Answer to {ref}", ref=bulletin.ref)
        # Nobody is woken by an answer because the question was a flash.
        severity = Severity.HIGH if bulletin.severity is Severity.FLASH else bulletin.severity
        return common.with_(kind=Kind.RESPONSE, severity=severity, title=title[:TITLE_MAX])
    if answer is Answer.SEEN:
        return spoken(common.with_(kind=Kind.SIGHTING, quick=answer))
    channel = bulletin.channel.model_copy(update={"state": _STATES[answer]}) if bulletin.channel else None
    return spoken(common.with_(kind=Kind.CHANNEL, quick=answer, channel=channel))


def spoken(half: HalfDraft) -> HalfDraft:
    """An answer by button with its words: its title, and how many were seen; in every language while the
    officer has written nothing. Any other draft as it is.
    """
    if half.quick is None or not half.links:
        return half
    ref = half.links[0].ref
    own = _said(half, words(half.language), ref)
    if half.body:
        return half.with_(title=own[0], summary=own[1], translations=())
    others = tuple(
        Translation(language=each, official=False, title=title, summary=summary)
        for each in Language
        if each is not half.language
        for title, summary in (_said(half, words(each), ref),)
    )
    return half.with_(title=own[0], summary=own[1], translations=others)


def _said(half: HalfDraft, say: Words, ref: str) -> tuple[str, str]:
    title = say.text(TITLES[half.quick or Answer.SEEN], ref=ref)
    number = say.text("Number seen: {number}", number=half.number) if half.number else ""
    return title, number

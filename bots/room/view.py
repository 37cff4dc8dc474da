"""A bulletin as the room shows it: plain text in labelled places, for one reader. Pure.

Called by `bots.room.desk` alone, behind the room's ceiling. Nothing here is markup: the templates escape it.
Addresses in a text stay text. Pressed, they would tell whoever is behind them which agency reads what.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from bots.clock import moment
from bots.showing.answerable import acknowledgeable
from bots.showing.render import Reader
from bots.wording import labels
from bots.wording.places import places
from bots.wording.words import NAMES, RIGHT_TO_LEFT, Words, words
from schemas.bulletin import Bulletin
from schemas.encoding import from_instant
from schemas.particulars import Translation
from schemas.vocabulary import Kind, Language, Relation, SubjectType, Taxonomy, Tlp
from subscribers.records import Record

N_ = labels.N_
TAXONOMIES: Final = {Taxonomy.ATTACK: "ATT&CK", Taxonomy.DISARM: "DISARM", Taxonomy.LIAISON: "Liaison"}
SUBJECTS: Final = {
    SubjectType.PERSON: N_("person"),
    SubjectType.ORGANISATION: N_("organisation"),
    SubjectType.FOREIGN_FIGHTER: N_("foreign fighter"),
}
RELATIONS: Final = {
    Relation.AMENDS: N_("amends"),
    Relation.RETRACTS: N_("retracts"),
    Relation.RESPONDS_TO: N_("answers"),
    Relation.ACKNOWLEDGES: N_("acknowledges"),
    Relation.SIGHTS: N_("saw what stands in"),
    Relation.CONTAINS: N_("contains"),
    Relation.RELATED: N_("belongs with"),
}
_KIB: Final = 1024


@dataclass(frozen=True, slots=True)
class Marking:
    """A TLP marking: as it is written, its colour's name, and whom it lets be told."""

    text: str
    slug: str
    audience: str


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the languages that a bulletin has."""

    code: str
    name: str
    note: str
    here: bool


@dataclass(frozen=True, slots=True)
class Fact:
    """A label, and one or more lines of text."""

    label: str
    lines: tuple[str, ...]
    code: bool = False
    """Something to copy, such as a pattern."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """An attachment."""

    name: str
    size: str
    media: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A bulletin in a list."""

    ref: str
    title: str
    lang: str
    rtl: bool
    sign: str
    severity: str
    kind: str
    tlp: Marking
    who: str
    when: str
    state: str
    exercise: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """All of a bulletin."""

    entry: Entry
    warnings: tuple[str, ...]
    note: str
    tabs: tuple[Tab, ...]
    summary: tuple[str, ...]
    body: tuple[str, ...]
    caveats: tuple[str, ...]
    facts: tuple[Fact, ...]
    files: tuple[FileRow, ...]
    acknowledgeable: bool


def marking(tlp: Tlp, say: Words) -> Marking:
    """A marking for its banner."""
    return Marking(tlp.value, tlp.slug, say.text(labels.AUDIENCES[tlp]))


def entry(record: Record, reader: Reader, text: Translation | None = None) -> Entry:
    """The line of a list; in the reader's language where the bulletin has it."""
    say, bulletin = words(reader.language), record.bulletin
    shown = text or bulletin.text_in(reader.language)
    return Entry(
        ref=bulletin.ref,
        title=shown.title,
        lang=shown.language.value,
        rtl=shown.language in RIGHT_TO_LEFT,
        sign=labels.SIGNS[bulletin.severity],
        severity=labels.severity(bulletin.severity, say),
        kind=labels.kind(bulletin.kind, say),
        tlp=marking(bulletin.tlp, say),
        who=record.agency_name,
        when=_when(bulletin.issued, say, reader.zone),
        state=_state(record, say),
        exercise=bulletin.exercise,
    )


def reading(record: Record, reader: Reader, language: Language | None) -> Reading:
    """Everything that an officer may know of a bulletin, its text in `language` if it has it."""
    say, bulletin = words(reader.language), record.bulletin
    text = bulletin.text_in(language or reader.language)
    if record.state == "amended" and bulletin.kind is Kind.DIGEST:
        # It may list what was retracted since; its amendment, which is linked, has all that still stands.
        text = text.model_copy(update={"summary": "", "body": ""})
    return Reading(
        entry=entry(record, reader, text),
        warnings=tuple(_warnings(record, say)),
        note=_note(bulletin, text, say),
        tabs=_tabs(bulletin, text, say),
        summary=_paragraphs(text.summary),
        body=_paragraphs(text.body),
        caveats=tuple(bulletin.caveats),
        facts=tuple(_facts(record, say, reader.zone)),
        files=tuple(
            FileRow(each.name, _size(each.size), each.media, each.sha256) for each in bulletin.attachments
        ),
        acknowledgeable=acknowledgeable(record),
    )


# --- the parts ------------------------------------------------------------------------------------


def _state(record: Record, say: Words) -> str:
    if record.state == "retracted":
        return say.text("RETRACTED")
    return say.text("AMENDED since") if record.state == "amended" else ""


def _warnings(record: Record, say: Words) -> Iterable[str]:
    if record.state == "retracted":
        yield say.text("Retracted by its originator. Do not act on it, and tell those whom you told.")
    if record.state == "amended":
        yield say.text("Amended by its originator since: look for the amendment below.")
    if "expired" in record.flags:
        yield say.text("Its time has passed.")
    if "review_due" in record.flags:
        yield say.text("Past its review: ask its originator before you rely on it")
    if "private" in record.flags:
        yield say.text("Private: not sent to the community")


def _note(bulletin: Bulletin, text: Translation, say: Words) -> str:
    if text.language is bulletin.language:
        return ""
    if text.official:
        return say.text("Official translation: its originator stands by it word for word.")
    return say.text("Unofficial translation. The original counts.")


def _tabs(bulletin: Bulletin, shown: Translation, say: Words) -> tuple[Tab, ...]:
    first = Tab(
        bulletin.language.value,
        NAMES[bulletin.language],
        say.text("original"),
        bulletin.language is shown.language,
    )
    rest = (
        Tab(
            each.language.value,
            NAMES[each.language],
            say.text("official") if each.official else say.text("unofficial"),
            each.language is shown.language,
        )
        for each in bulletin.translations
    )
    return (first, *rest)


def _facts(record: Record, say: Words, zone: ZoneInfo) -> Iterable[Fact]:
    bulletin = record.bulletin
    yield Fact(say.text("Originator"), (say.embed(record.agency_name),))
    yield Fact(say.text("Community"), (say.embed(record.community_title),))
    if bulletin.grading:
        yield Fact(say.text("Grading"), (labels.grading(bulletin.grading, say),))
    if bulletin.likelihood:
        yield Fact(say.text("Likelihood"), (say.text(labels.LIKELIHOODS[bulletin.likelihood]),))
    yield Fact(say.text("Issued"), (_when(bulletin.issued, say, zone),))
    if bulletin.valid_from:
        yield Fact(say.text("Valid from"), (_when(bulletin.valid_from, say, zone),))
    if bulletin.valid_until:
        yield Fact(say.text("Valid until"), (_when(bulletin.valid_until, say, zone),))
    if law := bulletin.personal:
        yield Fact(say.text("Legal basis"), (say.embed(law.legal_basis),))
        yield Fact(say.text("To be looked at again by"), (_when(law.review, say, zone),))
        yield Fact(say.text("Mistakes are put right by"), (say.embed(law.correction),))
    if bulletin.pap:
        yield Fact(say.text("Permissible actions"), (say.embed(bulletin.pap.value),))
    if bulletin.regions:
        yield Fact(say.text("Regions"), (places(bulletin.regions, say),))
    yield from _particulars(bulletin, say, zone)
    if bulletin.drafter or bulletin.releaser:
        named = (say.embed(each) for each in (bulletin.drafter, bulletin.releaser) if each)
        yield Fact(say.text("Drafted and released by"), tuple(dict.fromkeys(named)))


def _particulars(bulletin: Bulletin, say: Words, zone: ZoneInfo) -> Iterable[Fact]:
    if bulletin.channel:
        state = say.text(labels.CHANNEL_STATES[bulletin.channel.state])
        known = (bulletin.channel.address, bulletin.channel.platform)
        yield Fact(say.text("Channel"), (*(say.embed(each) for each in known if each), state))
    if bulletin.event:
        times = (_when(each, say, zone) for each in (bulletin.event.starts, bulletin.event.ends) if each)
        place = (say.embed(each) for each in (bulletin.event.name, bulletin.event.venue) if each)
        yield Fact(say.text("Event"), (*place, *times))
    if bulletin.subjects:
        lines: list[str] = []
        for each in bulletin.subjects:
            sort = say.text(SUBJECTS[each.type])
            named = say.embed(each.reference) if each.reference else ""
            lines.append(" · ".join(part for part in (say.embed(each.name), sort, named) if part))
            if each.aliases:
                lines.append(say.text("also: {names}", names=", ".join(map(say.embed, each.aliases))))
        yield Fact(say.text("Subjects"), tuple(lines))
    if bulletin.tactics:
        tactics = (
            say.embed(f"{TAXONOMIES[each.taxonomy]} {each.id} {each.name or ''}".rstrip())
            for each in bulletin.tactics
        )
        yield Fact(say.text("Tactics"), tuple(tactics))
    if bulletin.indicators:
        patterns = (
            f"{each.pattern}\n{each.description}" if each.description else each.pattern
            for each in bulletin.indicators
        )
        yield Fact(say.text("Indicators"), tuple(patterns), code=True)


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(each for each in (part.strip("\n") for part in text.split("\n\n")) if each.strip())


def _size(size: int) -> str:
    if size < _KIB:
        return f"{size} B"
    if size < _KIB * _KIB:
        return f"{size / _KIB:.1f} KiB"
    return f"{size / _KIB / _KIB:.1f} MiB"


def _when(instant: str, say: Words, zone: ZoneInfo) -> str:
    return say.when(moment(from_instant(instant) / 1000), zone)


def entries(records: Sequence[Record], reader: Reader) -> list[Entry]:
    """A list."""
    return [entry(each, reader) for each in records]

"""The release gate: the only place where a bulletin becomes chat text. Pure.

`render`, `listing` and `gravestone` take records and a ceiling and give what may be sent. Everything that
shows any part of a bulletin asks `Ceiling.allows` first; what is above the ceiling gives its reference, and,
for a stub, its kind, severity and marking. Nothing is cut after it was written as HTML: data is trimmed
first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal
from zoneinfo import ZoneInfo

from bots.parsing.actions import encode, short
from bots.showing.answerable import answerable
from bots.showing.buttons import button_acknowledge, button_answer, button_room, button_tally
from bots.showing.changes import what_changed
from bots.showing.details import details, language_note, valid_until, when
from bots.showing.heard import Heard, heard
from bots.showing.overtaken import marked_anew
from bots.showing.packing import called, packed, room_within
from bots.showing.release import Ceiling, Release
from bots.showing.rendered import Button, Part, Rendered, Rows, Showing
from bots.wording import labels
from bots.wording.markup import LRM, RLM, Span, Spans, cut, directed, laid, pieces, plain, units
from bots.wording.places import places
from bots.wording.words import NAMES, RIGHT_TO_LEFT, Words, words
from schemas.bulletin import Bulletin
from schemas.particulars import Translation
from schemas.vocabulary import Kind, Language, Severity, Tlp
from subscribers.records import Record

BRIEF_MAX: Final = 700
"""How much text an alert shows, in UTF-16 code units: what is read in seconds. The rest is one button
away.
"""
_ROOM_LEAST: Final = 400
"""Less room than this under a long head is not worth a piece of text: it starts its own message."""
_REGIONS_SHOWN: Final = 12
_ANSWERS_SHOWN: Final = 3
_LOUD: Final = frozenset({Severity.ELEVATED, Severity.HIGH, Severity.FLASH})
_BUTTONS_PER_ROW: Final = 3


class View(StrEnum):
    """How much is asked for: an alert's few lines, or all of it."""

    BRIEF = "brief"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: the officer's language and time zone, and whether the officer may answer for the agency."""

    language: Language
    zone: ZoneInfo
    answers: bool = False


@dataclass(frozen=True, slots=True)
class Marks:
    """What this showing adds: a possible repeat after a broken connection, an acknowledgement already
    given, and `heard`, by whom when it rang; `answers`, the names of the saved searches that it answers to;
    `before`, what it amends, or `after`, what it was amended by; `to`, the reference of what it answers.
    """

    repeat: bool = False
    acknowledged: bool = False
    answers: tuple[str, ...] = ()
    before: Record | None = None
    after: Record | None = None
    heard: Heard | None = None
    to: str = ""


NO_MARKS: Final = Marks()
NO_NOTES: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Section:
    """Bulletins of a list under a heading; `notes` has a line more, by the ids of those in full."""

    heading: str
    records: Sequence[Record]
    notes: Mapping[str, str] = field(default_factory=dict)


def render(
    record: Record,
    ceiling: Ceiling,
    reader: Reader,
    *,
    view: View = View.BRIEF,
    language: Language | None = None,
    marks: Marks = NO_MARKS,
) -> Rendered:
    """One bulletin for one reader, as far as `ceiling` allows.

    `language` asks for the text in another language than the reader's. A brief view is one message; a full
    one is split between paragraphs.
    """
    say = words(reader.language)
    record = marked_anew(record, marks.after)
    bulletin = record.bulletin
    released = ceiling.allows(bulletin.tlp)
    if released is not Release.FULL:
        return _withheld(record, released, reader, marks, ceiling.room)
    text = bulletin.text_in(language or reader.language)
    if record.state == "amended" and bulletin.kind is Kind.DIGEST:
        # It may list what was retracted since; its amendment, which answers it, has all that still stands.
        text = text.model_copy(update={"summary": "", "body": ""})
    head = _head(record, text, say, reader.zone, marks, _changes(record, ceiling, reader, marks))
    foot = _foot(record, say, view, marks)
    if view is View.BRIEF:
        parts, whole = _brief(text, head, foot, say, called(bulletin, say))
        more = not whole or bool(details(record, say))
    else:
        parts, more = _full(text, head, foot, say, called(bulletin, say)), False
    return Rendered(
        parts=parts,
        rows=_rows(record, text.language, reader, marks=marks, more=more),
        protect=bulletin.tlp is not Tlp.CLEAR,
        silent=bulletin.severity not in _LOUD,
        shows=(Showing(bulletin.ref, released),),
    )


def listing(
    records: Sequence[Record],
    ceiling: Ceiling,
    reader: Reader,
    *,
    title: str,
    note: str = "",
    rows: Rows = (),
    sections: Sequence[Section] = (),
) -> Rendered:
    """Several bulletins, a line or two each, under `title`, then those of `sections` under their headings;
    `note` comes last. Long lists become several messages.
    """
    say = words(reader.language)
    blocks = [(Span(title, "b"),), *(_entry(each, ceiling, reader, say) for each in records)]
    for part in sections:
        shown = (_entry(each, ceiling, reader, say, part.notes) for each in part.records)
        blocks += [(Span(part.heading, "b"),), *shown]
    records = [*records, *(each for part in sections for each in part.records)]
    if note:
        blocks.append((say.aside(note),))
    return Rendered(
        parts=packed([laid(block, rtl=say.rtl) for block in blocks]),
        rows=rows,
        protect=any(each.bulletin.tlp is not Tlp.CLEAR for each in records),
        silent=True,
        passing=any(ceiling.allows(each.bulletin.tlp) is not Release.FULL for each in records),
        shows=tuple(Showing(each.bulletin.ref, ceiling.allows(each.bulletin.tlp)) for each in records),
    )


def gravestone(ref: str | None, reader: Reader, *, why: Literal["retracted", "expired"]) -> Rendered:
    """What stays of a message whose bulletin was retracted or has expired: at most its reference, and the
    reason.
    """
    say = words(reader.language)
    reason = (
        say.text("Retracted by its originator. Do not act on it, and tell those whom you told.")
        if why == "retracted"
        else say.text("The time of this message has passed.")
    )
    named = (*say.code(ref), Span("\n")) if ref else ()
    spans = laid((Span("⚫ "), *named, Span(reason)), rtl=say.rtl)
    return Rendered(parts=(Part.of(spans),), protect=True, silent=True, passing=True)


def acknowledgeable(record: Record) -> bool:
    """Whether there is sense in acknowledging: not one's own, not an acknowledgement, not what was
    retracted.
    """
    return record.bulletin.kind is not Kind.ACKNOWLEDGEMENT and not record.own and record.state != "retracted"


# --- above the ceiling ----------------------------------------------------------------------------


def _withheld(record: Record, released: Release, reader: Reader, marks: Marks, room: str) -> Rendered:
    say = words(reader.language)
    bulletin = record.bulletin
    spans: list[Span] = list(_repeat(say, marks))
    if released is Release.STUB:
        spans += [*_sign_line(bulletin, say), Span("\n")]
        explanation = say.text("Its marking keeps the text out of chat.") + " "
    else:
        spans += [Span("🔒 "), Span(say.text("A bulletin is waiting for you."), "b"), Span("\n")]
        explanation = ""
    explanation += (
        say.text("Read it in the reading room (/room signs you in), or on your agency's terminal.")
        if room
        else say.text("Read it on your agency's terminal.")
    )
    spans += [*say.code(bulletin.ref), Span("\n" + explanation), *heard(marks.heard, say, reader.zone)]
    rows = [(button_room(bulletin.ref, room, say),)] if room else []
    if acknowledgeable(record):
        rows.append((button_acknowledge(bulletin.id, say, done=marks.acknowledged),))
    # A waiting bulletin always sounds: silence would tell its severity.
    quiet = released is Release.STUB and bulletin.severity not in _LOUD
    shows = (Showing(bulletin.ref, released),)
    parts = packed([laid(spans, rtl=say.rtl)], called(bulletin, say))
    return Rendered(parts, tuple(rows), protect=True, silent=quiet, passing=True, shows=shows)


# --- the parts of a bulletin that is shown in full ------------------------------------------------


def _sign_line(bulletin: Bulletin, say: Words) -> Iterable[Span]:
    yield Span(f"{labels.SIGNS[bulletin.severity]} ")
    yield Span(labels.severity(bulletin.severity, say), "b")
    yield Span(f" · {labels.kind(bulletin.kind, say)} · ")
    yield Span(say.embed(bulletin.tlp.value), "b")


def _repeat(say: Words, marks: Marks) -> Iterable[Span]:
    if marks.repeat:
        yield say.aside("♻️ " + say.text("Possibly a repeat: the connection broke while this was being sent."))
        yield Span("\n")


def _changes(record: Record, ceiling: Ceiling, reader: Reader, marks: Marks) -> list[str]:
    """What the amendment changed, where both words of it may be shown."""
    pairs = [(marks.before, record), (record, marks.after)]
    found = next(((old, new) for old, new in pairs if old and new), None)
    if found is None or any(ceiling.allows(each.bulletin.tlp) is not Release.FULL for each in found):
        return []
    return what_changed(found[0].bulletin, found[1].bulletin, words(reader.language), reader.zone)


def _head(
    record: Record, text: Translation, say: Words, zone: ZoneInfo, marks: Marks, changes: Sequence[str]
) -> Spans:
    """Sign, kind and marking; title; what changed; who and how sure; when; who may be told."""
    bulletin = record.bulletin
    lines: list[Span] = [*_repeat(say, marks), *_sign_line(bulletin, say)]
    if record.state != "current":
        changed = say.text("AMENDED since") if record.state == "amended" else say.text("RETRACTED")
        lines += [Span("\n⚠️ "), Span(changed, "b")]
    if changes:
        lines.append(Span("\n✏️ " + say.text("Changed: {changes}", changes=" · ".join(changes))))
    if "review_due" in record.flags:
        lines += [
            Span("\n⌛ "),
            Span(say.text("Past its review: ask its originator before you rely on it"), "b"),
        ]
    if marks.to:
        lines += [Span("\n↩️ " + say.text("Answers {ref}", ref=say.embed(marks.to)))]
    if "private" in record.flags:
        lines += [Span("\n🔏 "), say.aside(say.text("Private: not sent to the community"))]
    lines += heard(marks.heard, say, zone)
    lines += [Span("\n"), Span(say.embed(text.title), "b"), Span("\n\n")]
    who = [say.embed(record.agency_name)]
    if bulletin.grading:
        who.append(labels.grading(bulletin.grading, say))
    if bulletin.likelihood:
        who.append(say.text(labels.LIKELIHOODS[bulletin.likelihood]))
    lines.append(Span("👤 " + " · ".join(who)))
    lines.append(Span("\n🕒 " + when(bulletin.issued, say, zone)))
    if bulletin.valid_until:
        until = valid_until(bulletin, say, zone)
        lines.append(Span(" · " + (say.text("EXPIRED") if "expired" in record.flags else until)))
    lines.append(Span("\n🔈 " + say.text(labels.AUDIENCES[bulletin.tlp])))
    for caveat in bulletin.caveats:
        lines.append(Span("\n❗ " + say.embed(caveat)))
    if note := language_note(bulletin, text, say):
        lines.append(say.aside("\n🌐 " + note))
    return laid(lines, rtl=say.rtl)


def _foot(record: Record, say: Words, view: View, marks: Marks) -> Spans:
    lines = details(record, say) if view is View.FULL else []
    spans = [Span(line + "\n") for line in lines]
    if lines:
        spans.append(Span("\n"))
    community = say.text("Community: {name}", name=say.embed(record.community_title))
    spans += [*say.code(record.bulletin.ref), Span(" · " + community)]
    if regions := record.bulletin.regions[:_REGIONS_SHOWN]:
        spans.append(Span(" · " + places(regions, say)))
    if marks.answers:
        names = ", ".join(say.embed(each) for each in marks.answers[:_ANSWERS_SHOWN])
        if left := len(marks.answers[_ANSWERS_SHOWN:]):
            names += ", " + say.count("and {number} more", "and {number} more", left)
        spans.append(Span("\n🔔 " + say.text("By your subscription: {searches}", searches=names), "i"))
    return laid(spans, rtl=say.rtl)


def _brief(
    text: Translation, head: Spans, foot: Spans, say: Words, around: Spans
) -> tuple[tuple[Part, ...], bool]:
    """The summary, or the beginning of the body; and whether that was all the text there is."""
    shown, rest = cut(_directed(text.summary or text.body, text.language, say), BRIEF_MAX)
    whole = not rest and (not text.summary or not text.body)
    body = (Span(shown), *(() if whole else (Span(" …"),)))
    return packed([head, body, foot] if shown else [head, foot], around), whole


def _full(text: Translation, head: Spans, foot: Spans, say: Words, around: Spans) -> tuple[Part, ...]:
    """All of it, split between paragraphs; the foot closes the last message."""
    prose = _directed("\n\n".join(each for each in (text.summary, text.body) if each), text.language, say)
    most = room_within(around)
    beside_head = most - units(plain(head)) - len("\n\n")
    first = beside_head if beside_head >= _ROOM_LEAST else most
    return packed([head, *((Span(piece),) for piece in pieces(prose, first, most)), foot], around)


def _directed(text: str, language: Language, say: Words) -> str:
    if language in RIGHT_TO_LEFT:
        return directed(text, RLM)
    return directed(text, LRM) if say.rtl else text


def _rows(record: Record, shown: Language, reader: Reader, *, marks: Marks, more: bool) -> Rows:
    bulletin, key, say = record.bulletin, short(record.bulletin.id), words(reader.language)
    first: list[Button] = []
    if acknowledgeable(record):
        first.append(button_acknowledge(bulletin.id, say, done=marks.acknowledged))
    if more:
        first.append(Button("📖 " + say.text("Show more"), encode("more", key, shown.value)))
    translated = sorted(bulletin.translations, key=lambda each: not each.official)
    texts = [bulletin.language, *(each.language for each in translated)]
    others = [
        Button(_named(each, bulletin.language, say), encode("lang", key, each.value))
        for each in texts
        if each is not shown
    ]
    answers = [button_answer(record, each, say) for each in answerable(record) if reader.answers]
    if record.own and bulletin.kind is not Kind.ACKNOWLEDGEMENT:
        answers.append(button_tally(bulletin.id, say))
    rows = [first, answers, others[:_BUTTONS_PER_ROW], others[_BUTTONS_PER_ROW:]]
    return tuple(tuple(row) for row in rows if row)


def _named(language: Language, original: Language, say: Words) -> str:
    """A text to change to; the original says that it is."""
    return f"{NAMES[language]} · {say.text('original')}" if language is original else NAMES[language]


# --- lists ----------------------------------------------------------------------------------------


def _entry(
    record: Record, ceiling: Ceiling, reader: Reader, say: Words, notes: Mapping[str, str] = NO_NOTES
) -> Spans:
    bulletin = record.bulletin
    released = ceiling.allows(bulletin.tlp)
    ref = say.code(bulletin.ref)
    if released is Release.WAITING:
        where = say.text("waiting on your agency's terminal")
        if ceiling.room:
            where = say.text("waiting in the reading room: /room")
        return (Span("🔒 "), *ref, Span(" · " + where))
    stub = f" · {labels.kind(bulletin.kind, say)} · {say.embed(bulletin.tlp.value)}"
    sign = Span(("🟦 " if bulletin.exercise else "") + labels.SIGNS[bulletin.severity] + " ")
    if record.state == "retracted":
        return (Span("⚫ "), *ref, Span(" · " + say.text("RETRACTED")))
    if released is Release.STUB:
        return (sign, *ref, Span(f"{stub} · {labels.severity(bulletin.severity, say)}"))
    title = bulletin.text_in(reader.language).title
    state = " · 🔏" if "private" in record.flags else ""
    state += " · " + say.text("AMENDED since") if record.state == "amended" else ""
    issued = when(bulletin.issued, say, reader.zone)
    who = f"{say.embed(record.agency_name)} · {issued}"
    if bulletin.kind is Kind.REQUEST and bulletin.valid_until:
        who += " · " + valid_until(bulletin, say, reader.zone)
    who += f"\n{note}" if (note := notes.get(bulletin.id)) else ""
    return (sign, *ref, Span(stub + state + "\n"), Span(say.embed(title), "b"), Span("\n" + who))

"""The release gate: the only place where a bulletin becomes chat text. Pure.

`render`, `listing` and `gravestone` take records and a ceiling and give what may be sent. Everything that
shows any part of a bulletin asks `Ceiling.allows` first; what is above the ceiling gives its reference, and,
for a stub, its kind, severity and marking. Nothing is cut after it was written as HTML: data is trimmed
first.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal
from zoneinfo import ZoneInfo

from bots.showing.answerable import acknowledgeable
from bots.showing.buttons import button_acknowledge, button_room
from bots.showing.changes import title_before, what_changed
from bots.showing.details import details, language_note, valid_until, when
from bots.showing.heard import Heard, heard
from bots.showing.overtaken import marked_anew
from bots.showing.packing import called, packed
from bots.showing.release import Ceiling, Release, Sight, by_title
from bots.showing.rendered import Part, Rendered, Rows, Showing
from bots.showing.texts import headed, in_direction, laid_out, prose, standing
from bots.showing.under import rows_under
from bots.showing.ways import to_read
from bots.wording import labels
from bots.wording.markup import Span, Spans, cut, laid
from bots.wording.places import places
from bots.wording.words import Words, words
from schemas.bulletin import Bulletin
from schemas.particulars import Translation
from schemas.vocabulary import Kind, Language, Severity, Tlp
from subscribers.records import Record

BRIEF_MAX: Final = 700
"""How much text an alert shows, in UTF-16 code units: what is read in seconds. The rest is one button
away.
"""
_REGIONS_SHOWN: Final = 12
_ANSWERS_SHOWN: Final = 3
_WAITS: Final = "⏳ "
_LOUD: Final = frozenset({Severity.ELEVATED, Severity.HIGH, Severity.FLASH})


class View(StrEnum):
    """How much is asked for: an alert's few lines, all of it, or all of a translation and of its original."""

    BRIEF = "brief"
    FULL = "full"
    BESIDE = "beside"


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
    """Bulletins of a list under a heading; `notes` has a line more, by the ids of those in full, and
    `before` what they amend or retract. `waits` are the ids of those that are marked as waiting; `lines` say
    what is no bulletin.
    """

    heading: str
    records: Sequence[Record]
    notes: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, Record] = field(default_factory=dict)
    waits: Collection[str] = ()
    lines: Sequence[str] = ()


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

    `language` asks for the text in another language than the reader's. A brief view is one message; the
    others are split between paragraphs. With nothing to stand beside it, an original is shown in full.
    """
    say = words(reader.language)
    record = marked_anew(record, marks.after)
    bulletin = record.bulletin
    released = ceiling.allows(bulletin.tlp)
    if released is not Release.FULL:
        return _withheld(record, ceiling, reader, marks)
    text = standing(record, language or reader.language)
    beside = view is View.BESIDE and text.language is not bulletin.language
    changes = _changes(record, ceiling, reader, marks)
    head = _head(record, None if beside else text, say, reader.zone, marks, changes)
    foot, around = _foot(record, say, view, marks), called(bulletin, say)
    more = False
    if view is View.BRIEF:
        parts, whole = _brief(text, head, foot, say, around)
        more = not whole or bool(details(record, say))
    elif beside:
        texts = [headed(bulletin, each, say) for each in (text, standing(record, bulletin.language))]
        parts = laid_out(texts, head, foot, around)
    else:
        parts = laid_out([((), prose(text, say))], head, foot, around)
    return Rendered(
        parts=parts,
        rows=rows_under(
            record,
            text.language,
            say,
            done=marks.acknowledged,
            answers=reader.answers,
            more=more,
            beside=beside,
        ),
        protect=bulletin.tlp is not Tlp.CLEAR,
        silent=bulletin.severity not in _LOUD,
        shows=(Showing(bulletin.ref, Sight.FULL), *((Showing(marks.to, Sight.WAITING),) if marks.to else ())),
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
        shown = (
            (
                *((Span(_WAITS),) if each.bulletin.id in part.waits else ()),
                *_entry(each, ceiling, reader, say, part.notes, part.before.get(each.bulletin.id)),
            )
            for each in part.records
        )
        blocks += [_heading(part, say), *shown]
    records = [*records, *(each for part in sections for each in part.records)]
    if note:
        blocks.append((say.aside(note),))
    return Rendered(
        parts=packed([laid(block, rtl=say.rtl) for block in blocks]),
        rows=rows,
        protect=any(each.bulletin.tlp is not Tlp.CLEAR for each in records),
        silent=True,
        passing=any(ceiling.allows(each.bulletin.tlp) is not Release.FULL for each in records),
        shows=tuple(
            Showing(each.bulletin.ref, _sight(each, ceiling))
            for each in [*records, *_changed_in(sections, ceiling)]
        ),
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


# --- above the ceiling ----------------------------------------------------------------------------


def _withheld(record: Record, ceiling: Ceiling, reader: Reader, marks: Marks) -> Rendered:
    say, bulletin = words(reader.language), record.bulletin
    released, room = ceiling.allows(bulletin.tlp), ceiling.room
    spans: list[Span] = list(_repeat(say, marks))
    read = to_read(bulletin.tlp, ceiling, say)
    if released is Release.STUB:
        spans += [*_sign_line(bulletin, say), Span("\n")]
        read = say.sentences(say.text("Its marking keeps the text out of chat."), read)
        read += "\n🔈 " + say.text(labels.AUDIENCES[bulletin.tlp])
    else:
        spans += [Span("🔒 "), Span(say.text("A bulletin is waiting for you."), "b"), Span("\n")]
    spans += [*say.code(bulletin.ref), Span("\n" + read), *heard(marks.heard, say, reader.zone)]
    rows = [(button_room(bulletin.ref, room, say),)] if room else []
    if acknowledgeable(record):
        rows.append((button_acknowledge(bulletin.id, say, done=marks.acknowledged),))
    # A waiting bulletin always sounds: silence would tell its severity.
    quiet = released is Release.STUB and bulletin.severity not in _LOUD
    shows = (Showing(bulletin.ref, Sight(released)),)
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
    record: Record, text: Translation | None, say: Words, zone: ZoneInfo, marks: Marks, changes: Sequence[str]
) -> Spans:
    """Sign, kind and marking; title; what changed; who and how sure; when; who may be told. Without a `text`
    of its own, nothing that only one text says: each has its heading then.
    """
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
    lines += [Span("\n"), Span(say.embed(text.title), "b")] if text else []
    lines.append(Span("\n\n"))
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
    if text and (note := language_note(bulletin, text, say)):
        lines.append(say.aside("\n🌐 " + note))
    return laid(lines, rtl=say.rtl)


def _foot(record: Record, say: Words, view: View, marks: Marks) -> Spans:
    lines = [] if view is View.BRIEF else details(record, say)
    spans = [Span(line + "\n") for line in lines]
    if lines:
        spans.append(Span("\n"))
    community = say.text("Community: {name}", name=say.embed(record.community_title))
    spans += [*say.code(record.bulletin.ref), Span(" · " + community)]
    if regions := record.bulletin.regions[:_REGIONS_SHOWN]:
        spans.append(Span(" · " + places(regions, say)))
    if marks.answers:
        some = [say.text("“{name}”", name=say.embed(each)) for each in marks.answers[:_ANSWERS_SHOWN]]
        if left := len(marks.answers[_ANSWERS_SHOWN:]):
            some.append(say.count("and {number} more", "and {number} more", left))
        names = say.listed(some)
        spans.append(Span("\n🔔 " + say.text("By your subscription: {searches}", searches=names), "i"))
    return laid(spans, rtl=say.rtl)


def _brief(
    text: Translation, head: Spans, foot: Spans, say: Words, around: Spans
) -> tuple[tuple[Part, ...], bool]:
    """The summary, or the beginning of the body; and whether that was all the text there is."""
    shown, rest = cut(in_direction(text.summary or text.body, text.language, say), BRIEF_MAX)
    whole = not rest and (not text.summary or not text.body)
    body = (Span(shown), *(() if whole else (Span(" …"),)))
    return packed([head, body, foot] if shown else [head, foot], around), whole


# --- lists ----------------------------------------------------------------------------------------


def _changed_in(sections: Sequence[Section], ceiling: Ceiling) -> Iterator[Record]:
    """What the bulletins of a list amend or retract, where both may be shown in full."""
    for part in sections:
        for each in part.records:
            before = part.before.get(each.bulletin.id)
            if before and all(ceiling.allows(one.bulletin.tlp) is Release.FULL for one in (each, before)):
                yield before


def _sight(record: Record, ceiling: Ceiling) -> Sight:
    """What a list shows of one: of what was retracted the reference."""
    return Sight.WAITING if record.state == "retracted" else by_title(ceiling.allows(record.bulletin.tlp))


def _heading(part: Section, say: Words) -> Spans:
    """What the sign of what waits means stands where it is used."""
    head = (Span(part.heading, "b"), *(Span("\n" + each) for each in part.lines))
    if not part.waits:
        return head
    return (*head, Span("\n" + say.text("With {sign}: waits for you, too", sign=_WAITS.strip())))


def _entry(
    record: Record,
    ceiling: Ceiling,
    reader: Reader,
    say: Words,
    notes: Mapping[str, str] = NO_NOTES,
    before: Record | None = None,
) -> Spans:
    bulletin = record.bulletin
    released = ceiling.allows(bulletin.tlp)
    ref = say.code(bulletin.ref)
    own = " · " + say.text("issued by your agency") if record.own else ""
    if released is Release.WAITING:
        room = say.text("in the reading room: /room")
        where = room if ceiling.room else say.text("on your agency's terminal")
        return (Span("🔒 "), *ref, Span(f"{own} · {where}"))
    stub = f" · {labels.kind(bulletin.kind, say)} · {say.embed(bulletin.tlp.value)}"
    sign = Span(("🟦 " if bulletin.exercise else "") + labels.SIGNS[bulletin.severity] + " ")
    if record.state == "retracted":
        return (Span("⚫ "), *ref, Span(" · " + say.text("RETRACTED")))
    if released is Release.STUB:
        return (sign, *ref, Span(f"{stub} · {labels.severity(bulletin.severity, say)}{own}"))
    title = bulletin.text_in(reader.language).title
    state = " · 🔏" if "private" in record.flags else ""
    state += " · " + say.text("AMENDED since") if record.state == "amended" else ""
    issued = when(bulletin.issued, say, reader.zone)
    who = f"{say.embed(record.agency_name)} · {issued}"
    if bulletin.kind is Kind.REQUEST and bulletin.valid_until:
        who += " · " + valid_until(bulletin, say, reader.zone)
    who += f"\n{note}" if (note := notes.get(bulletin.id)) else ""
    who += f"\n✏️ {change}" if (change := _change(record, before, ceiling, reader)) else ""
    return (sign, *ref, Span(stub + state + "\n"), Span(say.embed(title), "b"), Span("\n" + who))


def _change(record: Record, before: Record | None, ceiling: Ceiling, reader: Reader) -> str:
    """What a bulletin that is shown in full changes of another that may be; '' when it may not."""
    if before is None or ceiling.allows(before.bulletin.tlp) is not Release.FULL:
        return ""
    say = words(reader.language)
    ref = say.embed(before.bulletin.ref)
    if record.bulletin.kind is Kind.RETRACTION:
        title = say.embed(before.bulletin.text_in(reader.language).title)
        return say.text("{ref} no longer holds: “{title}”", ref=ref, title=title)
    changes = _changes(record, ceiling, reader, Marks(before=before))
    if changes and (title := title_before(before.bulletin, record.bulletin, say)):
        changes.append(title)
    return say.text("Amends {ref}: {changes}", ref=ref, changes=" · ".join(changes)) if changes else ""

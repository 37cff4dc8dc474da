"""What an officer sees while writing: questions, the draft as it stands, what cannot be taken and why. Pure.

Nothing here decides what may be shown: the desk asks the ceiling before it hands a draft over. What has the
text of a draft passes, as stubs do: it is taken back in time, and at once with a lower ceiling or a lost
phone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from bots.clock import moment
from bots.dialogue.screens import screen
from bots.drafting import standing, translations
from bots.drafting.authors import Author, written
from bots.drafting.choices import OPTIONAL, VERB, choices, filled, to
from bots.drafting.draft import HalfDraft, Step, missing, steps
from bots.drafting.texts import LABELS, TRANSLATING, label_of, question_of
from bots.drafting.wizard import allowed
from bots.officers.roles import Right
from bots.parsing.actions import encode
from bots.showing.buttons import button_room_draft
from bots.showing.release import Ceiling, Release
from bots.showing.rendered import Button, Rendered, Rows
from bots.showing.ways import to_go_on, to_write
from bots.state.drafts import Kept
from bots.state.officers import Officer
from bots.wording import labels
from bots.wording.labels import N_
from bots.wording.markup import Span, Spans
from bots.wording.places import place
from bots.wording.words import NAMES, Words, words
from schemas.encoding import from_instant
from schemas.vocabulary import GradingSystem, Language, Tlp
from subscribers.records import Community

_TITLE_SHOWN: Final = 40
_BODY_SHOWN: Final = 400
_WIDTH: Final = 3


def question(
    officer: Officer,
    kept: Kept,
    step: Step,
    communities: Sequence[Community],
    ceiling: Ceiling,
    *,
    wrong: str = "",
    about: str = "",
) -> Rendered:
    """One question; `wrong` says why the last answer was not taken, `about` what it was taken for, or which
    bulletin is answered.
    """
    say = words(officer.language)
    if step is Step.MARKING:
        text = _marking(kept.body.floor, ceiling, say)
    else:
        text = say.text(question_of(kept.body, step))
        if step in (Step.VALID, Step.SEEN):
            text += " " + say.text("Hours in {zone}", zone=say.embed(officer.zone.key))
        if step is Step.TITLE:
            text += "\n🌐 " + say.text(
                "Title and text in {language}; “Language” on the draft’s own screen changes that.",
                language=say.embed(NAMES[kept.body.language]),
            )
    spans = [Span("⚠️ " + wrong + "\n\n")] if wrong else []
    spans += [Span(about + "\n\n")] if about else []
    spans += [Span("📝 " + text)]
    shown = screen(spans, officer.language, choices(officer, kept, step, communities))
    return replace(shown, passing=bool(about))


def _marking(least: Tlp, ceiling: Ceiling, say: Words) -> str:
    """Whom each marking from `least` up lets it be told, and which are not for this chat."""
    lines = [say.text("Choose the marking first: whom may it be told?")]
    for each in (each for each in Tlp if each.rank >= least.rank):
        lock = "🔒 " if not allowed(each, ceiling) else ""
        audience = say.text(labels.AUDIENCES[each])
        lines.append(lock + say.text("{what}: {number}", what=say.embed(each.value), number=audience))
    if ceiling.withheld is not None:
        lines.append(
            say.text("🔒 is not written in this chat: choose it, and you are told where it goes on.")
        )
    return "\n".join(lines)


def credibility(officer: Officer, kept: Kept, reliability: str) -> Rendered:
    """The second half of a grading."""
    say = words(officer.language)
    rows = tuple(
        (
            Button(
                f"{reliability}{number} · {say.text(labels.CREDIBILITY[GradingSystem.ADMIRALTY, number])}",
                to("set", kept, Step.GRADING, f"{reliability}{number}"),
            ),
        )
        for number in range(1, 7)
    )
    back = (Button("◀️ " + say.text("Back"), to("ask", kept, Step.GRADING)),)
    return screen([Span("📝 " + say.text("How credible is it?"))], officer.language, (*rows, back))


def translating(officer: Officer, kept: Kept, language: Language, *, wrong: str = "") -> Rendered:
    """For the text in another language."""
    say = words(officer.language)
    text = say.text("{what}: {number}", what=say.embed(NAMES[language]), number=say.text(TRANSLATING))
    spans = [Span("⚠️ " + wrong + "\n\n")] if wrong else []
    back = (Button("◀️ " + say.text("Back"), to("ask", kept, Step.TRANSLATION)),)
    return screen([*spans, Span("📝 " + text)], officer.language, (back,))


def home(
    officer: Officer,
    kept: Kept,
    communities: Sequence[Community],
    *,
    said: str = "",
    stands: Sequence[str] = (),
    returns: bool = False,
) -> Rendered:
    """The draft as it stands, with a way into each of its parts. `stands`: who else wrote it, and what became
    of it; `returns`: it may be sent back.
    """
    say, half = words(officer.language), kept.body
    spans = [Span(said + "\n\n")] if said else []
    spans += [
        Span("📝 " + labels.draft(kept.id, say), "b"),
        Span("\n" + _facts(half, communities, say, officer.zone)),
    ]
    spans += [Span("\n" + each) for each in stands]
    if half.title:
        spans += [Span("\n\n"), Span(say.embed(half.title), "b")]
    if half.body:
        shown = half.body[:_BODY_SHOWN] + (" …" if len(half.body) > _BODY_SHOWN else "")
        spans.append(Span("\n" + say.embed(shown)))
    if older := translations.told(half, say):
        spans.append(Span("\n\n" + older))
    if kept.note:
        spans += [Span("\n\n↩️ "), say.aside(say.embed(kept.note))]
    if lacking := missing(half):
        named = say.listed(say.text(label_of(half, each)) for each in lacking)
        spans.append(Span("\n\n❗ " + say.text("Still missing: {steps}", steps=named)))
    else:
        done = say.text(
            "All that it needs is there; what has no ✅ may stay out. Under the preview it is released, or"
            " sent to a colleague for release."
        )
        spans.append(Span("\n\n👁 " + done))
    return replace(screen(spans, officer.language, _home_rows(kept, say, returns=returns)), passing=True)


def above(officer: Officer, tlp: Tlp, ceiling: Ceiling, *, two: bool = False) -> Rendered:
    """A marking that is not for this chat: where it goes on. `two`: it needs a second officer."""
    say = words(officer.language)
    text = say.text(
        "{tlp} may not be written in this chat, which goes up to {ceiling}. Nothing is kept here.",
        tlp=say.embed(tlp.value),
        ceiling=say.embed(ceiling.full.value),
    )
    administers = officer.may(Right.ADMINISTER)
    where = to_write(tlp, ceiling, say, two=two, administers=administers)
    return screen([Span("🔒 " + text), *where], officer.language)


def locked(officer: Officer, kept: Kept, ceiling: Ceiling) -> Rendered:
    """A draft that is not for this chat (any more): it goes on elsewhere, and is not shown here."""
    say = words(officer.language)
    where = to_go_on(kept.body.tlp or Tlp.RED, ceiling, say, administers=officer.may(Right.ADMINISTER))
    rows: Rows = ((button_room_draft(kept.id, ceiling.room, say),),) if ceiling.room else ()
    return beyond(officer, labels.draft(kept.id, say), where, rows)


def beyond(officer: Officer, name: str, where: Spans, rows: Rows = ()) -> Rendered:
    """That a draft or a bulletin is not for this chat, without its marking, and where it goes on."""
    text = words(officer.language).text("{draft} is marked above what may be in this chat.", draft=name)
    return screen([Span("🔒 " + text), *where], officer.language, rows)


def listed(
    officer: Officer,
    own: Sequence[Kept],
    others: Sequence[Kept],
    ceiling: Ceiling,
    authors: Mapping[int, Author] = MappingProxyType({}),
) -> Rendered:
    """The officer's drafts, and what waits for their release, with its `authors` by the drafts' numbers;
    above the ceiling, the number alone.
    """
    say = words(officer.language)
    new = (Button("➕ " + say.text("New draft"), encode(VERB, "new")),)
    if not own and not others:
        return screen([Span("📝 " + say.text("No drafts."))], officer.language, (new,))
    spans: list[Span] = []
    rows: list[tuple[Button, ...]] = []
    for title, held in ((N_("Your drafts"), own), (N_("For you to release"), others)):
        if held:
            spans.append(Span(("\n\n" if spans else "") + say.text(title), "b"))
        for each in held:
            name = _named(each, ceiling, say)
            state = standing.in_a_word(each, say)
            sign = "⏳" if each.state != "open" else "✏️" if each.by_another else "↩️"
            spans.append(Span(f"\n{name}" + (f" · {sign} {state}" if state else "")))
            if each.id in authors:
                spans += [Span(f"\n{line}") for line in written(authors[each.id], officer)]
            rows.append((Button("📝 " + name, to("open" if each.state == "open" else "view", each)),))
    return replace(screen(spans, officer.language, (*rows, new)), passing=True)


def discarding(officer: Officer, kept: Kept) -> Rendered:
    """Whether it is meant."""
    say = words(officer.language)
    rows = (
        (
            Button("🗑 " + say.text("Discard"), to("gone", kept)),
            Button("◀️ " + say.text("Back"), to("open", kept)),
        ),
    )
    text = say.text("Discard {draft}? Its text is deleted.", draft=labels.draft(kept.id, say))
    return screen([Span("🗑 " + text)], officer.language, rows)


def note_wanted(officer: Officer, kept: Kept, *, looked_up: bool = False) -> Rendered:
    """For the releaser who sends a draft back; under the bulletin whose reference was `looked_up` instead."""
    say = words(officer.language)
    text = say.text("{draft}: what should be changed? Send a line.", draft=labels.draft(kept.id, say))
    if looked_up:
        about = say.text("A reference alone opens its bulletin and is not taken for that line.")
        text = say.sentences(text, about)
    return screen([Span("↩️ " + text)], officer.language)


def _named(kept: Kept, ceiling: Ceiling, say: Words) -> str:
    name, half = labels.draft(kept.id, say), kept.body
    if half.tlp is None or ceiling.allows(half.tlp) is not Release.FULL or not half.title:
        return name
    short = half.title[:_TITLE_SHOWN] + ("…" if len(half.title) > _TITLE_SHOWN else "")
    return f"{name} · {say.embed(short)}"


def _facts(half: HalfDraft, communities: Sequence[Community], say: Words, zone: ZoneInfo) -> str:
    titles = {each.id: each.title for each in communities}
    first = [say.embed(half.tlp.value)] if half.tlp else []
    first += [say.embed(titles.get(half.community, half.community))] if half.community else []
    first += [labels.kind(half.kind, say)] if half.kind else []
    first += [f"{labels.SIGNS[half.severity]} {labels.severity(half.severity, say)}"] if half.severity else []
    lines = [" · ".join(first)]
    if half.exercise:
        lines.insert(0, "🟦 " + say.text("EXERCISE"))
    if half.grading:
        lines.append("👤 " + labels.grading(half.grading, say))
    if half.likelihood:
        lines.append(say.text(labels.LIKELIHOODS[half.likelihood]))
    lists = {
        Step.REGIONS: [place(each, say) for each in half.regions],
        Step.TACTICS: [each.id for each in half.tactics],
        Step.REFERENCES: [each.ref for each in half.links],
        Step.CAVEATS: half.caveats,
        Step.EVENT: [half.event.name] if half.event else [],
        Step.CHANNEL: [half.channel.address] if half.channel else [],
        Step.FILES: [each.name for each in half.attachments],
    }
    for step, held in lists.items():
        if held:
            lines.append(f"{say.text(LABELS[step])} · {say.listed(map(say.embed, held))}")
    if half.valid_until:
        ends = say.when(moment(from_instant(half.valid_until) / 1000), zone)
        lines.append(f"{say.text(label_of(half, Step.VALID))} · {say.embed(ends)}")
    spoken = say.listed(
        NAMES[each] for each in (half.language, *(each.language for each in half.translations))
    )
    lines.append(f"🌐 {spoken}")
    return "\n".join(each for each in lines if each)


def _home_rows(kept: Kept, say: Words, *, returns: bool) -> Rows:
    half = kept.body
    asked = [*steps(half), *(each for each in OPTIONAL if each not in steps(half))]
    buttons = [
        Button(("✅ " if filled(half, each) else "") + say.text(label_of(half, each)), to("ask", kept, each))
        for each in asked
    ]
    rows = [tuple(buttons[at : at + _WIDTH]) for at in range(0, len(buttons), _WIDTH)]
    last = [
        Button("↩️ " + say.text("Undo"), to("undo", kept)),
        Button("🗑 " + say.text("Discard"), to("drop", kept)),
    ]
    ready = [] if missing(half) else [(Button("👁 " + say.text("Preview"), to("view", kept)),)]
    if returns:
        last.insert(0, Button("↩️ " + say.text("Send back"), to("back", kept)))
    return (*ready, *rows, tuple(last))

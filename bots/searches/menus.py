"""Menus for making a saved search, edited in place, one screen for each restriction. Pure: a draft in, a
screen out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bots.dialogue.menus import QUIET, hours, tick, zone_button
from bots.dialogue.screens import screen
from bots.parsing.actions import encode
from bots.searches.facets import describe
from bots.searches.watching import NEVER_QUIET, Mode, Search
from bots.showing.rendered import Button, Rendered, Rows
from bots.state.officers import Officer
from bots.times import Quiet
from bots.wording import labels
from bots.wording.labels import N_
from bots.wording.markup import Span
from bots.wording.places import place
from bots.wording.words import NAMES, Words, words
from schemas.vocabulary import Kind, Language, Severity
from subscribers.records import Community

OFFERED: Final = tuple(each for each in Kind if each is not Kind.ACKNOWLEDGEMENT)
COMMUNITIES_SHOWN: Final = 40
REGIONS_SHOWN: Final = 24
OFFERED_MAX: Final = 10
_WIDE: Final = 40
_OTHERS_SHOWN: Final = 5

MODES: Final = {
    Mode.ALERT: ("🔔", N_("Alert at once")),
    Mode.DIGEST: ("🗞", N_("Only in the digest")),
    Mode.SILENT: ("🔕", N_("Silent: only when you look")),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """Something to choose: what it stands for in a search, and how a button says it."""

    value: str
    label: str


def subscribing(officer: Officer, draft: Search, known: Sequence[Community]) -> Rendered:
    """The draft as it stands, with a way into each restriction."""
    say = words(officer.language)
    spans = [
        Span("🔔 " + say.text("New subscription"), "b"),
        Span("\n" + say.text("You will be told of:") + "\n"),
        Span(describe(draft, known, say)),
        Span("\n" + mode(draft.mode, say)),
        Span("\n🌙 " + quiet_hours(draft.quiet, officer, say)),
        Span("\n\n" + say.text("Narrow it down, then look at the preview.")),
    ]
    pairs = (
        (("👥", say.text("Community"), "com"), ("🏷", say.text("Kind"), "kind")),
        (("⚠️", say.text("Severity"), "sev"), ("🗺", say.text("Region"), "reg")),
        (("🏟", say.text("Event"), "ev"), ("🎯", say.text("Tactic"), "tac")),
        (("👤", say.text("Subject"), "subj"), ("🔤", say.text("Words"), "words")),
        (("🌐", say.text("Language"), "lang"), ("🔔", say.text("How loud"), "loud")),
        (("🌙", say.text("Quiet hours"), "quiet"), ("✖️", say.text("Cancel"), "drop")),
        (("👁", say.text("Preview and save"), "see"),),
    )
    rows = tuple(
        tuple(Button(f"{sign} {text}", encode("sub", what)) for sign, text, what in row) for row in pairs
    )
    return screen(spans, officer.language, rows)


def choosing_communities(officer: Officer, draft: Search, known: Sequence[Community]) -> Rendered:
    """Which communities; none chosen means all."""
    say = words(officer.language)
    buttons = [
        tick(each.title[:_WIDE], encode("sub", "tc", each.id), on=each.id in draft.filters.communities)
        for each in known[:COMMUNITIES_SHOWN]
    ]
    return choosing(officer, say.text("Which communities? None chosen means all."), buttons, 1)


def choosing_kinds(officer: Officer, draft: Search) -> Rendered:
    """Which kinds; none chosen means all but acknowledgements."""
    say = words(officer.language)
    buttons = [
        tick(labels.kind(each, say), encode("sub", "tk", each.value), on=each in draft.filters.kinds)
        for each in OFFERED
    ]
    return choosing(officer, say.text("Which kinds? None chosen means all."), buttons, 2)


def choosing_severity(officer: Officer, draft: Search) -> Rendered:
    """From which severity up."""
    say = words(officer.language)
    buttons = [
        tick(
            f"{labels.SIGNS[each]} {labels.severity(each, say)}",
            encode("sub", "ts", each.value),
            on=each is draft.filters.severity_at_least,
        )
        for each in Severity
    ]
    return choosing(officer, say.text("From which severity up?"), buttons, 1)


def choosing_regions(officer: Officer, draft: Search, recent: Iterable[str]) -> Rendered:
    """Which regions: those of late, or any by their names or codes."""
    say = words(officer.language)
    offered = sorted({*draft.filters.regions, *recent})[:REGIONS_SHOWN]
    buttons = [
        tick(place(each, say)[:_WIDE], encode("sub", "tr", each), on=each in draft.filters.regions)
        for each in offered
    ]
    text = say.text(
        "Which regions? Choose, or send names or codes, such as France or DE-BE. None chosen means all."
    )
    return choosing(officer, text + _nothing(buttons, say), buttons, 2)


def choosing_languages(officer: Officer, draft: Search) -> Rendered:
    """In which languages there must be a text."""
    say = words(officer.language)
    buttons = [
        tick(NAMES[each], encode("sub", "tl", each.value), on=each in draft.filters.languages)
        for each in Language
    ]
    return choosing(officer, say.text("Only bulletins with a text in: (none chosen means any)"), buttons, 2)


def choosing_named(officer: Officer, field: str, offers: Sequence[Offer], chosen: Iterable[str]) -> Rendered:
    """Which events, tactics or subjects: those of late, or any that is sent. A button carries its place in
    `offers`.
    """
    say = words(officer.language)
    text = {
        "events": say.text("Which events? Choose, or send an event’s name. None chosen means all."),
        "tactics": say.text("Which tactics? Choose, or send codes such as T1566. None chosen means all."),
        "subjects": say.text(
            "Which subjects? Choose, or send references such as QDi.001, never a name. None chosen means all."
        ),
    }[field]
    held = set(chosen)
    buttons = [
        tick(each.label[:_WIDE], encode("sub", "to", field, number), on=each.value in held)
        for number, each in enumerate(offers)
    ]
    return choosing(officer, text + _nothing(buttons, say), buttons, 1)


def asking_words(officer: Officer, draft: Search) -> Rendered:
    """Words that must stand in the text."""
    say = words(officer.language)
    text = say.text(
        "Send the words that must all stand in a bulletin, in any language; quoted words must stand together."
        " The chat service can read them: no names, no facts of a case."
    )
    buttons = [Button("🧹 " + say.text("No words"), encode("sub", "nowords"))] if draft.words else []
    held = "\n\n" + say.text("the words “{words}”", words=say.embed(draft.words)) if draft.words else ""
    return choosing(officer, text + held, buttons, 1)


def choosing_mode(officer: Officer, draft: Search) -> Rendered:
    """How loud it is."""
    say = words(officer.language)
    buttons = [tick(mode(each, say), encode("sub", "tm", each.value), on=each is draft.mode) for each in Mode]
    text = say.text("How should it tell you? A flash always sounds.")
    return choosing(officer, text, buttons, 1)


def choosing_hours(officer: Officer, draft: Search) -> Rendered:
    """Quiet hours of its own."""
    say = words(officer.language)
    return choosing(officer, hours_question(say), hour_buttons(officer, draft.quiet, ("sub", "tq")), 2)


def naming(officer: Officer, suggested: str) -> Rendered:
    """Another name for it."""
    say = words(officer.language)
    text = say.text("Send a short name, for instance: {name}", name=say.embed(suggested))
    back = ((Button("◀️ " + say.text("Back"), encode("sub", "see")),),)
    return screen([Span("✏️ " + text)], officer.language, back)


def preview_rows(officer: Officer, name: str) -> Rows:
    """Under the preview: keep it, or go on."""
    say = words(officer.language)
    return (
        (Button("💾 " + say.text("Save as “{name}”", name=name), encode("sub", "save")),),
        (Button("✏️ " + say.text("Another name"), encode("sub", "name")),),
        (
            Button("◀️ " + say.text("Back"), encode("sub", "home")),
            Button("✖️ " + say.text("Cancel"), encode("sub", "drop")),
        ),
    )


def saved(
    officer: Officer, kept: Search, known: Sequence[Community], others: Sequence[str] | None = None
) -> Rendered:
    """The search holds from now on. `others`: which subscriptions may sound while it is quiet for this one;
    None when it never is.
    """
    say = words(officer.language)
    spans = [
        Span("✅ " + say.text("Saved: {name}", name=say.embed(kept.name)), "b"),
        Span("\n" + describe(kept, known, say)),
        Span("\n" + mode(kept.mode, say)),
        Span("\n🌙 " + quiet_hours(kept.quiet, officer, say)),
        *others_sound(others, say),
        Span("\n\n" + say.text("/subscriptions lists, snoozes, pauses and deletes.")),
    ]
    if kept.mode is Mode.DIGEST:
        spans.append(Span("\n" + say.text("/digest says when the digest comes.")))
    return screen(spans, officer.language)


def dropped(officer: Officer) -> Rendered:
    """The draft is gone."""
    return screen([Span(words(officer.language).text("Cancelled. Nothing was changed."))], officer.language)


def mode(value: Mode, say: Words) -> str:
    """How loud a search is, in words."""
    sign, text = MODES[value]
    return f"{sign} {say.text(text)}"


def quiet_hours(own: Quiet | None, officer: Officer, say: Words) -> str:
    """The quiet hours that hold for a search, in words."""
    if own is None:
        return say.text("Quiet hours: yours ({hours})", hours=hours(officer.quiet, say))
    if own == NEVER_QUIET:
        return say.text("Quiet hours: {hours}", hours=hours(None, say))
    return say.text("Quiet hours: {hours}", hours=f"{hours(own, say)} ({say.embed(officer.zone.key)})")


def _nothing(buttons: Sequence[Button], say: Words) -> str:
    """Under a choice that has nothing to choose."""
    if buttons:
        return ""
    return "\n" + say.text("No late bulletin that is shown here names any, so there is no button: send it.")


def others_sound(names: Sequence[str] | None, say: Words) -> list[Span]:
    """Which other subscriptions may sound within quiet hours, and that a flash does; nothing for None."""
    if names is None:
        return []
    lines = [say.text("A flash sounds in them too.")]
    if names:
        some = say.listed(map(say.embed, names[:_OTHERS_SHOWN]))
        if left := len(names[_OTHERS_SHOWN:]):
            some += " " + say.count("and {number} more", "and {number} more", left)
        lines.insert(0, say.text("May still sound in these hours: {searches}.", searches=some))
    return [Span("\n🔔 " + " ".join(lines))]


def hours_question(say: Words) -> str:
    """What a choice of quiet hours asks."""
    return say.text(
        "When should it be quiet? Choose, or send hours such as 23:00-06:00. A flash always sounds."
    )


def hour_buttons(officer: Officer, own: Quiet | None, place: tuple[str, ...]) -> list[Button]:
    """The choices of quiet hours, and the way to their time zone; `place` is where their buttons belong."""
    say = words(officer.language)
    yours = say.text("Yours ({hours})", hours=hours(officer.quiet, say))
    return [
        tick(yours, encode(*place, "yours"), on=own is None),
        tick(say.text("No quiet hours"), encode(*place, 0, 0), on=own == NEVER_QUIET),
        *(
            tick("🌙 " + hours(each, say), encode(*place, each.start, each.end), on=own == each)
            for each in QUIET
        ),
        zone_button(officer, place[0], *place[2:]),
    ]


def choosing(officer: Officer, text: str, buttons: Sequence[Button], width: int) -> Rendered:
    """A question with its choices, and the way back to the draft."""
    say = words(officer.language)
    rows = [tuple(buttons[at : at + width]) for at in range(0, len(buttons), width)]
    back = (Button("◀️ " + say.text("Back"), encode("sub", "home")),)
    return screen([Span("🔔 " + text)], officer.language, (*rows, back))

"""Menus for making a saved search, edited in place, one screen for each restriction. Pure: a draft in, a
screen out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bots.dialogue.menus import QUIET, hours, tick, zone_button
from bots.dialogue.screens import screen
from bots.parsing.actions import encode
from bots.searches.alternatives import EXAMPLE, both_languages, quoted, spoken
from bots.searches.facets import describe
from bots.searches.loudness import heading, language, mode, named, quiet_hours, told
from bots.searches.watching import NEVER_QUIET, Mode, Search, Subscription
from bots.showing.rendered import Button, Rendered, Rows
from bots.state.officers import Officer
from bots.times import Quiet
from bots.wording import labels
from bots.wording.markup import Span
from bots.wording.places import place
from bots.wording.words import NAMES, Words, words
from schemas.vocabulary import Kind, Language, Severity, Tlp
from subscribers.records import Community

OFFERED: Final = tuple(each for each in Kind if each is not Kind.ACKNOWLEDGEMENT)
COMMUNITIES_SHOWN: Final = 40
REGIONS_SHOWN: Final = 24
OWN_REGIONS_SHOWN: Final = 90
"""Each can be taken away again."""
OFFERED_MAX: Final = 10
_WIDE: Final = 40


@dataclass(frozen=True, slots=True)
class Offer:
    """Something to choose: what it stands for in a search, and how a button says it."""

    value: str
    label: str


def subscribing(
    officer: Officer, draft: Search, known: Sequence[Community], *, changed: str = ""
) -> Rendered:
    """The draft as it stands, with a way into each restriction. `changed`: which subscription it changes."""
    say = words(officer.language)
    what = say.text("Narrow it down, then look at the preview.")
    if changed:
        what = say.text(
            "Until you save it, the subscription stays as it is; a snooze or a pause stays even then."
        )
    head = f"✏️ {heading(changed, say)}" if changed else "🔔 " + say.text("New subscription")
    spans = [
        Span(head, "b"),
        Span("\n" + say.text("You will be told of:") + "\n"),
        Span(describe(draft, known, say)),
        Span("\n" + mode(draft.mode, say)),
        Span("\n" + language(say)),
        Span("\n" + quiet_hours(draft.quiet, officer, say)),
        Span("\n\n" + what),
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
    left = sorted(draft.filters.communities - {each.id for each in known})[:COMMUNITIES_SHOWN]
    buttons += [tick(each[:_WIDE], encode("sub", "tc", each), on=True) for each in left]
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
    own = sorted(draft.filters.regions)[:OWN_REGIONS_SHOWN]
    others = sorted({*recent} - draft.filters.regions)[: max(0, REGIONS_SHOWN - len(own))]
    offered = sorted([*own, *others])
    buttons = [
        tick(place(each, say)[:_WIDE], encode("sub", "tr", each), on=each in draft.filters.regions)
        for each in offered
    ]
    text = say.text(
        "Which regions? Choose, or send names or codes, several with commas: France, DE-BE. A bulletin must"
        " name one of them. None chosen means all."
    )
    return choosing(officer, text + _nothing(buttons, say), buttons, 2)


def choosing_languages(officer: Officer, draft: Search) -> Rendered:
    """In which languages there must be a text."""
    say = words(officer.language)
    buttons = [
        tick(NAMES[each], encode("sub", "tl", each.value), on=each in draft.filters.languages)
        for each in Language
    ]
    text = say.text("Only bulletins that have a text in one of these languages? None chosen means any.")
    return choosing(officer, f"{text}\n{language(say)}", buttons, 2)


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
    both = both_languages(say)
    text = say.text(
        "Send the words that must all stand in a bulletin; quoted words must stand together. If one or"
        " another is enough, write “or” or | between them: {example}. Your words are not translated, but a"
        " bulletin’s translations are searched as well; for two languages send both. “or” separates all that"
        " stands before it from all that stands behind it: {both} is read as {read}. What you send takes the"
        " place of the words before. The chat service can read them: no names, no facts of a case.",
        example=say.embed(say.text(EXAMPLE)),
        both=say.embed(spoken(both, say)),
        read=quoted(both, say),
    )
    buttons = [Button("🧹 " + say.text("No words"), encode("sub", "nowords"))] if draft.words else []
    held = "\n\n" + say.text("the words {words}", words=quoted(draft.words, say)) if draft.words else ""
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
    text = f"{hours_question(say)}\n{quiet_hours(draft.quiet, officer, say)}"
    return choosing(officer, text, hour_buttons(officer, draft.quiet, ("sub", "tq")), 2)


def naming(officer: Officer, suggested: str) -> Rendered:
    """Another name for it."""
    say = words(officer.language)
    text = say.text("Send a short name, for instance: {name}", name=say.embed(suggested))
    back = ((Button("◀️ " + say.text("Back"), encode("sub", "see")),),)
    return screen([Span("✏️ " + text)], officer.language, back)


def preview_rows(officer: Officer, name: str, *, changes: int = 0, same: Subscription | None = None) -> Rows:
    """Under the preview: keep it, or go on. `changes`: the subscription whose place it takes; `same` is one
    that looks for the same already, and is opened instead.
    """
    say = words(officer.language)
    keep: Rows = (
        (Button("💾 " + say.text("Save as “{name}”", name=name), encode("sub", "save", changes)),),
        (Button("✏️ " + say.text("Another name"), encode("sub", "name")),),
    )
    return (
        *(((_open(same.id, say),),) if same else keep),
        (
            Button("◀️ " + say.text("Back"), encode("sub", "home")),
            Button("✖️ " + say.text("Cancel"), encode("sub", "drop")),
        ),
    )


def saved(
    officer: Officer,
    kept: Subscription,
    known: Sequence[Community],
    others: Sequence[str] | None = None,
    *,
    withheld: Tlp | None = None,
) -> Rendered:
    """The search holds from now on. `others` and `withheld` as in `loudness.told`."""
    say = words(officer.language)
    lines = told(kept.search, officer, others, withheld=withheld)
    spans = [
        Span("✅ " + say.text("Saved: {name}", name=named(kept.search.name, say)), "b"),
        Span("\n" + describe(kept.search, known, say)),
        Span("\n" + "\n".join(lines)),
        Span("\n\n" + say.text("/subscriptions lists, changes, snoozes, pauses and deletes.")),
    ]
    if kept.search.mode is Mode.DIGEST:
        spans.append(Span("\n" + say.text("/digest says when the digest comes.")))
    return screen(spans, officer.language, ((_open(kept.id, say),), (_list(say),)))


def already(name: str, say: Words) -> str:
    """That a subscription looks for the same."""
    return "⚠️ " + say.text("You have this already: {name}. No second one is saved.", name=named(name, say))


def not_saved(officer: Officer, same: Subscription, name: str) -> Rendered:
    """The draft looks for the same as `same`."""
    say = words(officer.language)
    back = Button("◀️ " + say.text("Back"), encode("sub", "home"))
    return screen([Span(already(name, say))], officer.language, ((_open(same.id, say),), (back,)))


def saved_before(officer: Officer, one: Subscription, name: str) -> Rendered:
    """The draft of this menu was saved from another message."""
    say = words(officer.language)
    text = "✅ " + say.text("Saved already: {name}", name=named(name, say))
    fresh = Button("➕ " + say.text("New subscription"), encode("sub", "new"))
    return screen([Span(text)], officer.language, ((_open(one.id, say),), (fresh,)))


def ended(officer: Officer) -> Rendered:
    """The draft of this menu is gone, and was not saved."""
    say = words(officer.language)
    text = say.text("This form has ended. {command} begins a new one.", command=say.embed("/subscribe"))
    return screen([Span(text)], officer.language, ())


def dropped(officer: Officer, changes: int = 0) -> Rendered:
    """The draft is gone; the subscription that it would have changed is as it was."""
    say = words(officer.language)
    rows = ((_open(changes, say),), (_list(say),)) if changes else ((_list(say),),)
    return screen([Span(say.text("Cancelled. Nothing was changed."))], officer.language, rows)


def gone(officer: Officer) -> Rendered:
    """What was to be changed is not there any more."""
    say = words(officer.language)
    text = say.text("This subscription is no longer there. Nothing was saved.")
    return screen([Span(text)], officer.language, ((_list(say),),))


def _open(key: int, say: Words) -> Button:
    return Button("🔔 " + say.text("Open it"), encode("mine", "open", key))


def _list(say: Words) -> Button:
    return Button("◀️ " + say.text("Your subscriptions"), encode("mine", "list", 0))


def _nothing(buttons: Sequence[Button], say: Words) -> str:
    """Under a choice that has nothing to choose."""
    if buttons:
        return ""
    return "\n" + say.text("No late bulletin that is shown here names any, so there is no button: send it.")


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

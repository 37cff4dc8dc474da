"""Menus of the saved searches that an officer has, edited in place: the list, and one of them. Pure: what is
held in, a screen out.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from bots.clock import moment
from bots.dialogue.menus import tick
from bots.dialogue.screens import screen
from bots.parsing.actions import encode
from bots.searches.facets import describe, suggested_name
from bots.searches.loudness import MODES, heading, mode, quiet_hours, told
from bots.searches.menus import hour_buttons, hours_question
from bots.searches.watching import Mode, Search, Subscription, may_sound
from bots.showing.rendered import Button, Rendered, Rows
from bots.state.officers import Officer
from bots.wording.markup import Span
from bots.wording.words import Words, words
from schemas.vocabulary import Tlp
from subscribers.records import Community

LIST_SHOWN: Final = 10


def subscribed(
    officer: Officer, held: Sequence[Subscription], known: Sequence[Community], now: float, first: int = 0
) -> Rendered:
    """The officer's saved searches from place `first` on, a button for each."""
    say = words(officer.language)
    new = (Button("➕ " + say.text("New subscription"), encode("sub", "new")),)
    if not held:
        return screen([Span("🔕 " + say.text("You have no subscriptions."))], officer.language, (new,))
    first = min(first, len(held) - 1) // LIST_SHOWN * LIST_SHOWN
    spans = [Span("🔔 " + say.text("Your subscriptions"), "b")]
    rows: Rows = ()
    for number, each in enumerate(held[first : first + LIST_SHOWN], first + 1):
        name = title(each, known, say)
        about = [f"{MODES[each.search.mode][0]} {say.embed(name)}", *_state(each, officer, now, say)]
        spans += [Span(f"\n\n{number}. ", "b"), Span(" · ".join(about))]
        rows += ((Button(f"{number}. {name}", encode("mine", "open", each.id)),),)
    turns = [
        Button(sign, encode("mine", "list", place))
        for sign, place in (("◀️", first - LIST_SHOWN), ("▶️", first + LIST_SHOWN))
        if 0 <= place < len(held)
    ]
    return screen(spans, officer.language, (*rows, *((tuple(turns),) if turns else ()), new))


def opened(
    officer: Officer,
    one: Subscription,
    known: Sequence[Community],
    now: float,
    others: Sequence[str] | None = None,
    *,
    withheld: Tlp | None = None,
    place: int = 0,
) -> Rendered:
    """One saved search with everything that can be done with it; `others` and `withheld` as in
    `loudness.told`, `place` where the list is gone back to.
    """
    say = words(officer.language)
    lines = told(one.search, officer, others, withheld=withheld)
    spans = [
        Span("🔔 " + heading(title(one, known, say), say), "b"),
        Span("\n" + describe(one.search, known, say)),
        *(Span("\n" + each) for each in (*lines, *_state(one, officer, now, say))),
    ]
    return screen(spans, officer.language, _rows(one, now, say, place))


def choosing_hours(officer: Officer, one: Subscription) -> Rendered:
    """Quiet hours of its own."""
    say = words(officer.language)
    buttons = hour_buttons(officer, one.search.quiet, ("mine", "quiet", str(one.id)))
    rows = [tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2)]
    text = f"{hours_question(say)}\n{quiet_hours(one.search.quiet, officer, say)}"
    return screen([Span("🌙 " + text)], officer.language, (*rows, _back(one, say)))


def deleting(officer: Officer, one: Subscription, known: Sequence[Community]) -> Rendered:
    """Whether it is meant."""
    say = words(officer.language)
    text = say.text("Delete “{name}”? It cannot be brought back.", name=say.embed(title(one, known, say)))
    sure = (Button("🗑 " + say.text("Delete"), encode("mine", "delete", one.id)),)
    return screen([Span(text)], officer.language, (sure, _back(one, say)))


def louder(
    one: Search, others: Iterable[Subscription], officer: Officer, known: Sequence[Community]
) -> list[str] | None:
    """The names of the officer's `others` that may sound while it is quiet for `one`; None when it never
    is.
    """
    say, found = words(officer.language), may_sound(one, others, officer.quiet)
    return None if found is None else [title(each, known, say) for each in found]


def title(one: Subscription, known: Sequence[Community], say: Words) -> str:
    """Its name, or what would name it."""
    return one.search.name or suggested_name(one.search, known, say)


def _rows(one: Subscription, now: float, say: Words, place: int) -> Rows:
    key = one.id
    modes = tuple(
        (tick(mode(each, say), encode("mine", "mode", key, each.value), on=each is one.search.mode),)
        for each in Mode
    )
    if one.snoozed > now:
        naps: Rows = ((Button("⏰ " + say.text("End the snooze"), encode("mine", "wake", key)),),)
    else:
        hours = [
            Button(
                "😴 " + say.count("{number} hour", "{number} hours", number),
                encode("mine", "nap", key, choice),
            )
            for number, choice in ((1, "hour"), (8, "night"))
        ]
        monday = Button("😴 " + say.text("until Monday 08:00"), encode("mine", "nap", key, "monday"))
        naps = (tuple(hours), (monday,))
    pause = "▶️ " + say.text("Resume") if one.paused else "⏸ " + say.text("Pause")
    return (
        *modes,
        *naps,
        (Button("✏️ " + say.text("Change"), encode("sub", "change", key)),),
        (
            Button("🌙 " + say.text("Quiet hours"), encode("mine", "hours", key)),
            Button("🔎 " + say.text("Show matches"), encode("mine", "show", key)),
        ),
        (
            Button(pause, encode("mine", "pause", key)),
            Button("🗑 " + say.text("Delete"), encode("mine", "sure", key)),
        ),
        (Button("◀️ " + say.text("Your subscriptions"), encode("mine", "list", place)),),
    )


def _state(one: Subscription, officer: Officer, now: float, say: Words) -> list[str]:
    found = ["⏸ " + say.text("paused")] if one.paused else []
    if one.snoozed > now:
        until = say.embed(say.when(moment(one.snoozed), officer.zone))
        found.append("😴 " + say.text("snoozed until {time}", time=until))
    return found


def _back(one: Subscription, say: Words) -> tuple[Button, ...]:
    return (Button("◀️ " + say.text("Back"), encode("mine", "open", one.id)),)

"""Screens for a lost phone that is not shut out: it is already, or it is the only administrator's. Pure."""

import shlex
from collections.abc import Sequence

from bots.clock import moment
from bots.dialogue.screens import screen
from bots.duty import absent
from bots.duty.absent import OnDuty
from bots.officers.staffing import to_all
from bots.parsing.actions import encode
from bots.showing.rendered import Button, Rendered
from bots.state.lost import ShutOut
from bots.state.officers import Officer
from bots.wording.markup import Span
from bots.wording.words import Words, words


def already(asking: Officer, officer: Officer, shut: ShutOut, duties: Sequence[OnDuty] = ()) -> Rendered:
    """Since when, by whom, and what of the code that was given then: it is kept as a digest alone, so it
    cannot be shown again.
    """
    say = words(asking.language)
    text = "📵 " + _when(asking, officer, shut, say)
    if shut.code_until:
        until = say.embed(say.when(moment(shut.code_until), asking.zone))
        text += "\n🎟 " + say.text("The code for the new phone is good until {time}.", time=until)
    else:
        text += "\n🎟 " + say.text("The code for the new phone is no longer good.")
    told = [text, *absent.lines(asking, officer.name, duties, say)]
    fresh = say.text("New code; the one before ends") if shut.code_until else say.text("New code")
    rows = (
        (Button("🎟 " + fresh, encode("staff", "invite", officer.id)),),
        *absent.rows(duties, say),
        (Button("👤 " + officer.name, encode("staff", "open", officer.id)),),
        to_all(say),
    )
    return screen([Span("\n".join(told))], asking.language, rows)


def _when(asking: Officer, officer: Officer, shut: ShutOut, say: Words) -> str:
    name = say.embed(officer.name)
    if shut.at is None:
        return say.text("The phone of {name} is shut out already. Nothing more was done.", name=name)
    time = say.embed(say.when(moment(shut.at), asking.zone))
    if not shut.by:
        return say.text(
            "The phone of {name} was shut out already, {time}, on your agency's machine. Nothing more was"
            " done.",
            name=name,
            time=time,
        )
    return say.text(
        "The phone of {name} was shut out already, {time}, by {officer}. Nothing more was done.",
        name=name,
        time=time,
        officer=say.embed(shut.by),
    )


def only_one(asking: Officer, officer: Officer) -> Rendered:
    """The lost phone of the last administrator: what can be done."""
    say = words(asking.language)
    spans = [
        Span(
            "📵 "
            + say.text("{name} is the only administrator with a phone here.", name=say.embed(officer.name)),
            "b",
        ),
        Span(
            "\n"
            + say.text(
                "Once it is shut out, nobody here could let the new phone in. On your agency's machine this"
                " command shuts it out at once, and prints a code for the new one:"
            )
            + "\n"
        ),
        *say.code(f"liaison-bot officer lost {shlex.quote(officer.name)}"),
        Span("\n" + say.text("Or make another administrator first, who then sends /lost here.")),
    ]
    return screen(spans, asking.language, (to_all(say),))

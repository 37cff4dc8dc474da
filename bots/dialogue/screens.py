"""Answers that show no bulletin: help, welcome, refusals. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from bots.clock import moment
from bots.officers.roles import RIGHTS, Right
from bots.parsing.actions import encode
from bots.showing.rendered import Button, Part, Rendered, Rows
from bots.state.officers import Officer
from bots.wording.labels import N_, TAXONOMIES
from bots.wording.markup import Span, laid
from bots.wording.words import NAMES, SPOKEN, Words, words
from schemas.vocabulary import Kind, Language, Severity, Tlp

COMMANDS = {
    "latest": N_("The newest bulletins"),
    "search": N_("Search by words and filters"),
    "show": N_("Open a bulletin by its reference"),
    "who": N_("Who signed a bulletin, and who vouches for that"),
    "stats": N_("How many bulletins there were, as a picture"),
    "like": N_("Bulletins like one, by its reference"),
    "tactic": N_("What a technique is, and where it was seen"),
    "subject": N_("Look a name up on the UN list"),
    "ack": N_("Acknowledge a bulletin"),
    "subscribe": N_("Choose what you are alerted to"),
    "subscriptions": N_("Your subscriptions: change, snooze, pause, delete"),
    "digest": N_("Digest, time zone and quiet hours"),
    "duty": N_("Who is on duty, and taking over"),
    "tally": N_("Who has acknowledged, sighted and answered a bulletin"),
    "event": N_("A major event: how it stands, its bulletins, who is on duty"),
    "handover": N_("What came in your shift, and what waits"),
    "language": N_("The language of this bot"),
    "help": N_("What this bot does"),
}
"""The menu of commands, in its order."""
FOR_DRAFTERS = {
    "draft": N_("Write a bulletin"),
    "ask": N_("Ask a community for information"),
    "asked": N_("Open questions: yours, and those to answer"),
    "drafts": N_("Your drafts"),
    "amend": N_("Amend a bulletin of your agency"),
    "retract": N_("Retract a bulletin of your agency"),
}
FOR_RELEASERS = {"drafts": N_("Your drafts, and what you are to release")}
FOR_THE_ROOM = {"room": N_("The way into your agency's reading room")}
"""Where there is one."""
FOR_ADMINISTRATORS = {
    "invite": N_("Invite an officer"),
    "officers": N_("Who may use this bot, and as what"),
    "lost": N_("A lost phone: shut it out at once"),
    "audit": N_("Who saw and did what"),
    "ceiling": N_("How much may be shown in chat"),
    "alarms": N_("What your agency's system warns of"),
}
ABOUT_OTHERS = frozenset({"invite", "officers", "lost", "audit", "ceiling", "room"})
"""Commands that make sense only where others can come in, or something is withheld."""


def screen(spans: Iterable[Span], language: Language, rows: Rows = ()) -> Rendered:
    """One message of the bot's own words. Protected: what an officer subscribes to is not for forwarding."""
    return Rendered((Part.of(laid(spans, rtl=words(language).rtl)),), rows, protect=True, silent=True)


def plain_answer(text: str, language: Language, rows: Rows = ()) -> Rendered:
    """Plain sentences."""
    return screen([Span(text)], language, rows)


def commands(say: Words, rights: Collection[Right] = (), *, room: bool = False) -> dict[str, str]:
    """The commands with their descriptions in one language, for who has these rights."""
    known = {
        **COMMANDS,
        **(FOR_DRAFTERS if Right.DRAFT in rights else {}),
        **(FOR_RELEASERS if Right.RELEASE in rights else {}),
        **(FOR_THE_ROOM if room else {}),
        **(FOR_ADMINISTRATORS if Right.ADMINISTER in rights else {}),
    }
    return {name: say.text(message) for name, message in known.items()}


def welcome(officer: Officer, *, subscribed: bool = False) -> Rendered:
    """After enrolment: who, and the first two things to do; whoever has `subscribed` before keeps that."""
    say = words(officer.language)
    first = say.text("First choose what you are alerted to, then your time zone and quiet hours.")
    stay = say.text("Your subscriptions stay: {command}", command=say.embed("/subscriptions"))
    lines: list[Span] = [
        Span("👋 " + say.text("Welcome, {name}.", name=say.embed(officer.name)), "b"),
        Span("\n" + say.text("You are enrolled. What this chat shows is kept within your agency's limits.")),
        Span("\n\n" + (stay if subscribed else first)),
    ]
    rows = (
        (Button("🔔 " + say.text("Subscribe"), encode("sub", "home")),),
        (Button("🗞 " + say.text("Digest and quiet hours"), encode("dig", "home")),),
        (Button("🌐 " + say.text("Language"), encode("say", "home")),),
    )
    return screen(lines, officer.language, rows)


def refusal(language: Language) -> Rendered:
    """All that a stranger is ever told."""
    say = words(language)
    text = say.text(
        "This is a private service. If you should have access, ask your administrator for an invitation."
    )
    return plain_answer(text, language)


def help_text(officer: Officer, full: Tlp, *, room: bool = False, within: bool = False) -> Rendered:
    """Every command in a line, and what must not be typed. `room`: there is a reading room.
    `within`: no chat service reads along.
    """
    say = words(officer.language)
    spans: list[Span] = [Span("ℹ️ " + say.text("What this bot does"), "b"), Span("\n")]
    for name, about in commands(say, RIGHTS[officer.role], room=room).items():
        if not within or name not in ABOUT_OTHERS:
            spans += [Span("\n" + say.embed(f"/{name}")), Span(" — " + about)]
    notes: list[str] = []
    if full is not Tlp.RED:
        shown = say.text(
            "Bulletins up to {tlp} are shown here. Of others you get the reference.",
            tlp=say.embed(full.value),
        )
        notes.append("🔈 " + shown)
    if Right.DRAFT in RIGHTS[officer.role]:
        answers = say.text(
            "The buttons under a bulletin answer it, or say that you have seen what it is about."
        )
        notes.append("💬 " + answers)
    if not within:
        notes.append("⌨️ " + _what_to_type(officer, full, say))
    relieved = say.text(
        "Whoever relieves a colleague on the roster gets the hand-over by itself; whoever takes over sends"
        " /handover."
    )
    notes.append("🤝 " + relieved)
    notes.append("🧩 " + say.text(TAXONOMIES))
    notes.append("🔴 " + say.text("Flash alerts always sound, in quiet hours too."))
    spans.append(Span("\n\n" + "\n".join(notes)))
    return screen(spans, officer.language)


def _what_to_type(officer: Officer, full: Tlp, say: Words) -> str:
    """What may be typed where the chat service reads along; drafts have their marking before their text."""
    if Right.DRAFT not in RIGHTS[officer.role]:
        return say.text(
            "The chat service can read what you type: never type facts of a case here, and type a name only"
            " after /subject."
        )
    text = say.text(
        "The chat service can read what you type: type a name only after /subject, and facts of a case only"
        " in /draft, /ask and answers."
    )
    if full is Tlp.RED:
        return text
    first = say.text(
        "Their marking is settled first: what is above {tlp} is written elsewhere, and the bot says where.",
        tlp=say.embed(full.value),
    )
    return say.sentences(text, first)


def languages(officer: Officer) -> Rendered:
    """The choice of the bot's language."""
    say = words(officer.language)
    buttons = [
        Button(("✅ " if each is officer.language else "") + NAMES[each], encode("say", each.value))
        for each in SPOKEN
    ]
    text = say.text(
        "In which language should the bot speak? Bulletins are shown in it where there is a translation."
    )
    rows = tuple(tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2))
    return plain_answer("🌐 " + text, officer.language, rows)


def invitation(officer: Officer, name: str, code: str, username: str, hours: int) -> Rendered:
    """For an administrator: what to pass on, out of band."""
    say = words(officer.language)
    valid = say.count("It works once, within {number} hour.", "It works once, within {number} hours.", hours)
    spans = [
        Span("🎟 " + say.text("Invitation for {name}", name=say.embed(name)), "b"),
        Span(
            "\n"
            + say.text("Pass this on by a trusted way. The officer opens the link, or sends the command:")
        ),
        Span("\n\n"),
        Span(say.embed(f"https://t.me/{username}?start={code}")),
        Span("\n"),
        *say.code(f"/start {code}"),
        Span("\n\n" + valid),
    ]
    return screen(spans, officer.language)


def usage(officer: Officer, *examples: str) -> Rendered:
    """How a command is written."""
    say = words(officer.language)
    spans: list[Span] = [Span(say.text("Write it like this:"))]
    for each in examples:
        spans += [Span("\n"), *say.code(each)]
    return replace(screen(spans, officer.language), quotes=True)


def searching(officer: Officer, examples: Iterable[str], keys: Iterable[str]) -> Rendered:
    """How a search is written."""
    say = words(officer.language)
    spans: list[Span] = [Span(say.text("Write it like this:"))]
    for each in examples:
        spans += [Span("\n"), *say.code(each)]
    spans.append(
        Span("\n\n" + say.text("Before the colon may stand: {keys}.", keys=say.embed(", ".join(keys))))
    )
    for key, values in (("kind", Kind), ("severity", Severity)):
        spans.append(Span("\n" + say.embed(f"{key}: {', '.join(values)}")))
    spans.append(Span("\n" + say.embed("since: 12h, 7d, 2w, 2026-11-01")))
    return screen(spans, officer.language)


def unknown(officer: Officer) -> Rendered:
    """For whatever is no command."""
    say = words(officer.language)
    return plain_answer(
        say.text("That is not a command. /help lists them; /search looks for words."), officer.language
    )


def paused(officer: Officer, until: float) -> Rendered:
    """For what is typed after something above the ceiling was begun; `until` in Unix seconds."""
    say = words(officer.language)
    began = say.text(
        "A short while ago you began or opened something that is above what may be in this chat. So what you"
        " sent was neither looked for nor kept. Delete it here if it should not be in this chat."
    )
    then = say.text(
        "From {time} on, plain words are looked for again; /search looks for them now.",
        time=say.hour(moment(until), officer.zone),
    )
    return plain_answer(f"🔒 {began}\n{then}", officer.language)


def open_one(officer: Officer) -> str:
    """Under a list: how its bulletins are opened."""
    return words(officer.language).text("Open one with its button, or send its reference.")


def slow_down(language: Language) -> Rendered:
    """Once, when somebody asks faster than they can read."""
    return plain_answer(words(language).text("One moment, please: too many questions at once."), language)


def trouble(officer: Officer) -> Rendered:
    """Something of ours went wrong."""
    return plain_answer(
        words(officer.language).text("Something went wrong here. It has been noted; try again."),
        officer.language,
    )

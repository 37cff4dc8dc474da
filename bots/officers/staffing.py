"""Screens about who is an officer, and as what. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from bots.clock import moment
from bots.dialogue.screens import plain_answer, screen
from bots.officers.roles import Role
from bots.parsing.actions import encode
from bots.showing.rendered import Button, Rendered
from bots.state.officers import Officer
from bots.wording.labels import N_
from bots.wording.markup import Span
from bots.wording.words import Words, words
from schemas.errors import Code, OperationError

PAGE: Final = 10
ROLES: Final = {
    Role.READER: N_("Reader"),
    Role.DRAFTER: N_("Drafter"),
    Role.RELEASER: N_("Releaser"),
    Role.ADMINISTRATOR: N_("Administrator"),
}
RIGHTS: Final = {
    Role.READER: N_("Reads, searches and acknowledges."),
    Role.DRAFTER: N_("Reads, and writes drafts."),
    Role.RELEASER: N_("Reads, writes drafts and releases them."),
    Role.ADMINISTRATOR: N_("May do everything, says who else may do what, and sees the audit."),
}


def everybody(
    asking: Officer, officers: Sequence[Officer], seen: Mapping[int, float], page: int = 0
) -> Rendered:
    """The officers with their roles and when they were last seen (Unix seconds), a button for each."""
    say = words(asking.language)
    pages = max(1, -(-len(officers) // PAGE))
    page = min(page, pages - 1)
    shown = officers[page * PAGE : (page + 1) * PAGE]
    spans = [Span("👥 " + say.text("Who may use this bot, and as what"), "b")]
    for each in shown:
        spans += [Span("\n\n"), Span(say.embed(each.name), "b")]
        spans.append(Span(f" · {say.text(ROLES[each.role])}\n" + standing(each, asking, seen, say)))
    buttons = [Button(each.name, encode("staff", "open", each.id)) for each in shown]
    rows = [tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2)]
    turning = [Button("◀️", encode("staff", "home", page - 1))] if page else []
    turning += [Button("▶️", encode("staff", "home", page + 1))] if page + 1 < pages else []
    return screen(spans, asking.language, (*rows, tuple(turning)) if turning else tuple(rows))


def one(asking: Officer, officer: Officer, seen: Mapping[int, float]) -> Rendered:
    """One officer, with what can be done."""
    say = words(asking.language)
    spans = [
        Span("👤 " + say.embed(officer.name), "b"),
        Span(
            "\n"
            + say.text(
                "{role}: {rights}", role=say.text(ROLES[officer.role]), rights=say.text(RIGHTS[officer.role])
            )
        ),
        Span("\n" + standing(officer, asking, seen, say)),
    ]
    roles = [
        Button(
            ("✅ " if each is officer.role else "") + say.text(ROLES[each]),
            encode("staff", "role", officer.id, each.value),
        )
        for each in Role
    ]
    fresh = (
        Button("🎟 " + say.text("New invitation"), encode("staff", "invite", officer.id))
        if officer.chat is None
        else Button("📵 " + say.text("Lost phone"), encode("staff", "lost", officer.id))
    )
    rows = (
        tuple(roles[:2]),
        tuple(roles[2:]),
        (fresh, Button("🗑 " + say.text("Remove"), encode("staff", "remove", officer.id))),
        (Button("👁 " + say.text("What was shown to this officer"), encode("audit", "of", officer.id)),),
        (Button("◀️ " + say.text("Back"), encode("staff", "home", 0)),),
    )
    return screen(spans, asking.language, rows)


def sure(asking: Officer, officer: Officer) -> Rendered:
    """Whether to remove an officer."""
    say = words(asking.language)
    text = say.text(
        "Remove {name}? Access, subscriptions and whatever waits for them go at once, and the bulletins in"
        " their chat are taken back.",
        name=say.embed(officer.name),
    )
    rows = (
        (Button("🗑 " + say.text("Yes, remove"), encode("staff", "gone", officer.id)),),
        (Button("◀️ " + say.text("Back"), encode("staff", "open", officer.id)),),
    )
    return plain_answer(text, asking.language, rows)


def refused(asking: Officer, error: OperationError) -> Rendered:
    """Why it was not done, and what to do."""
    say = words(asking.language)
    if error.code is Code.FORBIDDEN:
        text = say.text(
            "The last administrator cannot be removed or get another role. Make another administrator first."
            " ({code})",
            code=error.code,
        )
    else:
        text = say.text("There is no officer of that name. ({code})", code=error.code)
    return plain_answer(text, asking.language, (to_all(say),))


def to_all(say: Words) -> tuple[Button, ...]:
    """The row that leads to all officers."""
    return (Button("👥 " + say.text("Who may use this bot, and as what"), encode("staff", "home", 0)),)


def standing(officer: Officer, asking: Officer, seen: Mapping[int, float], say: Words) -> str:
    """Whether an officer is reached, and when they were last seen (Unix seconds), in a line."""
    if officer.standing == "invited":
        return "🎟 " + say.text("invited, not enrolled")
    last = seen.get(officer.id)
    told = (
        say.text("last seen {time}", time=say.embed(say.when(moment(last), asking.zone)))
        if last
        else say.text("not seen yet")
    )
    return (
        f"🔕 {say.text('cannot be reached')} · {told}" if officer.standing == "unreachable" else "🟢 " + told
    )

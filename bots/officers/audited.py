"""Screens about the audit and the ceiling. Pure."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bots.clock import moment
from bots.dialogue.screens import plain_answer, screen
from bots.officers.audit import ASKED, OUTBOX, ROOM, ROOM_SIGHTS, Act, Entry
from bots.officers.staffing import ROLES
from bots.parsing.actions import encode
from bots.showing.release import Ceiling, Sight
from bots.showing.rendered import Button, Rendered
from bots.state.officers import Officer
from bots.wording import labels
from bots.wording.labels import N_
from bots.wording.markup import Span
from bots.wording.words import Words, words
from schemas.vocabulary import Tlp

PAGE: Final = 8
OUTCOMES: Final[dict[str, str]] = {
    Sight.FULL: N_("seen in full"),
    Sight.TITLE: N_("named with its title, in a list"),
    Sight.STUB: N_("only kind, severity and marking seen"),
    Sight.WAITING: N_("only the reference seen"),
    "refused": N_("refused"),
    "forbidden": N_("refused"),
    "unreachable": N_("cannot be reached"),
    "enrolled": N_("enrolled"),
    "invited": N_("invited"),
    "removed": N_("removed"),
    "shut_out": N_("phone shut out"),
    "acknowledged": N_("Acknowledged"),
    "lowered": N_("lowered"),
    "exported": N_("As a file"),
    **{str(role): name for role, name in ROLES.items()},
    "unchanged": N_("unchanged"),
    "failed": N_("failed"),
    "queued": N_("waits for the hub"),
    "chat": N_("from the chat"),
    "agency": N_("from the agency's terminal"),
    "admitted": "",
    "answered": "",
    "done": "",
    "sent": "",
}
"""What came of it, in words; nothing where the verb says it all."""
VERBS: Final = {
    "alert": N_("an alert"),
    "alarm": N_("an alarm"),
    "digest": N_("Digest"),
    "chart": N_("Chart"),
    "edit": N_("a changed message"),
    "notice": N_("a notice"),
    "remind": N_("a reminder"),
    "due": N_("a reminder"),
    "parted": N_("a notice"),
    "lost phone": N_("from the phone that was shut out"),
    "relieved": N_("a notice"),
    "appointed": N_("a notice"),
    "call": N_("a call"),
    "unheard": N_("a call that nobody heard"),
    "closed": N_("the end of an event"),
    "draft": N_("a message about a draft"),
    "send draft": N_("sends a draft for release"),
    "send draft back": N_("sends a draft back"),
    "release": N_("releases a draft"),
    "line": N_("a line"),
    "message": N_("a line"),
    "command": N_("an unknown command"),
    "inline": N_("for another chat"),
    "drafting": N_("writes a draft"),
    "subscribing": N_("a line for a subscription"),
    "saved": N_("a line for a subscription"),
    "event": N_("a line for an event"),
    "zone": N_("a line for the time zone"),
    "sign-in": N_("signs in to the reading room"),
    "passkey-add": N_("adds a passkey"),
    "passkey-remove": N_("removes a passkey"),
    "listed": N_("a list in the reading room"),
    "read": N_("reads in the reading room"),
    "downloaded": N_("takes a file in the reading room"),
    "acknowledged": N_("acknowledges in the reading room"),
}
"""What comes by itself or is done, in words, by the verb or what stands before its dot; commands are shown as
they are written.
"""
_DRAFT: Final = re.compile(r"draft ([0-9]+)")


def page(
    asking: Officer,
    entries: Sequence[Entry],
    *,
    more: bool,
    before: Sequence[Span] = (),
    about: str = "",
    told: Sequence[str | int] = (),
) -> Rendered:
    """Entries, newest first, with a way to older ones and to the file; `before` stands first. `about` names
    of whom or what they tell, if not of all, and `told` is the same for the buttons.
    """
    say = words(asking.language)
    spans = [*before, Span("🧾 " + _title(about, say), "b")]
    if not entries:
        spans.append(Span("\n\n" + say.text("Nothing was written down about that.")))
    else:
        sign = say.text("👉 stands where the officer asked for it; all else came by itself.")
        spans.append(say.aside("\n" + sign))
    for entry in entries:
        act = entry.act
        when = say.embed(say.when(moment(entry.at / 1000), asking.zone))
        line = [say.embed(act.name or "—"), _verb(act, say), _about(act, say), _outcome(act, say)]
        asked = "👉 " if act.door != OUTBOX or act.verb.endswith(ASKED) else ""
        spans.append(Span(f"\n\n{when}\n{asked}" + " · ".join(filter(None, line))))
    last = entries[-1].number if entries else 0
    next_page = encode("audit", "older", last, *(told or ("",)))
    older = [Button("▶️ " + say.text("Older"), next_page)] if more else []
    file = say.text("These as a file") if about else say.text("As a file")
    export = Button("📄 " + file, encode("audit", "export", *told))
    return replace(screen(spans, asking.language, ((*older, export),)), quotes=True)


def which(asking: Officer, officers: Sequence[Officer]) -> Rendered:
    """Several officers are called so: whose entries."""
    say = words(asking.language)
    rows = tuple((Button("👤 " + each.name, encode("audit", "of", each.id)),) for each in officers[:PAGE])
    return plain_answer("👁 " + say.text("Whom do you mean?"), asking.language, rows)


def _title(about: str, say: Words) -> str:
    title = say.text("Who saw and did what")
    return f"{title} · {say.embed(about)}" if about else title


def _verb(act: Act, say: Words) -> str:
    if act.verb.startswith("button"):
        return say.text("a button")
    known = VERBS.get(act.verb.partition(".")[0])
    return say.text(known) if known else say.embed(act.verb)


def _about(act: Act, say: Words) -> str:
    if draft := _DRAFT.fullmatch(act.object):
        return labels.draft(int(draft[1]), say)
    return say.embed(act.object) if act.object else ""


def _outcome(act: Act, say: Words) -> str:
    outcome = ROOM_SIGHTS.get(act.verb, act.outcome) if act.door == ROOM else act.outcome
    known = OUTCOMES.get(outcome)
    if known is None:
        return say.embed(act.outcome)
    return say.text(known) if known else ""


def caption(asking: Officer, about: str = "") -> str:
    """Under the file: of whom or what it tells, if not of all."""
    say = words(asking.language)
    title = _title(about, say)
    if not about:
        return title
    part = say.text(
        "An excerpt: entries keep their numbers and digests. Whether the whole was changed is checked on your"
        " agency's machine: {command}",
        command=say.embed("liaison-bot audit --verify"),
    )
    return f"{title}\n{part}"


def unknown_filter(asking: Officer) -> Rendered:
    """Neither a reference nor an officer."""
    say = words(asking.language)
    return plain_answer(
        say.text("That is neither a reference nor an officer. Try /audit, or /officers for the names."),
        asking.language,
    )


def ceiling(asking: Officer, now: Ceiling, settings: Ceiling, *, lowered: bool = False) -> Rendered:
    """What may be shown in chat, and buttons to lower it."""
    say = words(asking.language)
    spans = [Span("🔈 " + say.text("How much may be shown in chat"), "b")]
    if lowered:
        spans.append(
            Span("\n" + say.text("Lowered. What is above it and was sent already is replaced or taken back."))
        )
    spans += [
        Span("\n\n" + say.text("In full: up to {tlp}", tlp=say.embed(now.full.value))),
        Span("\n" + say.text("With kind and severity: up to {tlp}", tlp=say.embed(now.stub.value))),
        Span("\n" + say.text("Above: only that a bulletin waits.")),
        Span(
            "\n\n"
            + say.text("It can be lowered here, at once. It is raised only on your agency's machine, by:")
            + "\n"
        ),
        *say.code("liaison-bot ceiling --restore"),
    ]
    if now.full is not settings.full:
        limit = say.embed(settings.full.value)
        spans.append(Span("\n" + say.text("That would raise it to {tlp}.", tlp=limit)))
    rows = tuple(
        (Button("⬇️ " + say.text("Lower to {tlp}", tlp=each.value), encode("ceiling", each.value[4:])),)
        for each in Tlp
        if each.rank < now.full.rank
    )
    return screen(spans, asking.language, rows)

"""Screens about a lost phone: whose, what is done when it is shut out, and what it had shown. Pure.

`/lost NAME` asks before it acts: what it takes out of a chat does not come back, and a name may be a
colleague's. That costs one press. Whoever is sure writes `/lost NAME now`, which asks nothing, but of one's
own phone: what is answered there is taken back with the rest, so all is said before. The code for the new
phone is not shown on the lost one.
"""

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bots.clock import moment
from bots.dialogue.screens import plain_answer, screen
from bots.duty import absent
from bots.duty.absent import OnDuty
from bots.officers.staffing import ROLES, standing, to_all
from bots.parsing.actions import encode
from bots.showing.rendered import Button, Rendered, Rows
from bots.state.officers import Officer
from bots.telling.aftermath import DELETE_AT_ONCE
from bots.wording.markup import Span
from bots.wording.words import Words, words

NOW: Final = "now"
NAMED_MAX: Final = 20
"""So many officers have a button; the others are found in their list."""
_LONG: Final = 90
"""Seconds; more are minutes."""
_IN_A_ROW: Final = 2


@dataclass(frozen=True, slots=True)
class OnPhone:
    """What is in a chat: messages that can be deleted still, `old` ones that can only be rewritten, and such
    as its officer wrote that `stay`; how many bulletins the officer was shown since they enrolled,
    of which so many `aside` in the reading room alone; when they enrolled and were last seen (Unix seconds),
    None where that is not known. Whether there is a reading `room`, and how many `keys` of theirs open it;
    and which `duties` the officer has, for others to take.
    """

    young: int = 0
    old: int = 0
    bulletins: int = 0
    enrolled: float | None = None
    seen: float | None = None
    room: bool = False
    keys: int = 0
    stay: int = 0
    aside: int = 0
    duties: tuple[OnDuty, ...] = ()
    others: tuple[str, ...] = ()
    """The names of the other administrators with a phone here, where it is the asking officer's own."""

    @property
    def messages(self) -> int:
        """All that are taken back."""
        return self.young + self.old

    @property
    def requests(self) -> int:
        """So many of the chat service take them back."""
        return math.ceil(self.young / DELETE_AT_ONCE) + self.old


def asked_for(text: str, names: Collection[str]) -> tuple[str, bool]:
    """The name in what was typed after `/lost`, and whether it is to be done at once; `names` are those of
    all officers, of whom one may be called so that it ends like the order.
    """
    first, _, last = text.rpartition(" ")
    known = {each.casefold() for each in names}
    if first and last.casefold() == NOW and text.casefold() not in known:
        return first.strip(), True
    return text, False


def choose(
    asking: Officer,
    officers: Sequence[Officer],
    seen: Mapping[int, float],
    *,
    unknown: bool = False,
    several: bool = False,
) -> Rendered:
    """Whose phone, by buttons; `unknown`: a name was typed that nobody has; `several`: all these are called
    so.
    """
    say = words(asking.language)
    able = [each for each in officers if each.chat is not None or several]
    # Of a phone that is lost nothing has come for a while: whoever was here just now comes last.
    able.sort(key=lambda each: seen.get(each.id, 0.0))
    whose = say.text("Whom do you mean?") if several else say.text("Whose phone is lost?")
    spans = [Span("📵 " + whose, "b")]
    if unknown:
        spans.insert(0, Span("⚠️ " + say.text("There is no officer of that name.") + "\n"))
    spans.append(Span("\n" + say.text("You are asked once more before anything happens.")))
    buttons = [Button(each.name, encode("staff", "lost", each.id)) for each in able[:NAMED_MAX]]
    rows = [tuple(buttons[at : at + _IN_A_ROW]) for at in range(0, len(buttons), _IN_A_ROW)]
    return screen(spans, asking.language, (*rows, to_all(say)))


def ask(asking: Officer, officer: Officer, on: OnPhone) -> Rendered:
    """Whether to shut it out, and what that does."""
    say = words(asking.language)
    name = say.embed(officer.name)
    since = ""
    if on.enrolled is not None:
        time = say.embed(say.when(moment(on.enrolled), asking.zone))
        since = " · " + say.text("enrolled {time}", time=time)
    seen = {officer.id: on.seen} if on.seen is not None else {}
    what = say.text(
        "The phone is shut out at once. Role and subscriptions stay, and you get a code for the new phone."
    )
    own = officer.id == asking.id
    if own:
        mine = say.text(
            "This is your own phone: it is shut out at once, and this chat is emptied. Role and subscriptions"
            " stay."
        )
        what = f"⚠️ {mine}\n{_code_elsewhere(officer, on, say)}"
    spans = [
        Span("📵 " + say.text("Shut out the phone of {name}?", name=name), "b"),
        Span(f"\n👤 {say.text(ROLES[officer.role])}{since}"),
        Span("\n" + standing(officer, asking, seen, say)),
        Span("\n\n" + what),
        *(Span("\n" + each) for each in _room_ends(on, say)),
        Span("\n" + _in_chat(on, say)),
        Span("\n" + had_shown(on, say)),
        *(Span("\n" + each) for each in absent.lines(asking, officer.name, on.duties, say)),
    ]
    if not own:
        spans.append(Span("\n\n" + say.text("Without this question:") + " "))
        spans += say.code(f"/lost {officer.name} {NOW}")
    rows = (
        (Button("📵 " + say.text("Yes, shut it out"), encode("staff", "shut", officer.id)),),
        *absent.rows(on.duties, say),
        (to_seen(officer.id, say, on.enrolled),),
        (Button("◀️ " + say.text("Back"), encode("staff", "open", officer.id)),),
    )
    return screen(spans, asking.language, rows)


def shut_out(asking: Officer, officer: Officer, on: OnPhone, rate: float) -> Rendered:
    """It is harmless; the new invitation comes with the next message, but not on the phone itself."""
    say = words(asking.language)
    text = "📵 " + say.text(
        "The phone of {name} is shut out. Role and subscriptions stay for the new one.",
        name=say.embed(officer.name),
    )
    duties = "".join("\n" + each for each in absent.lines(asking, officer.name, on.duties, say))
    if officer.id == asking.id:
        return plain_answer(f"{text}\n{_code_elsewhere(officer, on, say)}", asking.language)
    text += _room_ended(on, say) + taken_back(on, rate, say) + duties
    return _done(asking, officer, on, text, absent.rows(on.duties, say))


def _code_elsewhere(officer: Officer, on: OnPhone, say: Words) -> str:
    """Who gets the code where the phone is the asking officer's own."""
    return "🎟 " + say.text(
        "The code for the new phone is not shown here: another administrator gets it with {command}"
        " ({names}).",
        command=say.embed(f"/lost {officer.name}"),
        names=say.listed(map(say.embed, on.others)),
    )


def removed(asking: Officer, officer: Officer, on: OnPhone, rate: float) -> Rendered:
    """An officer is no officer any more."""
    say = words(asking.language)
    text = "🗑 " + say.text("{name} is removed.", name=say.embed(officer.name))
    return _done(asking, officer, on, text + _room_ended(on, say) + taken_back(on, rate, say))


def afterwards(asking: Officer, body: str) -> Rendered:
    """What became of a chat that was shut out, from the JSON of its job."""
    told = json.loads(body)
    return _still_writes(asking, told) if "writes" in told else _all_back(asking, told)


def _still_writes(asking: Officer, told: Mapping[str, Any]) -> Rendered:
    """Somebody uses it."""
    say = words(asking.language)
    text = say.text(
        "The phone of {name}, which was shut out, still writes to this bot ({time}). It is refused, and what"
        " it writes is deleted. Somebody has it: end its session in the chat service from another device.",
        name=say.embed(told["name"]),
        time=say.embed(say.when(moment(told["writes"]), asking.zone)),
    )
    return plain_answer("📵 " + text, asking.language, ((to_seen(told["of"], say),),))


def _all_back(asking: Officer, told: Mapping[str, Any]) -> Rendered:
    """All is taken back."""
    say = words(asking.language)
    text = say.text("Done: what was in the chat of {name} is taken back.", name=say.embed(told["name"]))
    if told["missed"]:
        text += " " + say.count(
            "{number} message could not be: the chat service refused.",
            "{number} messages could not be: the chat service refused.",
            told["missed"],
        )
    if told.get("stay"):
        text += " " + _stays(told["stay"], say)
    rows = ((to_seen(told["of"], say, told.get("enrolled")),),) if told.get("of") else ()
    return plain_answer("✅ " + text, asking.language, rows)


def to_seen(officer: int, say: Words, enrolled: float | None = None) -> Button:
    """The button that leads to the audit of an officer, also of one who was removed, from when they enrolled
    (Unix seconds), if that is known. In minutes, one earlier: what waited goes out at once then.
    """
    since = (max(0, int(enrolled // 60) - 1),) if enrolled else ()
    return Button("👁 " + say.text("What that phone had shown"), encode("audit", "of", officer, *since))


def taken_back(on: OnPhone, rate: float, say: Words) -> str:
    """That messages are taken back by so many requests a second, in a line of its own, and what stays; '' for
    none.
    """
    stays = "\n" + _stays(on.stay, say) if on.stay else ""
    taken = on.messages
    if not taken:
        return stays
    seconds = math.ceil(on.requests / rate)
    if seconds > _LONG:
        time = say.count("about {number} minute", "about {number} minutes", math.ceil(seconds / 60))
    else:
        time = say.count("about {number} second", "about {number} seconds", seconds)
    told = say.text("That takes {time}; you are told when it is done.", time=time)
    back = say.count(
        "{number} message is taken back: deleted, or rewritten when it is older than 48 hours.",
        "{number} messages are taken back: deleted, or rewritten when they are older than 48 hours.",
        taken,
    )
    return f"\n{back} {told}{stays}"


def _stays(number: int, say: Words) -> str:
    """What the officer wrote and nobody else can delete any more."""
    return say.count(
        "{number} message that the officer wrote is older than 48 hours and stays: only the officer can"
        " delete it, from another device.",
        "{number} messages that the officer wrote are older than 48 hours and stay: only the officer can"
        " delete them, from another device.",
        number,
    )


def _done(asking: Officer, officer: Officer, on: OnPhone, text: str, rows: Rows = ()) -> Rendered:
    say = words(asking.language)
    if officer.chat is None and not on.bulletins:
        return plain_answer(text, asking.language, (*rows, to_all(say)))
    text += "\n" + had_shown(on, say)
    rows = (*rows, (to_seen(officer.id, say, on.enrolled),), to_all(say))
    return plain_answer(text, asking.language, rows)


def had_shown(on: OnPhone, say: Words) -> str:
    """How many bulletins; their number is another than that of messages."""
    if not on.bulletins:
        return say.text("No bulletin had been shown there.")
    told = [
        say.count(
            "{number} bulletin had been shown since that phone was enrolled.",
            "{number} bulletins had been shown since that phone was enrolled.",
            on.bulletins,
        )
    ]
    if on.aside:
        told.append(
            say.text(
                "In messages: {number}; only in the reading room: {aside}.",
                number=say.number(on.bulletins - on.aside),
                aside=say.number(on.aside),
            )
        )
    told.append(say.text("A bulletin may stand in several messages, and a list shows several."))
    return say.sentences(*told)


def _room_ends(on: OnPhone, say: Words) -> Iterator[str]:
    """What will become of the ways into the reading room, where there is one or a passkey for it."""
    if on.keys:
        yield say.count(
            "The officer is signed out of the reading room, and {number} passkey is removed: the new phone"
            " makes its own.",
            "The officer is signed out of the reading room, and {number} passkeys are removed: the new phone"
            " makes its own.",
            on.keys,
        )
    elif on.room:
        yield say.text("The officer is signed out of the reading room; there is no passkey to remove.")


def _room_ended(on: OnPhone, say: Words) -> str:
    """The same once it is done, in a line of its own; '' where there is nothing to say."""
    if on.keys:
        removed = say.count(
            "Signed out of the reading room; {number} passkey is removed.",
            "Signed out of the reading room; {number} passkeys are removed.",
            on.keys,
        )
        return "\n🔑 " + removed
    return "\n🔑 " + say.text("Signed out of the reading room; there was no passkey.") if on.room else ""


def _in_chat(on: OnPhone, say: Words) -> str:
    if not on.messages:
        none = say.text("No message in that chat has to be taken back.")
        return say.sentences(none, _stays(on.stay, say)) if on.stay else none
    told = []
    if on.young:
        told.append(
            say.count(
                "{number} message can still be deleted there.",
                "{number} messages can still be deleted there.",
                on.young,
            )
        )
    told.append(say.text("The chat service lets messages be deleted for 48 hours."))
    if on.old:
        told.append(
            say.count(
                "{number} older message can only be rewritten, so that it says nothing.",
                "{number} older messages can only be rewritten, so that they say nothing.",
                on.old,
            )
        )
    if on.stay:
        told.append(_stays(on.stay, say))
    return say.sentences(*told)

"""The buttons under a bulletin that several messages have. Pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bots.parsing.actions import encode, short
from bots.showing.answerable import Answer
from bots.showing.release import Ceiling, Release
from bots.showing.rendered import Button, Rows
from bots.state.lists import Listed
from bots.wording.labels import N_
from bots.wording.words import Words
from subscribers.records import Record

_IN_A_ROW: Final = 2
"""A phone cuts longer ones."""
WHOLE: Final = "all"
"""In a button: what a hand-over goes on with."""
OTHERS_MAX: Final = 12
"""So many of what does not wait have a button: what a thumb goes through."""
ANSWERS: Final = {
    Answer.SEEN: ("👀 ", N_("Seen here")),
    Answer.BLOCKED: ("🚫 ", N_("Blocked")),
    Answer.CONFIRMED: ("☑️ ", N_("Confirmed")),
    Answer.REPLY: ("💬 ", N_("Answer")),
}


def opening(records: Sequence[Record]) -> Rows:
    """A button for each of the bulletins of a list that opens it below."""
    buttons = [Button(each.bulletin.ref, encode("open", short(each.bulletin.id))) for each in records]
    return tuple(tuple(buttons[at : at + _IN_A_ROW]) for at in range(0, len(buttons), _IN_A_ROW))


@dataclass(frozen=True, slots=True)
class Waits:
    """What waits of a list: until it is acknowledged, and until the agency answers. `acknowledged` are ids;
    `answers`: the officer may answer for the agency. `answering`: the ids of those to which an answer waits
    for release.
    """

    unread: Sequence[Record] = ()
    unanswered: Sequence[Record] = ()
    acknowledged: Collection[str] = ()
    answers: bool = False
    answering: Collection[str] = ()


def handing(
    waits: Waits,
    shown: Sequence[Record],
    ceiling: Ceiling,
    say: Words,
    after: Rows = (),
    after_asked: Rows = (),
) -> Rows:
    """Buttons under what is told together: what waits is opened and acknowledged, one in a row, with `after`
    behind it, or opened and answered, with `after_asked`; the first of the others that are `shown` are
    opened.
    """
    ids = {each.bulletin.id for each in (*waits.unread, *waits.unanswered)}
    rows = [
        (
            _open(each, ceiling, say),
            button_acknowledge(each.bulletin.id, say, done=each.bulletin.id in waits.acknowledged),
        )
        for each in waits.unread
    ]
    asked = [(_open(each, ceiling, say), *_reply(each, waits, ceiling, say)) for each in waits.unanswered]
    rest = [_open(each, ceiling, say) for each in shown if each.bulletin.id not in ids][:OTHERS_MAX]
    return (
        *rows,
        *after,
        *asked,
        *after_asked,
        *(tuple(rest[at : at + _IN_A_ROW]) for at in range(0, len(rest), _IN_A_ROW)),
    )


def _reply(record: Record, waits: Waits, ceiling: Ceiling, say: Words) -> tuple[Button, ...]:
    """What chat may not show is answered where it is read; what has an answer that waits, not once more."""
    begun = record.bulletin.id in waits.answering
    if begun or not waits.answers or ceiling.allows(record.bulletin.tlp) is not Release.FULL:
        return ()
    return (button_answer(record, Answer.REPLY, say),)


def following(listed: Listed, say: Words) -> Rows:
    """The button for what waits behind what a list names, if anything does."""
    if not listed.left:
        return ()
    data = encode("waits", short(listed.waiting[-1]), listed.cell, *([WHOLE] if listed.whole else []))
    return ((Button("⏭ " + say.text("The next that wait"), data),),)


def asking(listed: Listed, say: Words) -> Rows:
    """The button for all questions, if a list does not name all that are not answered."""
    return ((Button("💬 " + say.text("All open questions"), encode("asked")),),) if listed.unnamed else ()


def _open(record: Record, ceiling: Ceiling, say: Words) -> Button:
    """What is withheld opens in the reading room, where there is one."""
    ref = record.bulletin.ref
    if ceiling.room and ceiling.allows(record.bulletin.tlp) is not Release.FULL:
        return replace(button_room(ref, ceiling.room, say), text="🔓 " + ref)
    return Button("📖 " + ref, encode("open", short(record.bulletin.id)))


def how_to_open(shown: Sequence[Record], ceiling: Ceiling, say: Words) -> Iterator[str]:
    """Under such a list: how its bulletins are opened, and what is withheld."""
    if not shown:
        return
    yield say.text("Open one with its button, or send its reference.")
    if all(ceiling.allows(each.bulletin.tlp) is Release.FULL for each in shown):
        return
    if ceiling.room:
        yield say.text("🔓 opens the reading room, where what is withheld here is read; /room signs you in.")
    else:
        command = say.embed("liaison-agency chat")
        yield say.text(
            "What is withheld here is read on your agency's terminal: {command}, then {example}",
            command=command,
            example=say.embed(f"/show {_first_withheld(shown, ceiling)}"),
        )


def _first_withheld(shown: Sequence[Record], ceiling: Ceiling) -> str:
    found = (each for each in shown if ceiling.allows(each.bulletin.tlp) is not Release.FULL)
    return next(each.bulletin.ref for each in found)


def button_acknowledge(bulletin: str, say: Words, *, done: bool) -> Button:
    """The button that acknowledges a bulletin (by its id), or shows that it was."""
    text = "✅ " + say.text("Acknowledged") if done else "✔️ " + say.text("Acknowledge")
    return Button(text, encode("ack", short(bulletin)))


def button_room(ref: str, room: str, say: Words) -> Button:
    """The button that opens a withheld bulletin in the reading room at the origin `room`. It says no more
    than the message above it: the reference. By TLS it opens within the chat program, which then signs the
    officer in.
    """
    text = "🔓 " + say.text("Read in the reading room")
    if room.startswith("https:"):
        return Button(text, url=f"{room}/app/{ref}?in={say.language.value}", app=True)
    return Button(text, url=f"{room}/b/{ref}")


def button_room_draft(number: int, room: str, say: Words) -> Button:
    """The button that opens a draft in the reading room at the origin `room`, for who is signed in there."""
    return Button("🔓 " + say.text("Read in the reading room"), url=f"{room}/write/{number}")


def button_answer(record: Record, answer: Answer, say: Words) -> Button:
    """The button that begins an answer to a bulletin."""
    sign, name = ANSWERS[answer]
    return Button(sign + say.text(name), encode("answer", answer, short(record.bulletin.id)))


def button_tally(bulletin: str, say: Words) -> Button:
    """The button that shows who answered a bulletin (by its id)."""
    return Button("📊 " + say.text("Who answered"), encode("tally", short(bulletin)))

"""The buttons under a bulletin that several messages have. Pure."""

from collections.abc import Sequence
from typing import Final

from bots.parsing.actions import encode, short
from bots.showing.answerable import Answer
from bots.showing.rendered import Button, Rows
from bots.wording.labels import N_
from bots.wording.words import Words
from subscribers.records import Record

_IN_A_ROW: Final = 2
"""A phone cuts longer ones."""
_ANSWERS: Final = {
    Answer.SEEN: ("👀 ", N_("Seen here")),
    Answer.BLOCKED: ("🚫 ", N_("Blocked")),
    Answer.CONFIRMED: ("☑️ ", N_("Confirmed")),
    Answer.REPLY: ("💬 ", N_("Answer")),
}


def opening(records: Sequence[Record]) -> Rows:
    """A button for each of the bulletins of a list that opens it below."""
    buttons = [Button(each.bulletin.ref, encode("open", short(each.bulletin.id))) for each in records]
    return tuple(tuple(buttons[at : at + _IN_A_ROW]) for at in range(0, len(buttons), _IN_A_ROW))


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


def button_answer(record: Record, answer: Answer, say: Words) -> Button:
    """The button that begins an answer to a bulletin."""
    sign, name = _ANSWERS[answer]
    return Button(sign + say.text(name), encode("answer", answer, short(record.bulletin.id)))


def button_tally(bulletin: str, say: Words) -> Button:
    """The button that shows who answered a bulletin (by its id)."""
    return Button("📊 " + say.text("Who answered"), encode("tally", short(bulletin)))

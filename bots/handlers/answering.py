"""The buttons that answer another agency's bulletin: seen here, blocked, confirmed, an answer; and that
withdraw what was sent so.
"""

from typing import Final

from bots.dialogue.asking import Pressed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.handlers.drafting import say_turn
from bots.showing.answerable import Answer
from bots.state.officers import Officer
from schemas.errors import Code, FormatError

_BACK: Final = "back"


async def button(asked: Pressed, context: Context, officer: Officer) -> None:
    """Begin an answer beside the bulletin, or withdraw one."""
    what, bulletin = asked.action.argument(0), asked.action.bulletin(1)
    if what != _BACK and what not in set(Answer):
        raise FormatError(Code.BAD_REQUEST, "a button with an unknown answer")
    await context.chat.toast(asked.press)
    going = (
        context.answering.withdraw(officer, bulletin)
        if what == _BACK
        else context.answering.begin(officer, bulletin, Answer(what))
    )
    await say_turn(asked, context, officer, going)


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.button("answer", button)

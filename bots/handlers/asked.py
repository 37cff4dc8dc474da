"""`/asked`: the officer's own questions with who has answered, and those that wait for this agency."""

from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.enquiries.questions import asked, asked_next
from bots.state.officers import Officer


async def typed(asking: Typed, context: Context, officer: Officer) -> None:
    """Both lists."""
    await context.answer(officer, asking.chat, await asked(context.desk, officer))


async def button(asking: Pressed, context: Context, officer: Officer) -> None:
    """Both lists, or what waits behind a question, as a message of its own."""
    action, desk = asking.action, context.desk
    await context.chat.toast(asking.press)
    behind = asked_next(desk, officer, action.bulletin()) if action.arguments else asked(desk, officer)
    await context.answer(officer, asking.chat, await behind)


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("asked", typed)
    book.button("asked", button)

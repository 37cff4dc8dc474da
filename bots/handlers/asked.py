"""`/asked`: the officer's own questions with who has answered, and those that wait for this agency."""

from bots.dialogue.asking import Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.enquiries.questions import asked
from bots.state.officers import Officer


async def typed(asking: Typed, context: Context, officer: Officer) -> None:
    """Both lists."""
    await context.answer(officer, asking.chat, await asked(context.desk, officer))


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("asked", typed)

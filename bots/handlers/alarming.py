"""`/alarms` for administrators."""

from bots.dialogue.asking import Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.handlers.common import administrators_only
from bots.state.officers import Officer
from bots.telling.alarms import LIST_MAX, listing


@administrators_only
async def alarms(asked: Typed, context: Context, officer: Officer) -> None:
    """The alarms that stand."""
    await context.say(officer, asked.chat, listing(officer, await context.node.alarms(LIST_MAX)))


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("alarms", alarms)

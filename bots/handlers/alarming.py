"""`/alarms` for administrators."""

from bots.alarms import LIST_MAX, listing
from bots.asking import Typed
from bots.book import Book
from bots.context import Context
from bots.handlers.common import administrators_only
from bots.state.officers import Officer


@administrators_only
async def alarms(asked: Typed, context: Context, officer: Officer) -> None:
    """The alarms that stand."""
    await context.say(officer, asked.chat, listing(officer, await context.node.alarms(LIST_MAX)))


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("alarms", alarms)

"""`/alarms` for administrators."""

from bots import screens
from bots.alarms import LIST_MAX, listing
from bots.asking import Typed
from bots.book import Book
from bots.context import Context
from bots.state.officers import Officer


async def alarms(asked: Typed, context: Context, officer: Officer) -> None:
    """The alarms that stand."""
    if officer.role != "administrator":
        await context.say(officer, asked.chat, screens.unknown(officer))
        return
    await context.say(officer, asked.chat, listing(officer, await context.node.alarms(LIST_MAX)))


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("alarms", alarms)

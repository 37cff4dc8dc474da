"""`/room` and `/room REF`: a way into the agency's reading room."""

from bots.codes import new_key
from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.officers.lobby import Lobby
from bots.parsing.commands import reference
from bots.state.officers import Officer


async def link(asked: Typed, context: Context, officer: Officer) -> None:
    """A button that opens the room once. Within the agency nothing is withheld that could be read there."""
    if context.within:
        await context.say(officer, asked.chat, screens.unknown(officer))
        return
    await _link(asked, context, officer, reference(asked.after))


async def pressed(asked: Pressed, context: Context, officer: Officer) -> None:
    """The same for the bulletin of a button."""
    await context.chat.toast(asked.press)
    await _link(asked, context, officer, reference(asked.action.argument(0)))


async def _link(asked: Typed | Pressed, context: Context, officer: Officer, ref: str) -> None:
    lobby = Lobby(context.settings, context.state, context.clock, new_key)
    await context.say(officer, asked.chat, await lobby.link(officer, ref))


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("room", link)
    book.button("room", pressed)

"""`/start CODE` and `/help`."""

from bots.dialogue import screens
from bots.dialogue.asking import Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.parsing.commands import code
from bots.state.officers import Officer
from bots.wording.words import closest


async def enrol(asked: Typed, context: Context) -> bool:
    """Whether the code was good; if so, who brought it is an officer now, and greeted."""
    enrolled = await context.state.officers.enrol(
        code(asked.after),
        chat=asked.chat,
        person=asked.person,
        language=closest(asked.tongue),
        now=context.clock.now(),
    )
    if enrolled is None:
        return False
    await _welcome(enrolled, asked, context)
    await context.announce(enrolled)
    return True


async def start(asked: Typed, context: Context, officer: Officer) -> None:
    """Greet who is enrolled."""
    await _welcome(officer, asked, context)


async def _welcome(officer: Officer, asked: Typed, context: Context) -> None:
    held = await context.state.officers.subscriptions(officer.id)
    await context.say(officer, asked.chat, screens.welcome(officer, subscribed=bool(held)))


async def show_help(asked: Typed, context: Context, officer: Officer) -> None:
    """What the bot does."""
    full, room = context.limit.ceiling.full, bool(context.settings.room_origin)
    shown = screens.help_text(officer, full, room=room, within=context.within)
    await context.say(officer, asked.chat, shown)


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("start", start)
    book.command("help", show_help)

"""`/start CODE`, `/help`, and `/invite NAME` for administrators."""

from bots import screens
from bots.asking import Typed
from bots.book import Book
from bots.commands import code
from bots.context import Context
from bots.state.officers import Officer
from bots.words import closest
from schemas.errors import OperationError

HOUR = 3_600.0


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
    await context.say(enrolled, asked.chat, screens.welcome(enrolled))
    await context.announce(enrolled)
    return True


async def start(asked: Typed, context: Context, officer: Officer) -> None:
    """Greet who is enrolled."""
    await context.say(officer, asked.chat, screens.welcome(officer))


async def show_help(asked: Typed, context: Context, officer: Officer) -> None:
    """What the bot does."""
    full, room = context.settings.ceiling, bool(context.settings.room_origin)
    shown = screens.help_text(officer, full, room=room, within=context.within)
    await context.say(officer, asked.chat, shown)


async def invite(asked: Typed, context: Context, officer: Officer) -> None:
    """A one-time code for a new officer."""
    if officer.role != "administrator":
        await context.say(officer, asked.chat, screens.unknown(officer))
        return
    name, now, fresh = asked.after, context.clock.now(), context.new_code()
    hours = context.settings.invitation_hours
    try:
        invited = await context.state.officers.invite(
            name, "officer", code=fresh, expires=now + hours * HOUR, zone=context.settings.zone, now=now
        )
    except OperationError:
        await context.say(officer, asked.chat, screens.usage(officer, "/invite Amina K."))
        return
    text = screens.invitation(officer, invited.name, fresh, context.username, hours)
    await context.say(officer, asked.chat, text)


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("start", start)
    book.command("help", show_help)
    book.command("invite", invite)

"""`/start CODE`, `/help`, and `/invite NAME` for administrators."""

from collections.abc import Awaitable, Callable

from aiogram import Router
from aiogram.filters import Command, CommandStart
from aiogram.types import Message

from bots import screens
from bots.commands import code
from bots.context import Context
from bots.handlers.common import after_command
from bots.state.officers import Officer
from bots.words import closest
from schemas.errors import OperationError
from schemas.vocabulary import Language

Refuse = Callable[[int, int, Language], Awaitable[None]]
HOUR = 3_600.0


async def start(
    message: Message, context: Context, officer: Officer | None, refuse: Refuse | None = None
) -> None:
    """Enrol with a code; greet who is enrolled."""
    if officer is not None:
        await context.say(officer, message.chat.id, screens.welcome(officer))
        return
    if message.from_user is None or refuse is None:
        return
    language = closest(message.from_user.language_code)
    enrolled = await context.state.officers.enrol(
        code(after_command(message)),
        chat=message.chat.id,
        person=message.from_user.id,
        language=language,
        now=context.clock.now(),
    )
    if enrolled is None:
        await refuse(message.from_user.id, message.chat.id, language)
        return
    await context.say(enrolled, message.chat.id, screens.welcome(enrolled))
    await context.announce(enrolled)


async def show_help(message: Message, context: Context, officer: Officer) -> None:
    """What the bot does."""
    await context.say(officer, message.chat.id, screens.help_text(officer, context.settings.ceiling))


async def invite(message: Message, context: Context, officer: Officer) -> None:
    """A one-time code for a new officer."""
    if officer.role != "administrator":
        await context.say(officer, message.chat.id, screens.unknown(officer))
        return
    name, now, fresh = after_command(message), context.clock.now(), context.new_code()
    hours = context.settings.invitation_hours
    try:
        invited = await context.state.officers.invite(
            name, "officer", code=fresh, expires=now + hours * HOUR, zone=context.settings.zone, now=now
        )
    except OperationError:
        await context.say(officer, message.chat.id, screens.usage(officer, "/invite Amina K."))
        return
    text = screens.invitation(officer, invited.name, fresh, context.username, hours)
    await context.say(officer, message.chat.id, text)


def router() -> Router:
    """Enrolment's router."""
    made = Router(name="enrolment")
    made.message.register(start, CommandStart())
    made.message.register(show_help, Command("help"))
    made.message.register(invite, Command("invite"))
    return made

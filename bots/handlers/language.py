"""`/language`: in which language the bot speaks."""

from dataclasses import replace

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message

from bots import screens
from bots.context import Context
from bots.handlers.common import pressed, verb
from bots.state.officers import Officer
from bots.words import SPOKEN
from schemas.vocabulary import Language


async def ask(message: Message, context: Context, officer: Officer) -> None:
    """The choice."""
    await context.say(officer, message.chat.id, screens.languages(officer))


async def choose(query: CallbackQuery, context: Context, officer: Officer) -> None:
    """A language was chosen: the menu and the list of commands change at once."""
    place = pressed(query)
    wanted = place.action.argument(0)
    if wanted in set(SPOKEN):
        officer = replace(officer, language=Language(wanted))
        await context.state.officers.set_language(officer.id, officer.language)
        await context.announce(officer)
    await query.answer()
    shown = screens.languages(officer)
    await context.chat.edit(place.chat, place.message, shown.parts[0], rows=shown.rows)


def router() -> Router:
    """The language's router."""
    made = Router(name="language")
    made.message.register(ask, Command("language"))
    made.callback_query.register(choose, verb("say"))
    return made

"""`/ack REF [private]` and the button that acknowledges."""

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message

from bots import screens
from bots.commands import acknowledgement
from bots.context import Context
from bots.handlers.common import after_command, pressed, verb
from bots.render import button_acknowledge
from bots.state.officers import Officer
from bots.words import words


async def typed(message: Message, context: Context, officer: Officer) -> None:
    """By its reference."""
    named, private = acknowledgement(after_command(message))
    if not named:
        await context.say(officer, message.chat.id, screens.usage(officer, "/ack FRA-2026-0042"))
        return
    text = await context.desk.acknowledge(officer, named, private=private)
    await context.say(officer, message.chat.id, screens.plain_answer(text, officer.language))


async def button(query: CallbackQuery, context: Context, officer: Officer) -> None:
    """By the button under a bulletin, which then says so."""
    place = pressed(query)
    bulletin = place.action.bulletin()
    text = await context.desk.acknowledge(officer, bulletin)
    await query.answer(text)
    done = button_acknowledge(bulletin, words(officer.language), done=True)
    rows = tuple(tuple(done if each.data == done.data else each for each in row) for row in place.rows)
    await context.chat.label(place.chat, place.message, rows)


def router() -> Router:
    """The acknowledgements' router."""
    made = Router(name="acknowledging")
    made.message.register(typed, Command("ack"))
    made.callback_query.register(button, verb("ack"))
    return made

"""`/ack REF` and the button that acknowledges."""

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message

from bots import screens
from bots.commands import reference
from bots.context import Context
from bots.handlers.common import after_command, pressed, verb
from bots.render import View
from bots.state.officers import Officer


async def typed(message: Message, context: Context, officer: Officer) -> None:
    """By its reference."""
    named = reference(after_command(message))
    if not named:
        await context.say(officer, message.chat.id, screens.usage(officer, "/ack FRA-2026-0042"))
        return
    text, _ = await context.desk.acknowledge(officer, named)
    await context.say(officer, message.chat.id, screens.plain_answer(text, officer.language))


async def button(query: CallbackQuery, context: Context, officer: Officer) -> None:
    """By the button under an alert, which then goes away."""
    place = pressed(query)
    text, record = await context.desk.acknowledge(officer, place.action.bulletin())
    await query.answer(text)
    answer = await context.desk.show(officer, record.bulletin.id, view=View.BRIEF)
    await context.replace(officer, place.chat, place.message, answer)


def router() -> Router:
    """The acknowledgements' router."""
    made = Router(name="acknowledging")
    made.message.register(typed, Command("ack"))
    made.callback_query.register(button, verb("ack"))
    return made

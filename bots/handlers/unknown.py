"""Whatever no other router takes: asked last."""

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from bots import screens
from bots.context import Context
from bots.state.officers import Officer


async def message(message: Message, context: Context, officer: Officer) -> None:
    """No command."""
    await context.say(officer, message.chat.id, screens.unknown(officer))


async def button(query: CallbackQuery) -> None:
    """A button of a former version: answered, so that the client stops waiting."""
    await query.answer()


def router() -> Router:
    """The last router."""
    made = Router(name="unknown")
    made.message.register(message)
    made.callback_query.register(button)
    return made

"""`/alarms` for administrators."""

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import Message

from bots import screens
from bots.alarms import LIST_MAX, listing
from bots.context import Context
from bots.state.officers import Officer


async def alarms(message: Message, context: Context, officer: Officer) -> None:
    """The alarms that stand."""
    if officer.role != "administrator":
        await context.say(officer, message.chat.id, screens.unknown(officer))
        return
    await context.say(officer, message.chat.id, listing(officer, await context.node.alarms(LIST_MAX)))


def router() -> Router:
    """The alarms' router."""
    made = Router(name="alarming")
    made.message.register(alarms, Command("alarms"))
    return made

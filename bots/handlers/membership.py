"""An officer blocks the bot, or comes back: what waited is delivered then."""

from aiogram import Router
from aiogram.types import ChatMemberUpdated

from bots.context import Context
from bots.state.officers import Officer


async def changed(event: ChatMemberUpdated, context: Context, officer: Officer) -> None:
    """Note whether messages arrive."""
    if officer.person is not None:
        here = event.new_chat_member.status == "member"
        await context.state.officers.set_reachable(officer.person, reachable=here)
        context.wake()


def router() -> Router:
    """Membership's router."""
    made = Router(name="membership")
    made.my_chat_member.register(changed)
    return made

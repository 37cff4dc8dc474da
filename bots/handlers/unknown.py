"""Whatever no other handler takes."""

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.context import Context
from bots.state.officers import Officer


async def typed(asked: Typed, context: Context, officer: Officer) -> None:
    """No command."""
    await context.say(officer, asked.chat, screens.unknown(officer))


async def button(asked: Pressed, context: Context, officer: Officer) -> None:  # noqa: ARG001 - as every other
    """A button of a former version, or a forged one: answered, so that the client stops waiting."""
    await context.chat.toast(asked.press)

"""Whatever no other handler takes: a bulletin's reference is shown, plain words are looked for."""

from dataclasses import replace

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.context import Context
from bots.handlers import plain
from bots.handlers.enquiries import show
from bots.parsing.commands import named
from bots.state.officers import Officer


async def typed(asked: Typed, context: Context, officer: Officer) -> None:
    """No command. What somebody else wrote is not looked for: nobody asked."""
    own = asked.forwarded is None and asked.file is None and asked.text.strip()
    if not own or asked.is_command:
        await context.say(officer, asked.chat, screens.unknown(officer))
    elif wanted := named(asked.text):
        await show(replace(asked, text=f"/show {wanted}"), context, officer)
    else:
        await plain.typed(asked, context, officer)


async def button(asked: Pressed, context: Context, officer: Officer) -> None:  # noqa: ARG001 - as every other
    """A button of a former version, or a forged one: answered, so that the client stops waiting."""
    await context.chat.toast(asked.press)

"""Whatever no other handler takes: plain words are looked for, a bulletin's reference is shown."""

from dataclasses import replace

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.context import Context
from bots.handlers.enquiries import show
from bots.parsing.commands import named
from bots.parsing.queries import parse
from bots.state.officers import Officer
from schemas.errors import OperationError


async def typed(asked: Typed, context: Context, officer: Officer) -> None:
    """No command. What somebody else wrote is not looked for: nobody asked."""
    own = asked.text.strip() if asked.forwarded is None and asked.file is None else ""
    if not own or asked.is_command:
        await context.say(officer, asked.chat, screens.unknown(officer))
    elif wanted := named(own):
        await show(replace(asked, text=f"/show {wanted}"), context, officer)
    else:
        await _look(own, asked, context, officer)


async def _look(words: str, asked: Typed, context: Context, officer: Officer) -> None:
    known = await context.node.communities() if "community:" in words.lower() else []
    try:
        query = parse(words, context.clock.now(), known)
    except OperationError:
        await context.say(officer, asked.chat, screens.unknown(officer))
        return
    found = await context.finder.find(officer, query)
    await context.answer(officer, asked.chat, found)
    if found.listed is None:
        await context.say(officer, asked.chat, screens.unknown(officer))


async def button(asked: Pressed, context: Context, officer: Officer) -> None:  # noqa: ARG001 - as every other
    """A button of a former version, or a forged one: answered, so that the client stops waiting."""
    await context.chat.toast(asked.press)

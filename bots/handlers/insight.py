"""`/who` and `/stats`, and the button under a picture that shows another community."""

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.parsing.commands import named, words
from bots.state.officers import Officer


async def who(asked: Typed, context: Context, officer: Officer) -> None:
    """The chain from a bulletin to the root."""
    wanted = named(asked.after)
    if not wanted:
        await context.say(officer, asked.chat, screens.usage(officer, "/who FRA-2026-0042"))
        return
    await context.answer(officer, asked.chat, await context.lookout.who(officer, wanted))


async def stats(asked: Typed, context: Context, officer: Officer) -> None:
    """How many bulletins there were, of all communities or of the named one."""
    await context.answer(officer, asked.chat, await context.lookout.stats(officer, words(asked.after)))


async def stat(asked: Pressed, context: Context, officer: Officer) -> None:
    """The same for the community of a button."""
    wanted = asked.action.argument(0)
    answer = await context.lookout.stats(officer, "" if wanted == "all" else wanted)
    await context.chat.toast(asked.press)
    await context.answer(officer, asked.chat, answer)


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("who", who)
    book.command("stats", stats)
    book.button("stat", stat)

"""`/language`: in which language the bot speaks."""

from dataclasses import replace

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.enquiries.desk import Answer
from bots.state.officers import Officer
from bots.wording.words import SPOKEN
from schemas.vocabulary import Language


async def ask(asked: Typed, context: Context, officer: Officer) -> None:
    """The choice."""
    await context.say(officer, asked.chat, screens.languages(officer))


async def choose(asked: Pressed, context: Context, officer: Officer) -> None:
    """A language was chosen: the menu and the list of commands change at once."""
    wanted = asked.action.argument(0)
    if wanted in set(SPOKEN):
        officer = replace(officer, language=Language(wanted))
        await context.state.officers.set_language(officer.id, officer.language)
        await context.announce(officer)
    await context.chat.toast(asked.press)
    shown = screens.languages(officer)
    await context.replace(officer, asked.chat, asked.message, Answer(shown))


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("language", ask)
    book.button("say", choose)

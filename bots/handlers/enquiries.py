"""`/latest`, `/show`, and the buttons that open and translate."""

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.parsing.commands import named
from bots.showing.render import View
from bots.state.officers import Officer
from schemas.errors import Code, FormatError
from schemas.vocabulary import Language


async def latest(asked: Typed, context: Context, officer: Officer) -> None:
    """The newest bulletins."""
    await context.answer(officer, asked.chat, await context.desk.latest(officer))


async def show(asked: Typed, context: Context, officer: Officer) -> None:
    """One bulletin by its reference or id, and what was answered to it."""
    wanted = named(asked.after)
    if not wanted:
        await context.say(officer, asked.chat, screens.usage(officer, "/show FRA-2026-0042"))
        return
    answer = await context.desk.show(officer, wanted)
    await context.answer(officer, asked.chat, answer)
    if answer.record and (answered := await context.desk.replies(officer, answer.record)):
        await context.answer(officer, asked.chat, answered)


async def more(asked: Pressed, context: Context, officer: Officer) -> None:
    """All of a bulletin, in the place of its alert."""
    language = _language(asked.action.argument(1))
    answer = await context.desk.show(officer, asked.action.bulletin(), view=View.FULL, language=language)
    await context.chat.toast(asked.press)
    await context.replace(officer, asked.chat, asked.message, answer)


async def translate(asked: Pressed, context: Context, officer: Officer) -> None:
    """The same bulletin in another of its languages."""
    language = _language(asked.action.argument(1))
    answer = await context.desk.show(officer, asked.action.bulletin(), view=View.BRIEF, language=language)
    await context.chat.toast(asked.press)
    await context.replace(officer, asked.chat, asked.message, answer)


async def beside(asked: Pressed, context: Context, officer: Officer) -> None:
    """A translation with its original under it."""
    language = _language(asked.action.argument(1))
    answer = await context.desk.show(officer, asked.action.bulletin(), view=View.BESIDE, language=language)
    await context.chat.toast(asked.press)
    await context.replace(officer, asked.chat, asked.message, answer)


def _language(text: str) -> Language:
    if text not in set(Language):
        raise FormatError(Code.BAD_REQUEST, "a button with an unknown language")
    return Language(text)


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.command("latest", latest)
    book.command("show", show)
    book.button("more", more)
    book.button("lang", translate)
    book.button("beside", beside)

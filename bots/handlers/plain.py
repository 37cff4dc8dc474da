"""Plain words, and the buttons that turn their pages."""

from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed
from bots.dialogue.book import Book
from bots.dialogue.context import Context
from bots.dialogue.pause import end_of
from bots.enquiries.finding import EXACTLY, PLAIN
from bots.enquiries.plain import PAGES_MAX, look_exactly, look_for
from bots.parsing.carried import carried
from bots.state.officers import Officer
from bots.wording.words import words
from schemas.errors import Code, FormatError, OperationError


async def typed(asked: Typed, context: Context, officer: Officer) -> None:
    """Words that are no command: looked for, unless they may be what was just turned away."""
    if until := await end_of(context.state.memory, officer, context.clock.now()):
        await context.say(officer, asked.chat, screens.paused(officer, until))
        return
    try:
        answer = await look_for(context.finder, officer, asked.text)
    except OperationError as error:
        if error.code is not Code.BAD_REQUEST:
            raise
        answer = None
    if answer is None:
        await context.say(officer, asked.chat, screens.unknown(officer))
    else:
        await context.answer(officer, asked.chat, answer)


async def turn(asked: Pressed, context: Context, officer: Officer) -> None:
    """Another page of them, or what was suggested."""
    page, text = asked.action.number(0), carried(asked.action.arguments[1:])
    if page >= PAGES_MAX:
        raise FormatError(Code.BAD_REQUEST, "a button with a page that is none")
    answer = await look_for(context.finder, officer, text, page)
    end = "" if answer else words(officer.language).text("That was the last of them.")
    await context.chat.toast(asked.press, end)
    if answer:
        await context.answer(officer, asked.chat, answer)


async def exactly(asked: Pressed, context: Context, officer: Officer) -> None:
    """What has the words as they were typed."""
    answer = await look_exactly(context.finder, officer, carried(asked.action.arguments[1:]))
    await context.chat.toast(asked.press, "" if answer else words(officer.language).text("Nothing found."))
    if answer:
        await context.answer(officer, asked.chat, answer)


def register(book: Book) -> None:
    """Enter what is answered here."""
    book.button(PLAIN, turn)
    book.button(EXACTLY, exactly)

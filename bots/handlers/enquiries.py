"""`/latest`, `/search`, `/show`, and the buttons that turn pages, open and translate."""

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message

from bots import screens
from bots.commands import reference, words
from bots.context import Context
from bots.handlers.common import after_command, pressed, verb
from bots.render import View
from bots.state.officers import Officer
from bots.words import words as speak
from schemas.encoding import check_uuid7
from schemas.errors import Code, FormatError
from schemas.vocabulary import Language


async def latest(message: Message, context: Context, officer: Officer) -> None:
    """The newest bulletins."""
    await context.answer(officer, message.chat.id, await context.desk.latest(officer))


async def search(message: Message, context: Context, officer: Officer) -> None:
    """Bulletins with the given words."""
    asked = words(after_command(message))
    if not asked:
        await context.say(officer, message.chat.id, screens.usage(officer, "/search drone stadium"))
        return
    await context.answer(officer, message.chat.id, await context.desk.search(officer, asked))


async def show(message: Message, context: Context, officer: Officer) -> None:
    """One bulletin by its reference or id, and what was answered to it."""
    named = reference(after_command(message)) or _id(after_command(message))
    if not named:
        await context.say(officer, message.chat.id, screens.usage(officer, "/show FRA-2026-0042"))
        return
    answer = await context.desk.show(officer, named)
    await context.answer(officer, message.chat.id, answer)
    if answer.record and (answered := await context.desk.replies(officer, answer.record)):
        await context.answer(officer, message.chat.id, answered)


async def turn(query: CallbackQuery, context: Context, officer: Officer) -> None:
    """The next page of a list."""
    place = pressed(query)
    answer = await context.desk.next_page(officer)
    await query.answer(None if answer else speak(officer.language).text("That was the last of them."))
    if answer:
        await context.answer(officer, place.chat, answer)


async def more(query: CallbackQuery, context: Context, officer: Officer) -> None:
    """All of a bulletin, in the place of its alert."""
    place = pressed(query)
    language = _language(place.action.argument(1))
    answer = await context.desk.show(officer, place.action.bulletin(), view=View.FULL, language=language)
    await query.answer()
    await context.replace(officer, place.chat, place.message, answer)


async def translate(query: CallbackQuery, context: Context, officer: Officer) -> None:
    """The same bulletin in another of its languages."""
    place = pressed(query)
    language = _language(place.action.argument(1))
    answer = await context.desk.show(officer, place.action.bulletin(), view=View.BRIEF, language=language)
    await query.answer()
    await context.replace(officer, place.chat, place.message, answer)


def _language(text: str) -> Language:
    if text not in set(Language):
        raise FormatError(Code.BAD_REQUEST, "a button with an unknown language")
    return Language(text)


def _id(text: str) -> str:
    try:
        return check_uuid7(text.strip().lower())
    except FormatError:
        return ""


def router() -> Router:
    """The enquiries' router."""
    made = Router(name="enquiries")
    made.message.register(latest, Command("latest"))
    made.message.register(search, Command("search"))
    made.message.register(show, Command("show"))
    made.callback_query.register(turn, verb("next"))
    made.callback_query.register(more, verb("more"))
    made.callback_query.register(translate, verb("lang"))
    return made

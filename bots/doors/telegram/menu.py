"""The menu of commands, as the chat service shows it."""

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import BotCommand, BotCommandScopeAllPrivateChats, BotCommandScopeChat

from bots.dialogue import screens
from bots.doors.telegram.failures import translated
from bots.officers.roles import RIGHTS
from bots.outcomes import NotSent, TooFast, Unsure
from bots.state.officers import Officer
from bots.wording.words import SPOKEN, words
from schemas.vocabulary import Language

_log = structlog.get_logger()


async def announce(bot: Bot, officer: Officer | None, *, room: bool) -> bool:
    """The menu of commands: for everybody in each language, or for one officer's chat; whether it has
    arrived, or never will. `room`: there is a reading room.
    """
    try:
        if officer is None:
            for language in (None, *SPOKEN):
                listed = screens.commands(words(language or Language.ENGLISH), room=room)
                await bot.set_my_commands(
                    _menu(listed),
                    scope=BotCommandScopeAllPrivateChats(),
                    language_code=language.value if language else None,
                )
        elif officer.chat is not None:
            listed = screens.commands(words(officer.language), RIGHTS[officer.role], room=room)
            await bot.set_my_commands(_menu(listed), scope=BotCommandScopeChat(chat_id=officer.chat))
    except AiogramError as error:
        _log.warning("the menu of commands could not be set", error=type(error).__name__)
        return not isinstance(translated(error), NotSent | Unsure | TooFast)
    return True


def _menu(listed: dict[str, str]) -> list[BotCommand]:
    return [BotCommand(command=name, description=about) for name, about in listed.items()]

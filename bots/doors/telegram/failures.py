"""How aiogram's errors are told in delivery's terms."""

from typing import Final

from aiogram.exceptions import (
    AiogramError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiohttp import ClientConnectorError

from bots.outcomes import Blocked, Moved, NotSent, Refused, TooFast, Unsure
from schemas.errors import Code, OperationError

_UNCHANGED: Final = "message is not modified"
_TEXTLESS: Final = "there is no text in the message to edit"
_UNREADABLE: Final = "can't parse entities"
_GONE: Final = (
    "message to edit not found",
    "message to delete not found",
    "message can't be deleted",
    "query is too old",
)


class AsGoodAsDone(Refused):
    """What was wanted is so already."""


class Textless(Refused):
    """The message has no text that could be edited: it is a picture, and its words are a caption."""


class Unreadable(Refused):
    """The service cannot read our markup."""


def translated(error: AiogramError) -> Exception:
    """An aiogram error as a ChatFailure, or as OperationError `bad_settings` where the token is no good."""
    match error:
        case TelegramRetryAfter():
            return TooFast(float(error.retry_after))
        case TelegramForbiddenError():
            return Blocked("403")
        case TelegramMigrateToChat():
            return Moved(error.migrate_to_chat_id)
        case TelegramUnauthorizedError() | TelegramNotFound():
            return OperationError(
                Code.BAD_SETTINGS, "the chat service does not know the token", "set the right token"
            )
        case TelegramBadRequest():
            text = error.message.lower()
            if _TEXTLESS in text:
                return Textless("400")
            if _UNREADABLE in text:
                return Unreadable("400")
            return (
                AsGoodAsDone("400")
                if _UNCHANGED in text or any(each in text for each in _GONE)
                else Refused("400")
            )
        case TelegramNetworkError():
            return NotSent() if isinstance(error.__cause__, ClientConnectorError) else Unsure()
        case TelegramConflictError():
            return conflict()
        case _:
            return Unsure()


def conflict() -> OperationError:
    """Two programs ask for the same bot's updates."""
    message = "another program polls with this token, or a webhook is set"
    return OperationError(Code.ALREADY_RUNNING, message, "stop the other one")

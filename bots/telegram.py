"""The chat service through aiogram: requests out, failures in delivery's terms. Imports aiogram; only
`run` does.
"""

import asyncio
import contextlib
from typing import Final

from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.client.telegram import TelegramAPIServer
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
from aiogram.methods import (
    DeleteMessage,
    EditMessageReplyMarkup,
    EditMessageText,
    GetUpdates,
    Response,
    SendMessage,
    TelegramMethod,
)
from aiogram.methods.base import TelegramType
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, ReplyParameters
from aiohttp import ClientConnectorError
from pydantic import SecretStr

from bots.clock import Clock
from bots.outcomes import Blocked, Moved, NotSent, Refused, TooFast, Unsure
from bots.pacing import Pacer
from bots.rendered import Part, Rows
from schemas.errors import Code, OperationError

REQUEST_SECONDS: Final = 20.0
_UNCHANGED: Final = "message is not modified"
_UNREADABLE: Final = "can't parse entities"
_GONE: Final = ("message to edit not found", "message to delete not found", "message can't be deleted")
_COUNTED: Final = frozenset({SendMessage, EditMessageText})
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)


def open_bot(token: SecretStr, api_url: str) -> Bot:
    """A bot with its own connections. Raises OperationError `bad_settings` for a token of the wrong form."""
    from aiogram.utils.token import TokenValidationError

    session = AiohttpSession(api=TelegramAPIServer.from_base(api_url), timeout=REQUEST_SECONDS)
    try:
        return Bot(
            token.get_secret_value(), session=session, default=DefaultBotProperties(link_preview=_NO_PREVIEW)
        )
    except TokenValidationError:
        raise OperationError(
            Code.BAD_SETTINGS, "the bot's token has the wrong form", "copy it from BotFather once more"
        ) from None


def keyboard(rows: Rows) -> InlineKeyboardMarkup | None:
    """Rows of buttons as the service wants them."""
    if not rows:
        return None
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=each.text, callback_data=each.data) for each in row] for row in rows
        ]
    )


class TelegramChat:
    """`bots.ports.Chat` over a Bot API server."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def send(
        self, chat: int, part: Part, *, rows: Rows, protect: bool, silent: bool, reply_to: int | None
    ) -> int:
        """Send; on a parse error once more as plain text. Raises ChatFailure."""
        method = SendMessage(
            chat_id=chat,
            text=part.html,
            parse_mode="HTML",
            protect_content=protect,
            disable_notification=silent,
            reply_markup=keyboard(rows),
            reply_parameters=ReplyParameters(message_id=reply_to, allow_sending_without_reply=True)
            if reply_to
            else None,
        )
        try:
            return (await self._call(method)).message_id
        except _Unreadable:
            bare = method.model_copy(update={"text": part.plain, "parse_mode": None})
            return (await self._call(bare)).message_id

    async def edit(self, chat: int, message: int, part: Part, *, rows: Rows) -> None:
        """Edit; unchanged and gone are as good as done. Raises ChatFailure."""
        method = EditMessageText(
            chat_id=chat, message_id=message, text=part.html, parse_mode="HTML", reply_markup=keyboard(rows)
        )
        try:
            await self._call(method)
        except _AsGoodAsDone:
            return
        except _Unreadable:
            await self._call(method.model_copy(update={"text": part.plain, "parse_mode": None}))

    async def label(self, chat: int, message: int, rows: Rows) -> None:
        """Change the buttons; unchanged and gone are as good as done. Raises ChatFailure."""
        method = EditMessageReplyMarkup(chat_id=chat, message_id=message, reply_markup=keyboard(rows))
        with contextlib.suppress(_AsGoodAsDone):
            await self._call(method)

    async def delete(self, chat: int, message: int) -> None:
        """Delete; gone is done. Raises ChatFailure."""
        with contextlib.suppress(_AsGoodAsDone):
            await self._call(DeleteMessage(chat_id=chat, message_id=message))

    async def _call(self, method: TelegramMethod[TelegramType]) -> TelegramType:
        try:
            return await self._bot(method)
        except AiogramError as error:
            raise translated(error) from None


class _AsGoodAsDone(Refused):
    """What was wanted is so already."""


class _Unreadable(Refused):
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
            if _UNREADABLE in text:
                return _Unreadable("400")
            return (
                _AsGoodAsDone("400")
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


class Paced(BaseRequestMiddleware):
    """Answers to officers keep the pace too, and wait out a 429 a few times instead of getting lost."""

    _TRIES: Final = 3

    def __init__(self, pacer: Pacer, clock: Clock) -> None:
        self._pacer = pacer
        self._clock = clock

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        """Wait for a token, then ask."""
        chat = getattr(method, "chat_id", None)
        if not isinstance(chat, int) or type(method) not in _COUNTED:
            return await make_request(bot, method)
        for left in reversed(range(self._TRIES)):
            wait = self._pacer.wait(chat, self._clock.now())
            self._pacer.take(chat, self._clock.now())
            if wait > 0.0:
                await self._clock.sleep(wait)
            try:
                return await make_request(bot, method)
            except TelegramRetryAfter as error:
                self._pacer.hold(chat, self._clock.now() + error.retry_after)
                if not left:
                    raise
        raise TooFast(0.0)


class Watch(BaseRequestMiddleware):
    """Tells when polling can never work: aiogram would ask for ever.

    One conflict may be the end of an earlier poll of our own, cut off by a kill; several in a row are
    another poller.
    """

    _CONFLICTS_MAX: Final = 3

    def __init__(self) -> None:
        self.fatal: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._conflicts = 0

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        """Pass on; note conflicts and an unknown token."""
        if method.__api_method__ != GetUpdates.__api_method__:
            return await make_request(bot, method)
        try:
            answer = await make_request(bot, method)
        except TelegramConflictError as error:
            self._conflicts += 1
            if self._conflicts >= self._CONFLICTS_MAX:
                self._give_up(error)
            raise
        except (TelegramUnauthorizedError, TelegramNotFound) as error:
            self._give_up(error)
            raise
        self._conflicts = 0
        return answer

    def _give_up(self, error: AiogramError) -> None:
        if not self.fatal.done():
            self.fatal.set_exception(translated(error))

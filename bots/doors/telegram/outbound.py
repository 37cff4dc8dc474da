"""Requests to the chat service through aiogram, with failures in delivery's terms."""

import contextlib
import io
from collections.abc import Sequence
from typing import Final

from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import AiogramError
from aiogram.methods import (
    AnswerCallbackQuery,
    AnswerInlineQuery,
    DeleteMessage,
    DeleteMessages,
    EditMessageCaption,
    EditMessageReplyMarkup,
    EditMessageText,
    GetFile,
    SendDocument,
    SendMessage,
    SendPhoto,
    TelegramMethod,
)
from aiogram.methods.base import TelegramType
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InlineQueryResultUnion,
    InputTextMessageContent,
    LinkPreviewOptions,
    ReplyParameters,
    WebAppInfo,
)
from aiogram.utils.token import TokenValidationError
from aiohttp import ClientError
from pydantic import SecretStr
from typing_extensions import Buffer

from bots.doors.telegram.failures import AsGoodAsDone, Textless, Unreadable, translated
from bots.outcomes import NotSent, Refused
from bots.showing.inline import Offered
from bots.showing.rendered import Button, Part, Rows
from schemas.errors import Code, OperationError

REQUEST_SECONDS: Final = 20.0
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)


class Connections(AiohttpSession):
    """aiogram's own, which after each end waits a quarter of a second for TLS to be taken down, but not where
    there is none to be.
    """

    def __init__(self, api_url: str, timeout: float) -> None:
        super().__init__(api=TelegramAPIServer.from_base(api_url), timeout=timeout)
        self._sealed = api_url.startswith("https:")

    async def close(self) -> None:
        """Close every connection."""
        if self._sealed:
            await super().close()
        elif self._session is not None:
            await self._session.close()


def open_bot(token: SecretStr, api_url: str) -> Bot:
    """A bot with its own connections. Raises OperationError `bad_settings` for a token of the wrong form."""
    session = Connections(api_url, REQUEST_SECONDS)
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
    return InlineKeyboardMarkup(inline_keyboard=[[_button(each) for each in row] for row in rows])


def _button(each: Button) -> InlineKeyboardButton:
    if each.app:
        return InlineKeyboardButton(text=each.text, web_app=WebAppInfo(url=each.url))
    if each.url:
        return InlineKeyboardButton(text=each.text, url=each.url)
    return InlineKeyboardButton(text=each.text, callback_data=each.data)


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
        except Unreadable:
            bare = method.model_copy(update={"text": part.plain, "parse_mode": None})
            return (await self._call(bare)).message_id

    async def file(self, chat: int, name: str, data: bytes, caption: str) -> int:
        """Send a file without a sound. Raises ChatFailure."""
        method = SendDocument(
            chat_id=chat,
            document=BufferedInputFile(data, name),
            caption=caption,
            protect_content=True,
            disable_notification=True,
        )
        return (await self._call(method)).message_id

    async def picture(
        self, chat: int, png: bytes, caption: Part, *, rows: Rows, protect: bool, silent: bool
    ) -> int:
        """Send; on a parse error once more with a plain caption. Raises ChatFailure."""
        method = SendPhoto(
            chat_id=chat,
            photo=BufferedInputFile(png, "figures.png"),
            caption=caption.html,
            parse_mode="HTML",
            protect_content=protect,
            disable_notification=silent,
            reply_markup=keyboard(rows),
        )
        try:
            return (await self._call(method)).message_id
        except Unreadable:
            bare = method.model_copy(update={"caption": caption.plain, "parse_mode": None})
            return (await self._call(bare)).message_id

    async def edit(self, chat: int, message: int, part: Part, *, rows: Rows) -> None:
        """Edit; unchanged and gone are as good as done. Raises ChatFailure."""
        method = EditMessageText(
            chat_id=chat, message_id=message, text=part.html, parse_mode="HTML", reply_markup=keyboard(rows)
        )
        try:
            await self._call(method)
        except AsGoodAsDone:
            return
        except Unreadable:
            await self._call(method.model_copy(update={"text": part.plain, "parse_mode": None}))
        except Textless:
            await self._recaption(chat, message, part, rows)

    async def label(self, chat: int, message: int, rows: Rows) -> None:
        """Change the buttons; unchanged and gone are as good as done. Raises ChatFailure."""
        method = EditMessageReplyMarkup(chat_id=chat, message_id=message, reply_markup=keyboard(rows))
        with contextlib.suppress(AsGoodAsDone):
            await self._call(method)

    async def delete(self, chat: int, message: int) -> None:
        """Delete; gone is done. Raises ChatFailure."""
        with contextlib.suppress(AsGoodAsDone):
            await self._call(DeleteMessage(chat_id=chat, message_id=message))

    async def delete_all(self, chat: int, messages: Sequence[int]) -> None:
        """Delete together; the service passes over those that are gone. Raises ChatFailure."""
        await self._call(DeleteMessages(chat_id=chat, message_ids=list(messages)))

    async def toast(self, press: str, text: str = "") -> None:
        """Answer a callback query; too late is as good as done. Raises ChatFailure."""
        with contextlib.suppress(AsGoodAsDone):
            await self._call(AnswerCallbackQuery(callback_query_id=press, text=text or None))

    async def offer(self, query: str, offered: Offered | None) -> None:
        """Answer what was typed inline, for this person alone, not to be kept by the service; too late is as
        good as done. Raises ChatFailure.
        """
        results: list[InlineQueryResultUnion] = [_article(offered)] if offered else []
        method = AnswerInlineQuery(inline_query_id=query, results=results, cache_time=0, is_personal=True)
        with contextlib.suppress(AsGoodAsDone):
            await self._call(method)

    async def fetch(self, key: str, limit: int) -> bytes:
        """Ask where the file is, and fetch it into memory: none is written to a disk. Raises ChatFailure."""
        path = (await self._call(GetFile(file_id=key))).file_path
        if not path:
            raise Refused("no path")
        into = _Bounded(limit)
        try:
            await self._bot.download_file(path, into)
        except (ClientError, TimeoutError, OSError):
            raise NotSent("a file") from None
        return into.getvalue()

    async def _recaption(self, chat: int, message: int, part: Part, rows: Rows) -> None:
        """The text is under a picture."""
        method = EditMessageCaption(
            chat_id=chat,
            message_id=message,
            caption=part.html,
            parse_mode="HTML",
            reply_markup=keyboard(rows),
        )
        with contextlib.suppress(AsGoodAsDone):
            await self._call(method)

    async def _call(self, method: TelegramMethod[TelegramType]) -> TelegramType:
        try:
            return await self._bot(method)
        except AiogramError as error:
            raise translated(error) from None


def _article(offered: Offered) -> InlineQueryResultArticle:
    content = InputTextMessageContent(message_text=offered.part.html, parse_mode="HTML")
    return InlineQueryResultArticle(
        id=offered.key, title=offered.title, description=offered.about, input_message_content=content
    )


class _Bounded(io.BytesIO):
    """Bytes in memory, no more than agreed."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def write(self, data: Buffer, /) -> int:
        if self.tell() + len(memoryview(data)) > self._limit:
            raise Refused("too large")
        return super().write(data)

"""Updates of the chat service as what came in: only private chats of people, whatever else there is.

One thin router: who may ask, and who answers, is for reception and book in `bots.dialogue`
to say.
"""

import contextlib
from typing import Final

from aiogram import Router
from aiogram.types import (
    CallbackQuery,
    Chat,
    ChatMemberUpdated,
    InlineKeyboardButton,
    InlineQuery,
    Message,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUnion,
    MessageOriginUser,
    User,
)

from bots.dialogue.asking import Handed, Presence, Pressed, Typed, meant
from bots.dialogue.reception import Reception
from bots.doors.telegram.outbound import TelegramChat
from bots.outcomes import ChatFailure
from bots.showing.inline import Inline
from bots.showing.rendered import Button, Rows

UPDATES: Final = ("message", "callback_query", "my_chat_member")
INLINE: Final = "inline_query"
"""Asked for only where inline mode is on."""


def router(reception: Reception, username: str, chat: TelegramChat) -> Router:
    """Brings every update to the reception. `username` is the bot's own; what is asked inline is answered by
    `chat`.
    """

    async def message(event: Message) -> None:
        if event.from_user and _private(event.from_user, event.chat):
            await reception.typed(typed(event, event.from_user, username))

    async def button(event: CallbackQuery) -> None:
        if event.message and _private(event.from_user, event.message.chat):
            await reception.pressed(pressed(event, event.message.chat.id, event.message.message_id))

    async def member(event: ChatMemberUpdated) -> None:
        if _private(event.from_user, event.chat):
            await reception.present(Presence(event.from_user.id, event.new_chat_member.status == "member"))

    async def inline(event: InlineQuery) -> None:
        offered = await reception.inline(Inline(event.from_user.id, event.query, event.id))
        with contextlib.suppress(ChatFailure):  # the person has typed on, or types it again
            await chat.offer(event.id, offered)

    made = Router(name="officers")
    made.message.register(message)
    made.callback_query.register(button)
    made.my_chat_member.register(member)
    made.inline_query.register(inline)
    return made


def typed(message: Message, person: User, username: str) -> Typed:
    """A message, or a file with its caption."""
    text, origin = message.text or message.caption or "", message.forward_origin
    return Typed(
        message.chat.id,
        person.id,
        message.message_id,
        text if origin else _addressed(text, username),
        person.language_code,
        forwarded=_source(origin) if origin else None,
        file=_file(message),
    )


def _file(message: Message) -> Handed | None:
    """A document, or a picture in its largest form."""
    if message.document:
        name = message.document.file_name or "file"
        return Handed(message.document.file_id, name, message.document.file_size or 0)
    if message.photo:
        largest = message.photo[-1]
        return Handed(largest.file_id, f"photo-{message.message_id}.jpg", largest.file_size or 0)
    return None


def _source(origin: MessageOriginUnion) -> str:
    """Who wrote what is passed on, as far as the service says."""
    match origin:
        case MessageOriginUser():
            return origin.sender_user.full_name
        case MessageOriginHiddenUser():
            return origin.sender_user_name
        case MessageOriginChat():
            return origin.sender_chat.full_name
        case MessageOriginChannel():
            return origin.chat.full_name


def pressed(query: CallbackQuery, chat: int, message: int) -> Pressed:
    """A button under a message of ours, with those beside it."""
    return Pressed(meant(query.data), chat, query.from_user.id, message, query.id, _rows(query))


def _rows(query: CallbackQuery) -> Rows:
    hung = query.message.reply_markup if isinstance(query.message, Message) else None
    return tuple(tuple(_button(each) for each in row) for row in (hung.inline_keyboard if hung else ()))


def _button(shown: InlineKeyboardButton) -> Button:
    if shown.web_app:
        return Button(shown.text, url=shown.web_app.url, app=True)
    return Button(shown.text, shown.callback_data or "", shown.url or "")


def _addressed(text: str, username: str) -> str:
    """`/command@this_bot` is `/command`; what names another bot stays as it is, and is no command of ours."""
    head = text.split(maxsplit=1)[0] if text.strip() else ""
    name, _, bot = head.partition("@")
    if not name.startswith("/") or bot.lower() != username.lower():
        return text
    return text.replace(head, name, 1)


def _private(person: User, chat: Chat) -> bool:
    return chat.type == "private" and not person.is_bot

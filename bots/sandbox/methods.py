"""The Bot API methods about messages: send, edit, delete, answer. Shapes and limits from
core.telegram.org/bots/api.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bots.sandbox.inline import read_results
from bots.sandbox.markup import InlineKeyboard, Markup, read_markup
from bots.sandbox.media import MAX_DOWNLOAD
from bots.sandbox.model import Chat, Message, StoredFile
from bots.sandbox.params import Params
from bots.sandbox.refusals import refuse
from bots.sandbox.texts import Formatted, caption_text, message_text
from bots.sandbox.webhook import Webhook, allowed_types
from bots.sandbox.world import World

DELETE_SECONDS = 48 * 3600
MAX_DELETED_AT_ONCE = 100
MAX_ANSWER = 200
_ACTIONS = frozenset(
    [
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    ]
)


@dataclass(frozen=True, slots=True)
class Service:
    """What a method works on."""

    world: World
    webhook: Webhook


Method = Callable[[Service, Params], object | Awaitable[object]]


# ---------------------------------------------------------------------- sending


def send_message(service: Service, params: Params) -> object:
    """bots/api#sendmessage"""
    text = message_text(
        params.text("text"), params.text("parse_mode"), params.array("entities"), editing=False
    )
    return _send(service, params, text)


def send_document(service: Service, params: Params) -> object:
    """bots/api#senddocument"""
    caption = _caption(params)
    return _send(service, params, caption, document=_file(service, params, "document"))


def send_photo(service: Service, params: Params) -> object:
    """bots/api#sendphoto"""
    caption = _caption(params)
    return _send(service, params, caption, photo=_file(service, params, "photo"))


def _caption(params: Params) -> Formatted:
    return caption_text(params.text("caption"), params.text("parse_mode"), params.array("caption_entities"))


def _send(
    service: Service,
    params: Params,
    text: Formatted,
    *,
    document: StoredFile | None = None,
    photo: StoredFile | None = None,
) -> object:
    world = service.world
    markup = read_markup(params.json("reply_markup"))
    chat = world.chat_for_bot(params.chat_id())
    reply_to = _reply_to(chat, params)
    world.spend(chat)
    message = world.draft(chat)
    message.text, message.entities = text.text, text.entities
    message.document, message.photo, message.inline = document, photo, markup.inline
    message.reply_to = reply_to
    message.protected = params.flag("protect_content")
    message.silent = params.flag("disable_notification")
    message.link_preview = _link_preview(params)
    _put_keyboard(world, chat, markup)
    return world.keep(chat, message)


def _put_keyboard(world: World, chat: Chat, markup: Markup) -> None:
    if markup.keyboard is not None and markup.keyboard != chat.keyboard:
        chat.keyboard = markup.keyboard
        world.tell("chat", chat.page())


def _link_preview(params: Params) -> dict[str, Any] | None:
    options = params.json("link_preview_options")
    if options is not None and not isinstance(options, dict):
        raise refuse("parameter-invalid", what="link preview options: expected an Object")
    return options


def _reply_to(chat: Chat, params: Params) -> int | None:
    reply = params.json("reply_parameters")
    if reply is None:
        wanted, may_miss = params.integer("reply_to_message_id"), params.flag("allow_sending_without_reply")
    elif isinstance(reply, dict):
        wanted, may_miss = reply.get("message_id", 0), bool(reply.get("allow_sending_without_reply"))
    else:
        raise refuse("parameter-invalid", what="reply parameters: expected an Object")
    if not wanted:
        return None
    quoted = chat.messages.get(wanted)
    if quoted is None or quoted.deleted:
        if may_miss:
            return None
        raise refuse("reply-unknown")
    return quoted.id


def _file(service: Service, params: Params, name: str) -> StoredFile:
    """The file of a send method: an upload, or the file_id of one that is already here."""
    upload = params.upload(name)
    if upload is not None:
        return service.world.files.put(upload.content, upload.name, photo=name == "photo")
    value = params.text(name)
    if not value:
        raise refuse("file-missing", what=name)
    if value.startswith(("http://", "https://")):
        raise refuse("file-url")  # the sandbox reaches nothing outside
    return service.world.files.by_id(value)


# ---------------------------------------------------------------------- editing


def edit_message_text(service: Service, params: Params) -> object:
    """bots/api#editmessagetext"""
    text = message_text(
        params.text("text"), params.text("parse_mode"), params.array("entities"), editing=True
    )
    inline = read_markup(params.json("reply_markup")).inline
    chat, message = _to_edit(service, params)
    if message.has_media or message.service:
        raise refuse("edit-no-text")
    return _edit(service, chat, message, text, inline)


def edit_message_caption(service: Service, params: Params) -> object:
    """bots/api#editmessagecaption"""
    text = _caption(params)
    inline = read_markup(params.json("reply_markup")).inline
    chat, message = _to_edit(service, params)
    if not message.has_media:
        raise refuse("edit-no-caption")
    return _edit(service, chat, message, text, inline)


def edit_message_reply_markup(service: Service, params: Params) -> object:
    """bots/api#editmessagereplymarkup"""
    inline = read_markup(params.json("reply_markup")).inline
    chat, message = _to_edit(service, params)
    return _edit(service, chat, message, Formatted(message.text, message.entities), inline)


def _to_edit(service: Service, params: Params) -> tuple[Chat, Message]:
    chat = service.world.chat_for_bot(params.chat_id())
    message = chat.messages.get(_message_id(params))
    if message is None or message.deleted:
        raise refuse("edit-unknown")
    if message.sender != service.world.me:
        raise refuse("edit-forbidden")
    return chat, message


def _edit(
    service: Service, chat: Chat, message: Message, text: Formatted, inline: InlineKeyboard | None
) -> object:
    if (text.text, text.entities, inline) == (message.text, message.entities, message.inline):
        raise refuse("not-modified")
    service.world.spend(chat, edit=True)
    message.text, message.entities, message.inline = text.text, text.entities, inline
    return service.world.changed(chat, message)


def _message_id(params: Params) -> int:
    message_id = params.integer("message_id")
    if message_id <= 0:
        raise refuse("message-unspecified")
    return message_id


# ---------------------------------------------------------------------- deleting, answering


def delete_message(service: Service, params: Params) -> object:
    """bots/api#deletemessage"""
    world = service.world
    chat = world.chat_for_bot(params.chat_id())
    message = chat.messages.get(_message_id(params))
    if message is None or message.deleted:
        raise refuse("delete-unknown")
    _check_deletable(world, message)
    world.remove(message)
    return True


def delete_messages(service: Service, params: Params) -> object:
    """bots/api#deletemessages: ids that are not there are skipped."""
    world = service.world
    wanted = params.array("message_ids")
    if not wanted:
        raise refuse("delete-none")
    if len(wanted) > MAX_DELETED_AT_ONCE:
        raise refuse("delete-too-many")
    chat = world.chat_for_bot(params.chat_id())
    there = [chat.messages[each] for each in wanted if isinstance(each, int) and each in chat.messages]
    there = [message for message in there if not message.deleted]
    for message in there:
        _check_deletable(world, message)
    for message in there:
        world.remove(message)
    return True


def _check_deletable(world: World, message: Message) -> None:
    if world.clock() - message.date > DELETE_SECONDS or message.service:
        raise refuse("delete-forbidden")


def answer_callback_query(service: Service, params: Params) -> object:
    """bots/api#answercallbackquery"""
    world = service.world
    text = params.text("text")
    if len(text) > MAX_ANSWER:
        raise refuse("answer-too-long")
    query = world.open_query(params.text("callback_query_id"))
    query.answer = {
        "query_id": query.id,
        "chat_id": query.chat_id,
        "message_id": query.message_id,
        "text": text,
        "show_alert": params.flag("show_alert"),
    }
    world.tell("answer", query.answer)
    return True


def answer_inline_query(service: Service, params: Params) -> object:
    """bots/api#answerinlinequery"""
    world = service.world
    results = read_results(params.array("results"))
    query = world.inline.open(params.text("inline_query_id"))
    query.results = results
    personal, cached = params.flag("is_personal"), params.integer("cache_time", 300)
    told = {"query_id": query.id, "chat_id": query.user.id, "results": results}
    world.tell("inline", {**told, "is_personal": personal, "cache_time": cached})
    return True


def send_chat_action(service: Service, params: Params) -> object:
    """bots/api#sendchataction"""
    action = params.text("action")
    if action not in _ACTIONS:
        raise refuse("action-wrong")
    chat = service.world.chat_for_bot(params.chat_id())
    service.world.tell("action", {"chat_id": chat.id, "action": action})
    return True


# ---------------------------------------------------------------------- files and updates


def get_file(service: Service, params: Params) -> object:
    """bots/api#getfile"""
    file_id = params.text("file_id")
    if not file_id:
        raise refuse("file-id")
    kept = service.world.files.by_id(file_id)
    if len(kept.content) > MAX_DOWNLOAD:
        raise refuse("file-too-big")
    return kept.file_wire()


async def get_updates(service: Service, params: Params) -> object:
    """bots/api#getupdates: waits for an update, never asks again and again."""
    updates = service.world.updates
    offset, limit = params.integer("offset"), params.integer("limit", 100)
    timeout = params.integer("timeout")
    if service.webhook.active:
        raise refuse("webhook-active")
    updates.allowed = allowed_types(params.optional_array("allowed_updates"), updates.allowed)
    return await updates.poll(offset, limit, timeout)


async def set_webhook(service: Service, params: Params) -> object:
    """bots/api#setwebhook"""
    return await service.webhook.set(
        params.text("url"),
        params.text("secret_token"),
        params.optional_array("allowed_updates"),
        drop=params.flag("drop_pending_updates"),
    )


async def delete_webhook(service: Service, params: Params) -> object:
    """bots/api#deletewebhook"""
    return await service.webhook.set("", "", None, drop=params.flag("drop_pending_updates"))


def get_webhook_info(service: Service, _params: Params) -> object:
    """bots/api#getwebhookinfo"""
    return service.webhook.info()


MESSAGE_METHODS: Mapping[str, Method] = {
    "sendMessage": send_message,
    "sendDocument": send_document,
    "sendPhoto": send_photo,
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
    "answerCallbackQuery": answer_callback_query,
    "answerInlineQuery": answer_inline_query,
    "sendChatAction": send_chat_action,
    "getFile": get_file,
    "getUpdates": get_updates,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
}

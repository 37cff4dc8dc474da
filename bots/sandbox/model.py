"""What the sandbox keeps about users, chats, messages and files, and its form on the wire (bots/api)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bots.sandbox.entities import Entity
from bots.sandbox.markup import InlineKeyboard

Json = dict[str, Any]


class ChatKind(StrEnum):
    """The kinds of chat that the sandbox has (bots/api#chat; channels are left out)."""

    PRIVATE = "private"
    GROUP = "group"
    SUPERGROUP = "supergroup"


class Standing(StrEnum):
    """Whether the bot may write to a chat."""

    NEW = "new"  # the user never wrote to the bot
    OPEN = "open"
    BLOCKED = "blocked"  # blocked by the user, or removed from the group
    DEACTIVATED = "deactivated"
    DELETED = "deleted"
    MIGRATED = "migrated"


@dataclass(frozen=True, slots=True)
class User:
    """A person (or the bot itself)."""

    id: int
    first_name: str
    language_code: str = ""
    username: str = ""
    is_bot: bool = False

    def wire(self) -> Json:
        """bots/api#user"""
        wire: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        if self.username:
            wire["username"] = self.username
        if self.language_code:
            wire["language_code"] = self.language_code
        return wire


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Bytes that a bot or a user uploaded; width and height only of photos."""

    file_id: str
    unique_id: str
    name: str
    mime_type: str
    content: bytes = field(repr=False)
    path: str
    width: int = 0
    height: int = 0

    def wire(self) -> Json:
        """bots/api#document"""
        return {**self._core(), "file_name": self.name, "mime_type": self.mime_type}

    def photo_wire(self) -> Json:
        """bots/api#photosize"""
        return {**self._core(), "width": self.width, "height": self.height}

    def file_wire(self) -> Json:
        """bots/api#file"""
        return {**self._core(), "file_path": self.path}

    def _core(self) -> Json:
        return {"file_id": self.file_id, "file_unique_id": self.unique_id, "file_size": len(self.content)}


@dataclass(slots=True)
class Message:
    """One message; `date` and `edit_date` in Unix seconds. `silent` and `deleted` are not on the Bot API's
    wire.
    """

    id: int
    chat_id: int
    sender: User
    date: int
    text: str = ""
    entities: list[Entity] = field(default_factory=list)
    document: StoredFile | None = None
    photo: StoredFile | None = None
    inline: InlineKeyboard | None = None
    reply_to: int | None = None
    edit_date: int | None = None
    protected: bool = False
    silent: bool = False
    deleted: bool = False
    link_preview: Json | None = None
    service: Json = field(default_factory=dict)
    origin: Json | None = None
    """Who wrote what this passes on (bots/api#messageorigin)."""

    @property
    def has_media(self) -> bool:
        """Whether the text is a caption."""
        return self.document is not None or self.photo is not None

    def content(self) -> Json:
        """The part that both the Bot API and the page show (bots/api#message, without chat and reply)."""
        wire: Json = {"message_id": self.id, "from": self.sender.wire(), "date": self.date, **self.service}
        if self.edit_date is not None:
            wire["edit_date"] = self.edit_date
        if self.origin is not None:
            wire["forward_origin"] = self.origin
        if self.text:
            wire["caption" if self.has_media else "text"] = self.text
        if self.entities:
            wire["caption_entities" if self.has_media else "entities"] = self.entities
        if self.document is not None:
            wire["document"] = self.document.wire()
        if self.photo is not None:
            wire["photo"] = [self.photo.photo_wire()]
        if self.inline is not None:
            wire["reply_markup"] = {"inline_keyboard": self.inline}
        if self.protected:
            wire["has_protected_content"] = True
        if self.link_preview is not None:
            wire["link_preview_options"] = self.link_preview
        return wire

    def page(self) -> Json:
        """For the page, the transcript and the event stream."""
        wire: Json = {**self.content(), "chat_id": self.chat_id, "from_bot": self.sender.is_bot}
        wire["silent"], wire["deleted"] = self.silent, self.deleted
        if self.reply_to is not None:
            wire["reply_to"] = self.reply_to
        return wire


@dataclass(slots=True)
class Chat:
    """One chat of one bot. `members` are the people in it: exactly one in a private chat."""

    id: int
    kind: ChatKind
    title: str
    members: dict[int, User]
    standing: Standing = Standing.OPEN
    migrated_to: int | None = None
    keyboard: list[list[str]] = field(default_factory=list)
    messages: dict[int, Message] = field(default_factory=dict)

    @property
    def is_group(self) -> bool:
        """Whether the group limits count."""
        return self.kind is not ChatKind.PRIVATE

    def wire(self) -> Json:
        """bots/api#chat"""
        wire: Json = {"id": self.id, "type": self.kind.value}
        if self.is_group:
            return {**wire, "title": self.title}
        (user,) = self.members.values()
        wire["first_name"] = user.first_name
        if user.username:
            wire["username"] = user.username
        return wire

    def page(self) -> Json:
        """For the page: the chat without its messages."""
        return {
            "id": self.id,
            "type": self.kind.value,
            "title": self.title,
            "standing": self.standing.value,
            "members": [user.wire() for user in self.members.values()],
            "keyboard": self.keyboard,
        }

    def message_wire(self, message: Message) -> Json:
        """A message of this chat as the Bot API gives it, with the message it answers (one level deep)."""
        wire = {**message.content(), "chat": self.wire()}
        quoted = self.messages.get(message.reply_to) if message.reply_to is not None else None
        if quoted is not None and not quoted.deleted:
            wire["reply_to_message"] = {**quoted.content(), "chat": self.wire()}
        return wire

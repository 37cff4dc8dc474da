"""One bot's world: its chats, messages, files and settings, and what people do in them.

No awaiting here. Time and randomness come from outside; every change is told to the event log.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bots.sandbox.events import EventLog
from bots.sandbox.faults import Faults
from bots.sandbox.inline import InlineQueries, InlineQuery
from bots.sandbox.limits import FloodControl, Limits
from bots.sandbox.media import FileStore
from bots.sandbox.model import Chat, ChatKind, Json, Message, Standing, User
from bots.sandbox.refusals import ApiRefusal, migrated, refuse, too_many
from bots.sandbox.texts import formatted
from bots.sandbox.updates import UpdateQueue

MAX_MESSAGES = 20_000  # kept per chat
MAX_QUERIES = 10_000
QUERY_SECONDS = 60  # observed: a callback query can be answered for about this long
SUPERGROUP_BASE = -1_000_000_000_000


class ControlError(ValueError):
    """A person cannot do that in this chat; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class BotAccount:
    """A bot that the sandbox knows: its token is the only thing that lets a client in."""

    token: str = field(repr=False)
    username: str = "liaison_sandbox_bot"
    name: str = "Liaison"

    @property
    def id(self) -> int:
        """The number before the colon of the token."""
        return int(self.token.split(":", 1)[0])

    def user(self) -> User:
        """The bot as the author of its messages."""
        return User(self.id, self.name, username=self.username, is_bot=True)


@dataclass(slots=True)
class Query:
    """A pressed button: `at` in seconds."""

    id: str
    chat_id: int
    message_id: int
    user_id: int
    at: float
    answer: Json | None = None


@dataclass(slots=True)
class Profile:
    """What the bot said about itself, by language ("" is the default)."""

    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    short_descriptions: dict[str, str] = field(default_factory=dict)
    menu_buttons: dict[int | None, Json] = field(default_factory=dict)


class World:
    """Everything that one bot can see. `clock` gives Unix seconds; `token_hex` random ids."""

    def __init__(
        self,
        account: BotAccount,
        *,
        clock: Callable[[], float],
        token_hex: Callable[[int], str],
        events: EventLog,
        limits: Limits,
    ) -> None:
        self.account = account
        self.me = account.user()
        self.clock = clock
        self.chats: dict[int, Chat] = {}
        self.queries: OrderedDict[str, Query] = OrderedDict()
        self.inline = InlineQueries(clock, token_hex)
        self.profile = Profile()
        self.files = FileStore(token_hex)
        self.flood = FloodControl(limits)
        self.faults = Faults()
        self.updates = UpdateQueue(clock, first_id=1 + int(token_hex(3), 16))
        self.calls: dict[str, dict[int, int]] = {}
        self._token_hex = token_hex
        self._events = events
        self._next_message = 1

    def tell(self, kind: str, data: Json) -> None:
        """Add a change to the event log."""
        self._events.add(kind, self.account.id, data)

    # ------------------------------------------------------------------ chats and people

    def add_user(self, user: User) -> Chat:
        """A person with a private chat, not yet started. ControlError when the id is taken."""
        if user.id in self.chats or user.id <= 0:
            raise ControlError(f"the id {user.id} is taken or not positive: choose another positive id")
        return self._add_chat(Chat(user.id, ChatKind.PRIVATE, user.first_name, {user.id: user}, Standing.NEW))

    def add_group(self, chat_id: int, title: str, members: list[User]) -> Chat:
        """A group that the bot is in. Group ids are negative."""
        if chat_id in self.chats or chat_id >= 0:
            raise ControlError(f"the id {chat_id} is taken or not negative: choose another negative id")
        if not members:
            raise ControlError("a group needs at least one member")
        return self._add_chat(Chat(chat_id, ChatKind.GROUP, title, {user.id: user for user in members}))

    def _add_chat(self, chat: Chat) -> Chat:
        self.chats[chat.id] = chat
        self.tell("chat", chat.page())
        return chat

    def chat_for_people(self, chat_id: int) -> Chat:
        """The chat as its members see it; ControlError when there is none."""
        chat = self.chats.get(chat_id)
        if chat is None:
            raise ControlError(f"there is no chat {chat_id}: read the state for the chats there are")
        return chat

    def member(self, chat: Chat, user_id: int | None) -> User:
        """The given member, or the only one; ControlError otherwise."""
        if user_id is None and len(chat.members) == 1:
            return next(iter(chat.members.values()))
        user = chat.members.get(user_id or 0)
        if user is None:
            raise ControlError(f"user {user_id} is not in chat {chat.id}: name one of its members")
        return user

    # ------------------------------------------------------------------ what people do

    def say(
        self,
        chat_id: int,
        user_id: int | None,
        text: str,
        file_id: str | None = None,
        forwarded_from: str = "",
    ) -> Message:
        """A member writes `text` (a caption when there is a file), or forwards what `forwarded_from` wrote;
        the bot gets a `message` update.
        """
        chat = self.chat_for_people(chat_id)
        user = self.member(chat, user_id)
        if chat.standing not in {Standing.NEW, Standing.OPEN}:
            raise ControlError(
                f"the chat is {chat.standing.value}: unblock the bot, or write in another chat"
            )
        read = formatted(text, "", ())
        if not read.text and file_id is None:
            raise ControlError("the message is empty: write something")
        if read.length > 4096:  # noqa: PLR2004 - a client would split it
            raise ControlError("the message is longer than 4096 characters: split it")
        if chat.standing is Standing.NEW:
            self._set_standing(chat, Standing.OPEN)
        message = self._message(chat, user)
        message.text, message.entities = read.text, read.entities
        if forwarded_from:  # a person who hides who they are: bots/api#messageoriginhiddenuser
            hidden = {"type": "hidden_user", "date": message.date, "sender_user_name": forwarded_from}
            message.origin = hidden
        if file_id is not None:
            message.document = self.files.by_id(file_id)
        self.keep(chat, message)
        self.updates.add("message", chat.message_wire(message))
        return message

    def press(self, chat_id: int, message_id: int, data: str, user_id: int | None = None) -> Query:
        """A member presses the button with this callback data; the bot gets a `callback_query` update."""
        chat = self.chat_for_people(chat_id)
        user = self.member(chat, user_id)
        message = chat.messages.get(message_id)
        rows = message.inline if message is not None and not message.deleted else None
        known = {button.get("callback_data") for row in rows or [] for button in row}
        if message is None or data not in known or data is None:
            raise ControlError("the message has no such button any more: read the transcript")
        if chat.standing is not Standing.OPEN:
            raise ControlError(f"the chat is {chat.standing.value}: unblock the bot first")
        query = Query(str(int(self._token_hex(8), 16)), chat_id, message_id, user.id, self.clock())
        self.queries[query.id] = query
        while len(self.queries) > MAX_QUERIES:
            self.queries.popitem(last=False)
        self.updates.add(
            "callback_query",
            {
                "id": query.id,
                "from": user.wire(),
                "message": chat.message_wire(message),
                "chat_instance": str(chat_id),
                "data": data,
            },
        )
        return query

    def type_inline(self, chat_id: int, text: str) -> InlineQuery:
        """The person of a private chat types after the bot's name elsewhere; the bot gets an `inline_query`
        update.
        """
        user = self.member(self.chat_for_people(chat_id), None)
        query = self.inline.add(user, text)
        self.updates.add("inline_query", query.wire())
        return query

    def set_blocked(self, chat_id: int, *, blocked: bool, user_id: int | None = None) -> None:
        """Block or unblock the bot (in a group: remove or add it); the bot gets a `my_chat_member` update."""
        chat = self.chat_for_people(chat_id)
        user = self.member(chat, user_id)
        before, after = (Standing.OPEN, Standing.BLOCKED) if blocked else (Standing.BLOCKED, Standing.OPEN)
        if chat.standing is Standing.NEW and blocked:
            before = Standing.NEW
        if chat.standing is not before:
            raise ControlError(f"the chat is {chat.standing.value}, so this changes nothing")
        self._set_standing(chat, after)
        member = {"user": self.me.wire(), "status": "member"}
        kicked = {"user": self.me.wire(), "status": "kicked", "until_date": 0}
        self.updates.add(
            "my_chat_member",
            {
                "chat": chat.wire(),
                "from": user.wire(),
                "date": int(self.clock()),
                "old_chat_member": member if blocked else kicked,
                "new_chat_member": kicked if blocked else member,
            },
        )

    def deactivate(self, chat_id: int) -> None:
        """The user's account is closed (private chats only); the bot is told nothing, as with the service."""
        chat = self.chat_for_people(chat_id)
        if chat.is_group:
            raise ControlError("a group has no account: delete it instead")
        self._set_standing(chat, Standing.DEACTIVATED)

    def delete_chat(self, chat_id: int) -> None:
        """The group is deleted, or the private chat is as if it had never been."""
        self._set_standing(self.chat_for_people(chat_id), Standing.DELETED)

    def migrate(self, chat_id: int) -> Chat:
        """The group becomes a supergroup with a new id; both chats get the service message."""
        old = self.chat_for_people(chat_id)
        if old.kind is not ChatKind.GROUP or old.standing is not Standing.OPEN:
            raise ControlError("only an open group can become a supergroup")
        user = self.member(old, next(iter(old.members)))
        new = Chat(SUPERGROUP_BASE + chat_id, ChatKind.SUPERGROUP, old.title, dict(old.members))
        old.migrated_to = new.id
        self._set_standing(old, Standing.MIGRATED)
        self._add_chat(new)
        for chat, service in ((old, {"migrate_to_chat_id": new.id}), (new, {"migrate_from_chat_id": old.id})):
            message = self._message(chat, user)
            message.service = service
            self.keep(chat, message)
            self.updates.add("message", chat.message_wire(message))
        return new

    def _set_standing(self, chat: Chat, standing: Standing) -> None:
        chat.standing = standing
        self.tell("chat", chat.page())

    # ------------------------------------------------------------------ what the bot does

    def chat_for_bot(self, chat_id: int) -> Chat:
        """The chat if the bot may write there, else the service's refusal."""
        chat = self.chats.get(chat_id)
        if chat is None or (chat.standing is Standing.DELETED and not chat.is_group):
            raise refuse("chat-unknown")
        if chat.standing is not Standing.OPEN:
            raise self._closed(chat)
        return chat

    def _closed(self, chat: Chat) -> ApiRefusal:
        if chat.standing is Standing.NEW:
            shared = any(chat.id in other.members for other in self.chats.values() if other.is_group)
            return refuse("not-started" if shared else "chat-unknown")
        if chat.standing is Standing.MIGRATED:
            return migrated(chat.migrated_to or 0)
        if chat.standing is Standing.BLOCKED:
            return refuse("bot-kicked", kind=chat.kind.value) if chat.is_group else refuse("bot-blocked")
        return refuse("group-deleted" if chat.standing is Standing.DELETED else "user-deactivated")

    def spend(self, chat: Chat, *, edit: bool = False) -> None:
        """Count one message against the limits (an edit counts overall only); 429 when there are too many."""
        wait = self.flood.spend(None if edit else chat.id, group=chat.is_group, now=self.clock())
        if wait:
            raise too_many(wait)

    def draft(self, chat: Chat) -> Message:
        """A new message by the bot, not yet kept."""
        return self._message(chat, self.me)

    def _message(self, chat: Chat, sender: User) -> Message:
        return Message(0, chat.id, sender, int(self.clock()))

    def keep(self, chat: Chat, message: Message) -> Json:
        """Number and store a message, tell it; returns it as on the Bot API's wire."""
        message.id, self._next_message = self._next_message, self._next_message + 1
        chat.messages[message.id] = message
        while len(chat.messages) > MAX_MESSAGES:
            del chat.messages[next(iter(chat.messages))]
        self.tell("message", message.page())
        return chat.message_wire(message)

    def changed(self, chat: Chat, message: Message) -> Json:
        """Note an edit; returns the message as on the Bot API's wire."""
        message.edit_date = int(self.clock())
        self.tell("edit", message.page())
        return chat.message_wire(message)

    def remove(self, message: Message) -> None:
        """Delete a message: the bot can no more name it, the transcript still shows that it was there."""
        message.deleted = True
        message.inline = None
        self.tell("delete", {"chat_id": message.chat_id, "message_id": message.id})

    def open_query(self, query_id: str) -> Query:
        """A callback query that can still be answered."""
        query = self.queries.get(query_id)
        if query is None or query.answer is not None or self.clock() - query.at > QUERY_SECONDS:
            raise refuse("query-old")
        return query

    def rename(self, chat_id: int, *, language_code: str) -> None:
        """The user sets another language in the client (private chats)."""
        chat = self.chat_for_people(chat_id)
        user = self.member(chat, None)
        changed = replace(user, language_code=language_code)
        for other in self.chats.values():
            if user.id in other.members:
                other.members[user.id] = changed
                self.tell("chat", other.page())

    def count(self, method: str, status: int) -> None:
        """Count one call of a method by the status it was answered with (0: the connection was closed)."""
        by_status = self.calls.setdefault(method, {})
        by_status[status] = by_status.get(status, 0) + 1

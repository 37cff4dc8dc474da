"""The gate: only enrolled officers get past it, in their own private chat, not faster than they can read.

Strangers may try a code; otherwise they get one polite refusal a day and nothing else. Nothing here tells a
wrong code from no code.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from aiogram import BaseMiddleware
from aiogram.types import CallbackQuery, Chat, ChatMemberUpdated, Message, TelegramObject, Update, User

from bots import screens
from bots.commands import code
from bots.context import Context
from bots.outcomes import ChatFailure
from bots.pacing import Bucket, Rate
from bots.words import closest, words
from schemas.vocabulary import Language

REFUSAL_SECONDS: Final = 86_400.0
CODE_TRIES: Final = Rate(1 / 60, 5.0)
_REMEMBERED: Final = 10_000

T = TypeVar("T")
Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class Gate(BaseMiddleware):
    """An outer middleware of all updates. Gives handlers `officer` (None for a stranger with a code)."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._refused: OrderedDict[int, float] = OrderedDict()
        self._tries: OrderedDict[int, Bucket] = OrderedDict()
        self._paces: OrderedDict[int, Bucket] = OrderedDict()
        self._warned: dict[int, float] = {}

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> object:
        """Let the update through, or answer it here."""
        if not isinstance(event, Update):
            return None
        inner = event.event
        person, chat = _who(inner)
        if person is None or chat is None or person.is_bot or chat.type != "private":
            return None
        officer = await self._context.state.officers.by_person(person.id)
        data["officer"] = officer
        if isinstance(inner, ChatMemberUpdated):
            return await handler(event, data) if officer else None
        if officer is None:
            return await self._stranger(handler, event, data, person)
        if officer.chat != chat.id:
            return None
        if self._too_fast(self._paces, person.id, self._context.settings.asking()):
            await self._slow(inner, person.id, officer.language)
            return None
        return await handler(event, data)

    async def _stranger(self, handler: Handler, event: Update, data: dict[str, Any], person: User) -> object:
        message = event.message
        if message is None or message.text is None:
            return None
        verb, _, rest = message.text.partition(" ")
        if verb == "/start" and code(rest) and not self._too_fast(self._tries, person.id, CODE_TRIES):
            data["refuse"] = self.refuse
            return await handler(event, data)
        await self.refuse(person.id, message.chat.id, closest(person.language_code))
        return None

    async def refuse(self, person: int, chat: int, language: Language) -> None:
        """The one refusal, once a day."""
        now = self._context.clock.now()
        if now - self._refused.get(person, -REFUSAL_SECONDS) < REFUSAL_SECONDS:
            return
        _keep(self._refused, person, now)
        refusal = screens.refusal(language)
        try:
            await self._context.chat.send(
                chat, refusal.parts[0], rows=(), protect=True, silent=True, reply_to=None
            )
        except ChatFailure:
            self._refused.pop(person, None)

    def _too_fast(self, buckets: OrderedDict[int, Bucket], person: int, rate: Rate) -> bool:
        now = self._context.clock.now()
        bucket = buckets.get(person) or Bucket(rate, at=now)
        _keep(buckets, person, bucket)
        if bucket.wait(now) > 0.0:
            return True
        bucket.take(now)
        return False

    async def _slow(self, inner: TelegramObject, person: int, language: Language) -> None:
        """A pressed button is always answered; a message is told so once a minute."""
        if isinstance(inner, CallbackQuery):
            await inner.answer(words(language).text("One moment, please: too many questions at once."))
            return
        now = self._context.clock.now()
        if isinstance(inner, Message) and now - self._warned.get(person, 0.0) > 60.0:  # noqa: PLR2004 - a minute
            self._warned[person] = now
            notice = screens.slow_down(language).parts[0]
            await self._context.chat.send(
                inner.chat.id, notice, rows=(), protect=True, silent=True, reply_to=None
            )


def _who(inner: TelegramObject) -> tuple[User | None, Chat | None]:
    if isinstance(inner, Message | ChatMemberUpdated):
        return inner.from_user, inner.chat
    if isinstance(inner, CallbackQuery):
        return inner.from_user, inner.message.chat if inner.message else None
    return None, None


def _keep(found: OrderedDict[int, T], key: int, value: T) -> None:
    found[key] = value
    found.move_to_end(key)
    if len(found) > _REMEMBERED:
        found.popitem(last=False)

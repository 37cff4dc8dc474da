"""Around every request of the bot: the pace is kept, and it is noticed that polling can never work."""

import asyncio
from typing import Final

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import (
    AiogramError,
    TelegramConflictError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.methods import EditMessageText, GetUpdates, Response, SendMessage, TelegramMethod
from aiogram.methods.base import TelegramType

from bots.clock import Clock
from bots.doors.telegram.failures import translated
from bots.outcomes import TooFast
from bots.telling.pacing import Pacer

_COUNTED: Final = frozenset({SendMessage, EditMessageText})


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

"""The bot on the chat service.

Two connections to it: one for questions and answers, one for the outbox, so that neither waits for the
other; both keep the pace of one pacer.
"""

import asyncio
import contextlib
from typing import Final

import structlog
from aiogram import Bot, Dispatcher
from aiogram.exceptions import AiogramError

from bots.clock import Clock
from bots.doors.telegram.failures import translated
from bots.doors.telegram.inbound import INLINE, UPDATES, router
from bots.doors.telegram.menu import announce
from bots.doors.telegram.outbound import TelegramChat, open_bot
from bots.doors.telegram.pace import Paced, Watch
from bots.doors.telegram.underway import Underway
from bots.doors.telegram.webhook import listen, read_webhook
from bots.house import Edges, Front, House
from bots.outcomes import NotSent, Unsure
from bots.settings import BotSettings
from bots.state import State
from bots.telling.pacing import Pacer

_RETRY_MAX: Final = 30.0

_log = structlog.get_logger()


async def serve(settings: BotSettings, state: State, edges: Edges, stop: asyncio.Event) -> None:
    """Run until `stop`. Raises OperationError when the token, the database or another poller does not let
    it go on.
    """
    token = settings.secret_token()
    if settings.webhook_url:
        read_webhook(settings)
    async with contextlib.AsyncExitStack() as open_sessions:
        bot, courier = open_bot(token, settings.api_url), open_bot(token, settings.api_url)
        open_sessions.push_async_callback(bot.session.close)
        open_sessions.push_async_callback(courier.session.close)
        await _serve(settings, state, edges, stop, bot, courier)


async def _serve(
    settings: BotSettings, state: State, edges: Edges, stop: asyncio.Event, bot: Bot, courier: Bot
) -> None:
    pacer, watch = Pacer(settings.rates()), Watch()
    bot.session.middleware(watch)
    bot.session.middleware(Paced(pacer, edges.clock))
    me = await _introduced(bot, edges.clock)
    chat = TelegramChat(bot)
    front = Front(
        chat=chat,
        courier=TelegramChat(courier),
        pacer=pacer,
        name=me,
        announce=lambda officer: announce(bot, officer, room=bool(settings.room_origin)),
    )
    house = House(settings, state, edges, front)
    dispatcher, underway = Dispatcher(disable_fsm=True), Underway()
    dispatcher.update.outer_middleware(underway)
    dispatcher.include_router(router(house.reception, me, chat))
    await announce(bot, None, room=bool(settings.room_origin))
    kinds = [*UPDATES, *([INLINE] if settings.inline else [])]
    taking = listen if settings.webhook_url else _poll
    await house.run(stop, taking(dispatcher, underway, bot, settings, kinds), _watched(watch))


async def _poll(
    dispatcher: Dispatcher, underway: Underway, bot: Bot, settings: BotSettings, kinds: list[str]
) -> None:
    """Poll until cancelled. Cancelling aiogram's own call would leave its inner task polling on."""
    polling = asyncio.ensure_future(
        dispatcher.start_polling(
            bot,
            polling_timeout=settings.poll_seconds,
            allowed_updates=kinds,
            handle_signals=False,
            close_bot_session=False,
        )
    )
    try:
        await asyncio.shield(polling)
    finally:
        with contextlib.suppress(RuntimeError):  # it had not begun yet
            await dispatcher.stop_polling()
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
        await underway.finish()


async def _watched(watch: Watch) -> None:
    await watch.fatal


async def _introduced(bot: Bot, clock: Clock) -> str:
    """The bot's user name; waits for a service that does not answer yet."""
    pause = 1.0
    while True:
        try:
            return (await bot.me()).username or ""
        except AiogramError as error:
            failure = translated(error)
            if not isinstance(failure, NotSent | Unsure):
                raise failure from None
            _log.warning("the chat service does not answer", pause=pause)
            await clock.sleep(pause)
            pause = min(2 * pause, _RETRY_MAX)

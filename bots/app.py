"""The running bot: everything put together. Imports aiogram; only `run` does.

Two connections to the chat service: one for questions and answers, one for the outbox, so that neither
waits for the other; both keep the pace of one pacer.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog
from aiogram import Bot, Dispatcher
from aiogram.exceptions import AiogramError
from aiogram.fsm.storage.memory import SimpleEventIsolation
from aiogram.types import BotCommand, BotCommandScopeAllPrivateChats, BotCommandScopeChat, ErrorEvent

from bots import screens
from bots.alarms import Watchman
from bots.clock import Clock, SystemClock
from bots.codes import new_code
from bots.context import Context
from bots.delivery import Delivery, Means
from bots.desk import Desk, node_trouble
from bots.events import Events
from bots.handlers import routers
from bots.intake import Intake
from bots.memory_storage import MemoryStorage
from bots.middlewares.gate import Gate
from bots.notices import NoticeIntake
from bots.outcomes import ChatFailure, NotSent, Unsure
from bots.pacing import Pacer
from bots.ports import NodeClient
from bots.schedule import Schedule
from bots.settings import BotSettings
from bots.state import State
from bots.state.officers import Officer
from bots.telegram import Paced, TelegramChat, Watch, open_bot, translated
from bots.words import SPOKEN, warm, words
from schemas.errors import FormatError, LiaisonError

UPDATES: Final = ["message", "callback_query", "my_chat_member"]
_RETRY_MAX: Final = 30.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Edges:
    """What the bot does not make itself."""

    node: NodeClient
    clock: Clock = field(default_factory=SystemClock)
    events: Events = field(default_factory=Events)
    new_code: Callable[[], str] = new_code


async def serve(settings: BotSettings, state: State, edges: Edges, stop: asyncio.Event) -> None:
    """Run until `stop`. Raises OperationError when the token, the database or another poller does not let
    it go on.
    """
    token = settings.secret_token()
    bot, courier = open_bot(token, settings.api_url), open_bot(token, settings.api_url)
    try:
        await _serve(settings, state, edges, stop, bot, courier)
    finally:
        await bot.session.close()
        await courier.session.close()


async def _serve(
    settings: BotSettings, state: State, edges: Edges, stop: asyncio.Event, bot: Bot, courier: Bot
) -> None:
    warm()
    pacer, watch = Pacer(settings.rates()), Watch()
    bot.session.middleware(watch)
    bot.session.middleware(Paced(pacer, edges.clock))
    me = await _introduced(bot, edges.clock)
    means = Means(
        state,
        TelegramChat(courier),
        pacer,
        edges.clock,
        settings.release_ceiling(),
        edges.events,
        settings.concurrency,
    )
    delivery = Delivery(means)
    schedule = Schedule(state, edges.clock, delivery.wake)
    intake = Intake(edges.node, state, edges.clock, delivery.wake)
    notices = NoticeIntake(edges.node, state, edges.clock, delivery.wake)
    context = Context(
        desk=Desk(edges.node, state, means.ceiling, edges.clock),
        node=edges.node,
        state=state,
        schedule=schedule,
        settings=settings,
        clock=edges.clock,
        chat=TelegramChat(bot),
        username=me,
        new_code=edges.new_code,
        wake=delivery.wake,
        announce=lambda officer: announce(bot, officer),
    )
    dispatcher = assemble(context)
    await announce(bot, None)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(delivery.run())
            reading = group.create_task(intake.run())
            guarding = group.create_task(Watchman(edges.node, state, edges.clock, delivery.wake).run())
            noticing = group.create_task(notices.run())
            polling = group.create_task(_poll(dispatcher, bot, settings))
            watching = group.create_task(_watched(watch))
            await schedule.start()
            _log.info("the bot is ready", bot=me)
            edges.events.emit("ready", bot=me)
            await stop.wait()
            reading.cancel()
            guarding.cancel()
            noticing.cancel()
            watching.cancel()
            delivery.stop()
            polling.cancel()
    finally:
        schedule.stop()


def assemble(context: Context) -> Dispatcher:
    """The dispatcher with its gate, its routers and what catches errors."""
    dispatcher = Dispatcher(
        storage=MemoryStorage(context.state.memory), events_isolation=SimpleEventIsolation(), context=context
    )
    dispatcher.update.outer_middleware(Gate(context))
    dispatcher.include_routers(*routers())
    dispatcher.errors.register(_failed)
    return dispatcher


async def announce(bot: Bot, officer: Officer | None) -> None:
    """The menu of commands: for everybody in each language, or for one officer's chat."""
    try:
        if officer is None:
            for language in (None, *SPOKEN):
                listed = screens.commands(words(language or SPOKEN[0]), administrator=False)
                await bot.set_my_commands(
                    _menu(listed),
                    scope=BotCommandScopeAllPrivateChats(),
                    language_code=language.value if language else None,
                )
        elif officer.chat is not None:
            listed = screens.commands(words(officer.language), administrator=officer.role == "administrator")
            await bot.set_my_commands(_menu(listed), scope=BotCommandScopeChat(chat_id=officer.chat))
    except AiogramError as error:
        _log.warning("the menu of commands could not be set", error=type(error).__name__)


def _menu(listed: dict[str, str]) -> list[BotCommand]:
    return [BotCommand(command=name, description=about) for name, about in listed.items()]


async def _poll(dispatcher: Dispatcher, bot: Bot, settings: BotSettings) -> None:
    """Poll until cancelled. Cancelling aiogram's own call would leave its inner task polling on."""
    polling = asyncio.ensure_future(
        dispatcher.start_polling(
            bot,
            polling_timeout=settings.poll_seconds,
            allowed_updates=UPDATES,
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


async def _failed(event: ErrorEvent, context: Context, officer: Officer | None = None) -> bool:
    """An error in a handler: logged by its name alone, told the officer in a sentence; buttons are always
    answered.
    """
    error = event.exception
    code = error.code if isinstance(error, LiaisonError) else None
    _log.warning("a question could not be answered", error=type(error).__name__, code=code)
    query, message = event.update.callback_query, event.update.message
    with contextlib.suppress(ChatFailure, AiogramError):
        if query is not None:
            await query.answer()
        chat = message.chat.id if message else officer.chat if officer else None
        if officer is None or chat is None or isinstance(error, ChatFailure | AiogramError | FormatError):
            return True
        if isinstance(error, LiaisonError):
            await context.say(officer, chat, node_trouble(error, officer))
        else:
            await context.say(officer, chat, screens.trouble(officer))
    return True

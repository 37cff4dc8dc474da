"""The bot as a process: its lock, its node, its signals, its heartbeat. Imports aiogram when it runs, not
before.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Final, TextIO

import structlog
import uvloop
from filelock import FileLock, Timeout

from bots.clock import Clock, SystemClock
from bots.events import Events
from bots.ports import NodeClient
from bots.settings import BotSettings
from bots.starved import outlasted
from bots.state import State
from schemas.errors import Code, OperationError
from subscribers.client import Agency, ClientSettings
from subscribers.tracing import exporting

LOCK: Final = "bot.lock"
ALIVE_SECONDS: Final = 60.0
_BEAT_SECONDS: Final = 15.0
_HEARTBEAT: Final = "heartbeat"

_log = structlog.get_logger()


def run_bot(settings: BotSettings, stream: TextIO | None) -> None:
    """Run until SIGTERM or SIGINT. Raises OperationError."""
    uvloop.run(outlasted(partial(_run, settings, stream), SystemClock()))


def node_settings(settings: BotSettings) -> ClientSettings:
    """How the node is reached. Raises LiaisonError `bad_settings` or `not_found`."""
    if settings.node_dir is not None:
        return ClientSettings.from_directory(settings.node_dir, settings.node_name)
    if settings.node_seed_file is None:
        fix = "set LIAISON_BOT_NODE_DIR, or LIAISON_BOT_NODE_URL and LIAISON_BOT_NODE_SEED_FILE"
        raise OperationError(Code.BAD_SETTINGS, "the bot does not know its agency's node", fix)
    return ClientSettings(url=settings.node_url, seed_file=settings.node_seed_file, name=settings.node_name)


@contextlib.asynccontextmanager
async def only_one(folder: Path) -> AsyncIterator[None]:
    """Hold the folder's lock. Raises OperationError `already_running`."""
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise OperationError(
            Code.ALREADY_RUNNING, "another bot runs on this folder", "stop it, or choose another --state"
        ) from None
    try:
        yield
    finally:
        lock.release()


async def _run(settings: BotSettings, stream: TextIO | None) -> None:
    async with (
        await State.open(settings.state) as state,
        only_one(settings.state),
        exporting(settings.traces_url, settings.traces_ratio, "liaison-bot"),
        Agency.open(node_settings(settings)) as agency,
    ):
        await run_on(settings, state, agency, Events(stream))


async def run_on(settings: BotSettings, state: State, node: NodeClient, events: Events) -> None:
    """Run on an open state and node until SIGTERM or SIGINT."""
    from bots.doors.telegram.app import serve
    from bots.house import Edges

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    clock = SystemClock()
    beating = asyncio.create_task(_beat(state, clock))
    try:
        await serve(settings, state, Edges(node, clock, events), stop)
        _log.info("the bot stopped")
    finally:
        beating.cancel()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def last_heard(state: State) -> float | None:
    """When the running bot last said that it is alive, in Unix seconds."""
    heard = (await state.memory.data(_HEARTBEAT)).get("at")
    return float(heard) if isinstance(heard, int | float) else None


async def _beat(state: State, clock: Clock) -> None:
    while True:
        with contextlib.suppress(OperationError):  # no room: nothing is written down, and so it is not well
            await state.memory.set_data(_HEARTBEAT, {"at": clock.now()})
        await clock.sleep(_BEAT_SECONDS)

"""The room as a process: its lock, its node, its door, its signals."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from typing import Final

import structlog
import uvloop
from aiohttp import web
from filelock import FileLock, Timeout

from bots.clock import Clock, SystemClock
from bots.room.app import application
from bots.room.desk import RoomDesk, RoomNode, written_down
from bots.room.origin import read_listen, read_origin
from bots.room.web import Room
from bots.settings import BotSettings
from bots.state import State
from bots.wording.words import warm
from schemas.errors import Code, OperationError
from subscribers.client import Agency, ClientSettings

LOCK: Final = "room.lock"
_SHUTDOWN_SECONDS: Final = 2.0

_log = structlog.get_logger()


def run_room(settings: BotSettings) -> None:
    """Run until SIGTERM or SIGINT. Raises OperationError."""
    if not settings.room_origin:
        fix = "set LIAISON_BOT_ROOM_ORIGIN, such as https://room.agency.example"
        raise OperationError(Code.BAD_SETTINGS, "the reading room is off", fix)
    read_origin(settings.room_origin)
    read_listen(settings.room_listen)
    uvloop.run(_run(settings))


def node_settings(settings: BotSettings) -> ClientSettings:
    """How the node is reached, as the room's own client. Raises as `bots.process.node_settings` does."""
    name = settings.room_node_name
    if settings.node_dir is not None:
        return ClientSettings.from_directory(settings.node_dir, name)
    if settings.room_node_seed_file is None:
        fix = "set LIAISON_BOT_NODE_DIR, or LIAISON_BOT_NODE_URL and LIAISON_BOT_ROOM_NODE_SEED_FILE"
        raise OperationError(Code.BAD_SETTINGS, "the room does not know its agency's node", fix)
    return ClientSettings(url=settings.node_url, seed_file=settings.room_node_seed_file, name=name)


async def _run(settings: BotSettings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with await State.open(settings.state) as state:
        lock = FileLock(settings.state / LOCK)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise OperationError(
                Code.ALREADY_RUNNING, "another room runs on this folder", "stop it, or choose another --state"
            ) from None
        try:
            async with Agency.open(node_settings(settings)) as agency, opened(settings, state, agency):
                await stop.wait()
        finally:
            lock.release()


@contextlib.asynccontextmanager
async def opened(
    settings: BotSettings, state: State, node: RoomNode, clock: Clock | None = None
) -> AsyncIterator[Room]:
    """The room, open on an open state and node. Raises OperationError `bad_settings`."""
    warm()
    ticking = clock or SystemClock()
    token = settings.secret_token() if settings.token or settings.token_file else None
    origin, (host, port) = read_origin(settings.room_origin), read_listen(settings.room_listen)
    desk = RoomDesk(node, state, ticking, written_down(state, ticking))
    room = Room(settings, origin, state, desk, ticking, token)
    runner = web.AppRunner(application(room), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise OperationError(
                Code.BAD_SETTINGS, f"room_listen cannot be opened: {error.strerror}", "choose another port"
            ) from None
        _log.info("the reading room is open", origin=origin.text, listen=settings.room_listen)
        yield room
    finally:
        await runner.cleanup()

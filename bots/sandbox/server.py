"""Start and stop a sandbox: `sandbox = await start(SandboxSettings())`, or `run` it until told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from bots.sandbox.api import MAX_BODY, BotApi
from bots.sandbox.control import FIRST_USER, Control
from bots.sandbox.events import EventLog
from bots.sandbox.guard import guard
from bots.sandbox.methods import Service
from bots.sandbox.model import User
from bots.sandbox.settings import SandboxSettings
from bots.sandbox.webhook import Webhook
from bots.sandbox.world import BotAccount, World
from schemas.errors import Code, OperationError

LOOPBACK = "127.0.0.1"
SHUTDOWN_SECONDS = 1.0
_log = structlog.get_logger()


@dataclass(slots=True)
class Sandbox:
    """A running sandbox. Give `base_url` to aiogram's `TelegramAPIServer.from_base`, open `page_url` in a
    browser.
    """

    port: int
    bots: tuple[BotAccount, ...]
    secret: str = field(repr=False)
    worlds: tuple[World, ...] = field(repr=False)
    api: BotApi = field(repr=False)
    _runner: web.AppRunner = field(repr=False)
    _webhooks: tuple[Webhook, ...] = field(repr=False)
    _events: EventLog = field(repr=False)

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:<port>`"""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def page_url(self) -> str:
        """The page's address; it holds the secret, so it opens everything in the sandbox."""
        return f"{self.base_url}/s/{self.secret}/"

    @property
    def world(self) -> World:
        """The first bot's world."""
        return self.worlds[0]

    def summary(self) -> dict[str, object]:
        """For `--json`: where the sandbox is and how to get in. Holds the secret and the tokens."""
        bots = [{"id": bot.id, "username": bot.username, "token": bot.token} for bot in self.bots]
        return {"base_url": self.base_url, "page_url": self.page_url, "secret": self.secret, "bots": bots}

    async def close(self) -> None:
        """Stop: waiting polls and streams end, held answers go out, the port is free again."""
        self._events.close()
        for world in self.worlds:
            world.updates.end_poll()
        self.api.release_held()
        for webhook in self._webhooks:
            await webhook.close()
        await self._runner.cleanup()


async def start(settings: SandboxSettings) -> Sandbox:
    """Start a sandbox on loopback in the running event loop. OperationError when it cannot start."""
    settings.check()
    events = EventLog()
    services = [_service(settings, account, events) for account in settings.bots]
    api = BotApi(services)
    control = Control(services, events, api, settings.secret)
    app = web.Application(middlewares=[guard], client_max_size=MAX_BODY)
    app.add_routes([*api.routes(), *control.routes()])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, settings.port).start()
    except OSError as error:
        await runner.cleanup()
        raise OperationError(
            Code.BAD_SETTINGS,
            f"port {settings.port} cannot be opened: {error.strerror}",
            "choose another port, or 0",
        ) from error
    port = runner.addresses[0][1]
    _log.info("sandbox started", port=port, bots=len(services))
    return Sandbox(
        port=port,
        bots=settings.bots,
        secret=settings.secret,
        worlds=tuple(service.world for service in services),
        api=api,
        _runner=runner,
        _webhooks=tuple(service.webhook for service in services),
        _events=events,
    )


async def run(settings: SandboxSettings, announce: Callable[[Sandbox], None], stop: asyncio.Event) -> None:
    """Run a sandbox until `stop` is set; `announce` is called once when it answers."""
    sandbox = await start(settings)
    try:
        announce(sandbox)
        await stop.wait()
    finally:
        await sandbox.close()


def _service(settings: SandboxSettings, account: BotAccount, events: EventLog) -> Service:
    world = World(
        account, clock=settings.clock, token_hex=settings.token_hex, events=events, limits=settings.limits
    )
    first = settings.bots[0].username
    here = [officer for officer in settings.officers if (officer.bot or first) == account.username]
    for number, officer in enumerate(here):
        world.add_user(User(FIRST_USER + number, officer.name, officer.language))
    return Service(world, Webhook(world, first_backoff=settings.webhook_backoff))

"""Updates by webhook, for who would rather open a port behind a proxy than have the bot ask all the time.

An update is answered for once it has been dealt with: what the bot had in hand when it died comes again.
"""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiogram import Bot, Dispatcher
from aiogram.exceptions import AiogramError
from aiohttp import web

from bots.doors.telegram.failures import conflict, translated
from bots.doors.telegram.underway import Underway
from bots.room.origin import read_listen, read_origin
from bots.settings import BotSettings
from schemas.errors import Code, OperationError

HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
"""By this the bot knows the service, whoever else finds the address."""
UPDATE_MAX: Final = 1024 * 1024
CHECK_SECONDS: Final = 30.0
_SECRET_BYTES: Final = 32
_SHUTDOWN_SECONDS: Final = 5.0

_log = structlog.get_logger()


def read_webhook(settings: BotSettings) -> tuple[str, str, int]:
    """The path of the webhook, and where it listens. Raises OperationError `bad_settings`."""
    parts = urlsplit(settings.webhook_url)
    try:
        read_origin(f"{parts.scheme}://{parts.netloc}")
    except OperationError:
        fix = "such as https://bot.agency.example/updates; plain http is for this machine alone"
        raise OperationError(Code.BAD_SETTINGS, "webhook_url: not an https address", fix) from None
    try:
        host, port = read_listen(settings.webhook_listen)
    except OperationError as error:
        raise OperationError(
            Code.BAD_SETTINGS, "webhook_listen: not an address and a port", error.fix
        ) from None
    return parts.path or "/", host, port


async def listen(
    dispatcher: Dispatcher, underway: Underway, bot: Bot, settings: BotSettings, kinds: Sequence[str]
) -> None:
    """Take updates until cancelled; then the service keeps them, for whoever asks next."""
    path, host, port = read_webhook(settings)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    application = web.Application(client_max_size=UPDATE_MAX)
    application.router.add_post(path, Entrance(dispatcher, bot, secret).take)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise OperationError(
                Code.BAD_SETTINGS, f"webhook_listen cannot be opened: {error.strerror}", "choose another port"
            ) from None
        await bot.set_webhook(settings.webhook_url, secret_token=secret, allowed_updates=[*kinds])
        _log.info("updates come by webhook", listen=settings.webhook_listen)
        try:
            await until_taken(bot, settings.webhook_url)
        except asyncio.CancelledError:
            with contextlib.suppress(AiogramError):
                await bot.delete_webhook()
            raise
    finally:
        await runner.cleanup()
        await underway.finish()


async def until_taken(bot: Bot, url: str, pause: float = CHECK_SECONDS) -> None:
    """Look every `pause` seconds whether updates are still sent to `url`. Raises OperationError
    `already_running` once they are not: who has the token has another webhook.
    """
    while True:
        await asyncio.sleep(pause)
        try:
            found = await bot.get_webhook_info()
        except AiogramError as error:
            if isinstance(failure := translated(error), OperationError):
                raise failure from None
            continue
        if found.url != url:
            raise conflict()


class Entrance:
    """Takes what the service posts, and nothing from anybody else."""

    def __init__(self, dispatcher: Dispatcher, bot: Bot, secret: str) -> None:
        self._dispatcher = dispatcher
        self._bot = bot
        self._secret = secret.encode()

    async def take(self, request: web.Request) -> web.Response:
        """One update. 401 without the secret, 400 for what is no JSON object."""
        given = request.headers.get(HEADER, "").encode(errors="surrogateescape")
        if not secrets.compare_digest(given, self._secret):
            return web.Response(status=401)
        try:
            update = json.loads(await request.read())
        except ValueError:
            return web.Response(status=400)
        if not isinstance(update, dict):
            return web.Response(status=400)
        try:
            await self._dispatcher.feed_raw_update(self._bot, update)
        except Exception as error:  # noqa: BLE001 - refused, the service would send it again and again
            _log.error("an update could not be dealt with", error=type(error).__name__)
        return web.Response()

"""The sandbox for tests: a settable clock, a real aiogram bot on it, a running dispatcher, a Chromium."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import io
import json
import shutil
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from bots.sandbox.client import SandboxClient, SandboxUser
from bots.sandbox.limits import UNLIMITED, Limits
from bots.sandbox.server import Sandbox, start
from bots.sandbox.settings import Officer, SandboxSettings

if TYPE_CHECKING:
    from aiogram import Bot

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
PATIENT_MS = 90_000
"""What a busy machine may need until a page shows what it is waited for."""
OFFICERS = (Officer("Amina", "ar"), Officer("Claire", "fr"))


@dataclass
class Clock:
    """Unix seconds that pass only when a test says so."""

    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def dumped(value: Any) -> Any:  # any aiogram object, or a list of them
    """An aiogram object as plain data: two that came by different ways are never equal themselves."""
    return [dumped(each) for each in value] if isinstance(value, list) else value.model_dump(mode="json")


def has_chromium() -> bool:
    return Path(CHROMIUM).exists()


def new_bot(sandbox: Sandbox, token: str | None = None) -> Bot:
    """A real aiogram bot whose requests go to the sandbox."""
    aiogram = importlib.import_module("aiogram")
    connections = importlib.import_module("bots.doors.telegram.outbound").Connections
    bot: Bot = aiogram.Bot(token or sandbox.bots[0].token, session=connections(sandbox.base_url, 60.0))
    return bot


@dataclass
class Stage:
    """A running sandbox with a bot on it and people in it. `amina` and `claire` have started the bot."""

    sandbox: Sandbox
    bot: Any  # aiogram.Bot: its answers are read without asking each time whether an optional part is there
    client: SandboxClient
    clock: Clock
    amina: SandboxUser
    claire: SandboxUser
    _bots: list[Bot] = field(default_factory=list)

    def another_bot(self, token: str | None = None) -> Any:  # as `bot`
        bot = new_bot(self.sandbox, token)
        self._bots.append(bot)
        return bot

    async def close(self) -> None:
        await asyncio.gather(*(bot.session.close() for bot in (self.bot, *self._bots)))


@contextlib.asynccontextmanager
async def staged(limits: Limits = UNLIMITED, **settings: Any) -> AsyncIterator[Stage]:  # passed on
    """Start everything; `settings` replace fields of SandboxSettings."""
    clock = Clock()
    base = SandboxSettings(officers=OFFICERS, clock=clock, limits=limits, webhook_backoff=0.01)
    sandbox = await start(replace(base, **settings))
    try:
        async with SandboxClient(sandbox.page_url) as client:
            stage = Stage(
                sandbox, new_bot(sandbox), client, clock, client.user("Amina"), client.user("Claire")
            )
            try:
                await stage.amina.send("/start")
                await stage.claire.send("/start")
                sandbox.world.updates.clear()
                yield stage
            finally:
                await stage.close()
    finally:
        await sandbox.close()


async def call(stage: Stage, method: str, **fields: Any) -> tuple[int, dict[str, Any]]:  # JSON
    """Post a call as aiogram does (nested values as JSON, bytes as an upload); the status and the answer."""
    form = aiohttp.FormData(quote_fields=False)
    for name, value in fields.items():
        if isinstance(value, bytes):
            form.add_field(name, io.BytesIO(value), filename=f"{name}.bin")
        elif value is not None:
            form.add_field(name, value if isinstance(value, str) else json.dumps(value))
    url = f"{stage.sandbox.base_url}/bot{stage.sandbox.bots[0].token}/{method}"
    async with aiohttp.ClientSession() as session, session.post(url, data=form) as answer:
        return answer.status, await answer.json()


@contextlib.asynccontextmanager
async def polling(bot: Bot, register: Callable[[Any], None]) -> AsyncIterator[None]:
    """An aiogram dispatcher that polls; `register(router)` adds the handlers."""
    aiogram = importlib.import_module("aiogram")
    underway = importlib.import_module("bots.doors.telegram.underway").Underway()
    dispatcher = aiogram.Dispatcher()
    dispatcher.update.outer_middleware(underway)
    router = aiogram.Router()
    register(router)
    dispatcher.include_router(router)
    task = asyncio.create_task(
        dispatcher.start_polling(bot, handle_signals=False, close_bot_session=False, polling_timeout=5)
    )
    try:
        yield
    finally:
        await dispatcher.stop_polling()
        await asyncio.wait_for(task, 90)
        await underway.finish()


@contextlib.asynccontextmanager
async def browser_page(url: str, **context: Any) -> AsyncIterator[Any]:  # playwright's options
    """A page of a real Chromium at `url`; `page.seen` lists errors, failed and foreign requests."""
    playwright = importlib.import_module("playwright.async_api")
    async with playwright.async_playwright() as engine:
        chromium = await engine.chromium.launch(
            executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS), timeout=PATIENT_MS
        )
        try:
            page = await (await chromium.new_context(**context)).new_page()
            page.set_default_timeout(PATIENT_MS)
            page.seen = []
            origin = url.split("/s/", 1)[0]
            page.on("console", lambda message: page.seen.append(f"{message.type}: {message.text}"))
            page.on("pageerror", lambda error: page.seen.append(f"error: {error}"))
            page.on("request", lambda request: _note_foreign(page.seen, request.url, origin))
            page.on("response", lambda answer: _note_failed(page.seen, answer.url, answer.status))
            await page.goto(url)
            await page.locator('.connection[data-state="live"]').wait_for()
            yield page
        finally:
            await chromium.close()


def _note_foreign(seen: list[str], url: str, origin: str) -> None:
    if not url.startswith((f"{origin}/", "data:")):
        seen.append(f"foreign: {url}")


def _note_failed(seen: list[str], url: str, status: int) -> None:
    if status >= 400:
        seen.append(f"{status}: {url}")


def png(width: int = 4, height: int = 3) -> bytes:
    """A valid grey PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + b"\x80" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )

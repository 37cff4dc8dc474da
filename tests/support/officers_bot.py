"""The real bot on a real sandbox over HTTP, with a node behind it."""

import asyncio
import contextlib
import io
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bots.clock import Clock, SystemClock
from bots.codes import new_code
from bots.events import Events
from bots.house import Edges
from bots.officers.roles import Role
from bots.ports import NodeClient
from bots.sandbox.client import Predicate, SandboxClient, SandboxUser
from bots.sandbox.limits import UNLIMITED, Limits
from bots.sandbox.server import Sandbox, start
from bots.sandbox.settings import Officer, SandboxSettings
from bots.settings import BotSettings
from bots.state import State

PEOPLE = (
    Officer("Amina", "ar"),
    Officer("Claire", "fr"),
    Officer("Ed", "en"),
    Officer("Irina", "ru"),
    Officer("Lucía", "es"),
    Officer("Wei", "zh-hans"),
)
_MACHINE = SystemClock()
FAST = {
    "overall_rate": 1_000.0,
    "chat_rate": 100.0,
    "chat_burst": 100,
    "poll_seconds": 5,
    "asking_rate": 1_000.0,
    "asking_burst": 1_000,
}


class Lines(io.StringIO):
    """JSON events as they are written; `until` waits for one."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = asyncio.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        self.changed.set()
        return written

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]

    async def until(self, deadline: float = 60.0, **wanted: object) -> dict[str, Any]:
        """The first event with these fields."""
        async with asyncio.timeout(deadline):
            while True:
                self.changed.clear()
                for each in self.events():
                    if wanted.items() <= each.items():
                        return each
                await self.changed.wait()


@dataclass
class BotStage:
    """A running bot and the people around it."""

    sandbox: Sandbox
    client: SandboxClient
    state: State
    lines: Lines
    settings: BotSettings

    def person(self, name: str) -> SandboxUser:
        return self.client.user(name)

    async def enrol(self, name: str, *, administrator: bool = False, role: Role = Role.READER) -> SandboxUser:
        """Invite by command, enrol in chat."""
        code = await invite(self.state, name, administrator=administrator, role=role)
        person = self.person(name)
        await person.ask(f"/start {code}")
        return person


async def invite(
    state: State,
    name: str,
    *,
    administrator: bool = False,
    hours: float = 1.0,
    role: Role = Role.READER,
    now: float | None = None,
) -> str:
    code, now = new_code(), time.time() if now is None else now
    await state.officers.invite(
        name,
        Role.ADMINISTRATOR if administrator else role,
        code=code,
        expires=now + hours * 3600,
        zone="Europe/Paris",
        now=now,
    )
    return code


def bot_settings(sandbox: Sandbox, folder: Path, **given: Any) -> BotSettings:  # passed on
    return BotSettings(
        **{
            **FAST,
            "state": folder,
            "token": SecretStr(sandbox.bots[0].token),
            "api_url": sandbox.base_url,
            "zone": "Europe/Paris",
            **given,
        }
    )


@contextlib.asynccontextmanager
async def running_sandbox(limits: Limits = UNLIMITED) -> AsyncIterator[tuple[Sandbox, SandboxClient]]:
    sandbox = await start(SandboxSettings(officers=PEOPLE, limits=limits))
    try:
        async with SandboxClient(sandbox.page_url) as client:
            yield sandbox, client
    finally:
        await sandbox.close()


@contextlib.asynccontextmanager
async def running_bot(
    folder: Path,
    node: NodeClient,
    *,
    limits: Limits = UNLIMITED,
    **given: Any,  # settings
) -> AsyncIterator[BotStage]:
    """Everything in this process: sandbox, bot, people."""
    async with (
        running_sandbox(limits) as (sandbox, client),
        bot_on(sandbox, client, folder, node, **given) as stage,
    ):
        yield stage


@contextlib.asynccontextmanager
async def bot_on(
    sandbox: Sandbox,
    client: SandboxClient,
    folder: Path,
    node: NodeClient,
    clock: Clock = _MACHINE,
    **given: Any,  # settings
) -> AsyncIterator[BotStage]:
    """The bot on a sandbox that runs already."""
    from bots.doors.telegram.app import serve  # noqa: PLC0415 - it takes seconds, and not every test needs it

    settings, lines, stop = bot_settings(sandbox, folder, **given), Lines(), asyncio.Event()
    async with await State.open(folder) as state:
        task = asyncio.create_task(serve(settings, state, Edges(node, clock, Events(lines)), stop))
        ready = asyncio.create_task(lines.until(60.0, event="ready"))
        try:
            await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                await task
            yield BotStage(sandbox, client, state, lines, settings)
        finally:
            ready.cancel()
            stop.set()
            await asyncio.wait_for(task, 90)


def says(text: str) -> Predicate:
    """A predicate: the message holds `text`."""
    return lambda each: text in each.get("text", "")


def text_of(message: dict[str, Any]) -> str:
    return str(message["text"])


def buttons(message: dict[str, Any]) -> list[str]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [str(button["text"]) for row in rows for button in row]


async def pressed(person: SandboxUser, label: str, shown: dict[str, Any]) -> dict[str, Any]:
    """Press a button, and wait for what takes its message's place."""
    await person.press(label, shown)
    return await person.next_edit(lambda each: each["message_id"] == shown["message_id"])

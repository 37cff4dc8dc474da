"""An officer's question in the sandbox, answered by the real bot from the real node, against a bare one."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from bots.sandbox.client import SandboxClient, SandboxUser
from tests.bench.measure import Result, latency, percentile
from tests.bench.stage import COMMANDS, READER, World, started

OFFICERS: Final = 8
"""Chats that are asked in turn: each chat has its own limit of messages a second."""
_PACE: Final = 0.14
"""Seconds from one question to the next."""
_FAST: Final = {
    "LIAISON_BOT_OVERALL_RATE": "1000",
    "LIAISON_BOT_CHAT_RATE": "100",
    "LIAISON_BOT_CHAT_BURST": "100",
    "LIAISON_BOT_ASKING_RATE": "1000",
    "LIAISON_BOT_ASKING_BURST": "1000",
}
_NOTE: Final = "getUpdates, one raw request to the node, sendMessage"
_QUESTIONS: Final = ("/latest", "/search gate", "/search northern vehicle", "/latest")
_PATIENCE: Final = 30.0


async def measure(world: World, *, questions: int) -> list[Result]:
    """`bot_reply_p95` of so many questions, asked of the bot and of the bare one by turns."""
    async with _chats(world) as (ours, theirs):
        taken: tuple[list[float], list[float]] = ([], [])
        for number in range(questions):
            begin = time.perf_counter()
            for times, people in zip(taken, (ours, theirs), strict=True):
                person, text = people[number % len(people)], _QUESTIONS[number % len(_QUESTIONS)]
                start = time.perf_counter()
                await person.ask(text, deadline=_PATIENCE)
                times.append(1000 * (time.perf_counter() - start))
            await asyncio.sleep(max(0.0, begin + _PACE - time.perf_counter()))
        product, floor = (percentile(each, 0.95) for each in taken)
    return [latency("bot_reply_p95", product, floor, _NOTE)]


@asynccontextmanager
async def _chats(world: World) -> AsyncIterator[tuple[Sequence[SandboxUser], Sequence[SandboxUser]]]:
    """Officers in chat with the real bot, and people in chat with the bare one."""
    names = [(f"Officer {n}", "liaison_bot") for n in range(OFFICERS)]
    names += [(f"Person {n}", "bare_bot") for n in range(OFFICERS)]
    people = [part for name, bot in names for part in ("--officer", f"{name}:en:{bot}")]
    bots = ("--bot", "liaison_bot:Liaison", "--bot", "bare_bot:Bare")
    await _client(world, "bot", "publisher")
    await _client(world, "bare", "reader")
    directory = world.directory
    async with AsyncExitStack() as stack:
        sandbox = (str(COMMANDS / "liaison-bot"), "sandbox", "--json", *bots, *people)
        service = await stack.enter_async_context(
            started(directory, "sandbox", *sandbox, forked=world.forked)
        )
        tokens = {each["username"]: each["token"] for each in service["bots"]}
        client = await stack.enter_async_context(SandboxClient(service["page_url"]))
        codes = [await _invited(world, name) for name, bot in names if bot == "liaison_bot"]
        (directory / "token").write_text(tokens["liaison_bot"], encoding="ascii")
        real = (str(COMMANDS / "liaison-bot"), "run", "--state", "BOT", "--token-file", "token")
        reach = ("--api-url", service["base_url"], "--node-dir", f"{READER}/local", "--json-events", "-")
        await stack.enter_async_context(
            started(directory, "bot", *real, *reach, environment=_FAST, forked=world.forked)
        )
        await stack.enter_async_context(_bare(world, service["base_url"], tokens["bare_bot"]))
        ours = [client.user(name) for name, bot in names if bot == "liaison_bot"]
        theirs = [client.user(name) for name, bot in names if bot == "bare_bot"]
        for person, code in zip(ours, codes, strict=True):
            await person.ask(f"/start {code}", deadline=_PATIENCE)
        for person in theirs:
            await person.ask("/latest", deadline=_PATIENCE)
        yield ours, theirs


@asynccontextmanager
async def _bare(world: World, api: str, token: str) -> AsyncIterator[dict[str, Any]]:
    local = world.local(READER)
    url = (local / "url").read_text(encoding="ascii").strip()
    command = (sys.executable, "-m", "tests.bench.bare_bot", api, token, url)
    seed, where = str(local / "clients" / "bare.nk"), {"PYTHONPATH": str(Path(__file__).parents[2])}
    async with started(
        world.directory, "bare", *command, seed, environment=where, forked=world.forked
    ) as ready:
        yield ready


async def _client(world: World, name: str, role: str) -> None:
    add = ("client", "add", name, "--role", role, "--ceiling", "TLP:RED", "--state", READER)
    await world.command("liaison-agency", *add)


async def _invited(world: World, name: str) -> str:
    answer = await world.command("liaison-bot", "officer", "add", name, "--admin", "--state", "BOT", "--json")
    return str(json.loads(answer)["code"])

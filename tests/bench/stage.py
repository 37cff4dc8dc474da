"""The real thing, started by its own commands: secretariat, hub, two nodes in one community."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.forked import spawn

COMMANDS: Final = Path(sys.executable).parent
"""Where the console scripts are."""
COMMUNITY: Final = "bench"
SENDER, READER = "fr-dvt", "kz-cab"
_COMMAND_LIMIT: Final = 180.0
_READY_LIMIT: Final = 180.0
_STOP_LIMIT: Final = 20.0
_FOUND_ARGUMENTS: Final = ("community", "create", COMMUNITY, "--title", "Bench", "--state", SENDER)
_JOIN_ARGUMENTS: Final = ("community", "add", COMMUNITY, READER, "--state", SENDER)


@dataclass(frozen=True)
class World:
    """A running federation; `directory` holds its files. `forked`: its processes are forks of one that has
    loaded everything, which is quicker to set up and nothing to measure.
    """

    directory: Path
    forked: bool = False

    def local(self, agency: str) -> Path:
        """Where an agency's own NATS keeps its address and its clients' keys."""
        return self.directory / agency / "local"

    async def command(self, name: str, *arguments: str) -> str:
        """Run one command to its end; its stdout. RuntimeError with its stderr when it fails."""
        start = spawn if self.forked else asyncio.create_subprocess_exec
        process = await start(
            str(COMMANDS / name),
            *arguments,
            cwd=self.directory,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), _COMMAND_LIMIT)
        if process.returncode:
            raise RuntimeError(f"{name} {arguments[0]}: {err.decode(errors='replace')[-2000:]}")
        return out.decode()


@contextlib.asynccontextmanager
async def started(
    directory: Path,
    log: str,
    *command: str,
    environment: dict[str, str] | None = None,
    forked: bool = False,
) -> AsyncIterator[dict[str, Any]]:
    """A long-lived process; yields its first line of JSON on stdout, stops it when the block is left."""
    start = spawn if forked else asyncio.create_subprocess_exec
    with (directory / f"{log}.log").open("wb") as errors:
        process = await start(
            *command,
            cwd=directory,
            env={**os.environ, **(environment or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    try:
        if process.stdout is None:
            raise RuntimeError("no stdout")
        first = await asyncio.wait_for(process.stdout.readline(), _READY_LIMIT)
        if not first:
            raise RuntimeError(f"{command[0]} ended: see {directory / log}.log")
        yield json.loads(first)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.communicate(), _STOP_LIMIT)
        if process.returncode is None:
            process.kill()
            await process.wait()


@contextlib.asynccontextmanager
async def world(directory: Path, *, forked: bool = False) -> AsyncIterator[World]:
    """Hub and two nodes, both agencies in the community `bench`."""
    key, made = ("--key", "SEC/registrar-1.key"), World(directory, forked)
    run = made.command
    await run("liaison-root", "create", "SEC", "--keys", "1-of-1", "--registrar", "1-of-1")
    await run("liaison-hub", "init", "--state", "HUB", "--name", "Bench")
    await run("liaison-root", "sign-hub", "HUB/hub-request.dsse", *key, "--out", "hub.dsse")
    await run("liaison-hub", "install", "SEC/root.dsse", "hub.dsse", "--state", "HUB")
    (directory / "liaison-hub.toml").write_text("sender_per_second = 0\n")  # as much as the hub can take
    async with AsyncExitStack() as stack:
        serve = (str(COMMANDS / "liaison-hub"), "serve", "--state", "HUB", "--port", "0", "--json")
        ready = await stack.enter_async_context(started(directory, "hub", *serve, forked=forked))
        for agency in (SENDER, READER):
            await _enrolled(made, agency, ready["fingerprint"])
            node = (str(COMMANDS / "liaison-agency"), "run", "--state", agency, "--json")
            await stack.enter_async_context(started(directory, agency, *node, forked=forked))
        await run("liaison-agency", *_FOUND_ARGUMENTS)
        await run("liaison-agency", *_JOIN_ARGUMENTS)
        yield made


async def _enrolled(running: World, agency: str, fingerprint: str) -> None:
    run, code = running.command, agency[:2].upper() + "A"
    signed, admission = f"{agency}.dsse", f"{agency}.json"
    request, state = f"{agency}/enrolment.dsse", ("--state", agency)
    await run("liaison-agency", "init", *state, "--agency", agency, "--name", agency, "--code", code)
    await run("liaison-root", "sign-agency", request, "--key", "SEC/registrar-1.key", "--out", signed)
    await run("liaison-hub", "admit", request, signed, "--state", "HUB", "--out", admission)
    await run("liaison-agency", "enrol", admission, "--root-fingerprint", fingerprint, *state)

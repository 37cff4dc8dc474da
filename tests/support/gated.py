"""One of Liaison's commands as it is, with gates in it: moments at which it waits, when a test has asked for
that, so that some process can be killed at exactly that moment; and with a clock that a test turns. Nothing
of this is in the product.

Usage: python -m tests.support.gated DIRECTORY {hub,agency,bot} WORDS...

A test arms a gate by a file `DIRECTORY/STEP.armed`. The first call that comes to the step renames it to
`STEP.reached`, and goes no further until that is removed. `tests.support.steps` names the steps. The
process's clock is as far ahead of the machine's as `DIRECTORY/clock` says, in milliseconds.
"""

import asyncio
import functools
import importlib
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from nats.aio.client import Client

from tests.support.steps import BESIDE, STEPS, Step

_PAUSE: Final = 0.01
_COMMANDS: Final = {"hub": "hub.cli", "agency": "subscribers.cli", "bot": "bots.cli"}

Call = Callable[..., Awaitable[Any]]


async def wait_at(directory: Path, step: str) -> None:
    """Go on at once unless the gate is armed."""
    reached = directory / f"{step}.reached"
    try:
        (directory / f"{step}.armed").rename(reached)
    except FileNotFoundError:
        return
    while reached.exists():  # noqa: ASYNC110 - a test in another process takes it away
        await asyncio.sleep(_PAUSE)


def gated(directory: Path, step: Step, call: Call) -> Call:
    """`call`, with a gate before or after it."""

    @functools.wraps(call)
    async def waiting(*given: Any, **named: Any) -> Any:  # whatever the call takes and gives
        matters = step.when(*given)
        if matters and not step.after:
            await wait_at(directory, step.name)
        result = await call(*given, **named)
        if matters and step.after:
            await wait_at(directory, step.name)
        return result

    return waiting


def put_gates(directory: Path, command: str) -> None:
    """Into everything that this command passes."""
    for step in (*STEPS, *BESIDE):
        if step.command == command:
            module, _, path = step.place.partition(":")
            *owners, name = path.split(".")
            owner: Any = importlib.import_module(module)
            for each in owners:
                owner = getattr(owner, each)
            setattr(owner, name, gated(directory, step, getattr(owner, name)))


def ahead(directory: Path) -> int:
    """Milliseconds by which the clock of a process, or of the hub's machine, is ahead of this machine's."""
    try:
        return int((directory / "clock").read_text() or 0)
    except FileNotFoundError:
        return 0


def turn_clock(directory: Path, command: str) -> None:
    """Give the command's process its clock, where it takes one."""
    if command == "bot":
        bots_clock: Any = importlib.import_module("bots.clock")
        bots_clock.SystemClock.now = lambda _: time.time() + ahead(directory) / 1000
    elif command == "hub":
        process: Any = importlib.import_module("hub.process")
        process.running = functools.partial(process.running, clock=lambda: _now() + ahead(directory))
    else:
        serving: Any = importlib.import_module("subscribers.serving")
        core: Any = importlib.import_module("subscribers.core")
        hub_clock = core.hub_clock

        async def at_the_hub(nc: Client) -> int:
            # The server's clock is that of the hub's machine.
            return int(await hub_clock(nc)) + ahead(directory.parent / "hub")

        running = functools.partial(serving.Node.running, clock=lambda: _now() + ahead(directory))
        serving.Node = SimpleNamespace(running=running)
        core.hub_clock = at_the_hub


def _now() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    where, which, *words = sys.argv[1:]
    put_gates(Path(where), which)
    turn_clock(Path(where), which)
    sys.argv = [f"liaison-{which}", *words]
    importlib.import_module(_COMMANDS[which]).main()

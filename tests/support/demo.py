"""`liaison-demo` as a person starts it: a process of its own, whose end leaves nothing behind."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.demo.processes import TRACES

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).parent / "liaison-demo"


@dataclass(frozen=True)
class Finished:
    """What a run left: its exit status, the object on stdout, what it said on stderr."""

    status: int
    report: dict[str, Any]
    said: str


async def headless(
    *options: str,
    tree: Path = ROOT,
    directory: Path | None = None,
    before: tuple[str, ...] = (),
    traces: str = "",
) -> Finished:
    """Run without a person, on the packages in `tree`; `before` stands before the command, and `traces` is
    where a collector of them listens.
    """
    keep = ["--keep", str(directory)] if directory else []
    process = await asyncio.create_subprocess_exec(
        *(*before, str(COMMAND), "--headless", "--json", *options, *keep),
        env={**os.environ, "PYTHONPATH": str(tree), **({TRACES: traces} if traces else {})},
        cwd=tree,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        stdout, stderr = await process.communicate()
    finally:
        await _ended(process)
    said = stderr.decode()
    lines = stdout.decode().splitlines()
    assert len(lines) == 1, f"not one line on stdout: {lines}; stderr: {said}"
    return Finished(process.returncode or 0, json.loads(lines[0]), said)


@asynccontextmanager
async def interactive(*options: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    """A running demonstration and what it said when it was ready."""
    process = await asyncio.create_subprocess_exec(
        *(str(COMMAND), "--json", *options),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        yield process, json.loads(await process.stdout.readline())
    finally:
        await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 40)
        except TimeoutError:
            process.kill()
            await process.wait()


def using(directory: str) -> list[str]:
    """The command lines of processes that name `directory`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue  # it ended meanwhile
            if directory in command:
                found.append(command)
    return found

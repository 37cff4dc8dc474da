"""The other commands as processes: run to their end, or kept running with their lines read and written.

Each is the leader of a process group of its own, so that an interrupt at the terminal reaches the
demonstration alone, which then ends the groups in order. On Linux the kernel ends them when the demonstration
itself is killed.
"""

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, Self

from hub.tether import tethered
from schemas.errors import Code, OperationError

LINE_MAX: Final = 8 * 1024 * 1024
COMMAND_SECONDS: Final = 90.0
_STOP_SECONDS: Final = 20.0
_TAIL_LINES: Final = 6
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "SSL_CERT_FILE")
TRACES: Final = "LIAISON_DEMO_TRACES_URL"
"""Where the whole demonstration sends its traces, if anywhere."""
_TRACED: Final = ("HUB", "AGENCY", "BOT")


def find_command(name: str) -> str:
    """Where a command of Liaison is: beside this interpreter, else on PATH. OperationError `not_found`."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise OperationError(
            Code.NOT_FOUND,
            f"the command {name} is not installed",
            "`uv sync` in a clone; the images for production hold only a part of Liaison each",
        )
    return found


def environment(outside: Mapping[str, str], extra: Mapping[str, str]) -> dict[str, str]:
    """What the commands are given of the environment `outside`: nobody's settings, nobody's secrets."""
    kept = {name: outside[name] for name in _PASSED_ON if name in outside}
    traced = {f"LIAISON_{each}_TRACES_URL": url for each in _TRACED if (url := outside.get(TRACES))}
    return {**kept, **traced, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", **extra}


class Process:
    """A running command. Its stdout is read as lines; its stderr goes to a file."""

    def __init__(self, name: str, child: asyncio.subprocess.Process, log: Path, turn: int = 0) -> None:
        self.name = name
        self.turn = turn
        self.log = log
        self._child = child
        self._discarding: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._child.returncode is None

    async def line(self) -> str | None:
        """The next line of its output, None when it has ended."""
        raw = await self._reader.readline()
        return raw.decode("utf-8", "replace").rstrip("\n") if raw else None

    async def lines(self) -> AsyncIterator[str]:
        """Its lines until it ends."""
        while (line := await self.line()) is not None:
            yield line

    async def answers(self) -> AsyncIterator[dict[str, Any]]:
        """Its lines that are JSON objects; a list becomes `{"items": [...]}`."""
        async for line in self.lines():
            if line.startswith(("{", "[")):
                value = json.loads(line)
                yield value if isinstance(value, dict) else {"items": value}

    async def first(self, seconds: float = COMMAND_SECONDS) -> dict[str, Any]:
        """The first JSON object that it says. OperationError when it ends or says nothing in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for answer in self.answers():
                    return answer
        raise self.failure("did not become ready")

    async def write(self, value: Mapping[str, Any]) -> None:
        """One line of JSON on its standard input."""
        if self._child.stdin is None or not self.running:
            raise self.failure("has ended")
        self._child.stdin.write(json.dumps(value, ensure_ascii=False).encode() + b"\n")
        with contextlib.suppress(ConnectionError):
            await self._child.stdin.drain()

    def discard(self) -> None:
        """Read what else it says and forget it, so that it never waits for a reader."""
        self._discarding = asyncio.create_task(self._read_on())

    async def _read_on(self) -> None:
        async for _ in self.lines():
            pass

    def close_input(self) -> None:
        """Say that no more lines will come."""
        if self._child.stdin is not None:
            self._child.stdin.close()

    async def wait(self) -> int:
        """Its exit status."""
        return await self._child.wait()

    async def stop(self) -> None:
        """End it: ask, wait, then kill the whole group. Safe to repeat."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._child.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._child.wait()

    def kill(self) -> None:
        """End it at once, with its group, as a crash would."""
        self._signal(signal.SIGKILL)

    def failure(self, what: str) -> OperationError:
        """What went wrong with it, with the end of its log."""
        said: list[str] = []
        with contextlib.suppress(OSError):
            said = self.log.read_text("utf-8", "replace").splitlines()[-_TAIL_LINES:]
        return OperationError(Code.INTERNAL, f"{self.name} {what}: {' | '.join(said)}", f"see {self.log}")

    @property
    def _reader(self) -> asyncio.StreamReader:
        if self._child.stdout is None:
            raise self.failure("has no output")
        return self._child.stdout

    def _signal(self, number: int) -> None:
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)


class Processes:
    """All processes of a run; leaving the block ends them, the newest first."""

    def __init__(self, directory: Path, outside: Mapping[str, str]) -> None:
        self._directory = directory
        self._logs = directory / "logs"
        self._outside = outside
        self._running: list[Process] = []
        self._commands: set[Process] = set()
        self._numbers = itertools.count(1)

    async def __aenter__(self) -> Self:
        self._logs.mkdir(mode=0o700, exist_ok=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(
        self,
        name: str,
        *command: str,
        turn: int,
        extra: Mapping[str, str] | None = None,
        reads: bool = False,
    ) -> Process:
        """Start a command that stays. `turn`: higher ones need lower ones, and are ended before them.

        `reads`: it is given lines on its standard input.
        """
        process = await self._spawn(name, command, extra or {}, turn=turn, reads=reads)
        self._running.append(process)
        self._running.sort(key=lambda each: each.turn)
        return process

    async def run(self, *command: str, extra: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Run a command to its end: the JSON object that it answered; `{"items": ...}` for a list, {} for
        nothing.

        Raises what it was refused with, or OperationError.
        """
        name = f"command-{next(self._numbers)}-{Path(command[0]).name}"
        process = await self._spawn(name, command, extra or {}, turn=0, reads=False)
        self._commands.add(process)
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                answers = [answer async for answer in process.answers()]
                status = await process.wait()
        except TimeoutError:
            raise process.failure(f"did not end in {COMMAND_SECONDS:g} seconds") from None
        finally:
            await process.stop()
            self._commands.discard(process)
        if status != 0:
            raise _refusal(process, answers)
        process.log.unlink(missing_ok=True)
        return answers[-1] if answers else {}

    async def stop(self) -> None:
        """End all: in turns, the newest first, each turn at once. Safe to repeat."""
        await asyncio.gather(*(each.stop() for each in self._commands))
        while self._running:
            turn = self._running[-1].turn
            ending = [each for each in self._running if each.turn == turn]
            await asyncio.gather(*(each.stop() for each in ending))
            self._running = [each for each in self._running if each not in ending]

    async def _spawn(
        self, name: str, command: Sequence[str], extra: Mapping[str, str], *, turn: int, reads: bool
    ) -> Process:
        program, *arguments = command
        log = self._logs / f"{name}.log"
        with log.open("ab") as errors:
            child = await asyncio.create_subprocess_exec(
                *tethered(program, *arguments),
                stdin=asyncio.subprocess.PIPE if reads else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=_file(errors),
                cwd=self._directory,
                env=environment(self._outside, extra),
                start_new_session=True,
                limit=LINE_MAX,
            )
        return Process(name, child, log, turn)


def _file(opened: IO[bytes]) -> int:
    return opened.fileno()


def _refusal(process: Process, answers: Sequence[Mapping[str, Any]]) -> OperationError:
    """The refusal that a command wrote as JSON on stderr, or that its last answer tells of."""
    said: list[str] = []
    with contextlib.suppress(OSError):
        said = process.log.read_text("utf-8", "replace").splitlines()
    for line in reversed(said):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            told = json.loads(line)
            return OperationError(Code(told["code"]), told["message"], told["fix"])
    if answers and answers[-1].get("code"):
        return OperationError(Code(answers[-1]["code"]), "the hub refused it")
    return process.failure("failed")

"""Starting the project's commands without loading them anew each time: `tests.support.forkserver` forks them.

`spawn` takes what `asyncio.create_subprocess_exec` takes, and what it gives is used in the same way.
"""

import asyncio
import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import IO, Final

ROOT: Final = Path(__file__).resolve().parents[2]
Stream = int | IO[bytes] | None
"""A descriptor, a file, PIPE, DEVNULL, or None for this process's own."""


class Forked:
    """A process that runs, or has ended. Made by `spawn`."""

    stdin: asyncio.StreamWriter | None = None
    stdout: asyncio.StreamReader | None = None
    stderr: asyncio.StreamReader | None = None

    def __init__(self, pid: int, told: asyncio.StreamReader, teller: asyncio.StreamWriter) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.ensure_future(self._end(told, teller))

    async def _end(self, told: asyncio.StreamReader, teller: asyncio.StreamWriter) -> None:
        """Its exit status, as of `Popen.returncode`; the status of a SIGKILL where its server is gone."""
        try:
            self.returncode = int(await told.readline() or -signal.SIGKILL)
        finally:
            teller.close()

    async def wait(self) -> int:
        """Its exit status, once it has ended."""
        await asyncio.shield(self._ended)
        assert self.returncode is not None
        return self.returncode

    async def communicate(self, given: bytes | None = None) -> tuple[bytes, bytes]:
        """Give it this on standard input; all that it wrote, once it has ended."""
        outputs = asyncio.gather(_all(self.stdout), _all(self.stderr), self._give(given))
        out, err, _ = await outputs
        await self.wait()
        return out, err

    async def _give(self, given: bytes | None) -> None:
        if self.stdin is not None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                if given:
                    self.stdin.write(given)
                    await self.stdin.drain()
            self.stdin.close()

    def send_signal(self, number: int) -> None:
        """Send a signal. ProcessLookupError when it has ended."""
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


async def spawn(
    *words: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: Stream = None,
    stdout: Stream = None,
    stderr: Stream = None,
) -> Forked:
    """Start a command: at once where it is one of `forkserver.LOADED`, by executing it where it is not."""
    ours: list[int | None] = []
    with contextlib.ExitStack() as theirs:
        streams = []
        for number, stream in enumerate((stdin, stdout, stderr)):
            passed, kept = _ends(number, stream)
            streams.append(passed)
            ours.append(kept)
            if stream in {PIPE, DEVNULL}:
                theirs.callback(os.close, passed)
        listening, telling = socket.socketpair()
        theirs.enter_context(telling)
        told, teller = await asyncio.open_connection(sock=listening)
        asked = [[*map(str, words)], str(cwd or Path.cwd()), dict(os.environ if env is None else env)]
        socket.send_fds(_door(), [json.dumps(asked).encode()], [*streams, telling.fileno()])
    if not (pid := await told.readline()):
        raise RuntimeError("the fork server has ended")
    process = Forked(int(pid), told, teller)
    process.stdin = await _writer(ours[0])
    process.stdout, process.stderr = await _reader(ours[1]), await _reader(ours[2])
    return process


def _ends(number: int, stream: Stream) -> tuple[int, int | None]:
    """The descriptor that the process gets as its `number`, and the one that we keep of a pipe."""
    if stream is None:
        return number, None
    if stream == DEVNULL:
        return os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC), None
    if stream == PIPE:
        read, write = os.pipe()
        return (read, write) if number == 0 else (write, read)
    return (stream if isinstance(stream, int) else stream.fileno()), None


async def _reader(number: int | None) -> asyncio.StreamReader | None:
    if number is None:
        return None
    reader = asyncio.StreamReader()
    pipe = os.fdopen(number, "rb", 0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader


async def _writer(number: int | None) -> asyncio.StreamWriter | None:
    if number is None:
        return None
    loop, pipe = asyncio.get_running_loop(), os.fdopen(number, "wb", 0)
    unused = asyncio.StreamReader()
    transport, protocol = await loop.connect_write_pipe(lambda: asyncio.StreamReaderProtocol(unused), pipe)
    return asyncio.StreamWriter(transport, protocol, None, loop)


async def _all(reader: asyncio.StreamReader | None) -> bytes:
    return await reader.read() if reader is not None else b""


@cache
def _door() -> socket.socket:
    """Where this process's own fork server is asked; it is started when it is first needed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIAISON_")}
    with theirs:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.support.forkserver", str(theirs.fileno())],
            cwd=ROOT,
            env={**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )

    def close() -> None:
        ours.close()
        server.wait()

    atexit.register(close)
    return ours

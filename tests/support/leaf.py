"""What stands at an agency's own site: a leaf node, and the link to the hub that can be cut."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from hub.accounts import Credentials
from hub.server import find_binary
from hub.tether import tethered

LOOPBACK = "127.0.0.1"
_PIECE = 65536
_LIMIT = 64 * 1024
_PATIENCE = 45.0


@dataclass
class Link:
    """Passes connections on from one port of loopback to another, until it is cut."""

    port: int
    target: int
    whole: bool = True
    _ends: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """End what is connected, and let nothing through."""
        self.whole = False
        for end in self._ends:
            end.close()

    def mend(self) -> None:
        """From now on it passes connections on again."""
        self.whole = True

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        server = await asyncio.start_server(self._accepted, LOOPBACK, self.port)
        try:
            yield self
        finally:
            server.close()
            self.cut()
            while self._ends:  # noqa: ASYNC110 - each ends by itself
                await asyncio.sleep(0.01)
            await server.wait_closed()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self._end(writer))
            if not self.whole:
                return
            with contextlib.suppress(OSError):
                answers, further = await asyncio.open_connection(LOOPBACK, self.target)
                await stack.enter_async_context(self._end(further))
                await asyncio.gather(self._pass(reader, further), self._pass(answers, writer))

    @asynccontextmanager
    async def _end(self, writer: asyncio.StreamWriter) -> AsyncIterator[None]:
        self._ends.add(writer)
        try:
            yield
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self._ends.discard(writer)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while self.whole and (piece := await reader.read(_PIECE)):
                writer.write(piece)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def leaf_server(config: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A running nats-server."""
    with (config.parent / "stderr").open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *tethered(str(find_binary()), "-c", str(config)), stdout=errors, stderr=errors
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class RawLeaf:
    """A leaf node that keeps to no rule: it says whatever it is told to, by NATS's own protocol."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.heard: list[bytes] = []

    @classmethod
    @asynccontextmanager
    async def connected(cls, port: int, user: Credentials, account: str) -> AsyncIterator["RawLeaf"]:
        """Logged in at the hub's port for leaf nodes, for this account."""
        reader, writer = await asyncio.open_connection(LOOPBACK, port, limit=_LIMIT)
        try:
            info = json.loads((await reader.readline()).removeprefix(b"INFO "))
            options = user.options()
            hello: dict[str, Any] = {
                "jwt": options["user_jwt_cb"]().decode(),
                "sig": options["signature_cb"](info["nonce"]).decode(),
                "name": "rogue",
                "server_id": "rogue",
                "version": "2.15.1",
                "headers": True,
                "remote_account": account,
            }
            writer.write(f"CONNECT {json.dumps(hello)}\r\n".encode())
            yield cls(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def say(self, protocol: bytes, *, until: bytes) -> bool:
        """Send; whether the server then said a line with `until` in it, b"" for the end of the
        connection.
        """
        with contextlib.suppress(OSError):
            self._writer.write(protocol)
            async with asyncio.timeout(_PATIENCE):
                while line := await self._reader.readline():
                    if line == b"PING\r\n":
                        self._writer.write(b"PONG\r\n")
                    self.heard.append(line)
                    if until and until in line:
                        return True
        return not until

"""Mosquitto as a peer: the publisher signs each message with Ed25519, every reader verifies it. QoS 1, a
connection for each reader. The broker reads everything, and writes nothing to the disk.
"""

import asyncio
import contextlib
import importlib
import importlib.util
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from schemas.limits import SIGNATURE_SIZE
from schemas.signing import verify
from tests.bench.arrivals import Arrivals, Send, tasks
from tests.support.frames import Pair

_TOPIC: Final = "bulletins/live"
_HEAD: Final = 8
_TRIES: Final = 100
_PAUSE: Final = 0.05
_HOST: Final = "127.0.0.1"


def missing() -> str:
    """Why it is not here; empty when it is."""
    if not _binary():
        return "no `mosquitto` (Debian: apt-get install mosquitto)"
    return "" if importlib.util.find_spec("aiomqtt") else "no aiomqtt (uv sync --group peers)"


@asynccontextmanager
async def delivery(directory: Path, readers: int, payload: bytes) -> AsyncIterator[tuple[Arrivals, Send]]:
    """A broker, a publisher and so many readers, each on a connection of its own."""
    client: Any = importlib.import_module("aiomqtt").Client
    arrivals, signer = Arrivals(readers), Pair()
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(_broker(directory))
        publisher = await stack.enter_async_context(client(_HOST, port))
        named = [client(_HOST, port, identifier=f"reader{number}") for number in range(readers)]
        connected = [await stack.enter_async_context(each) for each in named]
        start = await stack.enter_async_context(tasks())
        for number, reader in enumerate(connected):
            await reader.subscribe(_TOPIC, qos=1)
            start(_read(reader, number, signer.public, arrivals))

        async def send(number: int) -> None:
            message = number.to_bytes(_HEAD, "big") + payload
            await publisher.publish(_TOPIC, signer.sign(message) + message, qos=1)

        yield arrivals, send


async def _read(client: Any, reader: int, key: bytes, arrivals: Arrivals) -> None:  # loaded late
    async for received in client.messages:
        signature, message = received.payload[:SIGNATURE_SIZE], received.payload[SIGNATURE_SIZE:]
        if not verify(key, message, signature):
            raise ValueError("a signature does not hold")
        arrivals.arrived(reader, int.from_bytes(message[:_HEAD], "big"))


def _binary() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


@asynccontextmanager
async def _broker(directory: Path) -> AsyncIterator[int]:
    with socket.create_server((_HOST, 0)) as free:
        port = int(free.getsockname()[1])
    config = directory / "mosquitto.conf"
    config.write_text(f"listener {port} {_HOST}\nallow_anonymous true\nmax_queued_messages 0\n")
    with (directory / "mosquitto.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(_binary() or "", "-c", str(config), stderr=log)
    try:
        for _ in range(_TRIES):
            with contextlib.suppress(OSError):
                socket.create_connection((_HOST, port)).close()
                break
            await asyncio.sleep(_PAUSE)
        yield port
    finally:
        process.terminate()
        await process.wait()

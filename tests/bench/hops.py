"""The floor of the way from agency to agency: the same hops by bare library calls, with nothing decided on
the way.

Three nats-servers that write to the disk before they acknowledge, three forwarding processes of a few lines:
a client's request, one fsync, publish with acknowledgement into a hub's stream; pull, publish into a second
one; pull, one fsync, publish into a stream on the third server, where a plain subscription waits. Run as
`python -m tests.bench.hops ROLE FROM TO FILE`, a forwarder says one line of JSON when it is ready.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

import nats
import uvloop
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig

from subscribers.local.server import find_binary
from tests.bench.load import Stream, Timings
from tests.bench.stage import started

SIZE: Final = 1_800
"""Bytes of a message: a frame with a bulletin of one KiB."""
_STREAMS: Final = {"INTAKE": "in.>", "TRAFFIC": "f.>", "BULLETINS": "bulletin.>"}
_EXPIRES: Final = 3_600
_BATCH: Final = 100_000
_ANSWER_LIMIT: Final = 30.0
_ROOT: Final = str(Path(__file__).resolve().parents[2])


def _append(file: int, data: Sequence[bytes]) -> None:
    os.write(file, b"".join(data))
    os.fsync(file)


class _Standing:
    """One large pull request, and what has arrived."""

    def __init__(self) -> None:
        self._arrived: list[Msg] = []
        self._signal = asyncio.Event()

    async def begin(self, nc: Client, stream: str) -> None:
        inbox = nc.new_inbox()
        await nc.subscribe(inbox, cb=self._receive)
        request = {"batch": _BATCH, "expires": _EXPIRES * 10**9}
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.floor"
        await nc.publish(subject, json.dumps(request).encode(), reply=inbox)
        await nc.flush()

    async def _receive(self, message: Msg) -> None:
        self._arrived.append(message)
        self._signal.set()

    async def next(self) -> list[Msg]:
        await self._signal.wait()
        self._signal.clear()
        messages, self._arrived = self._arrived, []
        return messages


async def _sender(here: Client, there: Client, file: int) -> None:
    loop, tasks = asyncio.get_running_loop(), set()

    async def forward(message: Msg) -> None:
        await loop.run_in_executor(None, _append, file, [message.data])
        await there.request("in.x", message.data, timeout=_ANSWER_LIMIT)
        await message.respond(b"+")

    async def take(message: Msg) -> None:
        task = asyncio.create_task(forward(message))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    await here.subscribe("send", cb=take)
    await here.flush()


async def _hub(here: Client, _there: Client, _file: int) -> None:
    await _forwarding(here, "INTAKE", here, "f.x", None)


async def _reader(here: Client, there: Client, file: int) -> None:
    await _forwarding(here, "TRAFFIC", there, "bulletin.x", file)


async def _forwarding(here: Client, stream: str, there: Client, subject: str, file: int | None) -> None:
    pull = _Standing()
    await pull.begin(here, stream)

    async def forward() -> None:
        while True:
            messages = await pull.next()
            if file is not None:
                data = [message.data for message in messages]
                await asyncio.get_running_loop().run_in_executor(None, _append, file, data)
            publish = partial(there.request, subject, timeout=_ANSWER_LIMIT)
            await asyncio.gather(*(publish(payload=message.data) for message in messages))
            for message in messages:
                await message.ack()

    _RUNNING.append(asyncio.create_task(forward()))


_RUNNING: Final[list[asyncio.Task[None]]] = []
_ROLES: Final = {"sender": _sender, "hub": _hub, "reader": _reader}


async def _run(role: str, here: str, there: str, path: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    near, far = await nats.connect(here), await nats.connect(there)
    await _ROLES[role](near, far, file)
    print(json.dumps({"event": "ready"}), flush=True)
    await stop.wait()
    for task in _RUNNING:
        task.cancel()
    await near.close()
    await far.close()


@contextlib.asynccontextmanager
async def server(directory: Path) -> AsyncIterator[str]:
    """A plain nats-server that writes to the disk before it acknowledges; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = directory / "server.conf"
    config.write_text(
        f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{directory}", sync_interval: always }}\n'
    )
    process = await asyncio.create_subprocess_exec(
        find_binary(), "-c", str(config), "-l", str(directory / "server.log")
    )
    try:
        yield f"nats://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def prepared(url: str, streams: Sequence[str]) -> None:
    """Make these streams, each with the durable of a forwarder, as soon as the server listens."""
    nc = await nats.connect(url, max_reconnect_attempts=100, reconnect_time_wait=0.1)
    js = nc.jetstream()
    for stream in streams:
        await js.add_stream(StreamConfig(name=stream, subjects=[_STREAMS[stream]]))
        durable = ConsumerConfig(name="floor", durable_name="floor", ack_policy=AckPolicy.EXPLICIT)
        durable.max_ack_pending = _BATCH
        await js.add_consumer(stream, durable)
    await nc.close()


def forwarder(directory: Path, role: str, here: str, there: str) -> AbstractAsyncContextManager[Any]:
    """A process that forwards from one server to another while it is entered."""
    command = (sys.executable, "-m", "tests.bench.hops", role, here, there, f"{role}.journal")
    return started(directory, role, *command, environment={"PYTHONPATH": _ROOT})


def _made(directory: Path, *names: str) -> list[Path]:
    made = [directory / name for name in names]
    for each in made:
        each.mkdir()
    return made


@contextlib.asynccontextmanager
async def floor(directory: Path) -> AsyncIterator[Stream]:
    """The servers and the forwarders, and a way through them."""
    async with AsyncExitStack() as stack:
        near, hub, far = [
            await stack.enter_async_context(server(each)) for each in _made(directory, "near", "hub", "far")
        ]
        await prepared(near, [])
        await prepared(hub, ["INTAKE", "TRAFFIC"])
        await prepared(far, ["BULLETINS"])
        for role, here, there in (("sender", near, hub), ("hub", hub, hub), ("reader", hub, far)):
            await stack.enter_async_context(forwarder(directory, role, here, there))
        async with _ends(near, far) as stream:
            yield stream


@contextlib.asynccontextmanager
async def _ends(near: str, far: str) -> AsyncIterator[Stream]:
    timings = Timings()

    async def receive(message: Msg) -> None:
        timings.arrival(int(message.data[:10]))

    client, reader = await nats.connect(near), await nats.connect(far)
    try:
        await reader.subscribe("bulletin.>", cb=receive)
        await reader.flush()

        async def send(number: int) -> None:
            await client.request("send", b"%010d" % number + bytes(SIZE - 10), timeout=_ANSWER_LIMIT)

        yield Stream(send, timings)
    finally:
        await client.close()
        await reader.close()


if __name__ == "__main__":
    uvloop.run(_run(*sys.argv[1:5]))

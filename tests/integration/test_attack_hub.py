"""A hub that answers with anything but what it should: the node keeps trying, and serves its agency."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.demo.ports import free_ports
from schemas.encoding import to_base64
from subscribers.exchange.composer import Context
from subscribers.exchange.hub_link import Admission, HubKey, HubLink, feed_settled, hub_clock
from subscribers.exchange.outbox import Outbox
from subscribers.keys import Keyring
from subscribers.local.server import Server
from subscribers.storage import tables
from subscribers.storage.ledger import Ledger
from subscribers.storage.store import Store

DEADLINE = 45.0
ANSWERS = {
    "nothing": b"",
    "no JSON": b"\xff{",
    "a number": b"5",
    "a list": b"[]",
    "nested": b"[" * 100_000,
    "an object": b"{}",
    "no time": b'{"num_pending": 0, "num_ack_pending": 0, "ts": "never"}',
    "no count": b'{"num_pending": "x", "num_ack_pending": [], "ts": "2026-01-31T08:30:00Z"}',
}


@contextlib.asynccontextmanager
async def link_to(url: str, directory: Path) -> AsyncIterator[HubLink]:
    keys = Keyring.create(directory / "keys", "fra", "France", "FRA")
    admission = Admission(
        v=1, agency="fra", endpoint="A" * 56, user_jwt="x.y.z", urls=[url], root=to_base64(b"-"),
        fingerprint="00" * 32, hub=HubKey(name="hub", key=to_base64(bytes(32))),
    )  # fmt: skip
    async with await Store.open(directory / "node.db", keys.archive, tables.NODE) as store:
        ledger = await Ledger.load(store)

        def context(_: int) -> Context:
            raise AssertionError("nothing is composed here")

        yield HubLink(admission, keys, Outbox(store, ledger, context))


@contextlib.asynccontextmanager
async def hostile(url: str, answer: bytes) -> AsyncIterator[asyncio.Queue[str]]:
    """A hub that gives the same answer to everything; what it was asked, as it comes."""
    asked: asyncio.Queue[str] = asyncio.Queue()
    nc = Client()
    await nc.connect(url, connect_timeout=int(DEADLINE))

    async def reply(message: Msg) -> None:
        asked.put_nowait(message.subject)
        await message.respond(answer)

    await nc.subscribe("look.*", cb=reply)
    await nc.flush()
    try:
        yield asked
    finally:
        await nc.close()


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """A NATS server with nobody's accounts."""
    (port,) = free_ports(1)
    directory = tmp_path / "server"
    directory.mkdir()
    config = directory / "server.conf"
    config.write_text(
        f'listen: "127.0.0.1:{port}"\nports_file_dir: "{directory}"\nlog_file: "{directory}/server.log"\n'
        f'pid_file: "{directory}/server.pid"\n'
    )
    server = Server(directory, config, {})
    await server.start()
    yield f"nats://127.0.0.1:{port}"
    await server.stop()


@pytest.mark.parametrize("name", ANSWERS)
async def test_no_answer_of_the_hub_ends_the_node(tmp_path: Path, url: str, name: str) -> None:
    async with hostile(url, ANSWERS[name]) as asked, link_to(url, tmp_path) as link:

        async def read(nc: Client) -> None:
            await hub_clock(nc)
            await feed_settled(nc, "TRAFFIC")

        running = asyncio.create_task(link.run(read))
        async with asyncio.timeout(DEADLINE):
            for _ in range(2):  # again on another connection: the first answer did not end it
                await asked.get()
        assert not running.done()
        assert link.trouble is None or "hub_unreachable" in link.trouble
        running.cancel()
        await asyncio.wait([running])


GREETINGS = (
    b"\xff\xfe\r\n",
    b"INFO {\r\n",
    b"INFO {}\r\n",
    b"INFO []\r\n",
    b'INFO {"max_payload":"x"}\r\n',
    b"+OK\r\n",
)


@pytest.mark.parametrize("greeting", GREETINGS)
async def test_no_greeting_ends_the_node(tmp_path: Path, greeting: bytes) -> None:
    calls = asyncio.Semaphore(0)

    async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.release()
        writer.write(greeting)
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(call, "127.0.0.1", 0)
    url = f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, link_to(url, tmp_path) as link:

        async def nothing(_: Client) -> None:
            await asyncio.Event().wait()

        running = asyncio.create_task(link.run(nothing))
        async with asyncio.timeout(DEADLINE):
            for _ in range(2):
                await calls.acquire()
        assert not running.done()
        running.cancel()
        await asyncio.wait([running])

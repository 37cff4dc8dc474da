"""An agency's own NATS for tests: the real embedded server, with a service and clients on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from nats.aio.client import Client
from nats.aio.msg import Msg

from schemas.vocabulary import Tlp
from subscribers.client import Agency, ClientSettings
from subscribers.local import LocalNats, LocalSettings, Role
from subscribers.service.answering import NodeService
from tests.support.node_api import MemoryNode

DEADLINE = 45.0


@dataclass
class Plain:
    """A client on plain nats-py, and what happened to its connection."""

    nc: Client
    errors: asyncio.Queue[Exception] = field(default_factory=asyncio.Queue)
    closed: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def connected(local: LocalNats, directory: Path, name: str) -> AsyncIterator[Plain]:
    """`name` on plain nats-py, which does not reconnect."""
    plain = Plain(Client())

    async def failed(error: Exception) -> None:
        plain.errors.put_nowait(error)

    async def closed() -> None:
        plain.closed.set()

    seed = directory / "clients" / f"{name}.nk"
    await plain.nc.connect(
        local.url,
        nkeys_seed=str(seed),
        error_cb=failed,
        closed_cb=closed,
        allow_reconnect=False,
        connect_timeout=int(DEADLINE),
    )
    try:
        yield plain
    finally:
        await plain.nc.close()


@dataclass
class Node:
    """A local NATS with the node's service on it."""

    local: LocalNats
    api: MemoryNode
    directory: Path

    async def settings(
        self, name: str = "bot", role: Role = Role.PUBLISHER, ceiling: Tlp = Tlp.AMBER
    ) -> ClientSettings:
        """Register a client, and how it connects: patient with a busy machine."""
        await self.local.add_client(name, role, ceiling)
        settings = ClientSettings.from_directory(self.directory, name)
        return settings.model_copy(update={"timeout": DEADLINE, "open_timeout": DEADLINE})

    @asynccontextmanager
    async def client(
        self, name: str = "bot", role: Role = Role.PUBLISHER, ceiling: Tlp = Tlp.AMBER
    ) -> AsyncIterator[Agency]:
        """Register a client, and open it."""
        async with Agency.open(await self.settings(name, role, ceiling)) as agency:
            yield agency


@asynccontextmanager
async def running_node(directory: Path, api: MemoryNode | None = None) -> AsyncIterator[Node]:
    """A node in memory on a real local NATS in `directory`."""
    async with LocalNats.open(LocalSettings(directory=directory)) as local:
        api = api or MemoryNode()
        api.local = local
        async with NodeService(local, api):
            yield Node(local, api, directory)


async def collect(nc: Client, subject: str) -> asyncio.Queue[Msg]:
    """Messages on `subject` as they come; subscribed when this returns."""
    queue: asyncio.Queue[Msg] = asyncio.Queue()
    await nc.subscribe(subject, cb=queue.put)
    await nc.flush()
    return queue


async def hearing(local: LocalNats, directory: Path, name: str) -> None:
    """Return once a client that was added a moment ago hears what is live. Under load nats-server 2.15.1 may
    take a moment to connect a plain subscription of an account that is new.
    """
    node = await local.connection()
    async with connected(local, directory, name) as plain, asyncio.timeout(DEADLINE):
        heard = await collect(plain.nc, "notice.*")
        while heard.empty():
            await node.publish("notice.sign", b"{}")
            await node.flush()
            await asyncio.sleep(0.01)

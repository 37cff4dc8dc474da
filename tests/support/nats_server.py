"""A real hub NATS for tests: embedded server, accounts, streams, endpoints that connect as agencies do."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nats
import nats.errors
from nats.aio.client import DEFAULT_PENDING_SIZE, Client

from hub.accounts import Accounts, Credentials, Service
from hub.claims import push, push_all
from hub.durables import ensure_endpoint
from hub.jwt import KeyKind, NKey
from hub.server import NatsServer
from hub.stream_limits import StreamLimits
from hub.streams import ensure_streams

DEADLINE = 45.0
PIECE = bytes(16 * 1024)


@dataclass
class Peer:
    """An endpoint as its agency holds it, and its connection."""

    public: str
    user: NKey
    user_jwt: str
    nc: Client
    errors: list[Exception] = field(default_factory=list)
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)
    reconnected: asyncio.Event = field(default_factory=asyncio.Event)

    async def request(
        self, subject: str, payload: bytes = b"", headers: dict[str, str] | None = None
    ) -> bytes:
        """Ask, and give the answer's bytes."""
        return (await self.nc.request(subject, payload, timeout=DEADLINE, headers=headers)).data


@dataclass
class HubNats:
    """A running hub NATS with its streams."""

    accounts: Accounts
    server: NatsServer
    system: Client
    hub: Client
    peers: list[Peer] = field(default_factory=list)

    async def admit(self, name: str, *entitlements: tuple[str, str]) -> Peer:
        """A new endpoint with its durables, connected."""
        user = NKey.generate(KeyKind.USER)
        given = self.accounts.mint(name, user.public, frozenset(entitlements))
        await push(self.system, given.account_jwt)
        await ensure_endpoint(self.hub, given.account_public, frozenset(entitlements))
        return await self.join(given.account_public, user, given.user_jwt)

    async def join(self, public: str, user: NKey, user_jwt: str) -> Peer:
        """Connect as an endpoint that was admitted; refused connections raise."""
        peer = Peer(public, user, user_jwt, Client())

        async def failed(error: Exception) -> None:
            peer.errors.append(error)

        async def lost() -> None:
            peer.disconnected.set()

        async def back() -> None:
            peer.reconnected.set()

        await peer.nc.connect(
            self.server.url,
            **Credentials(user_jwt, user.seed).options(),
            error_cb=failed,
            disconnected_cb=lost,
            reconnected_cb=back,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=int(DEADLINE),
        )
        self.peers.append(peer)
        return peer

    async def entitle(self, peer: Peer, *entitlements: tuple[str, str]) -> None:
        """Set an endpoint's communities, live."""
        await push(self.system, self.accounts.entitle(peer.public, frozenset(entitlements)))
        await ensure_endpoint(self.hub, peer.public, frozenset(entitlements))


@asynccontextmanager
async def hub_nats(
    directory: Path, leaf_port: int | None = None, limits: StreamLimits | None = None
) -> AsyncIterator[HubNats]:
    """A hub NATS on a free port with its files in `directory`; the same directory is the same hub. It lets
    leaf nodes in at `leaf_port`.
    """
    accounts = Accounts.load_or_create(directory / "hub")
    async with NatsServer(directory / "nats", accounts, port=0, leaf_port=leaf_port) as server:
        quick: dict[str, Any] = {
            "max_reconnect_attempts": -1,
            "reconnect_time_wait": 0.05,
            "connect_timeout": int(DEADLINE),
            "error_cb": _quiet,
        }
        system = await nats.connect(server.url, **accounts.credentials(Service.SYSTEM).options(), **quick)
        hub = await nats.connect(server.url, **accounts.credentials(Service.HUB).options(), **quick)
        await push_all(system, accounts)
        await ensure_streams(hub, limits)
        running = HubNats(accounts, server, system, hub)
        try:
            yield running
        finally:
            for nc in (*(peer.nc for peer in running.peers), hub, system):
                with contextlib.suppress(Exception):
                    await nc.close()


async def eventually(true: Callable[[], Awaitable[bool]], *, deadline: float = DEADLINE) -> None:
    """Return as soon as `true` gives True; raises `TimeoutError` after `deadline` seconds."""
    async with asyncio.timeout(deadline):
        while not await true():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.01)


async def piled_up(nc: Client) -> asyncio.Task[None]:
    """Send on and on, until the network takes no more and the client keeps the rest."""
    sending = asyncio.create_task(_send_on_and_on(nc))
    await eventually(lambda: _is_full(nc))
    return sending


async def _send_on_and_on(nc: Client) -> None:
    with contextlib.suppress(nats.errors.Error, OSError):
        while True:
            await nc.publish("nobody.listens", PIECE)
            await asyncio.sleep(0)  # what sends has its turn, until it waits for the network


async def _is_full(nc: Client) -> bool:
    return nc.pending_data_size >= DEFAULT_PENDING_SIZE


async def _quiet(_error: Exception) -> None:
    """Connections that are lost on purpose are no news."""

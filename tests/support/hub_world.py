"""A real hub with agencies that connect to it as their nodes do: real nats-server, real JWTs, real
signatures.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from hub import tls
from hub.accounts import Credentials
from hub.client import connected, request
from hub.keeping import ReceiptSigner, initialise, install
from hub.nats_client import Client as ToldClient
from hub.pull import Pull
from hub.router import Step, no_hook
from hub.serve import RunningHub, running, unix_milliseconds
from hub.settings import HubSettings
from hub.streams import scan
from schemas import receipts
from schemas.encoding import to_base64
from schemas.errors import OperationError
from schemas.receipts import Answer
from schemas.vocabulary import Realm
from subscribers.exchange.hub_link import feed_settled
from subscribers.exchange.in_order import InOrder
from tests.support.frames import AgencyKit, Chain, Circle, Secretariat

DEADLINE = 45.0


@dataclass
class Station:
    """An agency's connection: what it sends, and everything that its two durables bring it, acknowledged."""

    kit: AgencyKit
    url: str
    user_jwt: str
    hub_key: bytes
    context: ssl.SSLContext | None = None
    nc: Client = field(default_factory=Client)
    traffic: list[Msg] = field(default_factory=list)
    directory: list[Msg] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def connect(self) -> None:
        async def lost() -> None:
            self.lost.set()

        async def quiet(_error: Exception) -> None:
            """Connections that are cut on purpose are no news."""

        async def back() -> None:
            self._end_reading()
            self._begin_reading()

        self.nc = ToldClient()
        credentials = Credentials(self.user_jwt, self.kit.user.seed)
        quick: dict[str, Any] = {
            "max_reconnect_attempts": -1,
            "reconnect_time_wait": 0.05,
            "connect_timeout": int(DEADLINE),
        }
        await self.nc.connect(
            self.url.split(","),
            **credentials.options(),
            error_cb=quiet,
            disconnected_cb=lost,
            reconnected_cb=back,
            **tls.options(self.url.split(","), self.context),
            **quick,
        )
        self._begin_reading()

    async def close(self) -> None:
        self._end_reading()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        with contextlib.suppress(NatsError, OSError):
            await self.nc.close()

    async def put(self, subject: str, data: bytes) -> None:
        """Send, and return when the intake has stored it."""
        answer = (await self.nc.request(subject, data, timeout=DEADLINE)).data
        assert b'"error"' not in answer, answer

    async def send(self, chain: Chain, frame: bytes) -> str:
        """Send a frame where its chain says; the hub's answer."""
        await self.put(chain.subject.intake(), frame)
        return await self.answer(frame)

    async def submit(self, data: bytes, what: str = "doc") -> str:
        """Send a document, a membership entry or a bundle; the hub's answer."""
        seen = len(self.answers)
        await self.put(f"s.{what}.{self.kit.endpoint}", data)
        return await self.answer(data, seen)

    async def answer(self, data: bytes, after: int = 0) -> str:
        """The code of the receipt for these bytes, as soon as it is here."""
        digest = sha256(data).hexdigest()
        found: list[str] = []

        def here() -> bool:
            found[:] = [answer.code for answer in self.answers[after:] if answer.sha256 == digest]
            return bool(found)

        await self.until(here)
        return found[-1]

    async def until(self, true: Callable[[], bool]) -> None:
        """Return when something that arrived makes this true; TimeoutError otherwise."""
        async with asyncio.timeout(DEADLINE), self._news:
            await self._news.wait_for(true)

    def frames(self) -> list[bytes]:
        """The frames that arrived, in order."""
        return [each.data for each in self.traffic if each.subject.startswith("f.")]

    def _begin_reading(self) -> None:
        for stream, into in (("TRAFFIC", self.traffic), ("DIRECTORY", self.directory)):
            self._tasks.append(asyncio.create_task(self._read(stream, into)))

    def _end_reading(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _read(self, stream: str, into: list[Msg]) -> None:
        """One connection's. As nodes do: what was lost on the way to the last one comes first, and what is
        lost on the way to this one is read anew.
        """
        with contextlib.suppress(OperationError, NatsError):  # what comes must follow all the same
            await feed_settled(self.nc, stream)
        order = InOrder()
        async with Pull(self.nc, stream, self.kit.endpoint, heartbeat=0.5) as pull:
            async for messages in pull:
                try:
                    order.follow(messages)
                except OperationError:
                    await self.nc.force_reconnect()
                    return
                async with self._news:
                    for message in messages:
                        into.append(message)
                        if message.subject.startswith("r."):
                            self.answers += receipts.read(message.data, self.kit.endpoint, self.hub_key)
                        await message.ack()
                    self._news.notify_all()


@dataclass
class HubWorld:
    """A secretariat, a state directory, and the agencies so far."""

    settings: HubSettings
    secretariat: Secretariat
    stations: list[Station] = field(default_factory=list)
    kits: dict[str, AgencyKit] = field(default_factory=dict)
    circles: dict[str, Circle] = field(default_factory=dict)

    @property
    def now(self) -> int:
        return unix_milliseconds()

    async def ask(self, verb: str, **asked: str | int | bool) -> dict[str, Any]:
        """A request to the control service, as the commands make it."""
        async with connected(self.settings) as nc:
            return await request(nc, verb, asked)

    async def enrol(self, id: str, code: str) -> Station:
        """A new agency, admitted, connected and with its keys in the directory."""
        station = await self.admit(AgencyKit(id, f"Agency {id}", code))
        assert await station.submit(station.kit.keys_document(self.now)) == "admitted"
        return station

    async def admit(self, kit: AgencyKit) -> Station:
        """A new agency, admitted and connected."""
        request, agency = kit.enrolment(self.now), self.secretariat.agency_document(kit, self.now)
        given = await self.ask("admit", request=to_base64(request), agency=to_base64(agency))
        kit.endpoint = given["endpoint"]
        hub_key = ReceiptSigner.load(self.settings).public
        url, context = ",".join(given["urls"]), self.settings.tls_context()
        station = Station(kit, url, given["user_jwt"], hub_key, context)
        await station.connect()
        self.stations.append(station)
        self.kits[kit.id] = kit
        return station

    async def community(self, owner: Station, *members: Station, realm: Realm = Realm.LIVE) -> Circle:
        """A community with its owner and these members in it; returns when all of them know."""
        circle = Circle(owner.kit, realm)
        assert await owner.submit(circle.document(self.now)) == "admitted"
        for station in (owner, *members):
            assert await owner.submit(circle.change(station.kit.id, self.now)) == "admitted"
        await self.know(circle, owner, *members)
        return circle

    async def know(self, circle: Circle, *stations: Station) -> None:
        """Return when these have all of the community's membership log."""
        for station in stations:
            await station.until(partial(self._complete, station, circle))

    def _complete(self, station: Station, circle: Circle) -> bool:
        return len(self.log(station, circle)) == len(circle.entries)

    @staticmethod
    def log(station: Station, circle: Circle) -> set[bytes]:
        """What a station has seen of a membership log."""
        return {each.data for each in station.directory if each.subject == f"m.{circle.id}"}

    async def close(self) -> None:
        for station in self.stations:
            await station.close()


def prepare_hub(directory: Path) -> HubWorld:
    """A hub's state directory with its documents installed, ready to run."""
    settings = HubSettings(state=directory / "hub-state", port=0)
    secretariat = Secretariat()
    now = unix_milliseconds()
    initialise(settings, "Hub", now)
    hub = secretariat.hub_document(ReceiptSigner.load(settings).public, now)
    install(settings, secretariat.root_document(now), hub)
    return HubWorld(settings, secretariat)


@asynccontextmanager
async def hub_world(
    directory: Path, hook: Callable[[Step], Awaitable[None]] = no_hook
) -> AsyncIterator[tuple[HubWorld, RunningHub]]:
    """A running hub in this process, on an embedded server."""
    world = prepare_hub(directory)
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(running(world.settings, hook=hook))
        stack.push_async_callback(world.close)
        yield world, hub


async def stored(nc: Client, stream: str, subject: str = ">") -> list[Msg]:
    """Everything that a stream holds on a subject, in order; `nc` is the hub's own connection."""
    return [message async for messages in scan(nc, stream, [subject]) for message in messages]


async def refused_to_a_stranger(url: str) -> None:
    """Who does not know the authority does not talk to the server."""
    urls = url.split(",")
    with pytest.raises(ssl.SSLError):
        await Client().connect(
            urls, allow_reconnect=False, connect_timeout=60, error_cb=_expected, **tls.options(urls, None)
        )


async def _expected(_: Exception) -> None:
    """It is what is asked for."""

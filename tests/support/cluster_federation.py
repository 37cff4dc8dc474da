"""Agencies on a cluster of three servers and two hubs, and the history of what became of their frames."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import product
from pathlib import Path
from string import ascii_uppercase
from typing import Final

from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from hub.jetstream import api
from hub.lease import ROTA
from hub.serve import RunningHub, running, unix_milliseconds
from schemas.errors import OperationError
from schemas.frame import parse_frame
from schemas.receipts import ADMITTED
from tests.support.cluster_world import NAMES, PARTITIONS, Cluster, cluster, enrol_at, shared_by
from tests.support.frames import Chain, Circle
from tests.support.history import (
    Acknowledged,
    Admitted,
    Arrived,
    Asked,
    Entitled,
    Finding,
    History,
    Place,
    Revoked,
    check,
)
from tests.support.history import Chain as Line
from tests.support.hub_world import Station, stored
from tests.support.world import eventually

DEADLINE: Final = 240.0
STREAMS: Final = ("TRAFFIC", "INTAKE", "DIRECTORY", ROTA)
SENDER: Final = "sender"
READER: Final = "reader"
STRANGER: Final = "stranger"


@dataclass
class Federation:
    """A sender, which the hub process `a` admits, a reader, which the hub here, `b`, admits, and a stranger
    who is in no community. Each of the two has a chain in each community that there has been.
    """

    cluster: Cluster
    process: asyncio.subprocess.Process
    hub: RunningHub
    stations: dict[str, Station]
    circles: list[Circle] = field(default_factory=list)
    chains: dict[str, Chain] = field(default_factory=dict)
    """In the newest community."""
    clients: list[Asked | Acknowledged] = field(default_factory=list)
    known: set[Finding] = field(default_factory=set)

    async def found(self) -> Circle:
        """A community of the two, in which their next frames are."""
        members = [self.stations[each] for each in (SENDER, READER)]
        circle = await self.cluster.world.community(*members)
        self.circles.append(circle)
        self.chains = {each: Chain(self.stations[each].kit, circle) for each in (SENDER, READER)}
        return circle

    async def publish(self, who: str = SENDER) -> None:
        """One frame, sent again until the intake has it and until its receipt is here, as a node would."""
        frame = self.ask(who)

        async def is_admitted() -> bool:
            with contextlib.suppress(NatsError, OSError, TimeoutError, AssertionError):
                async with asyncio.timeout(10):
                    return await self.stations[who].send(self.chains[who], frame) == ADMITTED
            return False

        await eventually(is_admitted, DEADLINE)
        self.acknowledge(frame)

    async def publish_once(self, who: str) -> None:
        """One frame, sent a single time: nothing is lost."""
        frame, station = self.ask(who), self.stations[who]

        async def is_sent() -> bool:
            try:
                await station.put(self.chains[who].subject.intake(), frame)
            except NoRespondersError:  # its server has not heard of a new community yet: nothing was sent
                return False
            return True

        await eventually(is_sent, DEADLINE)
        assert await station.answer(frame) == ADMITTED
        self.acknowledge(frame)

    def ask(self, who: str) -> bytes:
        """The next frame, for the history to know that it was asked for."""
        chain = self.chains[who]
        frame = chain.make(self.cluster.world.now)
        self.clients.append(Asked(_name(frame), Line(chain.kit.endpoint, chain.circle.id)))
        return frame

    def acknowledge(self, frame: bytes) -> None:
        """It is admitted, and its sender knows."""
        self.clients.append(Acknowledged(_name(frame)))

    async def leader(self, stream: str) -> str:
        """The server that leads a stream now."""
        found: list[str] = []

        async def is_led() -> bool:
            with contextlib.suppress(OperationError, NatsError, TimeoutError):
                info = await api(self.hub.office.nc, f"STREAM.INFO.{stream}")
                found[:] = [info["cluster"].get("leader") or ""]
            return bool(found and found[0])

        await eventually(is_led, DEADLINE)
        return found[0]

    async def until_whole(self) -> None:
        """Every server has all of every stream: a second kill before that could take what only one has."""

        async def is_whole() -> bool:
            with contextlib.suppress(OperationError, NatsError, TimeoutError):
                for stream in STREAMS:
                    placed = (await api(self.hub.office.nc, f"STREAM.INFO.{stream}"))["cluster"]
                    others = placed.get("replicas", [])
                    if len(others) < len(NAMES) - 1 or not all(each["current"] for each in others):
                        return False
                return True
            return False

        await eventually(is_whole, DEADLINE)

    async def verdict(self) -> list[Finding]:
        """What is wrong that was not before, when what is missing has had its time."""
        found: list[Finding] = []

        async def is_clean() -> bool:
            with contextlib.suppress(OperationError, NatsError, TimeoutError):
                found[:] = [each for each in check(await self.history()) if each not in self.known]
                return not found
            return False

        with contextlib.suppress(TimeoutError):
            await eventually(is_clean, DEADLINE)
        self.known |= set(found)
        return found

    async def history(self) -> History:
        """As it stands now; what a durable repeats is passed over by its number, as nodes do."""
        hub: list[Entitled | Revoked | Admitted] = [
            Entitled(who, circle.id) for circle in self.circles for who in (SENDER, READER)
        ]
        for each in await stored(self.hub.office.nc, "TRAFFIC", "f.>"):
            header = parse_frame(each.data).header
            hub.append(Admitted(_name(each.data), Line(header.pub, header.com), header.seq))
        places = {}
        for who, station in self.stations.items():
            arrived, last = [], 0
            for message in station.traffic:
                sequence = message.metadata.sequence.stream
                if sequence > last and message.subject.startswith("f."):
                    arrived.append(Arrived(_name(message.data)))
                last = max(last, sequence)
            places[Place(who, "feed")] = arrived
        return History(self.clients, hub, places)


@asynccontextmanager
async def federated(
    directory: Path, gates: Path | None = None, clock: Callable[[], int] = unix_milliseconds
) -> AsyncIterator[Federation]:
    """Running, with a first community. `gates` are those of the hub process `a`, `clock` is that of `b`."""
    async with (
        cluster(directory) as made,
        made.hub_process("a", gates) as process,
        running(made.hubs["b"], clock=clock) as hub,
    ):
        await eventually(lambda: shared_by(hub, "a", "b"), DEADLINE)
        # The hub that was first has the first half of the partitions.
        codes = map("".join, product(ascii_uppercase, repeat=3))
        half = PARTITIONS // 2
        stations = {
            SENDER: await enrol_at(made.world, lambda partition: partition < half, codes),
            READER: await enrol_at(made.world, lambda partition: partition >= half, codes),
            STRANGER: await enrol_at(made.world, lambda _: True, codes),
        }
        federation = Federation(made, process, hub, stations)
        await federation.found()
        yield federation


def _name(frame: bytes) -> str:
    return sha256(frame).hexdigest()

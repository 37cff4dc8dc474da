"""A cluster of three servers and two hubs: the server that leads a stream is killed while an agency
publishes, and comes back. tests/support/cluster_world.py makes the cluster.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256

import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.errors import Error as NatsError

from hub import tls
from hub.accounts import Credentials
from hub.jetstream import api
from hub.lease import ROTA
from hub.serve import RunningHub, running
from schemas.errors import OperationError
from schemas.frame import parse_frame
from schemas.receipts import ADMITTED
from tests.support.cluster_world import NAMES, Cluster, cluster
from tests.support.fault_table import Row, Table
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

pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(900)]

DEADLINE = 240.0
TOLD = 60.0
"""Half of the time after which servers compare by themselves."""
FRAMES = 40
STREAMS = ("TRAFFIC", "INTAKE", "TRAFFIC", "DIRECTORY")


@dataclass
class Federation:
    """A sender, a reader, and a stranger who is in no community."""

    cluster: Cluster
    hub: RunningHub
    stations: dict[str, Station]
    circle: Circle
    chain: Chain
    clients: list[Asked | Acknowledged] = field(default_factory=list)
    known: set[Finding] = field(default_factory=set)

    @property
    def line(self) -> Line:
        """The sender's chain, as a history has it."""
        return Line(self.stations["fra"].kit.endpoint, self.circle.id)

    async def publish(self) -> None:
        """One frame, sent again until the intake has it and until its receipt is here, as a node would."""
        station, frame = self.stations["fra"], self.chain.make(self.cluster.world.now)
        name = sha256(frame).hexdigest()
        self.clients.append(Asked(name, self.line))

        async def is_admitted() -> bool:
            with contextlib.suppress(NatsError, OSError, TimeoutError, AssertionError):
                async with asyncio.timeout(10):
                    await station.put(self.chain.subject.intake(), frame)
                    return await station.answer(frame) == ADMITTED
            return False

        await eventually(is_admitted, DEADLINE)
        self.clients.append(Acknowledged(name))

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
                for stream in {*STREAMS, ROTA}:
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
        hub: list[Entitled | Revoked | Admitted] = [Entitled(each, self.circle.id) for each in ("fra", "ken")]
        frames = [each.data for each in await stored(self.hub.office.nc, "TRAFFIC", "f.>")]
        hub += [
            Admitted(sha256(each).hexdigest(), self.line, parse_frame(each).header.seq) for each in frames
        ]
        places = {}
        for id, station in self.stations.items():
            arrived, last = [], 0
            for message in station.traffic:
                sequence = message.metadata.sequence.stream
                if sequence > last and message.subject.startswith("f."):
                    arrived.append(Arrived(sha256(message.data).hexdigest()))
                last = max(last, sequence)
            places[Place(id, "feed")] = arrived
        return History(self.clients, hub, places)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def federation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Federation]:
    async with (
        cluster(tmp_path_factory.mktemp("cluster")) as made,
        made.hub_process("a"),
        running(made.hubs["b"]) as hub,
    ):
        world = made.world

        async def is_shared() -> bool:
            facts = hub.office.among.leases.facts()
            return (
                facts is not None and facts["members"] == ["a", "b"] and None not in facts["duties"].values()
            )

        await eventually(is_shared, DEADLINE)
        stations = {code.lower(): await world.enrol(code.lower(), code) for code in ("FRA", "KEN", "BRA")}
        circle = await world.community(stations["fra"], stations["ken"])
        chain = Chain(stations["fra"].kit, circle)
        yield Federation(made, hub, stations, circle, chain)


@pytest.mark.parametrize("stream", STREAMS, ids=lambda each: each.lower())
async def test_the_leader_is_killed(federation: Federation, table: Table, stream: str) -> None:
    before = len(federation.clients)
    publishing = asyncio.create_task(_publish_all(federation))
    victim = await federation.leader(stream)
    await federation.cluster.kill_server(victim)
    await publishing
    await federation.cluster.start_server(victim)
    await federation.until_whole()
    await federation.publish()
    during = (len(federation.clients) - before) // 2
    table.add(Row(f"kill -9 leader of {stream}", "under load", during, during, await federation.verdict()))


async def test_a_server_that_comes_back_keeps_out_who_was_suspended_meanwhile(federation: Federation) -> None:
    """The operator's order is given while the servers elect another leader."""
    made, station = federation.cluster, federation.stations["bra"]
    victim = await federation.leader("TRAFFIC")
    await made.kill_server(victim)
    assert (await made.world.ask("suspend", who="bra"))["endpoints"] == [station.kit.endpoint]
    await made.start_server(victim)
    for site in sorted(made.sites, key=lambda each: each.name != victim):
        await eventually(partial(_is_kept_out, station, site.url), TOLD)
    await made.world.ask("resume", who="bra")
    await federation.until_whole()


async def _is_kept_out(station: Station, url: str) -> bool:
    rights = Credentials(station.user_jwt, station.kit.user.seed).options()
    nc = Client()
    try:
        await nc.connect(
            url, allow_reconnect=False, error_cb=_quiet, **rights, **tls.options([url], station.context)
        )
    except (NatsError, OSError, TimeoutError) as refused:
        return "connections exceeded" in str(refused)  # an account that may have none
    await nc.close()
    return False


async def _quiet(_: Exception) -> None:
    """It is expected."""


async def _publish_all(federation: Federation) -> None:
    for _ in range(FRAMES):
        await federation.publish()

"""The stage of the fault suite (`tests.support.fault_stage`) on a cluster: agencies' nodes, a bot and a chat,
on two hubs and three nats-servers. Every process is the real command.
"""

import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp

from hub import tls
from hub.cluster import CA
from hub.server import read_ports
from hub.settings import HubSettings
from tests.support.cluster_world import NAMES, Cluster, cluster
from tests.support.fault_stage import DEADLINE, Stage, peopled, prepare_gates
from tests.support.fault_table import Table
from tests.support.frames import Secretariat
from tests.support.hub_world import HubWorld
from tests.support.world import Member, Program, World, eventually

HUBS = ("a", "b")


class OnCluster(World):
    """A world whose hub is several, on NATS servers of their own. The hubs' commands find them by the
    settings file in the world's directory.
    """

    ca: Path

    async def prepare(self, id: str, state: Path | None = None) -> Member:
        """An agency that also has the authority of the servers' certificates."""
        member = await super().prepare(id, state)
        shutil.copy(self.ca, member.state / "hub-ca.pem")
        return member


@dataclass
class ClusterStage:
    """The stage, its servers, and the hubs by name."""

    stage: Stage
    cluster: Cluster
    hubs: dict[str, Program]

    async def status(self) -> dict[str, Any]:
        """What `liaison-hub status` says."""
        told: dict[str, Any] = await self.stage.world.operate("status")
        return told

    async def until_whole(self) -> None:
        """Return once each server says that it has all of its streams, and `status` that every stream has its
        replicas and every duty its hub: what the operator guide has one wait for between two restarts.
        """

        async def is_whole() -> bool:
            for name in NAMES:
                if not await _is_well(self.cluster.directory / name / "ports"):
                    return False
            with contextlib.suppress(AssertionError):  # nobody has the office at this moment
                return whole(await self.status())
            return False

        await eventually(is_whole, DEADLINE)


def whole(status: dict[str, Any]) -> bool:
    """Whether this status is of a cluster of which nothing is missing."""
    shared = status["cluster"]
    streams = status["streams"].values()
    return (
        shared["members"] == list(HUBS)
        and None not in shared["duties"].values()
        and all(each["leader"] and not each["behind"] for each in streams)
    )


async def _is_well(ports: Path) -> bool:
    """Whether a server says at its monitoring port that it has all that it should keep."""
    opened = read_ports(ports)
    if opened is None:
        return False
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{opened['monitoring'][0]}/healthz") as said,
        ):
            return said.status == HTTPStatus.OK
    except aiohttp.ClientError:
        return False


@contextlib.asynccontextmanager
async def opened(directory: Path, table: Table) -> AsyncIterator[ClusterStage]:
    """Everything up, as on the other stage."""
    world = OnCluster(directory, 0)
    await world.found()
    keys = HubWorld(HubSettings(state=world.state), Secretariat())
    async with cluster(directory, HUBS, world=keys) as made, contextlib.AsyncExitStack() as stack:
        world.ca = made.directory / NAMES[0] / CA
        urls = [each.url for each in made.sites]
        (directory / "liaison-hub.toml").write_text(f'nats = "{",".join(urls)}"\nnats_ca = "{world.ca}"\n')
        hubs = {name: _hub(world, made.hubs[name].state, name) for name in HUBS}
        for each in hubs.values():
            stack.push_async_callback(each.kill)
            await each.start()
        world.hub, world.fingerprint = hubs[HUBS[0]], hubs[HUBS[0]].ready["fingerprint"]
        stack.push_async_callback(_end, world)
        stage = await stack.enter_async_context(peopled(world, prepare_gates(directory), table))
        stage.hub_url = ",".join(urls)
        stage.hub_tls = tls.options(urls, made.hubs[HUBS[0]].tls_context())
        yield ClusterStage(stage, made, hubs)


def _hub(world: World, state: Path, name: str) -> Program:
    serve = (world.hub.words[0], "serve", "--state", state, "--member", name, "--json")
    return Program(world.directory, world.directory / f"hub-{name}.log", *serve)


async def _end(world: World) -> None:
    for member in world.members.values():
        await member.node.kill()

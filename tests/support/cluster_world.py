"""Three real nats-servers with TLS between all of them and to everybody, for hubs that share them."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from hub.accounts import Accounts
from hub.cluster import CA, CONFIG_FILE, Site, certify, copy_hub, tagged, write_configs
from hub.demo.ports import free_ports
from hub.gateway import Gateways
from hub.partitions import partition_of
from hub.serve import RunningHub
from hub.server import find_binary
from hub.settings import HubSettings
from hub.tether import tethered
from tests.support.hub_world import HubWorld, Station, prepare_hub

LOOPBACK = "127.0.0.1"
NAMES = ("north", "east", "south")
RELAY = ("far-a", "far-b", "far-c")
PARTITIONS = 4


@dataclass
class Cluster:
    """Servers by name, the settings of the hubs that may use them, and a relay's servers, if there is one."""

    directory: Path
    sites: Sequence[Site]
    world: HubWorld
    hubs: dict[str, HubSettings]
    relay: Sequence[Site] = ()
    servers: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start_server(self, name: str) -> None:
        """Start a server; it may have run before."""
        command = tethered(str(find_binary()), "-c", str(self.directory / name / CONFIG_FILE))
        for stale in (self.directory / name / "ports").iterdir():
            stale.unlink()  # of one that was killed
        with (self.directory / name / "stderr").open("ab") as errors:
            self.servers[name] = await asyncio.create_subprocess_exec(*command, stdout=errors, stderr=errors)

    async def kill_server(self, name: str) -> None:
        """End a server as a crash does."""
        await _killed(self.servers.pop(name))

    async def stop_server(self, name: str) -> None:
        """Have a server end as its service manager does."""
        process = self.servers.pop(name)
        process.terminate()
        await process.wait()

    @contextlib.contextmanager
    def stopped_server(self, name: str) -> Iterator[None]:
        """Have a server stand still meanwhile."""
        process = self.servers[name]
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    @asynccontextmanager
    async def hub_process(
        self, member: str, gates: Path | None = None
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """A hub as a process of its own that serves; killed at the end, unless the test has done so. With
        `gates` it has those of `tests.support.gated`, in that directory.
        """
        settings = self.hubs[member]
        assert settings.nats
        assert settings.nats_ca
        options = {
            "LIAISON_HUB_MEMBER": member,
            "LIAISON_HUB_NATS_CA": str(settings.nats_ca),
            "LIAISON_HUB_LOG": "json",
        }
        words = [str(settings.state), settings.nats, *([str(gates)] if gates else [])]
        command = (sys.executable, "-m", "tests.support.hub_serving", *words)
        with (settings.state / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *tethered(*command), stdout=asyncio.subprocess.PIPE, stderr=log, env={**_plain(), **options}
            )
        try:
            assert process.stdout
            said = await process.stdout.readline()
            assert said.startswith(b"ready"), (settings.state / "log").read_text()
            yield process
        finally:
            await _killed(process)


@asynccontextmanager
async def cluster(
    directory: Path,
    members: Sequence[str] = ("a", "b"),
    *,
    names: Sequence[str] = NAMES,
    tags: Sequence[str] = (),
    world: HubWorld | None = None,
    relayed: bool = False,
) -> AsyncIterator[Cluster]:
    """Running servers, and hubs that are ready to be run: new ones, or the hub of `world` as several.
    `tags` of servers, each as `NAME=TAG`. `relayed`: with another cluster that keeps nothing, joined by
    gateways.
    """
    world = world or prepare_hub(directory)
    homes = directory / "servers"
    sites, relay = tagged(_sites(names, homes), tags), _sites(RELAY if relayed else (), homes)
    accounts = Accounts.load(world.settings.accounts_directory, shared=True)
    accounts.write_control_credentials(world.settings.control_credentials)
    if relayed:
        _join(accounts, sites, relay, homes)
    else:
        write_configs(accounts, sites, homes)
    certify([*sites, *relay], homes)
    hubs = {}
    shared = HubSettings(
        nats=",".join(each.url for each in sites), nats_ca=homes / names[0] / CA, partitions=PARTITIONS
    )
    for member in members:
        state = directory / f"hub-{member}"
        copy_hub(world.settings, state)
        hubs[member] = shared.model_copy(update={"state": state, "member": member})
    world = replace(world, settings=hubs[members[0]])
    made = Cluster(homes, sites, world, hubs, relay)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_stop, made)
        for each in (*sites, *relay):
            await made.start_server(each.name)
        stack.push_async_callback(world.close)
        yield made


async def shared_by(hub: RunningHub, *members: str) -> bool:
    """Whether these, and nobody else, are on duty, as this hub sees it, and for every duty there is one."""
    facts = hub.office.among.leases.facts()
    return facts is not None and facts["members"] == list(members) and None not in facts["duties"].values()


async def enrol_at(world: HubWorld, wanted: Callable[[int], bool], codes: Iterator[str]) -> Station:
    """The first agency whose endpoint, which the hub draws by lot, is in such a partition."""
    for code in codes:
        station = await world.enrol(code.lower(), code)
        if wanted(partition_of(station.kit.endpoint, PARTITIONS)):
            return station
    raise AssertionError("thousands of endpoints, and none in such a partition")


def _sites(names: Sequence[str], homes: Path) -> list[Site]:
    ports = iter(free_ports(2 * len(names)))
    return [Site(name, LOOPBACK, next(ports), next(ports), homes / name, listen=LOOPBACK) for name in names]


def _join(accounts: Accounts, near: Sequence[Site], far: Sequence[Site], homes: Path) -> None:
    """Write the configurations of two clusters with gateways between them. On one machine each server has
    another port for that, so each takes its own of what is written for all.
    """
    ports = dict(zip((*near, *far), free_ports(len(near) + len(far)), strict=True))
    for relay, ours, other, theirs in ((None, near, "overseas", far), ("overseas", far, "liaison", near)):
        joined = [f"{other}={each.host}:{ports[each]}" for each in theirs]
        made: dict[Path, bytes] = {}
        for site in ours:
            write_configs(accounts, ours, homes, gateways=Gateways.parse(relay, ports[site], joined))
            file = homes / site.name / CONFIG_FILE
            made[file] = file.read_bytes()
        for file, text in made.items():
            file.write_bytes(text)


async def _stop(made: Cluster) -> None:
    for process in made.servers.values():
        await _killed(process)


async def _killed(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


def _plain() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("LIAISON_")}

"""Three real nats-servers with TLS between all of them and to everybody, for hubs that share them."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from hub.accounts import Accounts
from hub.cluster import CA, CONFIG_FILE, Site, certify, copy_hub, write_configs
from hub.demo.ports import free_ports
from hub.server import find_binary
from hub.settings import HubSettings
from hub.tether import tethered
from tests.support.hub_world import HubWorld, prepare_hub

LOOPBACK = "127.0.0.1"
NAMES = ("north", "east", "south")


@dataclass
class Cluster:
    """Servers by name, and the settings of the hubs that may use them."""

    directory: Path
    sites: Sequence[Site]
    world: HubWorld
    hubs: dict[str, HubSettings]
    servers: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start_server(self, name: str) -> None:
        """Start a server; it may have run before."""
        command = tethered(str(find_binary()), "-c", str(self.directory / name / CONFIG_FILE))
        with (self.directory / name / "stderr").open("ab") as errors:
            self.servers[name] = await asyncio.create_subprocess_exec(*command, stdout=errors, stderr=errors)

    async def kill_server(self, name: str) -> None:
        """End a server as a crash does."""
        await _killed(self.servers.pop(name))

    @asynccontextmanager
    async def hub_process(self, member: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A hub as a process of its own that serves; killed at the end, unless the test has done so."""
        settings = self.hubs[member]
        assert settings.nats
        assert settings.nats_ca
        options = {
            "LIAISON_HUB_MEMBER": member,
            "LIAISON_HUB_NATS_CA": str(settings.nats_ca),
            "LIAISON_HUB_LOG": "json",
        }
        command = (sys.executable, "-m", "tests.support.hub_serving", str(settings.state), settings.nats)
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
    directory: Path, members: Sequence[str] = ("a", "b"), *, world: HubWorld | None = None
) -> AsyncIterator[Cluster]:
    """Running servers, and hubs that are ready to be run: new ones, or the hub of `world` as several."""
    world = world or prepare_hub(directory)
    ports = free_ports(6)
    homes = directory / "servers"
    sites = [
        Site(name, LOOPBACK, ports[2 * n], ports[2 * n + 1], homes / name, listen=LOOPBACK)
        for n, name in enumerate(NAMES)
    ]
    accounts = Accounts.load(world.settings.accounts_directory, shared=True)
    accounts.write_control_credentials(world.settings.control_credentials)
    write_configs(accounts, sites, homes)
    certify(sites, homes)
    hubs = {}
    shared = HubSettings(
        nats=",".join(each.url for each in sites), nats_ca=homes / NAMES[0] / CA, partitions=4
    )
    for member in members:
        state = directory / f"hub-{member}"
        copy_hub(world.settings, state)
        hubs[member] = shared.model_copy(update={"state": state, "member": member})
    world = replace(world, settings=hubs[members[0]])
    made = Cluster(homes, sites, world, hubs)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_stop, made)
        for name in NAMES:
            await made.start_server(name)
        stack.push_async_callback(world.close)
        yield made


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

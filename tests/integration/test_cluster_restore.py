"""A backup of a hub goes into a cluster: of a cluster that was lost, or of the one hub there was before."""

import shutil
from pathlib import Path

from hub.cluster import copy_hub
from hub.jetstream import api
from hub.recovery.copies import STREAMS, make, restore
from hub.serve import running
from hub.settings import HubSettings
from schemas.frame import BULLETIN, EPOCH
from tests.support.cluster_world import NAMES, Cluster, cluster, shared_by
from tests.support.frames import Chain
from tests.support.hub_world import HubWorld, Station, hub_world
from tests.support.nats_server import eventually

WORD = "correct horse battery staple"


async def test_a_cluster_that_was_lost_comes_back_from_a_copy(tmp_path: Path) -> None:
    async with cluster(tmp_path) as made:
        async with running(made.hubs["a"]):
            reader, chain = await backed_up(made.world, made.hubs["a"], tmp_path)
        await emptied(made)
        await goes_on(made, tmp_path, reader, chain)


async def test_one_hub_becomes_several(tmp_path: Path) -> None:
    async with hub_world(tmp_path) as (world, _):
        reader, chain = await backed_up(world, world.settings, tmp_path)
    async with cluster(tmp_path, world=world) as made:
        for station in world.stations:
            station.url = ",".join(each.url for each in made.sites)
            station.context = made.hubs["a"].tls_context()
        await goes_on(made, tmp_path, reader, chain)


async def backed_up(world: HubWorld, settings: HubSettings, directory: Path) -> tuple[Station, Chain]:
    """A community of two, a backup, and one frame after it; a reader, and the chain of who writes."""
    france, kenya = await world.enrol("fra", "FRA"), await world.enrol("ken", "KEN")
    chain = Chain(france.kit, await world.community(france, kenya))
    for each in (chain.make(world.now, EPOCH), chain.make(world.now, BULLETIN, b"one")):
        assert await france.send(chain, each) == "admitted"
    await make(settings, directory / "hub.backup", WORD, world.now)
    assert await france.send(chain, chain.make(world.now, BULLETIN, b"not in the copy")) == "admitted"
    await world.close()
    return kenya, chain


async def goes_on(made: Cluster, directory: Path, reader: Station, chain: Chain) -> None:
    """Both hubs serve what the backup has, with a replica at each server; what is sent now is admitted."""
    world = made.world
    first, second = (
        settings.model_copy(update={"state": directory / f"{member}-again"})
        for member, settings in made.hubs.items()
    )
    await restore(first, directory / "hub.backup", WORD, world.now)
    copy_hub(first, second.state)
    async with running(first) as hub, running(second):
        await eventually(lambda: shared_by(hub, "a", "b"))
        world.settings = first
        assert (await world.ask("status"))["cluster"]["members"] == ["a", "b"]  # the office is open
        for station in world.stations:
            await station.connect()
        after = chain.make(world.now, BULLETIN, b"after one that the hub has lost")
        assert await world.stations[0].send(chain, after) == "admitted"
        await reader.until(lambda: after in reader.frames())
        for stream in STREAMS:
            info = await api(hub.office.nc, f"STREAM.INFO.{stream}")
            assert len(info["cluster"].get("replicas", ())) == len(NAMES) - 1, stream
        await world.close()


async def emptied(made: Cluster) -> None:
    """All servers are lost, and empty ones stand in their place."""
    for name in NAMES:
        await made.kill_server(name)
        for held in ("store", "resolver"):
            shutil.rmtree(made.directory / name / held)
            (made.directory / name / held).mkdir()
    for name in NAMES:
        await made.start_server(name)

"""What a power cut may leave of a durable's files: the server cannot read them, and refuses for good to make
a new one over them. One agency's would keep the hub from starting, and so everybody from each other.
"""

from pathlib import Path

import pytest

from hub.durables import ensure_endpoint, remove_endpoint
from hub.grants import TRAFFIC
from hub.jetstream import JetStreamRefused, api
from hub.serve import running
from hub.spoiled import Spoiled
from schemas.errors import Code
from schemas.receipts import ADMITTED
from tests.support.frames import Chain
from tests.support.hub_world import prepare_hub, stored
from tests.support.world import World

STREAMS = ("INTAKE", "TRAFFIC", "DIRECTORY")


@pytest.mark.parametrize("killed", [False, True], ids=["", "killed-before-it-was-made-anew"])
async def test_the_hub_makes_them_anew_and_nothing_is_lost(tmp_path: Path, *, killed: bool) -> None:
    world = prepare_hub(tmp_path)
    async with running(world.settings):
        france, jordan = await world.enrol("fr-dvt", "FRA"), await world.enrol("jo-mrs", "JOR")
        chain = Chain(france.kit, await world.community(france, jordan))
        first, second = (chain.make(world.now) for _ in range(2))
        assert await france.send(chain, first) == ADMITTED
        await jordan.until(lambda: jordan.frames() == [first])
        await jordan.close()
        assert await france.send(chain, second) == ADMITTED
        await france.close()
    spoiled = Spoiled(world.settings.nats_directory, embedded=True)
    for stream in STREAMS:
        found = [*world.settings.nats_directory.rglob(f"streams/{stream}/obs/*/o.dat")]
        assert found, stream
        for state in found:
            state.write_bytes(bytes(state.stat().st_size))
            assert not killed or spoiled.put_aside(stream, state.parent.name)
    jordan.traffic.clear()
    async with running(world.settings) as hub:
        france.url = jordan.url = hub.url
        await jordan.connect()
        await jordan.until(lambda: jordan.frames() == [first, second])
        await france.connect()
        third = chain.make(world.now)
        assert await france.send(chain, third) == ADMITTED
        await jordan.until(lambda: jordan.frames() == [first, second, third])
        assert not [*world.settings.nats_directory.glob("spoiled/*/*")]
        await world.close()


def test_who_runs_the_server_is_told_what_to_do() -> None:
    refused = JetStreamRefused("CONSUMER.CREATE.TRAFFIC.X", 10012, "error creating store for consumer")
    assert refused.code is Code.STORE_CORRUPT
    assert "CONSUMER.CREATE.TRAFFIC.X" in refused.message
    assert "obs" in refused.fix


async def test_what_is_its_operator_s_to_delete_begins_from_the_beginning_afterwards(tmp_path: Path) -> None:
    """With `--nats`: the files are gone at the next start, and what had come in between is not lost."""
    world = prepare_hub(tmp_path)
    async with running(world.settings) as hub:
        france = await world.enrol("fr-dvt", "FRA")
        await france.close()
        nc, public = hub.office.nc, france.kit.endpoint
        spoiled = Spoiled(tmp_path / "nats", embedded=False)
        assert not spoiled.put_aside(TRAFFIC, public)
        await remove_endpoint(nc, public)
        await ensure_endpoint(nc, public, frozenset(), spoiled=spoiled)
        info = await api(nc, f"CONSUMER.INFO.{TRAFFIC}.{public}")
        assert info["config"]["deliver_policy"] == "all"
        assert info["num_pending"] == len(await stored(nc, TRAFFIC, f"r.{public}")) > 0
        assert not spoiled.is_aside(TRAFFIC, public)


def test_no_other_refusal_of_a_durable_has_its_files_put_aside() -> None:
    """The server has one number for all of them, and another text for each."""
    assert not JetStreamRefused("CONSUMER.CREATE.TRAFFIC.X", 10012, "consumer name is too long").unreadable


async def test_a_node_knows_what_it_has_and_takes_the_past_for_the_past(tmp_path: Path) -> None:
    """Given from the beginning, it sees what was before it joined, and a publisher who has left."""
    async with World.opened(tmp_path) as world:
        owner, former, newcomer = await world.agencies("fr", "gb", "jo")
        community = await owner.found(former)
        await former.publish("By one who has left", community.slug)
        await owner.publish("Before", community.slug)
        await former.has(community.slug, "Before")
        async with owner.client() as agency:
            await agency.community_remove(community.slug, former.id)
            await agency.community_add(community.slug, newcomer.id)
        await newcomer.knows(community.slug)
        await owner.publish("After", community.slug)
        await newcomer.has(community.slug, "After")
        await world.hub.stop()
        (state,) = world.state.rglob(f"streams/TRAFFIC/obs/{newcomer.endpoint}/o.dat")
        state.write_bytes(bytes(state.stat().st_size))
        await world.hub.start()
        await owner.connected()
        assert "it is made anew" in world.hub.log
        await owner.publish("Later", community.slug)
        await newcomer.has(community.slug, "Later")
        assert await newcomer.delivered(community.slug) == ["After", "Later"]
        assert await newcomer.quarantined() == []
        async with newcomer.client() as agency:
            assert await agency.alarms() == []

"""What a power cut may leave of a durable's files: the server cannot read them, and refuses for good to make
a new one over them. One agency's would keep the hub from starting, and so everybody from each other.
"""

from pathlib import Path

from hub.jetstream import UNREADABLE, JetStreamRefused
from hub.serve import running
from schemas.errors import Code
from schemas.receipts import ADMITTED
from tests.support.frames import Chain
from tests.support.hub_world import prepare_hub
from tests.support.world import World

STREAMS = ("INTAKE", "TRAFFIC", "DIRECTORY")


async def test_the_hub_makes_them_anew_and_nothing_is_lost(tmp_path: Path) -> None:
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
    for stream in STREAMS:
        found = [*world.settings.nats_directory.rglob(f"streams/{stream}/obs/*/o.dat")]
        assert found, stream
        for state in found:
            state.write_bytes(bytes(state.stat().st_size))
    jordan.traffic.clear()
    async with running(world.settings) as hub:
        france.url = jordan.url = hub.url
        await jordan.connect()
        await jordan.until(lambda: jordan.frames() == [first, second])
        await france.connect()
        third = chain.make(world.now)
        assert await france.send(chain, third) == ADMITTED
        await jordan.until(lambda: jordan.frames() == [first, second, third])
        await world.close()


def test_who_runs_the_server_is_told_what_to_do() -> None:
    refused = JetStreamRefused("CONSUMER.CREATE.TRAFFIC.X", UNREADABLE, "error creating store for consumer")
    assert refused.code is Code.STORE_CORRUPT
    assert "CONSUMER.CREATE.TRAFFIC.X" in refused.message
    assert "obs" in refused.fix


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

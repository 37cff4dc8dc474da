"""Two hubs on three nats-servers, all of them real, with TLS between all: what one admits the other's readers
have, and when the hub that keeps the office is killed the other goes on where it stopped.
"""

import json
from itertools import product
from pathlib import Path
from string import ascii_uppercase

from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.accounts import Service
from hub.client import request
from hub.grants import CONTROL
from hub.partitions import slot_of
from hub.recovery.copies import make
from hub.serve import running
from schemas.errors import Code, OperationError
from schemas.frame import EPOCH
from tests.support.cluster_world import cluster, enrol_at, shared_by
from tests.support.frames import Chain, wraps
from tests.support.hub_world import Station, refused_to_a_stranger, stored
from tests.support.nats_server import eventually, hub_nats


async def test_the_survivor_goes_on_where_the_killed_one_stopped(tmp_path: Path) -> None:
    async with cluster(tmp_path) as made, made.hub_process("a") as killed, running(made.hubs["b"]) as hub:
        world = made.world
        await eventually(lambda: shared_by(hub, "a", "b"))
        # Of each hub's partitions one agency, so that one of them loses its hub and the other does not.
        codes = map("".join, product(ascii_uppercase, repeat=3))
        at_a = await enrol_at(world, lambda partition: partition < 2, codes)
        at_b = await enrol_at(world, lambda partition: partition >= 2, codes)
        circle = await world.community(at_a, at_b)
        stations, chains = (at_a, at_b), (Chain(at_a.kit, circle), Chain(at_b.kit, circle))
        announcement = chains[1].make(world.now, EPOCH)
        assert await at_b.send(chains[1], announcement) == "admitted"
        assert await at_b.submit(wraps(announcement, at_a.kit), "wrap") == "admitted"
        sent = [announcement]
        for _ in range(3):
            for station, chain in zip(stations, chains, strict=True):
                sent.append(chain.make(world.now))
                assert await station.send(chain, sent[-1]) == "admitted"

        killed.kill()
        # A third of it is on its way before anybody has noticed.
        for station, chain in zip(stations, chains, strict=True):
            for _ in range(3):
                sent.append(chain.make(world.now))
                await station.put(chain.subject.intake(), sent[-1])
        world.settings = made.hubs["b"]
        await eventually(lambda: shared_by(hub, "b"))
        for number, raw in enumerate(sent[-6:]):
            assert await stations[number // 3].answer(raw) == "admitted"
        assert (await world.ask("suspend", who=at_b.kit.id))["endpoints"] == [at_b.kit.endpoint]
        last = chains[0].make(world.now)
        assert await at_a.send(chains[0], last) == "admitted"

        for chain in chains:
            own = [each for each in [*sent, last] if each in chain_of(at_a, chain)]
            assert chain_of(at_a, chain) == own
        assert sorted(at_a.frames()) == sorted([*sent, last])
        held = [each.data for each in await stored(hub.office.nc, "TRAFFIC", "f.>")]
        assert sorted(held) == sorted([*sent, last])
        status = await world.ask("status")
        assert status["cluster"]["members"] == ["b"]
        assert set(status["leases"].values()) == {"b"}
        told = await make(made.hubs["b"], tmp_path / "hub.backup", "correct horse battery staple", world.now)
        assert told.messages["TRAFFIC"] >= len(held)
        # NATS finds the slot as we do, or the agencies would not have been where they were looked for.
        intake = [each.subject for each in await stored(hub.office.nc, "INTAKE")]
        assert {f"i.{slot_of(each.rsplit('.', 1)[-1])}." for each in intake} == {
            each[: each.index(".", 2) + 1] for each in intake
        }
        await refused_to_a_stranger(hub.url)


async def test_a_question_that_went_with_the_hub_that_was_asked_is_asked_again(tmp_path: Path) -> None:
    async with hub_nats(tmp_path) as made:
        asked = []

        async def answer(message: Msg) -> None:
            asked.append(json.loads(message.data)["who"])
            if len(asked) == 2:
                away = OperationError(Code.HUB_UNREACHABLE, "another hub takes over the office", "try again")
                await message.respond(json.dumps({"error": away.as_dict()}).encode())
            elif len(asked) > 2:
                await message.respond(b'{"result": {"endpoints": []}}')

        await made.hub.subscribe(f"{CONTROL}.suspend", cb=answer)
        await made.hub.flush()
        url, nc = made.server.url, Client()
        rights = made.accounts.credentials(Service.HUB).options()
        await nc.connect([url, url.replace("127.0.0.1", "localhost")], **rights)
        try:
            assert await request(nc, "suspend", {"who": "FRA"}, patience=0.05) == {"endpoints": []}
        finally:
            await nc.close()
        assert asked[:3] == ["FRA"] * 3


def chain_of(reader: Station, chain: Chain) -> list[bytes]:
    """What a reader has of a chain, in order."""
    return [each.data for each in reader.traffic if each.subject == chain.subject.traffic()]

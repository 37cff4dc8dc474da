"""A cluster that keeps nothing, joined to the hub's by gateways: an agency connects to what is near."""

from pathlib import Path

import nats.errors

from hub.accounts import Credentials
from hub.dialling import dialled
from hub.jetstream import api
from hub.recovery.copies import STREAMS
from hub.serve import running
from schemas.errors import OperationError
from schemas.frame import BULLETIN, EPOCH
from tests.support.cluster_world import NAMES, RELAY, cluster
from tests.support.frames import Chain
from tests.support.nats_server import eventually


async def test_an_agency_at_a_relay_sends_and_reads_as_at_the_hub(tmp_path: Path) -> None:
    async with cluster(tmp_path, ("a",), relayed=True) as made, running(made.hubs["a"]) as hub:
        world = made.world
        france, kenya = await world.enrol("fra", "FRA"), await world.enrol("ken", "KEN")
        chain = Chain(france.kit, await world.community(france, kenya))
        sent = [chain.make(world.now, EPOCH)]
        assert await france.send(chain, sent[0]) == "admitted"

        hub_urls = france.url
        for station in (france, kenya):
            await station.close()
            station.url = ",".join(each.url for each in made.relay)
            await station.connect()
        sent.append(chain.make(world.now, BULLETIN, b"from overseas"))
        assert await france.send(chain, sent[1]) == "admitted"
        await kenya.until(lambda: kenya.frames() == sent)

        # The relay is cut off: where the streams are nobody misses it, and who was there reads on elsewhere.
        for station in (france, kenya):
            await station.close()
        for name in RELAY:
            await made.kill_server(name)
        for station in (france, kenya):
            station.url = hub_urls
            await station.connect()
        sent.append(chain.make(world.now, BULLETIN, b"from elsewhere"))
        assert await france.send(chain, sent[2]) == "admitted"
        await kenya.until(lambda: kenya.frames() == sent)
        assert (await world.ask("suspend", who=france.kit.id))["endpoints"] == [france.kit.endpoint]
        for name in RELAY:
            await made.start_server(name)

        async def shut_out() -> bool:
            given = Credentials(france.user_jwt, france.kit.user.seed).options()
            url = made.relay[0].url
            try:
                async with dialled([url], france.context, own=True, **given):
                    return False
            except OperationError as refused:
                said = refused.__cause__
                return isinstance(said, nats.errors.Error) and not isinstance(said, TimeoutError)

        await eventually(shut_out)  # the relay was away when that was ordered
        for stream in STREAMS:
            where = (await api(hub.office.nc, f"STREAM.INFO.{stream}"))["cluster"]
            assert {where["leader"], *(each["name"] for each in where["replicas"])} == set(NAMES)

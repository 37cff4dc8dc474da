"""A cluster of three servers and two hubs: the server that leads a stream is killed while an agency
publishes, and comes back. tests/support/cluster_federation.py makes the cluster and judges.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.errors import Error as NatsError

from hub import tls
from hub.accounts import Credentials
from tests.support.cluster_federation import STRANGER, Federation, federated
from tests.support.fault_table import Row, Table
from tests.support.hub_world import Station
from tests.support.world import eventually

pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(900)]

TOLD = 60.0
"""Half of the time after which servers compare by themselves."""
FRAMES = 40
STREAMS = ("TRAFFIC", "INTAKE", "TRAFFIC", "DIRECTORY")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def federation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Federation]:
    async with federated(tmp_path_factory.mktemp("cluster")) as made:
        yield made


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
    made, station = federation.cluster, federation.stations[STRANGER]
    victim = await federation.leader("TRAFFIC")
    await made.kill_server(victim)
    assert (await made.world.ask("suspend", who=station.kit.id))["endpoints"] == [station.kit.endpoint]
    await made.start_server(victim)
    for site in sorted(made.sites, key=lambda each: each.name != victim):
        await eventually(partial(_is_kept_out, station, site.url), TOLD)
    await made.world.ask("resume", who=station.kit.id)
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

"""Processes that stand still, links that are cut, and messages that come twice: nobody is told, and
afterwards everything is where it belongs, once.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client

from hub.accounts import Accounts, Service
from hub.durables import reset
from hub.jetstream import api
from tests.support.disks import Unavailable
from tests.support.far_hub import Host, apart
from tests.support.fault_stage import OUTSIDER, READER, SENDER, Stage
from tests.support.steps import PROCESSES

pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(900)]

SHORT = 3.0
LONG = 14.0
"""Seconds: longer than a request to the hub waits (10 s), and than a silent feed is believed (12.5 s)."""
TOGETHER = 3


@pytest.mark.parametrize("process", PROCESSES)
async def test_sigstop(stage: Stage, process: str) -> None:
    async with stage.judged(f"SIGSTOP {process}", f"{SHORT:g} s") as case:
        with stage.stopped(process):
            asked = asyncio.create_task(stage.publish_in_turn(case.titles(TOGETHER)))
            await asyncio.sleep(SHORT)
        await asked


async def test_sigstop_of_everything_but_the_sender_for_long(stage: Stage) -> None:
    async with stage.judged("SIGSTOP hub, hub-nats, reader, bot", f"{LONG:g} s") as case:
        with stage.stopped("hub", "hub-nats", "reader", "bot"):
            asked = asyncio.create_task(stage.publish_in_turn(case.titles(TOGETHER)))
            await asyncio.sleep(LONG)
        await asked


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def host(stage: Stage) -> AsyncIterator[Host]:
    """The hub on a host of its own."""
    try:
        async with apart() as made, stage.hub_on(made):
            yield made
    except Unavailable as reason:
        pytest.skip(f"no network namespaces here: {reason}")


@pytest.mark.parametrize("seconds", [SHORT, LONG], ids=["short", "long"])
@pytest.mark.parametrize(
    "links", [(SENDER,), (READER,), (SENDER, READER, OUTSIDER)], ids=["sender", "reader", "all"]
)
async def test_a_cut_link(stage: Stage, host: Host, links: tuple[str, ...], seconds: float) -> None:
    async with stage.judged(f"link cut: {', '.join(links)}", f"{seconds:g} s") as case:
        asked = asyncio.create_task(stage.publish_in_turn(case.titles(2)))
        with host.cut(*links):
            await asked
            await stage.publish_in_turn(case.titles(TOGETHER))
            await asyncio.sleep(seconds)


async def test_a_partition_until_it_is_noticed(stage: Stage, host: Host) -> None:
    """Longer than a connection is believed without an answer; what was published meanwhile waits."""
    async with stage.judged("partition: reader from all others", "until noticed") as case:
        with host.cut(READER):
            await stage.publish_in_turn(case.titles(TOGETHER))
            await stage.members[READER].connected(wanted=False)
            await stage.publish_in_turn(case.titles(TOGETHER))
        await stage.members[READER].connected()


async def test_everything_is_delivered_again(stage: Stage) -> None:
    """The endpoints' durables are made anew: all that there ever was comes a second time."""
    async with stage.judged("delivered again", "to sender and reader") as case, hub_account(stage) as nc:
        await stage.publish_in_turn(case.titles(TOGETHER))
        for member in (SENDER, READER):
            durable = stage.endpoints[member]
            config = (await api(nc, f"CONSUMER.INFO.TRAFFIC.{durable}"))["config"]
            await api(nc, f"CONSUMER.DELETE.TRAFFIC.{durable}")
            made = {"stream_name": "TRAFFIC", "config": {**config, "deliver_policy": "all"}}
            await api(nc, f"CONSUMER.DURABLE.CREATE.TRAFFIC.{durable}", made)
        await stage.publish_in_turn(case.titles(TOGETHER))


async def test_the_hub_is_given_everything_again(stage: Stage) -> None:
    async with stage.judged("delivered again", "to the hub") as case, hub_account(stage) as nc:
        await stage.publish_in_turn(case.titles(TOGETHER))
        await reset(nc, "INTAKE", "admission", 1)
        await stage.publish_in_turn(case.titles(TOGETHER))


@contextlib.asynccontextmanager
async def hub_account(stage: Stage) -> AsyncIterator[Client]:
    """A connection with the hub's own rights."""
    accounts = Accounts.load(stage.world.state / "hub")
    nc = await nats.connect(
        stage.hub_url, **accounts.credentials(Service.HUB).options(), allow_reconnect=False
    )
    try:
        yield nc
    finally:
        await nc.close()

"""A cluster under real nodes, a bot and a chat: everything of it is restarted in turn as an operator would,
then the leader of the stream and the hub in office are killed, and then a leader stands still, all the while
an agency publishes.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.cluster_stage import HUBS, ClusterStage, opened
from tests.support.cluster_world import NAMES
from tests.support.fault_stage import DEADLINE, Case, Stage
from tests.support.fault_table import Table
from tests.support.world import eventually

pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(900)]

PACE = 0.2
"""Seconds between two bulletins."""
MORE = 8
"""Of a bulletin two things are kept: that it was asked for, and that the node answered."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def clustered(tmp_path_factory: pytest.TempPathFactory, table: Table) -> AsyncIterator[ClusterStage]:
    async with opened(tmp_path_factory.mktemp("cluster"), table) as made:
        yield made


async def test_a_rolling_restart(clustered: ClusterStage) -> None:
    """As the operator guide says: one after the other, and the next when `status` is whole."""
    await clustered.until_whole()
    async with (
        clustered.stage.judged("rolling restart", "servers, hubs") as case,
        traffic(clustered.stage, case),
    ):
        for name in NAMES:
            await clustered.cluster.stop_server(name)
            await published(clustered.stage)
            await clustered.cluster.start_server(name)
            await clustered.until_whole()
        for name in HUBS:
            hub = clustered.hubs[name]
            assert await hub.stop() == 0, hub.last_words
            await published(clustered.stage)
            await hub.start()
            await clustered.until_whole()


async def test_nodes_and_bots_follow_when_a_leader_is_killed(clustered: ClusterStage) -> None:
    await clustered.until_whole()
    async with clustered.stage.judged("kill -9", "leader, office") as case, traffic(clustered.stage, case):
        leader = (await clustered.status())["streams"]["TRAFFIC"]["leader"]
        await clustered.cluster.kill_server(leader)
        await arrived(clustered.stage)
        await clustered.cluster.start_server(leader)
        await clustered.until_whole()
        office = clustered.hubs[(await clustered.status())["cluster"]["office"]]
        await office.kill()
        await arrived(clustered.stage)
        await office.start()
        await clustered.until_whole()


@pytest.mark.parametrize("stream", ["TRAFFIC", "DIRECTORY"], ids=lambda each: each.lower())
async def test_nodes_and_bots_follow_when_a_leader_stands_still(clustered: ClusterStage, stream: str) -> None:
    """Its sockets stay open, and nobody is told that they lead nowhere. What it does when it goes on is
    late.
    """
    await clustered.until_whole()
    async with (
        clustered.stage.judged(f"SIGSTOP leader of {stream}", "under load") as case,
        traffic(clustered.stage, case),
    ):
        leader = (await clustered.status())["streams"][stream]["leader"]
        with clustered.cluster.stopped_server(leader):
            await arrived(clustered.stage)
            await published(clustered.stage)
        await clustered.until_whole()


@contextlib.asynccontextmanager
async def traffic(stage: Stage, case: Case) -> AsyncIterator[None]:
    """An agency publishes all the while, one bulletin after the other."""
    over = asyncio.Event()
    publishing = asyncio.create_task(_publish(stage, case, over))
    try:
        yield
    finally:
        over.set()
        await publishing


async def _publish(stage: Stage, case: Case, over: asyncio.Event) -> None:
    while not over.is_set():
        await stage.publish_in_turn(case.titles(1))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), PACE)


async def published(stage: Stage) -> None:
    """Return once the node has taken some more."""
    before = len(stage.clients)

    async def is_more() -> bool:
        return len(stage.clients) > before + MORE

    await eventually(is_more, DEADLINE)


async def arrived(stage: Stage) -> None:
    """Return once something that was asked for after this moment is in the chat."""
    before = {each.bulletin for each in stage.clients}

    async def is_told() -> bool:
        return any(each.bulletin not in before for each in stage.told())

    await eventually(is_told, DEADLINE)

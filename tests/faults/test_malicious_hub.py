"""A hub that cheats over its real streams: each attack is tried on real nodes, a real witness and a real
chat, and each party that shall notice it does, by the name that it has for it.

The attacks are in tests/faults/attacks. What was seen goes into build/attacks.json, from which `make attacks`
writes the table in docs/threat-model.md.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable

import pytest
import pytest_asyncio

from subscribers.service.requests import PAGE_MAX
from tests.faults.attacks import ATTACKS, Attack, Stage, Who, ahead_file, record
from tests.support.crook import cheating
from tests.support.hand import by_hand
from tests.support.officers_bot import running_bot
from tests.support.witness_world import watched_world
from tests.support.world import Member, World

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]
IDS = {Who.SPEAKER: "mh-a", Who.READER: "mh-b", Who.OTHER: "mh-c", Who.VICTIM: "mh-d"}


async def launched(world: World, id: str) -> Member:
    """An agency whose chains beat after a second of quiet, and whose clock may be turned."""
    member = await world.enrol(id)
    launcher = (sys.executable, "-m", "tests.support.node_launcher", "--heartbeat", "1")
    member.node = member.program(*launcher, "--ahead", ahead_file(member))
    await member.node.start()
    await member.connected()
    return member


async def two_at_a_time(*made: Awaitable[Member]) -> list[Member]:
    """Their members, in order. More at once would only make each command's deadline nearer."""
    room = asyncio.Semaphore(2)

    async def one(each: Awaitable[Member]) -> Member:
        async with room:
            return await each

    return list(await asyncio.gather(*map(one, made)))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    import bots.doors.telegram.app  # noqa: F401, PLC0415 - for seconds nothing answers a ping: before there is a connection

    folder = tmp_path_factory.mktemp("malicious")
    async with contextlib.AsyncExitStack() as opened:
        watched = await opened.enter_async_context(watched_world(folder))
        world = watched.world
        helper, *members = await two_at_a_time(
            world.enrol("mh-x"), *(launched(world, each) for each in IDS.values())
        )
        nodes = dict(zip(IDS, members, strict=True))
        eyes = {who: await opened.enter_async_context(each.client()) for who, each in nodes.items()}
        hand = await opened.enter_async_context(by_hand(helper))
        await hand.until(lambda: {each.endpoint for each in members} <= hand.directory.endpoints.keys())
        crook = await opened.enter_async_context(cheating(world))
        (folder / "bot").mkdir()
        bot = await opened.enter_async_context(running_bot(folder / "bot", eyes[Who.READER]))
        officer = await bot.enrol("Ed", administrator=True)
        await watched.cosigned()
        stage = Stage(watched, crook, nodes, eyes, hand, bot, officer)
        yield stage
        standing = {each.number for each in await eyes[Who.READER].alarms(PAGE_MAX)}
        for number in stage.to_tell.keys() & standing:
            await stage.told(stage.to_tell[number])


@pytest.mark.parametrize("attack", ATTACKS, ids=[each.name for each in ATTACKS])
async def test_it_is_noticed(stage: Stage, attack: Attack) -> None:
    scene = await stage.scene(attack)
    scene.strike()
    await attack.act(scene)
    await scene.noticed()
    record(attack, scene.seen.items())
    if not attack.sights:
        assert await scene.alarms() == []
    stage.to_tell |= {each.number: each for each in await scene.of_reader()}

"""A node that was down, on real processes: the backlog comes whole, in order, and once."""

import asyncio

import pytest

from subscribers.client import Agency
from subscribers.records import Community
from tests.support.world import World, draft, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300), pytest.mark.slow]
BACKLOG = 240
AT_ONCE = 40


async def published(agency: Agency, community: Community, titles: list[str]) -> None:
    """Hand them in, some at a time, in their order in each chain."""
    for start in range(0, len(titles), AT_ONCE):
        some = titles[start : start + AT_ONCE]
        drafts = [
            draft(each, severity="flash" if number % 4 == 0 else "low") for number, each in enumerate(some)
        ]
        said = await asyncio.gather(*(agency.publish(each, community.slug) for each in drafts))
        assert {each.state for each in said} <= {"admitted", "queued"}


async def test_a_node_that_was_down_catches_up(world: World) -> None:
    fr, kz, gb = await world.agencies("fr", "kz", "gb")
    community, other = await fr.found(kz, gb), await gb.found(kz, fr)
    await fr.publish("Before", community.slug)
    await kz.has(community.slug, "Before")
    assert await kz.node.stop() == 0
    titles = [f"Backlog {number}" for number in range(BACKLOG)]
    theirs = [f"Another {number}" for number in range(AT_ONCE)]
    async with fr.client() as first, gb.client() as second:
        await asyncio.gather(published(first, community, titles), published(second, other, theirs))
    await fr.has(other.slug, *theirs)
    await gb.has(community.slug, *titles)
    await kz.start()
    await kz.has(community.slug, "Before", *titles)
    await kz.has(other.slug, *theirs)
    for slug, expected in ((community.slug, ["Before", *titles]), (other.slug, theirs)):
        archived = (await kz.titles(slug))[::-1]
        assert sorted(archived) == sorted(expected), "each once"
        assert kz.lines(slug) == archived
        assert [each for each in await kz.delivered(slug)] == archived
        for marked in (0, 1):  # flash is a chain of its own, and may overtake
            chain = [each for each in archived if each.split()[-1].isdigit()]
            numbers = [int(each.split()[-1]) for each in chain]
            kept = [each for each in numbers if (each % AT_ONCE % 4 == 0) == bool(marked)]
            batches = [each // AT_ONCE for each in kept]
            assert batches == sorted(batches)

    async def nothing_waits() -> bool:
        async with kz.client() as agency:
            status = await agency.status()
        return status.caught_up and status.backlog == 0

    await eventually(nothing_waits)
    assert [each for each in await kz.quarantined() if each["code"] != "log_behind"] == []

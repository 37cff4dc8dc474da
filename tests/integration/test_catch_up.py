"""A node that was down, on real processes: the backlog comes whole, in order, and once."""

import asyncio

import pytest

from subscribers.client import Agency
from subscribers.records import Community
from tests.support.world import World, draft

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600), pytest.mark.slow]
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
    refused = len(await kz.quarantined())
    assert await kz.node.stop() == 0
    titles = [f"Backlog {number}" for number in range(BACKLOG)]
    theirs = [f"Another {number}" for number in range(AT_ONCE)]
    async with fr.client() as first, gb.client() as second:
        await asyncio.gather(published(first, community, titles), published(second, other, theirs))
    await fr.has(other.slug, *theirs)
    await gb.has(community.slug, *titles)
    await gb.has(other.slug, *theirs)
    await kz.start()
    await kz.has(community.slug, "Before", *titles)
    await kz.has(other.slug, *theirs)
    for slug, expected in ((community.slug, ["Before", *titles]), (other.slug, theirs)):
        assert sorted(await kz.titles(slug)) == sorted(expected), "each once"
        order = gb.lines(slug)  # as it came, one by one, to a node that was there
        assert sorted(order) == sorted(expected)
        assert kz.lines(slug) == order
        assert await kz.delivered(slug) == order
    assert len(await kz.quarantined()) == refused

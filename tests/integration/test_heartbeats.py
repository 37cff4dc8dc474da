"""Heartbeats over the real hub: they flow, nobody sees them, and they show what a hub holds back."""

import sys
from typing import Any

import pytest

from schemas.frame import HEARTBEAT
from schemas.vocabulary import Severity
from tests.support.crook import Crook, cheating
from tests.support.world import Member, World, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


async def pair(world: World) -> tuple[Member, Member]:
    """Two agencies, of which the first one's chains beat after a second of quiet."""
    speaker, reader = await world.agencies("hb-a", "hb-b")
    if "tests.support.node_launcher" not in speaker.node.words:
        await speaker.node.stop()
        module = ("-m", "tests.support.node_launcher", "--heartbeat", "1")
        speaker.node = speaker.program(sys.executable, *module)
        await speaker.node.start()
    return speaker, reader


async def beats(crook: Crook, member: Member, community: str) -> list[str]:
    """The hashes of a member's heartbeats, in order."""
    return [each.hash for each in await crook.frames(member, community) if each.header.k == HEARTBEAT]


async def raised(member: Member, community: str) -> list[dict[str, Any]]:
    """The alarms that stand at a member about a community."""
    found: list[dict[str, Any]] = (await member.run("alarms")).json
    return [each for each in found if each["community"] == community]


async def test_they_flow_and_nobody_sees_them(world: World) -> None:
    speaker, reader = await pair(world)
    community = await speaker.found(reader)
    await speaker.publish("Only this", community.slug)
    await reader.has(community.slug, "Only this")
    async with cheating(world) as crook:

        async def two() -> bool:
            return len(await beats(crook, speaker, community.id)) >= 2

        await eventually(two)
    await speaker.publish("And that", community.slug)  # behind the beats: they have been read
    await reader.has(community.slug, "Only this", "And that")
    for each in (speaker, reader):
        assert sorted(await each.titles(community.slug)) == ["And that", "Only this"]
        assert sorted(await each.delivered(community.slug)) == ["And that", "Only this"]
        assert await raised(each, community.id) == []
    assert [each for each in await reader.quarantined() if each["community"] == community.id] == []

    async def nothing_waits() -> bool:  # a beat may just be on its way
        async with speaker.client() as agency:
            return (await agency.status()).outbox == 0

    await eventually(nothing_waits)


async def test_a_tail_that_the_hub_holds_back_is_shown_by_the_next_beats(world: World) -> None:
    speaker, reader = await pair(world)
    community = await speaker.found(reader)
    for severity in (Severity.HIGH, Severity.FLASH):
        await speaker.publish(f"Known {severity}", community.slug, severity=severity)
        await reader.has(community.slug, f"Known {severity}")
    await reader.node.stop()
    await speaker.publish("Held back", community.slug, severity=Severity.FLASH)
    async with cheating(world) as crook:

        async def there() -> bool:
            frames = await crook.frames(speaker, community.id)
            return [each.header.k for each in frames if each.header.pr == "flash"].count("b") == 2

        await eventually(there)
        before = len(await beats(crook, speaker, community.id))
        assert await crook.withhold(reader, lambda frame: frame.header.pub == speaker.endpoint) >= 1
        withheld = len(await beats(crook, speaker, community.id)) - before
        await reader.node.start()

        async def alarmed() -> bool:
            return bool(await raised(reader, community.id))

        await eventually(alarmed)
        *_, alarm = await raised(reader, community.id)
        later = (await beats(crook, speaker, community.id))[before:]
    assert alarm["name"] in {"gap", "suppressed_tail"}
    assert alarm["frame"] in later[: withheld + 2]
    assert (alarm["agency"], alarm["community_slug"]) == (speaker.id, community.slug)
    assert "Held back" not in str(alarm)
    text = await reader.world.command("liaison-agency", "alarms", "--state", reader.state)
    assert alarm["do"][:40] in text.out.replace("\n", " ")
    seen = (await reader.run("alarms", "--ack", str(alarm["number"]))).json
    assert seen["acked"]
    assert alarm["number"] not in [each["number"] for each in await raised(reader, community.id)]
    again = (await reader.run("alarms", "--all")).json
    assert alarm["number"] in [each["number"] for each in again]
    missing = await reader.run("alarms", "--ack", "9999")
    assert (missing.status, missing.code) == (1, "not_found")

"""The life of an agency's keys over real processes: rotate, revoke, recover, and who cannot read."""

import asyncio

import pytest

from subscribers.key_life import KeyInfo
from tests.support.world import Member, World

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]


def current(keys: list[KeyInfo], use: str, endpoint: str) -> str:
    """The kid of an endpoint's current key."""
    (found,) = [
        each.kid for each in keys if (each.use, each.state, each.endpoint) == (use, "current", endpoint)
    ]
    return found


async def keys_of(member: Member) -> dict[str, str]:
    """The current keys of a member's endpoint by their use."""
    async with member.client() as agency:
        found = await agency.keys()
    return {use: current(found, use, member.endpoint) for use in ("signing", "encryption")}


async def test_both_keys_are_replaced_while_bulletins_flow(world: World) -> None:
    fr, jp = await world.agencies("rot-fr", "rot-jp")
    community = await fr.found(jp)
    before = await keys_of(fr)

    async def talk(member: Member, name: str) -> None:
        for number in range(20):
            await member.publish(f"{name} {number}", community.slug)

    talking = asyncio.create_task(talk(fr, "From fr"))
    hearing = asyncio.create_task(talk(jp, "From jp"))
    rotated = await fr.run("keys", "rotate")
    assert rotated.status == 0, rotated.err
    await asyncio.gather(talking, hearing)
    after = await keys_of(fr)
    assert set(before.values()).isdisjoint(after.values())
    titles = [f"From {who} {number}" for who in ("fr", "jp") for number in range(20)]
    for member in (fr, jp):
        await member.has(community.slug, *titles)
        assert sorted(await member.titles(community.slug)) == sorted(titles)
        assert await member.quarantined() == []
    listed = {each["kid"]: each["state"] for each in (await fr.run("keys", "list")).json}
    assert listed[before["signing"]] == "replaced"
    assert listed[before["encryption"]] == "overlap"
    assert (fr.state / "keys" / "past" / f"{before['encryption']}.key").stat().st_mode & 0o777 == 0o600


async def test_the_signing_key_alone(world: World) -> None:
    fr, jp = await world.agencies("rot-fr", "rot-jp")
    community = await fr.found(jp)
    before = await keys_of(fr)
    assert (await fr.run("keys", "rotate", "--signing")).status == 0
    after = await keys_of(fr)
    assert after["encryption"] == before["encryption"]
    assert after["signing"] != before["signing"]
    await jp.publish("After", community.slug)
    await fr.publish("Mine", community.slug)
    for member in (fr, jp):
        await member.has(community.slug, "After", "Mine")

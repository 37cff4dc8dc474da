"""The agency guide's drill, end to end: backed up while it runs, the machine lost, restored elsewhere."""

import asyncio
import shutil
from pathlib import Path

import pytest

from subscribers.records import Filters
from tests.support.world import World, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

WORD = "correct horse battery staple\n"


async def test_a_lost_machine_comes_back_from_a_copy_and_forks_nothing(world: World) -> None:
    reader, member = await world.agencies("fr", "bk")
    community = await member.found(reader)
    slug = community.slug
    word = world.directory / "backup.pass"
    word.write_text(WORD)
    word.chmod(0o600)
    given = ("--passphrase-file", word)
    await member.publish("Before", slug)
    await reader.has(slug, "Before")
    made = await member.run("backup", world.directory / "bk.backup", *given)
    assert made.status == 0, made.err
    # The copy knows nothing of these: a new epoch of ours, a bulletin of another's, one that nobody has read.
    for title in ("After the copy", "And another"):
        await member.publish(title, slug)
    await reader.publish("Meanwhile", slug)
    await reader.has(slug, "After the copy", "And another")
    await member.has(slug, "Meanwhile")
    await member.node.kill()
    await eventually(lambda: lost(member.state))
    back = await member.run("restore", world.directory / "bk.backup", *given)
    assert back.status == 0, back.err
    await member.start()

    async def settled() -> bool:
        found = {each["check"]: each for each in (await member.run("doctor")).json}
        return bool(found["copy"]["ok"])

    await eventually(settled)
    said = await member.publish("Behind them", slug)
    assert await member.settled(said) is None
    whole = ["Before", "After the copy", "And another", "Meanwhile", "Behind them"]
    await reader.has(slug, *whole)
    await member.has(slug, *whole[1:])  # what its systems had before the copy is not given to them again
    for each in (reader, member):
        assert sorted(await each.titles(slug)) == sorted(whole)
    ours = [title for title in await reader.delivered(slug) if title != "Meanwhile"]
    assert ours == ["Before", "After the copy", "And another", "Behind them"]
    async with member.client() as agency:
        page = await agency.latest(Filters(communities=frozenset({slug})), 10)
    assert len({each.bulletin.ref for each in page.items}) == len(whole)
    assert (await member.run("alarms")).json == []
    assert await member.quarantined() == []
    assert (await world.operate("quarantine", "--publisher", member.id))["entries"] == []


async def lost(directory: Path) -> bool:
    """Remove it; a server of the killed node may still write there for a moment."""
    shutil.rmtree(directory, ignore_errors=True)
    return not await asyncio.to_thread(directory.exists)

"""The hub and a node come back from copies at once: what was said after both is with readers alone."""

from pathlib import Path

import pytest

from tests.support.world import Member, World, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


async def test_nothing_is_published_before_the_operator_says_that_nothing_was_lost(tmp_path: Path) -> None:
    word = tmp_path / "backup.pass"
    word.write_text("correct horse battery staple\n")
    word.chmod(0o600)
    given = ("--passphrase-file", word)
    async with World.opened(tmp_path) as world:
        reader, member = await world.agencies("fr", "bk")
        community = await member.found(reader)
        await member.publish("Before", community.slug)
        await reader.has(community.slug, "Before")
        assert (await member.run("backup", tmp_path / "bk.backup", *given)).status == 0
        await member.node.stop()
        hub = ("--state", world.state, *given)
        await world.done("liaison-hub", "backup", tmp_path / "hub.backup", *hub)
        await world.hub.stop()
        for each in (world.state, member.state):
            each.rename(each.with_name(f"{each.name}-lost"))
        await world.done("liaison-hub", "restore", tmp_path / "hub.backup", *hub)
        assert (await member.run("restore", tmp_path / "bk.backup", *given)).status == 0
        await world.hub.start()
        await member.start()

        async def asked() -> int:
            alarms = (await member.run("alarms")).json
            return sum(each["number"] for each in alarms if each["agency"] == member.id)

        await eventually(asked)
        refused = await member.run(
            "publish", "--community", community.slug, *_BULLETIN, "--body", "Nobody reads this."
        )
        assert refused.code == "restoring"
        assert "both restored" in refused.err
        assert not await _copy_is_settled(member)
        assert (await member.run("alarms", "--ack", str(await asked()))).status == 0
        assert await _copy_is_settled(member)
        said = await member.publish("Behind them", community.slug)
        assert await member.settled(said) is None
        await reader.has(community.slug, "Before", "Behind them")
        assert await reader.quarantined() == []


_WORDS = {"kind": "tactic", "severity": "low", "tlp": "TLP:GREEN", "language": "en", "title": "Too early"}
_BULLETIN = [word for name, value in _WORDS.items() for word in (f"--{name}", value)]


async def _copy_is_settled(member: Member) -> bool:
    found = {each["check"]: each for each in (await member.run("doctor")).json}
    return bool(found["copy"]["ok"])

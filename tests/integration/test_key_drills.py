"""The life of an agency's keys over real processes: rotate, revoke, recover, and who cannot read."""

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
from nats.aio.client import Client

from schemas.errors import Code, LiaisonError
from schemas.signing import key_id
from subscribers.clock import now_ms
from subscribers.core import DAY, Core
from subscribers.exchange.enrolment import keys_document
from subscribers.keyring.key_life import KeyInfo
from subscribers.keyring.rotation import Rotation
from subscribers.keys import Keyring
from subscribers.records import Community
from subscribers.settings import NodeSettings
from tests.support.world import DEADLINE, Member, Result, World, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


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
        assert [each for each in await member.quarantined() if each["community"] == community.id] == []
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


@pytest.mark.parametrize("point", ["keys-staged", "keys-answered", "keys-announced", "keys-switched"])
async def test_a_node_is_killed_while_its_keys_change(world: World, point: str) -> None:
    fr, jp = await world.agencies("rot-fr", "rot-jp")
    community = await fr.found(jp)
    await fr.publish("Before", community.slug)
    await jp.has(community.slug, "Before")
    before = await keys_of(fr)
    await fr.node.stop()
    words = (sys.executable, "-m", "tests.support.node_launcher", "--kill", point, "1")
    doomed = fr.program(*words)
    await doomed.start()
    await fr.connected()
    assert (await fr.run("keys", "rotate")).code == "node_unreachable"
    assert await doomed.ended() == -signal.SIGKILL
    await fr.start()
    await fr.connected()
    await fr.publish("At once", community.slug)

    async def finished() -> bool:
        return (
            set((await keys_of(fr)).values()).isdisjoint(before.values())
            and not (fr.state / "keys" / "next").exists()
        )

    await eventually(finished)
    held = Keyring.load(fr.state / "keys")
    now = await keys_of(fr)
    assert now == {
        "signing": key_id(held.signing.public).hex(),
        "encryption": held.encryption.kid.hex(),
    }
    await fr.publish("From fr", community.slug)
    await jp.publish("From jp", community.slug)
    for member in (fr, jp):
        await member.has(community.slug, "At once", "From fr", "From jp")
        assert sorted(await member.titles(community.slug)) == ["At once", "Before", "From fr", "From jp"]


async def test_only_a_key_that_may_go_is_revoked(world: World) -> None:
    fr, jp = await world.agencies("rev-fr", "rot-jp")
    community = await fr.found(jp)
    now = await keys_of(fr)
    theirs = (await keys_of(jp))["signing"]
    assert (await fr.run("keys", "revoke", now["signing"])).code == "bad_request"
    assert (await fr.run("keys", "revoke", theirs)).code == "unknown_key"
    assert (await fr.run("keys", "revoke", now["encryption"])).code == "unknown_key"
    assert (await fr.run("keys", "revoke", "not a kid")).code == "bad_request"
    done = await fr.run("keys", "revoke", now["signing"], "--rotate", "--reason", "drill")
    assert done.status == 0, done.err
    assert {each["kid"]: each["state"] for each in done.json}[now["signing"]] == "revoked"
    assert (await fr.run("keys", "revoke", now["signing"])).code == "already_known"
    assert f'"kid": "{now["signing"]}"' in fr.node.log
    await fr.publish("Goes on", community.slug)
    await jp.has(community.slug, "Goes on")
    last = (await keys_of(fr))["signing"]
    assert (await fr.run("keys", "revoke", last, "--and-stop")).status == 0
    with pytest.raises(LiaisonError) as refused:
        await fr.publish("Silenced", community.slug)
    assert refused.value.code is Code.REVOKED_KEY

    async def told() -> bool:
        found = {each["agency"]: each for each in (await jp.run("readers", community.slug)).json}
        return (found["rev-fr"]["can_read"], found["rev-fr"]["problems"]) == (False, ["revoked"])

    await eventually(told)
    assert (await jp.publish("Not for fr", community.slug)).unreadable == ("rev-fr",)
    # It finds its voice again with new keys.
    assert (await fr.run("keys", "rotate")).status == 0
    await fr.publish("Here again", community.slug)
    await jp.has(community.slug, "Here again")
    assert (await jp.publish("For all", community.slug)).unreadable == ()


async def rob(world: World, fr: Member, stolen: Path) -> Member:
    """A copy of everything that a node has, made while it stood still."""
    await fr.node.stop()
    shutil.copytree(fr.state, stolen)
    await fr.start()
    await fr.connected()
    return Member(world, "thief", fr.code, stolen)


async def back_up(fr: Member, safe: Path) -> None:
    """A backup of the keys in 2-of-3 shares: file, shares and passphrase lie in `safe`."""
    (safe / "word").write_text("correct horse\n")
    where = ("--out", safe / "keys.backup", "--shares-dir", safe / "shares")
    done = await fr.run("keys", "backup", "--shares", "2-of-3", *where, "--passphrase-file", safe / "word")
    assert done.status == 0, done.err
    assert all(path.stat().st_mode & 0o077 == 0 for path in (safe / "keys.backup", safe / "shares"))


async def restore(member: Member, safe: Path, *numbers: int) -> Result:
    """`keys restore` with these shares."""
    shares = [word for each in numbers for word in ("--share", safe / "shares" / f"share-{each}.txt")]
    return await member.run(
        "keys", "restore", safe / "keys.backup", *shares, "--passphrase-file", safe / "word"
    )


async def have(community: Community, members: tuple[Member, ...], *titles: str) -> None:
    """Return once the archives of all members have these titles."""
    for member in members:

        async def there(member: Member = member) -> bool:
            return set(titles) <= set(await member.titles(community.id))

        await eventually(there)


async def test_a_thief_of_everything_can_neither_publish_nor_read_after_the_recovery(
    world: World, tmp_path: Path
) -> None:
    fr, jp = await world.agencies("theft-fr", "rot-jp")
    community = await fr.found(jp)
    await fr.publish("Known to the thief", community.slug)
    await jp.has(community.slug, "Known to the thief")
    before = await keys_of(fr)
    thief = await rob(world, fr, tmp_path / "stolen")
    recovered = await fr.run("recover", "--reason", "copied")
    assert recovered.status == 0, recovered.err
    states = {each["kid"]: each["state"] for each in recovered.json}
    assert states[before["signing"]] == "revoked"
    assert states[(await keys_of(fr))["signing"]] == "current"
    await jp.publish("After the recovery", community.slug)
    await fr.publish("From the owner", community.slug)
    await have(community, (fr, jp), "After the recovery", "From the owner")
    # The thief has the account's credential until the operator suspends it: it gets ciphertext, and no key.
    await fr.node.stop()
    world.members["thief"] = thief
    await thief.node.start()
    await thief.connected()
    assert (await jp.run("keys", "rotate")).status == 0  # so that its next bulletin begins a new epoch
    await jp.publish("Not for the thief", community.slug)
    said = await thief.publish("In the name of fr", community.slug)

    async def refused() -> bool:
        codes = {each["code"] for each in await thief.quarantined()}
        return bool(codes & {"log_behind", "bad_wrap", "missing_wrap"})

    await eventually(refused)
    assert said.state != "admitted"
    read = set(await thief.titles(community.slug))
    await thief.node.kill()
    assert "Known to the thief" in read
    assert not {"Not for the thief", "After the recovery", "From the owner"} & read
    assert "In the name of fr" not in await jp.titles(community.slug)


async def test_a_lost_machine_is_replaced_by_an_empty_one(world: World, tmp_path: Path) -> None:
    fr, jp = await world.agencies("loss-fr", "rot-jp")
    community = await fr.found(jp)
    await back_up(fr, tmp_path)
    await fr.node.kill()
    shutil.rmtree(fr.state / "keys")
    old = fr.endpoint
    await world.operate("suspend", old)
    anew = Member(world, fr.id, fr.code, tmp_path / "anew")
    world.members[fr.id] = anew
    assert (await restore(anew, tmp_path, 1)).code == "wrong_key"
    assert not (anew.state / "keys").exists()
    done = await restore(anew, tmp_path, 1, 3)
    assert done.status == 0, done.err
    assert (await restore(anew, tmp_path, 1, 3)).code == "already_known"
    out = ("--state", "HUB", "--out", "anew.json")
    await world.done("liaison-hub", "admit", done.json["request"], f"{fr.id}.dsse", *out)
    told = ("--root-fingerprint", world.fingerprint, "--state", anew.state)
    await world.done("liaison-agency", "enrol", "anew.json", *told)
    assert anew.endpoint != old
    await anew.start()
    await anew.connected()
    assert (await anew.run("recover", "--all-endpoints")).status == 0
    async with anew.client() as agency:
        live = [each for each in await agency.keys() if each.use == "signing" and each.state != "revoked"]
    assert [each.endpoint for each in live] == [anew.endpoint]
    await jp.publish("For the new machine", community.id)
    await anew.publish("From the new machine", community.id)
    await have(community, (anew, jp), "For the new machine", "From the new machine")
    assert (await jp.publish("All read", community.id)).unreadable == ()


async def test_the_node_rotates_by_itself_when_it_is_time(world: World) -> None:
    fr, jp = await world.agencies("rot-fr", "rot-jp")
    community = await fr.found(jp)
    before = await keys_of(fr)
    await fr.node.stop()
    settings = NodeSettings(state=fr.state)
    async with Core.open(settings) as core:
        running = asyncio.create_task(core.run())
        try:
            await core.link.until_caught_up(DEADLINE)
            await Rotation(core, settings).tick()
            assert core.rack.kid == before["signing"]
            await Rotation(core, settings, clock=lambda: now_ms() + 31 * DAY).tick()
            assert core.rack.kid != before["signing"]
        finally:
            running.cancel()
            await asyncio.wait([running])
    await fr.start()
    assert (await keys_of(fr))["encryption"] != before["encryption"]
    await jp.publish("To the new key", community.slug)
    await fr.has(community.slug, "To the new key")


async def test_keys_that_the_hub_had_before_the_directory_came_are_kept(world: World) -> None:
    """It refuses the second document, and the answer is here before the first one has come back."""
    (fr,) = await world.agencies("late-fr")
    await fr.node.stop()
    settings = NodeSettings(state=fr.state)
    async with Core.open(settings) as core:

        async def without_directory(nc: Client) -> None:
            await core.traffic_feed.run(nc, core.link)

        running = asyncio.create_task(core.link.run(without_directory))
        try:
            await core.link.until_caught_up(DEADLINE)
            staged = core.rack.stage(os.urandom, encryption=True)
            document = keys_document(staged, core.ledger.known(), core.endpoint, lambda: core.clock() - 1)
            assert document is not None
            await core.link.submit_document(document)
            with pytest.raises(LiaisonError) as refused:
                await Rotation(core, settings).tick()
            assert refused.value.code is Code.NOT_NEXT
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert core.rack.staged == staged
    await fr.start()

    async def are_in_use() -> bool:
        return (await keys_of(fr))["signing"] == key_id(staged.signing.public).hex()

    await eventually(are_in_use)

"""An agency's identity key is replaced over real processes: lost with its machine, wrongly, and by agreement;
and the root that says who may do that is rotated. Witnesses and nodes follow.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from schemas.errors import LiaisonError
from schemas.signing import key_id
from schemas.vocabulary import AlarmName
from subscribers.clock import now_ms
from subscribers.exchange.enrolment import request
from subscribers.keyring.identity_api import IdentityState
from subscribers.keys import Keyring
from subscribers.records import Notice
from tests.support.witness_world import Watched, watched_world
from tests.support.world import Member, World, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
SHORT = "4s"
"""The world's cool-down. Nothing here rests on its being over or not, but where the test waits for that."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    async with watched_world(tmp_path_factory.mktemp("identities"), "--cool-down", SHORT) as opened:
        yield opened


async def replaced(
    world: World, wanted: Path, out: str, *words: str, within: str = "1s"
) -> Any:  # what the command prints
    """The secretariat's word, handed in: what `replace-identity` printed."""
    keys = ("--key", f"{world.secretariat}/registrar-1.key", *words, "--within", within)
    made = await world.done("liaison-root", "replace-identity", wanted, *keys, "--out", out, "--json")
    await world.operate("submit", out)
    return made.json


async def waiting(member: Member) -> list[str]:
    """The agencies whose replacement waits, as a node has it."""
    async with member.client() as client:
        return [each.agency for each in await client.identity() if each.effective]


def asked(world: World, agency: str, name: str) -> Path:
    """A request by somebody who says that he is the agency, with a key of his own."""
    keys = Keyring.create(world.directory / name, agency, f"Agency {agency}", agency.upper())
    path = world.directory / f"{name}.request"
    path.write_bytes(request(keys, now_ms()))
    return path


async def told(member: Member, kind: str, agency: str = "") -> Notice:
    """The newest notice of this kind (about an agency), once the node has it."""
    found: list[Notice] = []

    async def there() -> bool:
        async with member.client() as client:
            notices = await client.notices(limit=100)
        found[:] = [each for each in notices if (each.kind, each.agency) == (kind, agency)]
        return bool(found)

    await eventually(there)
    return found[0]


async def identity_of(member: Member) -> IdentityState:
    """What the node says of its own identity."""
    async with member.client() as client:
        (own,) = [each for each in await client.identity() if each.own]
    return own


async def warned(member: Member, agency: str) -> bool:
    """Whether the node ever raised an alarm about this agency's identity."""
    async with member.client() as client:
        raised = await client.alarms(past=True)
    return any((each.name, each.agency) == (AlarmName.IDENTITY, agency) for each in raised)


async def holds(member: Member, size: int) -> None:
    """Return once the node has kept a head of this size, or of a later one."""

    async def kept() -> bool:
        async with member.client() as client:
            return ((await client.status()).head_size or 0) >= size

    await eventually(kept)


async def test_an_agency_that_lost_its_machine_comes_back(watched: Watched) -> None:
    world = watched.world
    lost, kz = await world.agencies("fr", "kz")
    community = await lost.found(kz)
    await lost.publish("Before", community.slug)
    await kz.has(community.slug, "Before")
    old = key_id(lost.keys.signing.public).hex()
    await lost.node.kill()
    fr = Member(world, "fr", "FR", world.directory / "fr-again")
    who = ("--agency", "fr", "--name", "Agency fr", "--code", "FR")
    aloud = (await world.done("liaison-agency", "init", "--state", fr.state, *who, "--json")).json
    made = await replaced(world, fr.state / "enrolment.dsse", "fr-replace.dsse", within="3s")
    assert made["fingerprint"] == aloud["fingerprint"]
    notice = await told(kz, "replacing", "fr")
    assert (notice.fingerprint, notice.effective) == (aloud["fingerprint"], made["effective"])
    out = ("--state", world.state, "--out", "fr-again.json")
    await world.done("liaison-hub", "admit", fr.state / "enrolment.dsse", "fr-replace.dsse", *out)
    words = ("--root-fingerprint", world.fingerprint)
    enrolled = await fr.run("enrol", world.directory / "fr-again.json", *words)
    assert enrolled.status == 0, enrolled.err
    world.members["fr"] = fr
    await fr.start()

    async def bound() -> bool:
        async with fr.client() as client:
            listed = await client.keys()
        return any(each.endpoint == fr.endpoint and each.state == "current" for each in listed)

    await eventually(bound)
    await told(kz, "identity", "fr")
    assert "fr" not in await waiting(kz)
    assert (await identity_of(fr)).fingerprint == aloud["fingerprint"]
    async with fr.client() as client:
        await client.key_revoke(old)
    await holds(kz, await watched.cosigned())
    assert not await warned(kz, "fr")
    async with fr.client() as client:
        await client.community_add(community.id, "kz", "reader")  # the log goes on by the new key

    async def grown() -> bool:
        async with kz.client() as client:
            return len(await client.community_log(community.id)) == 3

    await eventually(grown)
    assert await fr.settled(await fr.publish("After", community.id)) is None
    await kz.has(community.slug, "After")
    assert await kz.quarantined() == []


async def test_an_agency_objects_to_what_nobody_there_has_asked_for(watched: Watched) -> None:
    world = watched.world
    us, kz = await world.agencies("us", "kz")
    assert (await us.run("identity", "object")).code == "not_found"
    await replaced(world, asked(world, "us", "thief"), "false.dsse", within="10m")

    async def alarmed() -> bool:
        return await warned(us, "us")

    await eventually(alarmed)
    await told(kz, "replacing", "us")
    assert "us" in await waiting(kz)
    async with us.client() as client:
        (finding,) = [each for each in await client.doctor() if each.check == "identity"]
    assert "identity object" in finding.fix
    done = await us.run("identity", "object")
    assert (done.status, done.json["submitted"]) == (0, True), done.err
    await told(kz, "objected", "us")
    assert (await identity_of(us)).disputed
    assert "us" not in await waiting(kz)
    held = [f"{world.secretariat}/{each}.key" for each in ("registrar-1", "registrar-2", "root-1", "root-2")]
    keys, wanted = ("--key", held[0], "--within", "10m"), asked(world, "us", "other")
    await world.done("liaison-root", "replace-identity", wanted, *keys, "--out", "again.dsse")
    refused = await world.command("liaison-hub", "submit", "again.dsse", "--state", world.state, "--json")
    assert (refused.status, refused.code) == (1, "below_threshold")
    both = ("--key", held[2], "--key", held[3], "--disputed")
    await replaced(world, wanted, "over.dsse", *both, within="10m")

    async def against_it() -> bool:
        return (await told(us, "replacing", "us")).disputed

    await eventually(against_it)
    async with us.client() as client:
        with pytest.raises(LiaisonError, match="below_threshold"):
            await client.identity_object()
    back = ("--key", held[1], "--out", "back.dsse")
    await world.done("liaison-root", "withdraw-identity", "over.dsse", *back)
    await world.operate("submit", "back.dsse")
    await told(kz, "withdrawn", "us")
    assert "us" not in await waiting(kz)


async def test_where_both_keys_agree_nobody_waits(watched: Watched) -> None:
    world = watched.world
    jp, kz = await world.agencies("jp", "kz")
    community = await jp.found(kz)
    before = jp.keys.identity.public
    wanted = world.directory / "jp.request"
    made = await jp.run("identity", "new", "--out", wanted)
    assert made.status == 0, made.err
    async with jp.client() as client:
        with pytest.raises(LiaisonError, match="not_found"):
            await client.identity_take_up()
    await replaced(world, wanted, "jp-replace.dsse", within="24h")

    async def gone_over() -> bool:
        staged = jp.state / "keys" / "next-identity.key"
        return (await identity_of(jp)).fingerprint == made.json["fingerprint"] and not staged.exists()

    await eventually(gone_over)
    await told(kz, "identity", "jp")
    assert jp.keys.identity.public != before
    await holds(jp, await watched.cosigned())
    async with jp.client() as client:
        await client.key_rotate()
    await holds(kz, await watched.cosigned())
    await jp.publish("By the new key", community.slug)
    await kz.has(community.slug, "By the new key")
    await jp.node.stop()
    await jp.start()
    await jp.connected()
    async with jp.client() as client:
        await client.community_remove(community.slug, "kz")


async def test_the_root_is_rotated_by_both_thresholds(watched: Watched) -> None:
    """By the commands, and everybody follows: hub, witness, nodes, and who enrols afterwards."""
    world = watched.world
    (kz,) = await world.agencies("kz")
    before = await watched.cosigned()
    lone = ("rotate", "SEC/root.dsse", "--key", "SEC/root-1.key", "--keys", "2-of-2", "--registrar", "1-of-2")
    made = await world.done("liaison-root", *lone, "--out", "SEC2", "--json")
    assert made.json["missing"] == 1
    refused = await world.command("liaison-hub", "submit", "SEC2/root.dsse", "--state", world.state, "--json")
    assert (refused.status, refused.code) == (1, "below_threshold")
    await world.done("liaison-root", "countersign", "SEC2/root.dsse", "--key", "SEC/root-3.key")
    await world.operate("submit", "SEC2/root.dsse")
    world.secretariat = "SEC2"
    assert await watched.cosigned() > before
    assert (await told(kz, "root")).version == 2
    wanted = asked(world, "late", "late")
    out = ("--state", world.state, "--out", "late.json")
    for place, code in (("SEC", "below_threshold"), ("SEC2", None)):
        keys = ("--key", f"{place}/registrar-1.key", "--out", "late.dsse")
        await world.done("liaison-root", "sign-agency", wanted, *keys)
        done = await world.command("liaison-hub", "admit", wanted, "late.dsse", *out, "--json")
        assert (done.code if done.status else None) == code, done.err
    assert watched.witness.running

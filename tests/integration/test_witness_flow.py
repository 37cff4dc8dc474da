"""Witnesses on real processes: heads that reach nodes, a hub that lies, a quorum that is lost, a crash."""

import json
import sys
from collections.abc import AsyncIterator
from hashlib import sha256

import pytest
import pytest_asyncio

from hub.keeping import ReceiptSigner
from hub.settings import HubSettings
from hub.streams import scan
from schemas.checkpoint import Checkpoint, Note, cosign, origin_of, parse_note, sign_log
from schemas.errors import LiaisonError
from schemas.merkle import Head
from schemas.subjects import DIRECTORY_HEAD, DIRECTORY_OFFER
from subscribers.records import NodeStatus
from subscribers.witness.keys import WitnessKeys
from tests.support.forked import ROOT
from tests.support.witness_world import NAME, Watched, watched_world
from tests.support.world import DEADLINE, Member, Program, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
BEYOND_FRESHNESS = "240000"
"""Milliseconds by which a node's clock is set forward: past the freshness, within what the hub allows."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    async with watched_world(tmp_path_factory.mktemp("watched")) as opened:
        yield opened


async def status_of(member: Member) -> NodeStatus:
    async with member.client() as agency:
        return await agency.status()


async def holds(member: Member, size: int) -> NodeStatus:
    """The node's status once it has kept a head of this size, or of a later one."""
    found: list[NodeStatus] = []

    async def kept() -> bool:
        found[:] = [await status_of(member)]
        return (found[0].head_size or 0) >= size

    await eventually(kept)
    return found[0]


def head_of(watched: Watched, head: Head) -> Note:
    """A checkpoint that the hub's own key signed, whether it is the log's or not."""
    signer = ReceiptSigner.load(HubSettings(state=watched.world.state))
    checkpoint = Checkpoint(origin_of(bytes.fromhex(watched.world.fingerprint)), head)
    return Note(checkpoint, (sign_log(checkpoint, checkpoint.origin, signer),))


async def cosigned_heads(watched: Watched) -> dict[int, set[bytes]]:
    """Every root under which the witness ever put its name, by size: what it handed in."""
    found: dict[int, set[bytes]] = {}
    async with watched.hostile_hub() as nc:
        async for messages in scan(nc, "INTAKE", ["s.cosig.*"]):
            for message in messages:
                size, root = parse_note(message.data).checkpoint.head
                found.setdefault(size, set()).add(root)
    return found


async def test_a_head_with_its_cosignature_reaches_nodes(watched: Watched) -> None:
    (fr,) = await watched.world.agencies("fr")
    before = await watched.cosigned()
    assert (await holds(fr, before)).head_stale is False
    await watched.world.agencies("jo")  # nobody else's in this module: the directory grows
    after = await watched.cosigned()
    assert after > before
    status = await holds(fr, after)
    assert status.head_fresh_until is not None
    assert not status.head_stale
    findings = {each["check"]: each for each in (await fr.run("doctor")).json}
    assert findings["head"]["ok"]
    assert (await watched.status())["cosigned"]["size"] == after


async def test_evidence_stands_under_the_head_that_witnesses_signed(watched: Watched) -> None:
    (fr,) = await watched.world.agencies("fr")
    community = await fr.found()
    said = await fr.publish("To be shown in court", community.slug)
    await fr.has(community.slug, "To be shown in court")
    await holds(fr, await watched.cosigned())
    file = watched.world.directory / "court.json"
    assert (await fr.run("evidence", "export", said.ref, "--out", file)).status == 0
    assert json.loads(file.read_text())["checkpoint"]
    place = ("--root-fingerprint", watched.world.fingerprint, "--json")
    verdict = await watched.world.command("liaison-verify", file, *place)
    assert verdict.status == 0, verdict.out
    (head,) = [each for each in verdict.json["findings"] if each["check"] == "head"]
    assert head["status"] == "proved"
    assert "witness" in head["text"]


@pytest.mark.parametrize("code", ["split_view", "rollback", "log_behind"])
async def test_a_head_that_does_not_follow_is_not_cosigned(watched: Watched, code: str) -> None:
    await watched.world.agencies("fr")
    size = await watched.cosigned()
    lies = {
        "split_view": Head(size, sha256(b"another log").digest()),
        "rollback": Head(
            1, sha256(b"\x00" + (watched.world.directory / "SEC/root.dsse").read_bytes()).digest()
        ),
        "log_behind": Head(size + 5, sha256(b"withheld").digest()),
    }
    async with watched.hostile_hub() as nc:
        await nc.jetstream(timeout=DEADLINE).publish(DIRECTORY_OFFER, head_of(watched, lies[code]).to_bytes())

    async def refused() -> bool:
        return [each["code"] for each in (await watched.status())["refused"][:1]] == [code]

    await eventually(refused)
    assert (await watched.command("status")).status == 1
    assert lies[code].root not in (await cosigned_heads(watched)).get(lies[code].size, set())
    assert watched.witness.running
    assert code in watched.witness.log


async def test_a_split_that_a_witness_helps_with_is_seen_by_the_node(watched: Watched) -> None:
    (fr,) = await watched.world.agencies("fr")
    size = await watched.cosigned()
    await holds(fr, size)
    note = head_of(watched, Head(size, sha256(b"another log").digest()))
    keys = WitnessKeys.load(watched.state)
    seconds = (await watched.status())["cosigned"]["at"] // 1000
    false = note._replace(signatures=(*note.signatures, cosign(note.checkpoint, NAME, seconds, keys.witness)))
    alone = head_of(watched, Head(size, note.checkpoint.head.root))
    async with watched.hostile_hub() as nc:
        await nc.jetstream(timeout=DEADLINE).publish(DIRECTORY_HEAD, alone.to_bytes())
        await nc.jetstream(timeout=DEADLINE).publish(DIRECTORY_HEAD, false.to_bytes())

    async def refused() -> bool:
        return {"split_view", "witness_shortfall"} <= {each["code"] for each in await fr.quarantined()}

    await eventually(refused)
    assert (await status_of(fr)).head_size == size


async def test_only_a_named_witness_is_admitted(watched: Watched) -> None:
    world = watched.world
    await world.done("liaison-witness", "init", "--name", "stranger.example", "--state", "STRANGER")
    request = world.directory / "STRANGER" / "witness.request"
    asked = await world.command(
        "liaison-hub", "admit-witness", request, "--out", "no.json", "--state", world.state, "--json"
    )
    assert (asked.status, asked.code) == (1, "unknown_key")
    missing = await world.command("liaison-witness", "run", "--state", "STRANGER", "--json")
    assert (missing.status, missing.code) == (1, "not_enrolled")
    again = await watched.command("run", "--json")
    assert (again.status, again.code) == (1, "already_running")


async def test_without_its_quorum_a_node_reads_on_and_begins_nothing(watched: Watched) -> None:
    fr, kz = await watched.world.agencies("fr", "kz")
    community = await fr.found(kz)
    await fr.publish("While all is well", community.slug)
    await kz.has(community.slug, "While all is well")
    await watched.cosigned()
    await watched.witness.kill()
    await kz.node.stop()
    late = kz.program(sys.executable, "-m", "tests.support.node_launcher", "--clock", BEYOND_FRESHNESS)
    try:
        await late.start()
        await kz.connected()
        assert (await status_of(kz)).head_stale
        with pytest.raises(LiaisonError) as refusal:
            await kz.publish("Under a stale head", community.slug)
        assert str(refusal.value.code) == "stale_head"
        assert refusal.value.fix
        findings = {each["check"]: each for each in (await kz.run("doctor")).json}
        assert not findings["head"]["ok"]
        await fr.publish("Read on", community.slug)
        await kz.has(community.slug, "Read on")
    finally:
        await late.kill()
        await kz.node.start()
        await watched.witness.start()
    await holds(kz, await watched.cosigned())
    assert await kz.settled(await kz.publish("Well again", community.slug)) is None


async def test_a_witness_that_dies_before_it_signs_never_signs_another_head(watched: Watched) -> None:
    (fr,) = await watched.world.agencies("fr")
    await watched.cosigned()
    await watched.witness.stop()
    signed = await cosigned_heads(watched)
    launcher = (sys.executable, "-m", "tests.support.witness_launcher", watched.state, "1")
    dying = Program(ROOT, watched.world.directory / "dying.log", *launcher)
    await dying.start()
    await fr.found()  # a community document: the directory grows, and a head is offered
    assert await dying.ended() != 0
    bound = (await watched.status())["cosigned"]
    await watched.witness.start()
    size = await watched.cosigned()
    await holds(fr, size)
    heads = await cosigned_heads(watched)
    assert bound["size"] in heads
    assert heads[bound["size"]] == {bytes.fromhex(bound["root"])}
    assert all(len(roots) == 1 for roots in heads.values())
    assert heads.keys() > signed.keys()

"""The hub over the real server: an agency is admitted, speaks, is answered, and is heard by those who may
hear it.
"""

import asyncio
import getpass
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import nats.errors
import pytest

from hub.admission import LEAD
from hub.batch import Outgoing, publish_batch
from hub.files import write_private
from hub.keeping import ReceiptSigner, install
from hub.operating.trail import Check, parse
from hub.serve import RunningHub, running
from schemas.encoding import to_base64
from schemas.errors import LiaisonError
from schemas.frame import BULLETIN, CARD, EPOCH, HEARTBEAT
from schemas.operations import Operation, read_operation
from schemas.vocabulary import Precedence
from schemas.wraps import parse_wrap
from tests.support.frames import AgencyKit, Chain, Circle, renewed, wraps
from tests.support.hub_world import DEADLINE, HubWorld, Station, hub_world, prepare_hub, stored
from tests.support.nats_server import eventually

World = tuple[HubWorld, RunningHub]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with hub_world(tmp_path) as made:
        yield made


async def test_from_admission_to_a_reader(world: World) -> None:
    hub = world[0]
    france, kenya = await hub.enrol("fra", "FRA"), await hub.enrol("ken", "KEN")
    circle = await hub.community(france, kenya)
    chain = Chain(france.kit, circle)
    announcement = chain.make(hub.now, EPOCH)
    await france.put(chain.subject.intake(), announcement)
    bundle = wraps(announcement, france.kit, kenya.kit)
    assert await france.submit(bundle, "wrap") == "admitted"
    sent = [announcement]
    for kind in (CARD, BULLETIN, HEARTBEAT, BULLETIN):
        sent.append(chain.make(hub.now, kind, b"attack at dawn"))
        assert await france.send(chain, sent[-1]) == "admitted"
    flash = Chain(france.kit, circle, Precedence.FLASH)
    sent.append(flash.make(hub.now, BULLETIN, b"now"))
    assert await france.send(flash, sent[-1]) == "admitted"
    await kenya.until(lambda: len(kenya.frames()) == len(sent))
    assert kenya.frames() == sent

    subjects = [each.subject for each in kenya.traffic if not each.subject.startswith("r.")]
    own = f"w.{kenya.kit.endpoint}"
    # The key is there before the first frame that needs it.
    assert subjects[:2] == [chain.subject.traffic(), own]
    mine = next(each for each in kenya.traffic if each.subject == own)
    assert parse_wrap(mine.data).announcement == sha256(announcement).digest()
    assert not [
        each
        for each in kenya.traffic
        if each.subject.split(".")[0] in {"w", "r"} and own[2:] not in each.subject
    ]


async def test_admitting_twice_gives_the_same_endpoint(world: World) -> None:
    hub = world[0]
    kit = AgencyKit("fra", "Agency", "FRA")
    request, agency = kit.enrolment(hub.now), hub.secretariat.agency_document(kit, hub.now)
    asked = {"request": to_base64(request), "agency": to_base64(agency)}
    first, again = await hub.ask("admit", **asked), await hub.ask("admit", **asked)
    assert first == again
    assert world[1].office.directory.head.size == 3
    other = AgencyKit("gbr", "Agency", "GBR")
    with pytest.raises(LiaisonError, match="bad_document"):
        await hub.ask("admit", request=to_base64(other.enrolment(hub.now)), agency=to_base64(agency))


async def test_a_repeat_is_admitted_again_and_not_published_again(world: World) -> None:
    hub = world[0]
    france = await hub.enrol("fra", "FRA")
    circle = await hub.community(france)
    chain = Chain(france.kit, circle)
    frame = chain.make(hub.now)
    assert await france.send(chain, frame) == "admitted"
    seen = len(france.answers)
    await france.put(chain.subject.intake(), frame)
    assert await france.answer(frame, seen) == "admitted"
    assert await france.submit(circle.document(hub.now)) != "admitted"
    for repeated in (circle.entries[0], france.kit.keys_document(hub.now)):
        await france.submit(repeated)
    assert await france.submit(circle.entries[0]) == "admitted"
    assert [each.data for each in await stored(world[1].office.nc, "TRAFFIC", "f.>")] == [frame]


async def test_a_new_member_is_let_in_before_its_entry_and_a_removed_one_is_shut_out_after(
    world: World,
) -> None:
    hub = world[0]
    france, kenya = await hub.enrol("fra", "FRA"), await hub.enrol("ken", "KEN")
    circle = await hub.community(france)
    chain = Chain(france.kit, circle)
    assert await france.send(chain, chain.make(hub.now)) == "admitted"
    assert await france.submit(circle.change("ken", hub.now)) == "admitted"
    await hub.know(circle, kenya)
    second = chain.make(hub.now)
    assert await france.send(chain, second) == "admitted"
    await kenya.until(lambda: kenya.frames()[-1:] == [second])

    assert await france.submit(circle.change("ken", hub.now, op="remove")) == "admitted"
    third = chain.make(hub.now)
    assert await france.send(chain, third) == "admitted"
    own = Chain(kenya.kit, circle)
    # One that was in it may still ask, so that it hears why not.
    assert await kenya.send(own, own.make(hub.now)) == "not_member"
    # Its receipt came after the frame, in the one feed: so the frame did not come.
    assert third not in kenya.frames()


async def test_a_stranger_has_no_way_in(world: World) -> None:
    hub = world[0]
    france, kenya = await hub.enrol("fra", "FRA"), await hub.enrol("ken", "KEN")
    circle = await hub.community(france)
    chain = Chain(kenya.kit, circle)
    with pytest.raises(nats.errors.NoRespondersError):
        await kenya.put(chain.subject.intake(), chain.make(hub.now))


async def test_a_membership_that_begins_later_takes_effect_by_itself(world: World) -> None:
    hub = world[0]
    france, kenya = await hub.enrol("fra", "FRA"), await hub.enrol("ken", "KEN")
    circle = await hub.community(france)
    begins = hub.now + LEAD + 1500
    entry = circle.change("ken", hub.now, nbf=begins)
    assert await france.submit(entry) == "admitted"
    # On a machine that was busy for too long, it may be time already: that is looked at last.
    assert not hub.log(kenya, circle) or hub.now >= begins - LEAD
    await hub.know(circle, kenya)
    chain = Chain(kenya.kit, circle)
    assert await kenya.send(chain, chain.make(hub.now)) == "not_member"


async def test_a_suspended_agency_is_cut_off_at_once_and_stays_so(tmp_path: Path) -> None:
    async with hub_world(tmp_path) as (hub, _):
        france = await hub.enrol("fra", "FRA")
        circle = await hub.community(france)
        assert (await hub.ask("suspend", who="fra"))["endpoints"] == [france.kit.endpoint]
        async with asyncio.timeout(DEADLINE):
            await france.lost.wait()
        await france.close()
        with pytest.raises(LiaisonError, match="not_found"):
            await hub.ask("suspend", who="nobody")
    async with running(hub.settings) as again:
        france.url = again.url
        with pytest.raises((nats.errors.Error, TimeoutError, OSError)):
            await refused(france)
        await hub.ask("resume", who=france.kit.endpoint)
        await france.connect()
        chain = Chain(france.kit, circle)
        assert await france.send(chain, chain.make(hub.now)) == "admitted"
        await france.close()
        await see_the_audit(hub, again, france.kit.endpoint)


async def see_the_audit(hub: HubWorld, again: RunningHub, endpoint: str) -> None:
    """Every order stands in one chain over the restart, and an entry that no hub has made is named."""
    kept = [each.encode() for each in (await hub.ask("audit"))["entries"]]
    Check().follow(kept)
    told = [(entry.act.verb, entry.act.object, entry.act.outcome) for entry in map(parse, kept)]
    assert told == [
        ("start", "", "done"),
        ("settings", told[1][1], "done"),
        ("admit", "fra", "done"),
        ("suspend", "fra", "done"),
        ("suspend", "nobody", "not_found"),
        ("stop", "", "done"),
        ("start", "", "done"),
        ("resume", endpoint, "done"),
    ]
    assert parse(kept[2]).act.who == getpass.getuser()
    assert (await hub.ask("audit", after=6))["entries"] == [each.decode() for each in kept[6:]]
    forged = replace(parse(kept[-1]), number=len(kept) + 1).to_bytes()
    await again.office.nc.jetstream(timeout=DEADLINE).publish("a.resume", forged)
    await hub.ask("suspend", who="fra")
    with pytest.raises(LiaisonError, match="entry 9 or one before it was changed"):
        Check().follow(each.encode() for each in (await hub.ask("audit"))["entries"])


async def refused(station: Station) -> None:
    """Connect once; an endpoint that is not let in fails."""
    connecting = asyncio.create_task(station.connect())
    await asyncio.wait({connecting}, timeout=2)  # it would try for ever
    while not connecting.done():  # one cancellation may be lost in the client (`wait_for` of Python 3.11)
        connecting.cancel()
        await asyncio.wait({connecting}, timeout=0.1)
    await station.close()
    if connecting.cancelled():
        raise TimeoutError
    connecting.result()


async def test_keys_follow_each_other(world: World) -> None:
    hub = world[0]
    france = await hub.enrol("fra", "FRA")
    circle = await hub.community(france)
    chain = Chain(france.kit, circle)
    assert await france.send(chain, chain.make(hub.now)) == "admitted"
    old = france.kit
    france.kit = chain.kit = renewed(old)
    assert await france.send(chain, chain.make(hub.now)) == "unknown_key"
    chain.refused()
    # One after the other in the intake: the document counts for the frame behind it.
    document, frame = france.kit.keys_document(hub.now, version=2), chain.make(hub.now)
    await france.put(f"s.doc.{old.endpoint}", document)
    await france.put(chain.subject.intake(), frame)
    assert [await france.answer(each) for each in (document, frame)] == ["admitted", "admitted"]
    assert await france.submit(france.kit.revocation(hub.now)) == "admitted"
    assert await france.send(chain, chain.make(hub.now)) == "revoked_key"


async def test_state_is_read_back_after_a_restart(tmp_path: Path) -> None:
    async with hub_world(tmp_path) as (hub, _):
        france, kenya = await hub.enrol("fra", "FRA"), await hub.enrol("ken", "KEN")
        circle = await hub.community(france, kenya)
        chain = Chain(france.kit, circle)
        announcement = chain.make(hub.now, EPOCH)
        for frame in (announcement, chain.make(hub.now)):
            assert await france.send(chain, frame) == "admitted"
    told = {"operators": ["ken"], "alarm_disk_bytes": 2**60}
    async with running(hub.settings.model_copy(update=told)) as again:
        for station in (france, kenya):
            station.url = again.url
            await station.connect()
        await kenya.until(lambda: bool(told_of(kenya)))
        (record,) = told_of(kenya)
        assert (record.kind, record.state, record.about) == ("disk", "raised", "")
        assert await france.send(chain, chain.make(hub.now)) == "admitted"
        # The announcement is no longer in memory, nor the head of its chain.
        assert await france.submit(wraps(announcement, kenya.kit), "wrap") == "admitted"
        assert await france.submit(wraps(b"never announced", kenya.kit), "wrap") == "unknown_epoch"
        assert await france.send(chain, announcement) == "admitted"
        assert told_of(france) == [], "it keeps nobody's hub"
        await hub.close()


def told_of(station: Station) -> list[Operation]:
    """The operational records that have come, which the hub's key has signed."""
    return [read_operation(each.data, station.hub_key) for each in station.traffic if each.subject[0] == "o"]


async def test_the_directory_takes_what_its_rules_allow(world: World) -> None:
    hub, running_hub = world
    france, kenya = await hub.enrol("fra", "FRA"), await hub.enrol("ken", "KEN")
    circle = await hub.community(france)
    other = AgencyKit("ken", endpoint=france.kit.endpoint, identity=kenya.kit.identity)
    stranger = AgencyKit("bra", "Agency", "BRA")
    cases = [
        (kenya, circle.document(hub.now + 1), "forbidden"),
        (kenya, Circle(kenya.kit, id=circle.id).document(hub.now), "bad_document"),
        (kenya, other.keys_document(hub.now), "forbidden"),
        (kenya, france.kit.revocation(hub.now), "forbidden"),
        (kenya, hub.secretariat.agency_document(stranger, hub.now), "forbidden"),
        (kenya, Circle(kenya.kit, id=circle.id).change("ken", hub.now), "forbidden"),
        (france, Circle(kenya.kit, id=circle.id).change("ken", hub.now), "not_next"),
        (france, Circle(france.kit).change("ken", hub.now), "unknown_community"),
        (france, circle.change("bra", hub.now), "unknown_agency"),
        (france, b"{}", "bad_document"),
        (france, b"\x00" * 40_000, "too_large"),
    ]
    assert [await station.submit(data) for station, data, _ in cases] == [code for *_, code in cases]
    assert running_hub.office.directory.head.size == 7
    revoked = to_base64(kenya.kit.revocation(hub.now))
    assert (await hub.ask("submit", document=revoked))["size"] == 8


async def test_wraps_reach_members_only(world: World) -> None:
    hub = world[0]
    france, kenya = await hub.enrol("fra", "FRA"), await hub.enrol("ken", "KEN")
    brazil = await hub.enrol("bra", "BRA")
    circle = await hub.community(france, kenya)
    chain = Chain(france.kit, circle)
    announcement = chain.make(hub.now, EPOCH)
    assert await france.send(chain, announcement) == "admitted"
    everybody = wraps(announcement, kenya.kit, brazil.kit, AgencyKit("nob"))
    assert await france.submit(everybody, "wrap") == "admitted"
    assert await france.submit(wraps(announcement, brazil.kit), "wrap") == "not_member"
    assert await kenya.submit(wraps(announcement, kenya.kit), "wrap") == "unknown_epoch"
    assert await france.submit(b"\x01junk", "wrap") == "bad_wrap"
    # No endpoint can send there; should one be let through, it is answered all the same.
    await world[1].office.nc.jetstream(timeout=DEADLINE).publish(f"s.else.{france.kit.endpoint}", b"hello")
    assert await france.answer(b"hello") == "bad_subject"
    held = await stored(world[1].office.nc, "TRAFFIC", "w.>")
    assert [each.subject for each in held] == [f"w.{kenya.kit.endpoint}"]


@pytest.mark.parametrize(
    "count, order", [(4, "(fr){4}"), (20, "(fr){1,8}f{5,19}r")], ids=["few alone", "many together"]
)
async def test_few_are_written_one_after_the_other(world: World, count: int, order: str) -> None:
    hub, running_hub = world
    france = await hub.enrol("fra", "FRA")
    chain = Chain(france.kit, await hub.community(france))
    nc = running_hub.office.nc
    before = len(await stored(nc, "TRAFFIC", ">"))
    frames = [chain.make(hub.now) for _ in range(count)]
    async with running_hub.office.writing():  # the router waits, so that they make a batch
        for frame in frames:
            await france.put(chain.subject.intake(), frame)
    assert {await france.answer(frame) for frame in frames} == {"admitted"}
    written = "".join(each.subject[:1] for each in (await stored(nc, "TRAFFIC", ">"))[before:])
    assert re.fullmatch(order, written), written


async def test_a_batch_with_a_message_that_is_there_already_goes_one_by_one(world: World) -> None:
    hub, running_hub = world
    france = await hub.enrol("fra", "FRA")
    circle = await hub.community(france)
    chain = Chain(france.kit, circle)
    frames = [chain.make(hub.now) for _ in range(20)]
    nc, id = running_hub.office.nc, {"Nats-Msg-Id": sha256(frames[0]).hexdigest()}
    await publish_batch(nc, [Outgoing(chain.subject.traffic(), frames[0], id)], batch_id="x")
    async with running_hub.office.writing():  # the router waits, so that they make a batch
        for frame in frames:
            await france.put(chain.subject.intake(), frame)
    assert {await france.answer(frame) for frame in frames} == {"admitted"}
    assert [each.data for each in await stored(nc, "TRAFFIC", "f.>")] == frames


@pytest.mark.parametrize(
    "verb, asked",
    [
        ("purge", {}),
        ("admit", {}),
        ("admit", {"request": "???", "agency": "e30="}),
        ("suspend", {"who": 7}),
        ("quarantine", {"limit": 0}),
        ("quarantine", {"limit": True}),
        ("quarantine", {"code": "*"}),
        ("quarantine", {"code": "nonsense"}),
        ("watch", {"inbox": "r.>"}),
        ("watch", {"inbox": "_INBOX.*"}),
    ],
)
async def test_a_control_request_of_another_shape(world: World, verb: str, asked: dict[str, Any]) -> None:
    with pytest.raises(LiaisonError, match="bad_request"):
        await world[0].ask(verb, **asked)
    assert (await world[0].ask("status"))["ok"]


async def test_a_hub_does_not_begin_on_what_is_not_its_own(tmp_path: Path) -> None:
    async with hub_world(tmp_path) as (hub, _):
        await hub.enrol("fra", "FRA")
    other = prepare_hub(tmp_path / "other")
    state, strange = hub.settings.state, other.settings.state
    with pytest.raises(LiaisonError, match="already_known"):
        install(hub.settings, *documents_signed_for(other, hub))
    with pytest.raises(LiaisonError, match="wrong_key"):
        install(hub.settings, *((strange / name).read_bytes() for name in ("root.dsse", "hub.dsse")))
    key = state / "hub" / "receipt.key"
    ours = key.read_bytes()
    write_private(key, (strange / "hub" / "receipt.key").read_bytes())
    with pytest.raises(LiaisonError, match="wrong_key"):
        await begin(hub)
    write_private(key, b"damaged")
    with pytest.raises(LiaisonError, match="store_corrupt"):
        await begin(hub)
    write_private(key, ours)
    for name, data in zip(("root.dsse", "hub.dsse"), documents_signed_for(other, hub), strict=True):
        (state / name).write_bytes(data)
    with pytest.raises(LiaisonError, match="root_mismatch"):
        await begin(hub)


def documents_signed_for(secretariat: HubWorld, hub: HubWorld) -> tuple[bytes, bytes]:
    """The root of another secretariat, and what it signed for this hub."""
    key = ReceiptSigner.load(hub.settings).public
    made = secretariat.secretariat
    return made.root_document(hub.now), made.hub_document(key, hub.now)


async def begin(hub: HubWorld) -> None:
    async with running(hub.settings):
        pass


async def test_many_at_once_keep_their_order(world: World) -> None:
    hub, running_hub = world
    france, kenya = await hub.enrol("fra", "FRA"), await hub.enrol("ken", "KEN")
    circle = await hub.community(france, kenya)
    chains = [Chain(each.kit, circle) for each in (france, kenya)]
    sent = {chain.kit.id: [chain.make(hub.now) for _ in range(300)] for chain in chains}
    for station, chain in zip((france, kenya), chains, strict=True):
        for frame in sent[chain.kit.id]:
            await station.nc.publish(chain.subject.intake(), frame)
    for station in (france, kenya):
        assert await station.answer(sent[station.kit.id][-1]) == "admitted"
    held = [each.data for each in await stored(running_hub.office.nc, "TRAFFIC", "f.>")]
    assert len(held) == 600
    assert [frame for frame in held if frame in set(sent["fra"])] == sent["fra"]
    assert [frame for frame in held if frame in set(sent["ken"])] == sent["ken"]


async def test_the_operator_watches_what_is_stored(world: World, root: Path) -> None:
    hub = world[0]
    france = await hub.enrol("fra", "FRA")
    circle = await hub.community(france)
    program = "from hub.cli import main; main()"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, "watch", "--json", "--state", str(hub.settings.state)),
        cwd=root,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE):
        assert json.loads(await process.stdout.readline())["event"] == "watching"
        chain = Chain(france.kit, circle)
        frame = chain.make(hub.now)
        assert await france.send(chain, frame) == "admitted"
        seen = [json.loads(await process.stdout.readline()) for _ in range(3)]
        process.terminate()
        assert await process.wait() == 0
    subjects = {(each["stream"], each["subject"]) for each in seen}
    receipt = ("TRAFFIC", f"r.{france.kit.endpoint}")
    assert subjects == {("INTAKE", chain.subject.intake()), ("TRAFFIC", chain.subject.traffic()), receipt}
    shown = next(each for each in seen if each["stream"] == "INTAKE")
    assert shown["size"] == len(frame)
    assert shown["sha256"] == sha256(frame).hexdigest()[:16]
    assert shown["head"] == frame[:32].hex()


async def test_a_dying_nats_server_loses_nothing(world: World) -> None:
    """As publishers do, what has no receipt is sent again: the intake need not have kept it."""
    hub, running_hub = world
    france = await hub.enrol("fra", "FRA")
    circle = await hub.community(france)
    chain = Chain(france.kit, circle)
    sent = [chain.make(hub.now) for _ in range(20)]
    for frame in sent[:10]:
        await france.put(chain.subject.intake(), frame)
    assert running_hub.server is not None
    os.kill(running_hub.server.pid, signal.SIGKILL)
    async with asyncio.timeout(DEADLINE):
        await france.lost.wait()
        for frame in sent:
            await eventually(partial(delivered, france, chain, frame))
    assert await france.answer(sent[-1]) == "admitted"
    assert [each.data for each in await stored(running_hub.office.nc, "TRAFFIC", "f.>")] == sent


async def delivered(station: Station, chain: Chain, frame: bytes) -> bool:
    """Whether the intake took it; not while the server is away."""
    try:
        await station.put(chain.subject.intake(), frame)
    except (nats.errors.Error, TimeoutError):
        return False
    return True

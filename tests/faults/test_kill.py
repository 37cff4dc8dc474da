"""Processes that are killed (SIGKILL) and disks that are full: nothing lost, nothing doubled.

Counted at the plain nats-py reader, in the archive and in the JSON-lines sink of the agencies, never by
asking the node how it thinks it did. The points at which a node or the hub kills itself are named in
tests/support/node_launcher.py and tests/support/hub_launcher.py.
"""

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import nats
import pytest
import pytest_asyncio

from schemas.errors import LiaisonError
from schemas.subjects import BULLETINS
from subscribers.records import Community
from tests.support.world import DEADLINE, PATIENCE, Member, Program, World, draft, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

POINTS = ("committed", "journalled", "settled", "sending")
LOAD = 200


@pytest_asyncio.fixture(loop_scope="session")
async def pair(world: World) -> AsyncIterator[tuple[Member, Member, Community]]:
    """A publisher, a reader and a community of both; whatever was killed runs again afterwards."""
    publisher, reader = await world.agencies("fr", "kz")
    community = await publisher.found(reader)
    yield publisher, reader, community
    if not world.hub.running:
        await world.hub.start()


async def once(members: tuple[Member, ...], community: Community, titles: list[str]) -> None:
    """Every agency has each bulletin exactly once: in its archive, its sink, and at its plain reader."""
    for member in members:
        await member.has(community.slug, *titles)
        for found in (
            await member.titles(community.slug),
            member.lines(community.slug),
            await member.delivered(community.slug),
        ):
            assert sorted(found) == sorted(titles), member.id


def launched(member: Member, point: str, count: int = 1) -> Program:
    """The member's node, to be killed by itself."""
    module = ("-m", "tests.support.node_launcher", "--kill", point, str(count))
    return member.program(sys.executable, *module)


async def publish_all(member: Member, doomed: Program, community: Community, titles: list[str]) -> list[str]:
    """Publish each once, until the node has killed itself; the titles that were answered."""
    answered = []

    async def publish() -> None:
        with contextlib.suppress(LiaisonError):
            async with member.client() as agency:
                for title in titles:
                    await agency.publish(draft(title), community.slug)
                    answered.append(title)

    publishing = asyncio.create_task(publish())
    assert await doomed.ended() == -signal.SIGKILL
    publishing.cancel()  # nobody is there any more to be waited for
    await asyncio.wait([publishing])
    return answered


@pytest.mark.parametrize("point", POINTS)
async def test_a_publishers_node_is_killed_at(pair: tuple[Member, Member, Community], point: str) -> None:
    publisher, reader, community = pair
    await publisher.publish("Before", community.slug)
    await reader.has(community.slug, "Before")
    await publisher.node.stop()
    doomed = launched(publisher, point)
    await doomed.start()
    asked = [f"Number {number}" for number in range(5)]
    answered = await publish_all(publisher, doomed, community, asked)
    await publisher.start()
    await publisher.publish("After", community.slug)
    await reader.has(community.slug, "After")
    got = await reader.titles(community.slug)
    # The one that was being published when the node ended was not answered: it may be there or not, but once.
    unsure = [title for title in got if title not in {"Before", "After", *answered}]
    assert unsure in ([], asked[len(answered) : len(answered) + 1])
    await once((publisher, reader), community, ["Before", *answered, *unsure, "After"])


@pytest.mark.parametrize("point", ["committed", "republished"])
async def test_a_readers_node_is_killed_at(pair: tuple[Member, Member, Community], point: str) -> None:
    publisher, reader, community = pair
    titles = [f"Number {number}" for number in range(6)]
    await publisher.publish(titles[0], community.slug)
    await reader.has(community.slug, titles[0])
    await reader.node.stop()
    doomed = launched(reader, point)
    await doomed.start()
    for title in titles[1:]:
        await publisher.publish(title, community.slug)
    assert await doomed.ended() == -signal.SIGKILL
    await reader.start()
    await once((publisher, reader), community, titles)
    assert await reader.delivered(community.slug) == titles


async def test_a_power_cut_takes_the_end_of_the_local_stream(
    pair: tuple[Member, Member, Community], tmp_path: Path
) -> None:
    """What was republished, and not on the disk yet, is in the archive: it goes into the stream again, once.
    A client that had acknowledged it hears it twice, by one id: the server has forgotten that, too.
    """
    publisher, reader, community = pair
    stream = reader.state / "local" / "jetstream" / "NODE" / "streams" / "BULLETINS" / "msgs"
    titles = ["Kept", "Lost", "Lost with it", "After"]
    await publisher.publish(titles[0], community.slug)
    await once((reader,), community, titles[:1])
    await reader.node.stop()
    shutil.copytree(stream, tmp_path / "kept")
    await reader.start()
    for title in titles[1:3]:
        await publisher.publish(title, community.slug)
    await once((reader,), community, titles[:3])
    await reader.node.stop()
    shutil.rmtree(stream)
    shutil.copytree(tmp_path / "kept", stream)
    await reader.start()
    await publisher.publish(titles[3], community.slug)
    await reader.has(community.slug, *titles)
    assert sorted(await reader.titles(community.slug)) == sorted(titles)
    assert reader.lines(community.slug) == titles
    assert (await reader.delivered(community.slug))[-3:] == titles[1:]
    assert await streamed(reader, community.slug) == titles


async def streamed(member: Member, slug: str) -> list[str]:
    """The titles in the agency's local stream, as the server has them."""
    local = member.state / "local"
    url, seed = (local / "url").read_text().strip(), str(local / "node.nk")
    nc = await nats.connect(url, nkeys_seed=seed, connect_timeout=PATIENCE)
    try:
        subscription = await nc.jetstream(timeout=DEADLINE).subscribe(
            f"bulletin.*.{slug}.>", stream=BULLETINS, ordered_consumer=True
        )
        found = [await subscription.next_msg(DEADLINE)]
        while found[-1].metadata.num_pending:
            found.append(await subscription.next_msg(DEADLINE))
    finally:
        await nc.close()
    return [json.loads(each.data)["bulletin"]["title"] for each in found]


@pytest.mark.parametrize("step", ["settling", "stored"])
async def test_the_hub_is_killed_between_intake_and(
    world: World, pair: tuple[Member, Member, Community], step: str
) -> None:
    publisher, reader, community = pair
    await world.hub.stop()
    module = ("-m", "tests.support.hub_launcher", world.state, str(world.port), step, "1")
    doomed = Program(world.directory, world.directory / "hub.log", sys.executable, *module)
    await doomed.launch()
    try:
        await doomed.says("ready")
        titles = [f"Number {number}" for number in range(5)]
        async with publisher.client() as agency:
            said = await asyncio.gather(*(agency.publish(draft(title), community.slug) for title in titles))
        await doomed.says(f"stopped {step}")
    finally:
        await doomed.kill()
    assert {each.state for each in said} <= {"queued", "admitted"}
    await world.hub.start()
    await once((publisher, reader), community, titles)


async def test_the_hub_is_away_when_a_bulletin_is_published(
    world: World, pair: tuple[Member, Member, Community]
) -> None:
    publisher, reader, community = pair

    async def nothing_waits() -> bool:
        async with publisher.client() as agency:
            return (await agency.status()).outbox == 0

    await eventually(nothing_waits)  # what was said when the community was founded
    await world.hub.kill()
    queued = [(await publisher.publish(f"Number {number}", community.slug)).state for number in range(3)]
    assert queued == ["queued"] * 3
    # Not even the node has to live on.
    await publisher.node.kill()
    await publisher.start()
    async with publisher.client() as agency:
        assert (await agency.status()).outbox == 3
    await world.hub.start()
    await once((publisher, reader), community, [f"Number {number}" for number in range(3)])


async def test_the_servers_under_hub_and_node_are_killed(
    world: World, pair: tuple[Member, Member, Community]
) -> None:
    publisher, reader, community = pair
    titles: list[str] = []
    victims: list[Callable[[], int]] = [
        lambda: local_server(reader),
        lambda: local_server(publisher),
        lambda: hub_server(world),
    ]
    for number, victim in enumerate(victims):
        titles += [f"Before {number}", f"After {number}"]
        await publisher.publish(titles[-2], community.slug)
        os.kill(victim(), signal.SIGKILL)
        await publish_patiently(publisher, community, titles[-1])
    await once((publisher, reader), community, titles)


async def publish_patiently(member: Member, community: Community, title: str) -> None:
    """Publish once the node answers. A request that nobody took up may be asked again."""

    async def answers() -> bool:
        with contextlib.suppress(LiaisonError):
            async with member.client() as agency:
                await agency.status()
                return True
        return False

    await eventually(answers)
    await member.publish(title, community.slug)


def local_server(member: Member) -> int:
    """The process id of the nats-server of an agency's node."""
    return int((member.state / "local" / "server.pid").read_text())


def hub_server(world: World) -> int:
    """The process id of the hub's nats-server: the only child of the hub's process."""
    children = Path(f"/proc/{world.hub.pid}/task/{world.hub.pid}/children").read_text().split()
    return int(children[0])


async def test_killed_at_random_under_load(world: World, pair: tuple[Member, Member, Community]) -> None:
    publisher, reader, community = pair
    chance = random.Random(20_26)
    answered: list[str] = []
    asked: list[str] = []
    victims: list[Callable[[], Awaitable[None]]] = [
        lambda: again(publisher.node, publisher.start),
        lambda: again(reader.node, reader.start),
        lambda: again(world.hub, world.hub.start),
        lambda: server_again(local_server(reader)),
        lambda: server_again(hub_server(world)),
    ]
    chance.shuffle(victims)
    share = LOAD // len(victims)
    for round_, victim in enumerate(victims):
        titles = [f"Load {round_}-{number:03}" for number in range(share)]
        asked += titles
        struck = chance.randrange(share // 4, share // 2)
        said = asyncio.create_task(
            publish_many(publisher, community, titles, struck_at := asyncio.Event(), struck)
        )
        await struck_at.wait()
        await victim()
        answered += await said
    await publisher.publish("The last", community.slug)
    await reader.has(community.slug, "The last", *answered)
    got = await reader.titles(community.slug)
    assert set(answered) <= set(got) <= {"The last", *asked}
    await once((publisher, reader), community, got)
    kept = [each for each in await reader.quarantined() if each["community"] == community.id]
    assert not kept, {(each["code"], each["message"]) for each in kept}


async def publish_many(
    member: Member, community: Community, titles: list[str], struck: asyncio.Event, after: int
) -> list[str]:
    """Publish each once, several at a time; tells when `after` were answered. Those that were answered."""
    answered: list[str] = []
    free = asyncio.Semaphore(8)

    async def one(title: str) -> None:
        async with free:
            with contextlib.suppress(LiaisonError):
                published = await agency.publish(draft(title), community.slug)
                assert published.state in {"queued", "admitted"}
                answered.append(title)
            if len(answered) >= after:
                struck.set()

    async with member.client() as agency:
        await asyncio.gather(*map(one, titles))
    struck.set()
    return answered


async def again(program: Program, start: Callable[[], Awaitable[None]]) -> None:
    await program.kill()
    await start()


async def server_again(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system of its own, of the size in the parameter: 416 MiB are enough for the local stream."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounting a small file system takes root")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={request.param},mode=0700", "tmpfs", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no small file system here: {mounted.stderr.decode().strip()}")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def fill(filler: Path) -> None:
    """Take all the room that there is."""
    handle = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        for block in (1 << 24, 1 << 16, 1 << 12):
            with contextlib.suppress(OSError):
                while os.write(handle, bytes(block)):
                    pass
    finally:
        os.close(handle)


@pytest.mark.parametrize("small_disk", ["64m"], indirect=True)
async def test_a_disk_that_is_too_small_for_the_local_stream(world: World, small_disk: Path) -> None:
    member = await world.prepare("sd", small_disk / "sd")
    shutil.copy(world.directory / "sd.json", member.state / "admission.json")
    result = await member.run("run")
    assert (result.status, result.code) == (1, "disk_full")


@pytest.mark.parametrize("small_disk", ["416m"], indirect=True)
async def test_a_full_disk_under_the_outbox(world: World, small_disk: Path) -> None:
    owner = await world.agency("fr")
    member = await world.enrol("fd", small_disk / "fd")
    await member.start()
    community = await owner.found(member)
    said = await member.publish("Before", community.slug)
    await member.has(community.slug, "Before")
    assert await member.settled(said) is None
    async with member.client() as agency:

        async def nothing_waits() -> bool:
            return (await agency.status()).outbox == 0

        await eventually(nothing_waits)
    filler = small_disk / "filler"
    fill(filler)
    try:
        refused = await member.run(
            *("publish", "--community", community.slug, "--kind", "threat", "--severity", "low"),
            *("--tlp", "TLP:GREEN", "--language", "en", "--title", "Too late", "--body", "x" * 10_000),
        )
        assert (refused.status, refused.code) == (1, "disk_full")
        async with member.client() as agency:
            assert (await agency.status()).outbox == 0
        await owner.publish("Meanwhile", community.slug)
        doctor = await member.run("doctor")
        assert doctor.status == 1
        assert "disk" in {each["check"] for each in doctor.json if not each["ok"]}
    finally:
        filler.unlink()
    await member.publish("Afterwards", community.slug)
    await once((owner, member), community, ["Before", "Meanwhile", "Afterwards"])
    assert await member.node.stop() == 0


async def test_a_node_set_back_to_an_old_copy_is_refused_and_does_not_storm_the_hub(
    world: World, pair: tuple[Member, Member, Community]
) -> None:
    """Its next number in the chain is taken already: the hub says so, once for each bulletin."""
    _, reader, _ = pair
    member = await world.agency("ob")
    community = await member.found(reader)
    said = await member.publish("First", community.slug)
    await reader.has(community.slug, "First")
    assert await member.settled(said) is None  # or the old copy would send it again
    await member.node.stop()
    database, copy = member.state / "node.db", member.state / "old.db"
    shutil.copy(database, copy)
    await member.start()
    await member.publish("Second", community.slug)
    await reader.has(community.slug, "Second")
    await member.node.stop()
    shutil.copy(copy, database)
    await member.start()
    again = await member.publish("Third", community.slug)

    async def refused() -> bool:
        # It may have been journaled before the hub was there to answer.
        listed = (await member.run("outbox")).json
        return [(each["ref"], each["state"], each["code"]) for each in listed] == [
            (again.ref, "refused", "fork")
        ]

    await eventually(refused)
    found = await world.operate("quarantine", "--publisher", member.id)
    assert [each["code"] for each in found["entries"]] == ["fork"]
    await once((reader,), community, ["First", "Second"])
    # Its text is kept, and said to be there, until somebody has seen to it.
    assert json.loads((await member.run("outbox", again.ref)).out)["title"] == "Third"
    assert "outbox" in {each["check"] for each in (await member.run("doctor")).json if not each["ok"]}
    assert (await member.run("outbox", again.ref, "--drop")).status == 0
    assert (await member.run("outbox")).json == []
    assert (await member.run("outbox", again.ref)).code == "not_found"
    await member.node.stop()


async def test_everything_stops_at_once_when_told(world: World) -> None:
    """SIGTERM: a clean end, with nothing left running."""
    member = await world.agency("fr")
    server = local_server(member)
    assert await member.node.stop() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)
    await member.start()

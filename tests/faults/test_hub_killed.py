"""The hub's process killed (SIGKILL) in the middle of a batch: nothing lost, nothing doubled, every
sender answered once.
"""

import asyncio
import contextlib
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client

from hub.accounts import Accounts, Service
from hub.jetstream import api
from hub.router import Step
from hub.serve import running
from hub.server import NatsServer
from hub.streams import ensure_streams
from schemas.chain import ChainHead, check_next
from schemas.frame import EPOCH, parse_frame
from schemas.receipts import ADMITTED
from tests.support.forked import ROOT, Forked, spawn
from tests.support.frames import Chain, Circle, wraps
from tests.support.hub_world import HubWorld, Station, prepare_hub, stored

DEADLINE = 90.0


@asynccontextmanager
async def launched(world: HubWorld, url: str, step: Step, count: int) -> AsyncIterator[Forked]:
    """The hub as a process of its own that stops at a step; killed on the way out."""
    arguments = ("-m", "tests.support.hub_launcher", str(world.settings.state), url, step, str(count))
    process = await spawn(
        sys.executable,
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await says(process, "ready")
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def says(process: Forked, wanted: str) -> None:
    """Wait for a line of the process; structlog's lines before it are passed over."""
    assert process.stdout is not None
    lines = [""]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DEADLINE):
            while (line := (await process.stdout.readline()).decode()) != f"{wanted}\n":
                assert line, f"the process ended before it said {wanted}"
                lines.append(line)
            return
    raise AssertionError(f"it did not say {wanted}, but last:\n{''.join(lines[-12:])}")


@dataclass
class Sent:
    """Everything that two agencies sent, by what should become of it."""

    frames: list[bytes] = field(default_factory=list)
    bundles: list[bytes] = field(default_factory=list)
    entries: list[bytes] = field(default_factory=list)
    refused: list[bytes] = field(default_factory=list)

    senders: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    async def put(self, station: Station, subject: str, data: bytes) -> None:
        """Send, and remember who did."""
        self.senders[station.kit.id].add(sha256(data).hexdigest())
        await station.put(subject, data)

    @property
    def admitted(self) -> list[bytes]:
        return [*self.frames, *self.bundles, *self.entries]


async def send_all(world: HubWorld, france: Station, kenya: Station, circle: Circle) -> Sent:
    """Frames of two chains, an epoch with its wraps, refused ones in between, and a membership entry."""
    sent = Sent()
    for station in (kenya, france):
        chain = Chain(station.kit, circle)
        announcement = chain.make(world.now, EPOCH)
        sent.frames.append(announcement)
        sent.bundles.append(wraps(announcement, france.kit, kenya.kit))
        await sent.put(station, chain.subject.intake(), announcement)
        await sent.put(station, f"s.wrap.{station.kit.endpoint}", sent.bundles[-1])
        for number in range(30):
            sent.frames.append(chain.make(world.now))
            await sent.put(station, chain.subject.intake(), sent.frames[-1])
            if number % 10 == 0:
                sent.refused.append(chain.build(world.now, prev="cd" * 32))
                await sent.put(station, chain.subject.intake(), sent.refused[-1])
        if station is kenya:
            sent.entries.append(circle.change("ken", world.now))
            await sent.put(france, f"s.doc.{france.kit.endpoint}", sent.entries[-1])
    return sent


@pytest.mark.parametrize("waiting", [True, False], ids=["all-in-one-batch", "as-it-comes"])
@pytest.mark.parametrize("step", ["settling", "stored"])
async def test_killed_between_intake_and_acknowledgement(tmp_path: Path, step: Step, waiting: bool) -> None:
    world = prepare_hub(tmp_path)
    accounts = Accounts.load(world.settings.accounts_directory)
    async with (
        NatsServer(world.settings.nats_directory, accounts, port=0) as server,
        AsyncExitStack() as stack,
    ):
        world.settings = world.settings.model_copy(update={"nats": server.url})
        stack.push_async_callback(world.close)
        async with running(world.settings):
            france, kenya = await world.enrol("fra", "FRA"), await world.enrol("ken", "KEN")
            circle = await world.community(france, kenya)
        sent = await send_all(world, france, kenya, circle) if waiting else Sent()
        async with launched(world, server.url, step, 2) as process:
            if not waiting:
                sent = await send_all(world, france, kenya, circle)
            await says(process, f"stopped {step}")
            process.send_signal(signal.SIGKILL)
            await process.wait()
        async with running(world.settings):
            for station in (france, kenya):
                await station.until(partial(answered, station, sent.senders[station.kit.id]))
            nc = await nats.connect(server.url, **accounts.credentials(Service.HUB).options())
            stack.push_async_callback(nc.close)
            await until_acknowledged(nc)
            await check_traffic(nc, sent.frames)
            check_answers((france, kenya), sent)
            assert len(await stored(nc, "TRAFFIC", "w.>")) == 4
            kept = [sha256(each.data).hexdigest() for each in await stored(nc, "QUARANTINE")]
            assert sorted(kept) == sorted(sha256(each).hexdigest() for each in sent.refused)
            assert len(await stored(nc, "DIRECTORY", f"m.{circle.id}")) == len(circle.entries)


async def test_a_frame_stored_without_its_receipt_is_answered_and_not_stored_again(tmp_path: Path) -> None:
    """A lone frame goes before its receipt: what a crash between the two leaves behind."""
    world = prepare_hub(tmp_path)
    accounts = Accounts.load(world.settings.accounts_directory)
    async with (
        NatsServer(world.settings.nats_directory, accounts, port=0) as server,
        AsyncExitStack() as stack,
    ):
        world.settings = world.settings.model_copy(update={"nats": server.url})
        stack.push_async_callback(world.close)
        async with running(world.settings):
            france = await world.enrol("fra", "FRA")
            circle = await world.community(france)
        nc = await nats.connect(server.url, **accounts.credentials(Service.HUB).options())
        stack.push_async_callback(nc.close)
        chain = Chain(france.kit, circle)
        frame, following = chain.make(world.now), chain.make(world.now)
        await nc.jetstream().publish(chain.subject.traffic(), frame)
        for each in (frame, following):
            await france.put(chain.subject.intake(), each)
        async with running(world.settings):
            assert [await france.answer(each) for each in (frame, following)] == [ADMITTED, ADMITTED]
            await check_traffic(nc, [frame, following])


async def test_numbers_of_a_lost_intake_are_given_again(tmp_path: Path) -> None:
    """The intake is written after it was acknowledged, and a power cut takes its end: what comes then has the
    numbers of what was answered before, and is answered all the same.
    """
    world = prepare_hub(tmp_path)
    accounts = Accounts.load(world.settings.accounts_directory)
    async with (
        NatsServer(world.settings.nats_directory, accounts, port=0) as server,
        AsyncExitStack() as stack,
    ):
        world.settings = world.settings.model_copy(update={"nats": server.url})
        stack.push_async_callback(world.close)
        sent = Sent()

        async def put(data: bytes, kept: list[bytes]) -> None:
            kept.append(data)
            await sent.put(france, chain.subject.intake(), data)

        async with running(world.settings):
            france = await world.enrol("fra", "FRA")
            circle = await world.community(france)
            chain = Chain(france.kit, circle)
            for _ in range(3):
                await put(chain.make(world.now), sent.frames)
            await put(chain.build(world.now, prev="cd" * 32), sent.refused)
            await france.until(partial(answered, france, sent.senders["fra"]))
        nc = await nats.connect(server.url, **accounts.credentials(Service.HUB).options())
        stack.push_async_callback(nc.close)
        last = (await api(nc, "STREAM.INFO.INTAKE"))["state"]["last_seq"]
        await api(nc, "STREAM.DELETE.INTAKE")
        await ensure_streams(nc, world.settings.stream_limits)
        for _ in range(last):
            await put(chain.make(world.now), sent.frames)
            await put(chain.build(world.now, prev="ab" * 32), sent.refused)
        async with running(world.settings):
            await france.until(partial(answered, france, sent.senders["fra"]))
        await check_traffic(nc, sent.frames)
        kept = [sha256(each.data).hexdigest() for each in await stored(nc, "QUARANTINE")]
        assert sorted(kept) == sorted(sha256(each).hexdigest() for each in sent.refused)


def answered(station: Station, mine: set[str]) -> bool:
    """Whether every submission of a station has an answer."""
    return mine <= {answer.sha256 for answer in station.answers}


async def check_traffic(nc: Client, frames: list[bytes]) -> None:
    """Each frame once, and every chain whole and in order."""
    held = [each.data for each in await stored(nc, "TRAFFIC", "f.>")]
    assert len(held) == len(frames)
    assert set(held) == set(frames)
    heads: dict[str, ChainHead] = {}
    for raw in held:
        frame = parse_frame(raw)
        heads[frame.header.pub] = check_next(heads.get(frame.header.pub, ChainHead()), frame)


def check_answers(stations: tuple[Station, ...], sent: Sent) -> None:
    """Each submission answered exactly once, and rightly."""
    answers = [answer for station in stations for answer in station.answers]
    counted = Counter((answer.sha256, answer.code) for answer in answers)
    assert {counted[sha256(each).hexdigest(), ADMITTED] for each in sent.admitted} == {1}
    assert {counted[sha256(each).hexdigest(), "fork"] for each in sent.refused} == {1}
    assert len(answers) == 5 + len(sent.admitted) + len(sent.refused)  # 2 keys, 1 community, 2 entries before


async def until_acknowledged(nc: Client) -> None:
    async with asyncio.timeout(DEADLINE):
        while True:
            info = await api(nc, "CONSUMER.INFO.INTAKE.admission")
            if not info["num_pending"] and not info["num_ack_pending"]:
                return
            await asyncio.sleep(0.01)

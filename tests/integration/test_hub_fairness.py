"""One endpoint floods the intake over the real server: what becomes of the others' frames, counted in
frames.
"""

import asyncio
from pathlib import Path

from hub.fairness import TURN
from hub.router import BATCH, Step
from hub.serve import running, unix_milliseconds
from hub.turns import BATCHES
from schemas.vocabulary import Precedence
from tests.support.frames import Chain
from tests.support.hub_world import DEADLINE, Station, prepare_hub, stored

FLOOD = 2_400
_IN_FLIGHT = 64


async def put_all(station: Station, chain: Chain, frames: list[bytes]) -> None:
    """Send them in their order, many on the way at once; returns when the intake has them all."""
    room = asyncio.Semaphore(_IN_FLIGHT)

    async def put(frame: bytes) -> None:
        async with room:
            await station.put(chain.subject.intake(), frame)

    await asyncio.gather(*map(put, frames))


async def test_a_flash_does_not_wait_behind_anothers_flood(tmp_path: Path) -> None:
    """While the hub is held up one endpoint heaps up 2,400 frames; then comes another's flash. Ahead of
    it are at most the batches that had been made before it came.
    """
    go_on, wait = asyncio.Event(), False

    async def hook(step: Step) -> None:
        if wait and step == "settling":
            await go_on.wait()

    world = prepare_hub(tmp_path)
    generous = world.settings.model_copy(update={"sender_burst": 10_000})
    async with running(generous, hook=hook) as hub:
        try:
            noisy, other = await world.enrol("nsy", "NSY"), await world.enrol("oth", "OTH")
            circle = await world.community(noisy, other)
            flood = Chain(noisy.kit, circle)
            flash = Chain(other.kit, circle, Precedence.FLASH)
            wait = True
            frames = [flood.make(world.now) for _ in range(FLOOD)]
            await put_all(noisy, flood, frames)
            urgent = flash.make(world.now)
            await other.put(flash.subject.intake(), urgent)
            go_on.set()
            assert await other.answer(urgent) == "admitted"
            assert await noisy.answer(frames[-1]) == "admitted"
            admitted = [each.subject for each in await stored(hub.office.nc, "TRAFFIC", "f.>")]
            assert len(admitted) == FLOOD + 1
            # The batch that is held up has what came first of all; those behind it may be full.
            assert admitted.index(flash.subject.traffic()) <= (BATCHES - 1) * BATCH + TURN
            routine = await stored(hub.office.nc, "TRAFFIC", flood.subject.traffic())
            assert [each.data for each in routine] == frames, "and what floods keeps its order"
        finally:
            go_on.set()
            await world.close()


async def test_beyond_its_allowance_an_endpoint_is_told_to_wait_and_loses_nothing(tmp_path: Path) -> None:
    later, stopped = [0], [0]  # what the allowance grows by is what the test lets pass, once all is there
    world = prepare_hub(tmp_path)
    strict = world.settings.model_copy(update={"sender_burst": 100, "sender_per_second": 1})
    async with running(strict, clock=lambda: (stopped[0] or unix_milliseconds()) + later[0]) as hub:
        try:
            noisy, other = await world.enrol("nsy", "NSY"), await world.enrol("oth", "OTH")
            circle = await world.community(noisy, other)
            stopped[0] = unix_milliseconds()
            chain, calm = Chain(noisy.kit, circle), Chain(other.kit, circle)
            urgent = Chain(noisy.kit, circle, Precedence.FLASH)
            frames = [chain.make(world.now) for _ in range(150)]
            async with asyncio.timeout(DEADLINE):
                await put_all(noisy, chain, frames)
                said = [await noisy.answer(each) for each in frames]
            refused = said.index("over_quota")
            assert 50 < refused <= 100
            assert set(said[refused:]) <= {"over_quota", "gap"}
            assert await other.send(calm, calm.make(world.now)) == "admitted"
            assert await noisy.send(urgent, urgent.make(world.now)) == "admitted", "flash has its own"
            kept = await stored(hub.office.nc, "QUARANTINE", f"q.{noisy.kit.endpoint}.over_quota")
            assert kept == []
            later[0] = 100_000
            seen = len(noisy.answers)
            await put_all(noisy, chain, frames[refused:])
            again = [await noisy.answer(each, seen) for each in frames[refused:]]
            assert set(again) == {"admitted"}
            facts = await world.ask("status")
            mine = next(each for each in facts["agencies"] if each["id"] == "nsy")["endpoints"][0]
            assert mine["refused"]["over_quota"] == said.count("over_quota")
        finally:
            await world.close()

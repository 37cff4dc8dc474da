"""All state of all processes on a disk that is full, slow, or loses its power."""

import asyncio
import contextlib
from collections.abc import Iterator

import pytest

from tests.support import disks
from tests.support.disks import Powered, Unavailable
from tests.support.fault_stage import Stage
from tests.support.steps import STEPS, Step

pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(2400)]

SIZE = 3072
"""MiB: JetStream takes at most three quarters of what is free for what its streams may grow to."""
FSYNC = 0.05
TOGETHER = 3
CUT_AT = tuple(each for each in STEPS if each.name in {
    "journalled", "sent", "settling", "written", "receipted", "opened", "archived", "streamed", "sunk",
    "queued", "departed", "chatted",
})  # fmt: skip


@contextlib.contextmanager
def possible() -> Iterator[None]:
    """Skips with the reason where there is no such disk."""
    try:
        yield
    except Unavailable as reason:
        pytest.skip(str(reason))


async def test_the_power_is_cut_at(stage: Stage) -> None:
    """Everything ends at once, and of each file only what was synced is left."""
    with possible():
        disk = disks.powered(stage.world.directory, SIZE)
        async with stage.everything_on(disk) as made:
            for step in CUT_AT:
                await _cut(stage, made, step)


async def _cut(stage: Stage, disk: Powered, step: Step) -> None:
    async with stage.judged("power cut", step.name) as case:
        stage.arm(step)
        asked = asyncio.create_task(stage.publish_in_turn(case.titles(TOGETHER)))
        await stage.reached(step)
        pids = stage.pids()
        disk.cut()
        await stage.crash(pids)
        await asked
        disk.restore()
        await stage.revive()


async def test_the_disk_is_full(stage: Stage) -> None:
    """Whatever is answered as taken is there; the rest is refused. With room again all goes on by itself."""
    with possible():
        disk = disks.powered(stage.world.directory, SIZE)
        async with stage.everything_on(disk) as made, stage.judged("full disk", "under all") as case:
            await stage.publish_in_turn(case.titles(1))
            filler = made.path / "filler"
            disks.fill(filler)
            try:
                await stage.publish_in_turn(case.titles(2 * TOGETHER))
            finally:
                filler.unlink()
            await stage.publish_in_turn(case.titles(1))


async def test_the_disk_is_slow(stage: Stage) -> None:
    with possible():
        async with stage.everything_on(disks.slow(stage.world.directory, FSYNC)):
            async with stage.judged("slow disk", f"{FSYNC * 1000:g} ms an fsync") as case:
                await asyncio.gather(*(stage.publish(each) for each in case.titles(4 * TOGETHER)))
            for process in ("sender", "hub", "hub-nats", "reader"):
                async with stage.judged(f"slow disk, kill -9 {process}", "under load") as case:
                    asked = asyncio.create_task(stage.publish_in_turn(case.titles(TOGETHER)))
                    await stage.kill(process)
                    await asked

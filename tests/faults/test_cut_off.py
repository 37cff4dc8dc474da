"""From an operator's order, or an agency's own word, to the cut-off, while others keep the hub busy. What
must hold is asserted; how long it took is written to build/cut_off.json.
"""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats.errors
import pytest

from hub.serve import running
from schemas.encoding import to_base64
from schemas.subjects import DIRECTORY_DOCUMENTS
from tests.support.frames import AgencyKit, Chain
from tests.support.hub_world import DEADLINE, HubWorld, Station, prepare_hub, stored

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

ROUNDS = 15
AT_ONCE = 20
PAUSE = 0.05


@asynccontextmanager
async def busy(world: HubWorld, *chains: tuple[Station, Chain]) -> AsyncIterator[None]:
    """These publish all the while, `AT_ONCE` frames each after every `PAUSE`."""

    async def publish(station: Station, chain: Chain) -> None:
        while True:
            frames = [chain.make(world.now) for _ in range(AT_ONCE)]
            await asyncio.gather(*(station.put(chain.subject.intake(), each) for each in frames))
            await asyncio.sleep(PAUSE)

    tasks = [asyncio.create_task(publish(*each)) for each in chains]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def let_in(station: Station) -> None:
    """Connect, again and again until the hub lets it in."""
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                async with asyncio.timeout(2):
                    await station.connect()
                return
            except (nats.errors.Error, TimeoutError, OSError):
                await station.close()


async def test_from_order_to_cut_off_under_load(tmp_path: Path, root: Path) -> None:
    world = prepare_hub(tmp_path)
    unlimited = world.settings.model_copy(update={"sender_per_second": 0})
    took: dict[str, list[float]] = {"suspend_answered": [], "suspend_cut_off": [], "resume_admitted": []}
    async with running(unlimited) as hub:
        try:
            loud = [await world.enrol(f"l{n}", f"LO{n}") for n in range(2)]
            victim, other = await world.enrol("vic", "VIC"), await world.enrol("oth", "OTH")
            circle = await world.community(loud[0], *loud[1:], victim, other)
            chain, probe = Chain(victim.kit, circle), Chain(other.kit, circle)
            async with busy(world, *((each, Chain(each.kit, circle)) for each in loud)):
                for _ in range(ROUNDS):
                    assert await victim.send(chain, chain.make(world.now)) == "admitted"
                    victim.lost.clear()
                    start = time.perf_counter()
                    await world.ask("suspend", who="vic")
                    took["suspend_answered"].append(time.perf_counter() - start)
                    async with asyncio.timeout(DEADLINE):
                        await victim.lost.wait()
                    took["suspend_cut_off"].append(time.perf_counter() - start)
                    await victim.close()
                    before = len(await stored(hub.office.nc, "TRAFFIC", chain.subject.traffic()))
                    assert await other.send(probe, probe.make(world.now)) == "admitted"
                    after = await stored(hub.office.nc, "TRAFFIC", chain.subject.traffic())
                    assert len(after) == before, "nothing of it is admitted any more"
                    start = time.perf_counter()
                    await world.ask("resume", who="vic")
                    await let_in(victim)
                    assert await victim.send(chain, chain.make(world.now)) == "admitted"
                    took["resume_admitted"].append(time.perf_counter() - start)
                took |= await revoked(world, victim, other, chain)
                took |= await admitted(world)
        finally:
            await world.close()
    write(root, took)


async def revoked(world: HubWorld, victim: Station, other: Station, chain: Chain) -> dict[str, list[float]]:
    """An agency revokes a key by other means than its stolen endpoint. Another agency's node has the
    document, and refuses the key from then on whatever the hub does (vectors `key_revoked*`,
    `catch_up_revoked*`); the hub refuses it too.
    """
    seen = len([each for each in other.directory if each.subject == DIRECTORY_DOCUMENTS])
    document = victim.kit.revocation(world.now)
    start = time.perf_counter()
    await world.ask("submit", document=to_base64(document))
    answered = time.perf_counter() - start
    await other.until(lambda: document in [each.data for each in other.directory[seen:]])
    told = time.perf_counter() - start
    assert await victim.send(chain, chain.make(world.now)) == "revoked_key"
    return {
        "revoke_answered": [answered],
        "revoke_at_another_node": [told],
        "revoke_refused_by_hub": [time.perf_counter() - start],
    }


async def admitted(world: HubWorld) -> dict[str, list[float]]:
    """A new agency, from the operator's order until its keys are in the directory."""
    start = time.perf_counter()
    station = await world.admit(AgencyKit("new", "Agency new", "NEW"))
    assert await station.submit(station.kit.keys_document(world.now)) == "admitted"
    return {"admit_to_keys": [time.perf_counter() - start]}


def write(root: Path, took: dict[str, list[float]]) -> None:
    """Milliseconds: the median, and the most."""
    told = {
        name: {"median_ms": round(statistics.median(each) * 1000, 1), "most_ms": round(max(each) * 1000, 1)}
        for name, each in took.items()
    }
    (root / "build").mkdir(exist_ok=True)
    (root / "build/cut_off.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")

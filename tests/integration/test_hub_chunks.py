"""Chunks at the hub over the real server: who may upload, what is stored, what is answered, who may read."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from hub import grants
from hub.chunks import AT_ONCE_MAX, Used, check_upload
from hub.serve import RunningHub, running
from schemas import receipts
from schemas.errors import TrustError
from schemas.limits import CHUNK_MAX
from schemas.subjects import chunk_request, chunk_upload
from tests.support.frames import AgencyKit
from tests.support.hub_world import DEADLINE, HubWorld, Station, prepare_hub

DAY = 3 * CHUNK_MAX


class Scene:
    """A hub at which an endpoint may upload three chunks a day."""

    def __init__(self, world: HubWorld, hub: RunningHub) -> None:
        self.world = world
        self.hub = hub

    async def put(self, station: Station, data: bytes) -> str:
        """What the hub answers to a chunk, with its signature checked."""
        subject = chunk_upload(station.kit.endpoint)
        reply = (await station.nc.request(subject, data, timeout=DEADLINE)).data
        (answer,) = receipts.read(reply, station.kit.endpoint, station.hub_key)
        assert answer.sha256 == sha256(data).hexdigest()
        return answer.code

    async def get(self, station: Station, data: bytes) -> bytes | None:
        """The chunk as another endpoint gets it, by its address."""
        reply = await station.nc.request(chunk_request(sha256(data).hexdigest()), timeout=DEADLINE)
        status = (reply.headers or {}).get("Status")
        assert status in {None, "404"}
        return None if status else reply.data


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    world = prepare_hub(tmp_path)
    world.settings = world.settings.model_copy(update={"chunk_day_bytes": DAY, "chunk_bytes": 8 * CHUNK_MAX})
    async with running(world.settings) as hub:
        yield Scene(world, hub)
        await world.close()


async def test_a_member_s_chunks_are_stored_and_read_by_their_address(scene: Scene) -> None:
    france, kenya = await scene.world.enrol("fra", "FRA"), await scene.world.enrol("ken", "KEN")
    alone = await scene.put(france, b"before there is a community")
    assert alone == "not_member"
    await scene.world.community(france, kenya)
    chunk = bytes(range(256)) * 4
    assert await scene.get(kenya, chunk) is None
    assert await scene.put(france, chunk) == "admitted"
    assert await scene.put(france, chunk) == "admitted"
    assert await scene.get(kenya, chunk) == chunk
    assert (await scene.put(france, b""), await scene.put(france, bytes(CHUNK_MAX + 1))) == (
        "truncated",
        "too_large",
    )
    status = (await scene.world.ask("status"))["streams"]
    assert (status["CHUNKS"]["messages"], status["QUARANTINE"]["messages"]) == (1, 0)


async def test_an_endpoint_without_keys_or_suspended_uploads_nothing(scene: Scene) -> None:
    france = await scene.world.enrol("fra", "FRA")
    stranger = await scene.world.admit(AgencyKit("xxx", "Agency xxx", "XXX"))
    await scene.world.community(france)
    assert await scene.put(stranger, b"a chunk") == "unknown_publisher"
    office = scene.hub.office
    check_upload(france.kit.endpoint, 1, office.view())
    # A suspended endpoint has no connection; what it had sent before is judged all the same.
    await scene.world.ask("suspend", who="fra")
    with pytest.raises(TrustError) as refused:
        check_upload(france.kit.endpoint, 1, office.view())
    assert refused.value.code == "suspended"


async def test_a_day_s_quota_holds_over_a_restart_and_ends_with_the_day(tmp_path: Path) -> None:
    world = prepare_hub(tmp_path)
    world.settings = world.settings.model_copy(update={"chunk_day_bytes": DAY})
    later: list[int] = [0]
    day = 24 * 3600 * 1000
    chunks = [number.to_bytes(4, "big") * (CHUNK_MAX // 4) for number in range(4)]
    async with running(world.settings, clock=lambda: world.now + later[0]) as hub:
        scene = Scene(world, hub)
        france = await world.enrol("fra", "FRA")
        await world.community(france)
        assert [await scene.put(france, each) for each in chunks[:2]] == ["admitted", "admitted"]
        await france.close()
    async with running(world.settings, clock=lambda: world.now + later[0]) as hub:
        scene = Scene(world, hub)
        france.url = hub.url
        await france.connect()
        assert await scene.put(france, chunks[2]) == "admitted"
        assert await scene.put(france, chunks[3]) == "over_quota"
        later[0] = day
        assert await scene.put(france, chunks[3]) == "admitted"
        await world.close()


async def test_a_full_store_refuses_and_keeps_what_it_has(scene: Scene) -> None:
    members = [await scene.world.enrol(f"a{n}", f"A{n}") for n in range(4)]
    await scene.world.community(*members)
    chunks = [number.to_bytes(4, "big") * (CHUNK_MAX // 4) for number in range(8)]
    codes = [await scene.put(members[number % 4], each) for number, each in enumerate(chunks)]
    assert set(codes) == {"admitted", "disk_full"}
    kept = [each for each, code in zip(chunks, codes, strict=True) if code == "admitted"]
    for each in kept:
        assert await scene.get(members[0], each) == each


async def test_too_many_at_once_are_refused_and_frames_do_not_wait(scene: Scene) -> None:
    france = await scene.world.enrol("fra", "FRA")
    await scene.world.community(france)
    many = 4 * AT_ONCE_MAX
    codes = await asyncio.gather(*(scene.put(france, b"%d" % number) for number in range(many)))
    assert set(codes) <= {"admitted", "over_quota"}
    assert codes.count("admitted") >= AT_ONCE_MAX


def test_what_was_used_is_of_one_day() -> None:
    used = Used().plus(5, "2026-01-31").plus(6, "2026-01-31")
    assert used == Used("2026-01-31", 11)
    assert used.plus(1, "2026-02-01") == Used("2026-02-01", 1)


def test_reading_is_exported_without_an_account_and_uploading_with_one() -> None:
    listed: dict[str, Any] = {
        each["subject"]: each.get("account_token_position") for each in grants.exports()
    }
    assert (listed["u.*"], listed["$JS.API.DIRECT.GET.CHUNKS.c.*"]) == (2, None)

"""Old frames in pages, requests for old keys and keys handed over, on a real hub and server."""

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from hub.serve import RunningHub
from schemas.errors import Code
from schemas.frame import EPOCH
from schemas.history import Handover, HistoryRequest, parse_request, sign_request
from schemas.limits import PAGE_FRAMES_MAX
from schemas.pages import Page, PageRequest, parse_page
from schemas.subjects import pages_for
from schemas.wraps import Wrap, kem_key_id, parse_wrap
from tests.support.federation import code_of
from tests.support.frames import Chain
from tests.support.hub_world import DEADLINE, HubWorld, Station, hub_world

World = tuple[HubWorld, RunningHub]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with hub_world(tmp_path) as made:
        yield made


async def answer(station: Station, community: str, after: int) -> bytes:
    """What the hub answers to who asks for a page."""
    asked = PageRequest(com=community, after=after).to_bytes()
    return bytes((await station.nc.request(pages_for(station.kit.endpoint), asked, timeout=DEADLINE)).data)


async def pages(station: Station, community: str) -> list[Page]:
    """All of them."""
    found, after = list[Page](), 0
    while not found or found[-1].more:
        found.append(parse_page(await answer(station, community, after), after))
        after = found[-1].frames[-1].sequence if found[-1].frames else after
    return found


async def test_a_member_gets_the_past_of_its_community_in_pages(world: World) -> None:
    hub = world[0]
    fra, ken, bra = [await hub.enrol(each, each.upper()) for each in ("fra", "ken", "bra")]
    circle, other = await hub.community(fra), await hub.community(fra)
    empty = await hub.community(fra)
    chain, beside = Chain(fra.kit, circle), Chain(fra.kit, other)
    large = [chain.make(hub.now, text=bytes(40_000)) for _ in range(12)]
    small = [chain.make(hub.now, text=b"small") for _ in range(PAGE_FRAMES_MAX + 5)]
    for raw in (*large, *small[:-1]):
        await fra.put(chain.subject.intake(), raw)
    await fra.send(beside, beside.make(hub.now))
    await fra.send(chain, small[-1])
    assert await fra.submit(circle.change("ken", hub.now)) == "admitted"
    await hub.know(circle, ken)

    found = await pages(ken, circle.id)
    assert [each.raw for page in found for each in page.frames] == [*large, *small]
    assert {each.subject for page in found for each in page.frames} == {chain.subject.traffic()}
    assert [page.more for page in found] == [True] * (len(found) - 1) + [False]
    assert len(found) > 2  # bounded by size first, by number then
    nothing = await pages(fra, empty.id)
    assert [(page.more, page.frames) for page in nothing] == [(False, ())]

    async def code(station: Station, community: str) -> Code | None:
        return code_of(parse_page, await answer(station, community, 0), 0)

    assert await code(bra, circle.id) is Code.NOT_MEMBER
    assert await code(ken, other.id) is Code.NOT_MEMBER
    assert await code(ken, "99" * 16) is Code.UNKNOWN_COMMUNITY
    junk = await ken.nc.request(pages_for(ken.kit.endpoint), b"{}", timeout=DEADLINE)
    assert code_of(parse_page, junk.data, 0) is Code.BAD_DOCUMENT


async def test_requests_reach_their_holder_and_keys_their_reader(world: World) -> None:
    hub = world[0]
    fra, ken, bra = [await hub.enrol(each, each.upper()) for each in ("fra", "ken", "bra")]
    circle = await hub.community(fra, ken)
    chain = Chain(fra.kit, circle)
    members = chain.make(hub.now, EPOCH, hist="members")
    none = chain.make(hub.now, EPOCH, hist="none", ep=2)
    for raw in (members, none):
        assert await fra.send(chain, raw) == "admitted"
    hashes = [sha256(raw).digest() for raw in (members, none)]

    def asked(station: Station) -> bytes:
        request = HistoryRequest(
            issued=hub.now, com=circle.id, endpoint=station.kit.endpoint, holder=fra.kit.endpoint,
            publisher=fra.kit.endpoint, epochs=[hashes[0].hex()],
        )  # fmt: skip
        return sign_request(request, station.kit.signing)

    def handed(to: Station, epoch: bytes) -> bytes:
        kid = kem_key_id(to.kit.kem)
        return Handover(circle.id, fra.kit.endpoint, kid, (Wrap(epoch, kid, bytes(1168)),)).to_bytes()

    assert await bra.submit(asked(bra), "history") == "not_member"
    assert await ken.submit(handed(bra, hashes[0]), "rewrap") == "not_member"
    assert await fra.submit(circle.change("bra", hub.now, role="reader")) == "admitted"
    await hub.know(circle, bra)
    again = asked(bra)
    assert await bra.submit(again, "history") == "admitted"
    await fra.until(lambda: any(each.subject.startswith("h.") for each in fra.traffic))
    (arrived,) = (each.data for each in fra.traffic if each.subject.startswith("h."))
    assert arrived == again
    assert parse_request(arrived).request.endpoint == bra.kit.endpoint
    assert await ken.submit(handed(bra, hashes[1]), "rewrap") == "history_none"
    assert await ken.submit(handed(bra, bytes(32)), "rewrap") == "unknown_epoch"
    assert await ken.submit(b"\1", "rewrap") == "bad_wrap"
    assert await ken.submit(handed(bra, hashes[0]), "rewrap") == "admitted"  # by a holder, not the publisher
    own = f"w.{bra.kit.endpoint}"
    await bra.until(lambda: any(each.subject == own for each in bra.traffic))
    (wrapped,) = (each.data for each in bra.traffic if each.subject == own)
    assert parse_wrap(wrapped).announcement == hashes[0]

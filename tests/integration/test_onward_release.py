"""A bulletin goes on to another community because its originator let it, and is verified there as the
originator's, its files included; without that it is refused. On real processes.
"""

import os
from pathlib import Path

import pytest

from schemas.limits import CHUNK_SIZE
from schemas.vocabulary import Kind
from subscribers.client import Agency
from subscribers.records import Record, ReleaseEntry
from tests.support.world import Member, World, draft, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


async def entry(agency: Agency, request: str) -> ReleaseEntry:
    """How a request stands."""
    return next(each for each in (await agency.releases()).asked if each.request == request)


async def until_known(member: Member, ref: str) -> Record:
    """A bulletin, once the agency holds it."""

    async def there() -> bool:
        async with member.client() as agency:
            page = await agency.latest(limit=100)
        return ref in {each.bulletin.ref for each in page.items}

    await eventually(there)
    async with member.client() as agency:
        return await agency.show(ref)


async def test_a_bulletin_goes_on_where_its_originator_lets_it(world: World, tmp_path: Path) -> None:
    fr, kz, gb = await world.agencies("fr", "kz", "gb")
    here, there = await fr.found(kz), await kz.found(gb)
    photo, out = tmp_path / "photo.bin", tmp_path / "out"
    photo.write_bytes(os.urandom(CHUNK_SIZE + 1))
    out.mkdir()
    async with fr.client() as agency:
        upload = await agency.files.attach(photo)
        said = await agency.publish(draft("Seen at the border", body="Two cars."), here.slug, [upload.id])
    red = await fr.publish("For you alone", here.slug, tlp="TLP:RED")
    for each in (said, red):
        await until_known(kz, each.ref)

    refused = await kz.run("release", "ask", red.ref, there.slug)
    assert refused.code == "red_onward"
    asked = (await kz.run("release", "ask", said.ref, there.slug, "--note", "They are here.")).json["ref"]
    await until_known(fr, asked)
    assert (await kz.run("release", "carry", asked)).code == "not_granted"
    async with fr.client() as agency:
        found = await entry(agency, asked)
        assert (found.ref, found.carrier, found.target, found.yours_to_answer) == (
            said.ref, "kz", there.id, True,
        )  # fmt: skip
        answer = (await agency.release_grant(asked, days=3)).ref
    await until_known(kz, answer)
    async with kz.client() as agency:
        assert (await entry(agency, asked)).state == "granted"
        (carried,) = await agency.release_carry(asked)
        assert await kz.settled(carried) is None

    record = await until_known(gb, carried.ref)
    assert (record.bulletin.title, record.bulletin.body) == ("Seen at the border", "Two cars.")
    assert record.agency == "kz"
    # In the community of the original it never was: the key of the file came with the release alone.
    assert (await gb.run("attachments", said.ref)).code == "not_found"
    fetched = await gb.run("fetch", carried.ref, "--out", out)
    assert fetched.status == 0, fetched.err
    assert (out / "photo.bin").read_bytes() == photo.read_bytes()
    (told,) = (each for each in (await gb.run("release", "list")).json["here"] if each["ref"] == carried.ref)
    assert told["originator"] == "fr"
    assert said.ref in (await world.command("liaison-agency", "show", carried.ref, "--state", gb.state)).out

    await fr.publish("Taken back", here.slug, kind=Kind.RETRACTION, links=[
        {"relation": "retracts", "id": said.id}])  # fmt: skip

    async def follows() -> bool:
        async with kz.client() as agency:
            return (await entry(agency, asked)).to_carry == 1

    await eventually(follows)
    async with kz.client() as agency:
        assert len(await agency.release_carry(asked)) == 1

    async def taken_back() -> bool:
        return (await until_known(gb, carried.ref)).state == "retracted"

    await eventually(taken_back)

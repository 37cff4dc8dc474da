"""A node without a network, and the courier that carries for it, over the real hub."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from schemas.parcel import NO_PARCEL, ParcelHeader, ParcelWriter, Piece
from tests.support.world import Member, World

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


class Island:
    """An agency behind an air gap, and its courier's directory."""

    def __init__(self, world: World, member: Member, courier: Path) -> None:
        self.world = world
        self.member = member
        self.courier = courier
        self.exported = 0

    @classmethod
    async def made(cls, world: World, id: str) -> "Island":
        """Admitted, with a running node that has never been connected."""
        member = await world.prepare(id)
        keys = world.directory / f"{id}-keys.dsse"
        where = ("--root-fingerprint", world.fingerprint, "--state", member.state)
        await world.done("liaison-agency", "enrol", f"{id}.json", *where, "--keys-out", keys)
        courier = world.directory / f"{id}-courier"
        await world.done("liaison-agency", "courier", "init", courier, "--state", member.state)
        member.node = member.program(*member.node.words[:3], "--air-gap")
        await member.start()
        island = cls(world, member, courier)
        await island.exchange("--document", keys)
        await island.take()
        return island

    async def exchange(self, *more: str | Path) -> Any:  # what the command prints
        """The node's parcel to the hub, and the hub's to the courier."""
        out = self.world.directory / f"{self.member.id}-out-{self.exported}.parcel"
        self.exported += 1
        assert (await self.member.run("export", "--out", out, *more)).status == 0
        return await self.fetch(out)

    async def fetch(self, *parcels: Path) -> Any:  # what the command prints
        """The courier's side alone."""
        result = await self.world.done(
            "liaison-agency", "courier", "exchange", self.courier, *parcels, "--json"
        )
        return result.json

    async def take(self, *more: str) -> Any:  # what the command prints
        """Everything that the courier has, at the node."""
        result = await self.member.run("import", *self.parcels(), *more)
        assert result.status == 0, result.err
        return result.json

    def parcels(self) -> list[Path]:
        """The courier's parcels, oldest first."""
        return sorted(self.courier.glob("in-*.parcel"))


async def test_bulletins_cross_an_air_gap_both_ways_once(world: World) -> None:
    fr = await world.agency("fr")
    island = await Island.made(world, "isle")
    community = await fr.found()
    async with fr.client() as agency:
        await agency.community_add(community.slug, "isle")
    await fr.publish("To the island", community.slug)
    await fr.has(community.slug, "To the island")
    await island.fetch()
    await island.take()
    await island.member.has(community.slug, "To the island")

    said = await island.member.publish("From the island", community.slug)
    assert said.state == "queued"
    done = await island.exchange()
    assert done["submitted"] == done["answered"] > 0
    await fr.has(community.slug, "From the island")
    (*_, last) = await island.take()
    assert last["admitted"] > 0
    assert last["refused"] == {}
    async with island.member.client() as agency:
        assert (await agency.status()).outbox == 0

    # Everything again: nothing is doubled, at the hub or here.
    await island.fetch(*sorted(world.directory.glob("isle-out-*.parcel")))
    await island.take()
    assert await island.member.delivered(community.slug) == ["To the island", "From the island"]
    assert await fr.delivered(community.slug) == ["To the island", "From the island"]
    assert (await island.member.run("alarms")).json == []
    found = (await island.member.run("doctor")).json
    assert [each for each in found if not each["ok"]] == []
    await island.member.node.stop()


async def test_a_missing_parcel_is_named_and_what_was_taken_in_is_forgotten(world: World) -> None:
    fr = await world.agency("fr")
    island = await Island.made(world, "atoll")
    community = await fr.found()
    async with fr.client() as agency:
        await agency.community_add(community.slug, "atoll")
    for title in ("One", "Two"):
        await fr.publish(title, community.slug)
        await fr.has(community.slug, title)
        await island.fetch()
    *_, first, second = island.parcels()
    refused = await island.member.run("import", second)
    assert (refused.status, refused.code) == (1, "gap")
    kept = island.world.directory / "kept.parcel"
    shutil.copy(first, kept)
    await island.take()
    await island.member.has(community.slug, "One", "Two")
    await island.exchange()  # says how far the node is
    assert not {first, second} & set(island.parcels())
    again = await island.member.run("import", kept)
    assert again.status == 0

    # A courier that was made anew counts from 0 again: what it brings is not passed over unseen.
    shutil.rmtree(island.courier)
    words = ("liaison-agency", "courier", "init", island.courier, "--state", island.member.state)
    await world.done(*words)
    await fr.publish("Three", community.slug)
    await fr.has(community.slug, "Three")
    await island.fetch()
    taken = await island.take()
    assert [each["missing"] for each in taken] == [[]]
    await island.member.has(community.slug, "One", "Two", "Three")
    await island.member.node.stop()


async def test_what_is_refused(world: World, tmp_path: Path) -> None:
    fr = await world.agency("fr")
    where = tmp_path / "out.parcel"
    connected = await fr.run("export", "--out", where)
    assert (connected.status, connected.code) == (1, "bad_request")
    courier = tmp_path / "courier"
    await world.done("liaison-agency", "courier", "init", courier, "--state", fr.state)
    forged = tmp_path / "forged.parcel"
    header = ParcelHeader(
        endpoint=fr.endpoint, direction="out", number=0, previous=NO_PARCEL, received=-1, made=1
    )
    writer, boast = ParcelWriter(), ParcelWriter()
    parts = [writer.begin(header), writer.add(Piece("ctl.suspend", b"{}")), writer.end()]
    forged.write_bytes(b"".join(parts))
    deleting = tmp_path / "deleting.parcel"  # confirms what was never made
    deleting.write_bytes(boast.begin(header.model_copy(update={"received": 7})) + boast.end())
    wrong = ((forged, "bad_parcel"), (deleting, "bad_parcel"), (tmp_path / "none.parcel", "not_found"))
    for path, code in wrong:
        refused = await world.command("liaison-agency", "courier", "exchange", courier, path, "--json")
        assert (refused.status, refused.code) == (1, code)
    forged.write_bytes(b"".join(parts)[:-1])
    cut = await world.command("liaison-agency", "courier", "exchange", courier, forged, "--json")
    assert (cut.status, cut.code) == (1, "truncated")


async def test_a_courier_has_no_key_but_its_credential(world: World, tmp_path: Path) -> None:
    fr = await world.agency("fr")
    courier = tmp_path / "courier"
    await world.done("liaison-agency", "courier", "init", courier, "--state", fr.state)
    names = ("identity", "signing", "encryption", "archive", "jetstream")
    secrets = {name: (fr.state / "keys" / f"{name}.key").read_bytes().split()[-1] for name in names}
    files = [each for each in courier.rglob("*") if each.is_file()]
    texts = await asyncio.gather(*(asyncio.to_thread(each.read_bytes) for each in files))
    assert files
    assert [name for name in names if any(secrets[name] in each for each in texts)] == []

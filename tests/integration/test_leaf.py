"""A leaf node carries an agency's node to the hub, and gains no right by it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from hub.accounts import Accounts, Credentials
from hub.claims import push
from hub.demo.ports import free_ports
from hub.durables import ensure_endpoint
from hub.grants import TRAFFIC
from hub.jetstream import api
from hub.jwt import KeyKind, NKey
from hub.leaf import LINK_FILE
from hub.streams import INTAKE
from subscribers.records import Published
from tests.support.leaf import LOOPBACK, Link, RawLeaf, leaf_server
from tests.support.nats_server import HubNats, hub_nats
from tests.support.world import Member, World, eventually

COM = "0a" * 16


@pytest.mark.timeout(600)
async def test_a_cut_link_loses_and_doubles_nothing(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    async with World.opened(tmp_path / "world", leaves=True) as world:
        await cut_and_mend(world, tmp_path)


async def cut_and_mend(world: World, tmp_path: Path) -> None:
    near, far = await world.enrol("fr"), await world.enrol("leaf")
    relay, listen = free_ports(2)
    config = tmp_path / "site"
    hub, at = f"nats://{LOOPBACK}:{relay}", f"{LOOPBACK}:{listen}"
    made = await world.operate("cluster", "leaf", far.id, "--hub", hub, "--listen", at, "--out", str(config))
    assert (config / LINK_FILE).stat().st_mode & 0o077 == 0
    await world.hub.stop()
    await world.hub.start()  # it names those who may come by a leaf node when it starts
    admission = far.state / "admission.json"
    admission.write_text(json.dumps({**json.loads(admission.read_text()), "urls": [made["url"]]}))
    async with Link(relay, world.leaf_port).running() as link, leaf_server(Path(made["server"])):
        try:
            await asyncio.gather(near.start(), far.start())
            community = await near.found(far)
            for member in (near, far):
                await member.publish(f"{member.id} before", community.slug)
            for member in (near, far):
                await member.has(community.slug, "fr before", "leaf before")

            link.cut()
            waiting = [await begun(far, f"leaf cut {n}", community.slug, n) for n in (1, 2)]
            for n in (1, 2):
                assert await near.settled(await near.publish(f"fr cut {n}", community.slug)) is None
            assert not any("leaf cut" in each for each in near.lines(community.slug))
            assert not any("fr cut" in each for each in far.lines(community.slug))

            link.mend()
            for each in waiting:
                assert await far.settled(await each) is None
            expected = {id: [f"{id} before", f"{id} cut 1", f"{id} cut 2"] for id in ("fr", "leaf")}
            for member in (near, far):
                await member.has(community.slug, *expected["fr"], *expected["leaf"])
                given = member.lines(community.slug)
                assert len(given) == 6
                for id, titles in expected.items():
                    assert [each for each in given if each.startswith(id)] == titles
                assert await member.quarantined() == []
        finally:
            await far.node.kill()


async def begun(member: Member, title: str, slug: str, waiting: int) -> "asyncio.Task[Published]":
    """Publish, and return when so many wait in the outbox: nobody answers yet."""
    task = asyncio.create_task(member.publish(title, slug))

    async def waits() -> bool:
        async with member.client() as agency:
            return len(await agency.outbox()) == waiting

    await eventually(waits)
    return task


async def test_a_leaf_that_keeps_no_rule_reaches_what_its_endpoint_reaches(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    accounts = Accounts.create(tmp_path / "hub")
    node = NKey.generate(KeyKind.USER)
    mine = accounts.mint("A", node.public, frozenset({("live", COM)}))
    _, user = accounts.leaf(mine.account_public)
    public = mine.account_public
    own = f"in.live.{COM}.routine.{public}"
    async with hub_nats(tmp_path, port) as running:
        stranger = await running.admit("B", ("live", COM))
        await ensure_endpoint(running.hub, public, frozenset({("live", COM)}))
        async with RawLeaf.connected(port, user, public) as leaf:
            # It may listen to all of its account, in which there is nothing of anybody else's.
            wants = b"".join(f"LS+ {each}\r\n".encode() for each in (">", "f.>", "$JS.API.>", "_INBOX.rogue"))
            assert await leaf.say(wants + message(own), until=b'"stream":"INTAKE"')
            await stranger.request(f"in.live.{COM}.routine.{stranger.public}", b"theirs")
            await stranger.request("look.TRAFFIC")
            assert await leaf.say(message(own), until=b'"stream":"INTAKE"')
            assert not any(stranger.public.encode() in each for each in leaf.heard)
        before = await state(running)
        for said in (
            message(f"in.live.{COM}.routine.{stranger.public}"),
            message(f"s.doc.{stranger.public}"),
            message(f"$JS.API.CONSUMER.MSG.NEXT.TRAFFIC.{stranger.public}"),
            message("$JS.API.STREAM.DELETE.TRAFFIC"),
            message(f"$JS.API.CONSUMER.DELETE.TRAFFIC.{public}"),
            message("$SYS.REQ.SERVER.PING"),
        ):
            async with RawLeaf.connected(port, user, public) as leaf:
                assert await leaf.say(said, until=b"Permissions Violation"), said
        assert await state(running) == before

        async with RawLeaf.connected(port, user, public) as leaf:
            await push(running.system, accounts.suspend(public))
            assert await leaf.say(b"", until=b"")
        await push(running.system, accounts.resume(public))
        # The node's own user is a client, and no leaf node.
        async with RawLeaf.connected(port, Credentials(mine.user_jwt, node.seed), public) as leaf:
            assert await leaf.say(b"", until=b"")


async def state(running: HubNats) -> list[Any]:
    """What the streams hold, and whose durables there are."""
    seen = [(await api(running.hub, f"STREAM.INFO.{each}"))["state"] for each in (INTAKE, TRAFFIC)]
    listed = await api(running.hub, f"CONSUMER.LIST.{TRAFFIC}")
    return [*seen, sorted(each["name"] for each in listed["consumers"])]


def message(subject: str) -> bytes:
    """A message from a leaf node, with somewhere to answer to."""
    return f"LMSG {subject} _INBOX.rogue 1\r\nx\r\n".encode()

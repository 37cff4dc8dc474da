"""Files that go with bulletins, over real processes: from a command to another agency's directory, and on
after the node, or the command, was killed on the way.
"""

import asyncio
import json
import os
from collections.abc import Coroutine
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bots.clock import SystemClock
from bots.codes import new_key
from bots.officers.lobby import Lobby
from bots.room.process import opened
from bots.settings import BotSettings
from bots.state import State
from hub.demo.ports import free_ports
from schemas.errors import Code, LiaisonError
from schemas.limits import CHUNK_SIZE
from schemas.vocabulary import Language, Tlp
from subscribers.client_files import Step
from subscribers.local import Role
from tests.support.officers_bot import invite
from tests.support.room import Browser
from tests.support.world import Member, World, draft

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

SMALL = b"A map of the border, in a few words."


class Seen:
    """What a client was told of the way of a file."""

    def __init__(self) -> None:
        self.told: list[tuple[Step, int]] = []
        self._news = asyncio.Event()

    def __call__(self, _name: str, step: Step, done: int, _total: int) -> None:
        self.told.append((step, done))
        self._news.set()

    async def has(self, step: Step, least: int) -> None:
        """Return once it has come so far in that step."""
        while not any(each == step and done >= least for each, done in self.told):
            self._news.clear()
            await self._news.wait()

    def first(self, step: Step) -> int:
        """How far it was when that step was first told of."""
        return next(done for each, done in self.told if each == step)


def written(path: Path, size: int) -> bytes:
    data = os.urandom(size)
    path.write_bytes(data)
    return data


async def stored(world: World) -> int:
    """How often the hub has stored a chunk."""
    return int((await world.operate("status"))["streams"]["CHUNKS"]["last"])


async def fetched_in_the_room(reader: Member, ref: str, folder: Path) -> list[bytes]:
    """The first two files of a bulletin, as an officer's browser gets them from the agency's reading room."""
    port, clock = free_ports(1)[0], SystemClock()
    origin = f"http://localhost:{port}"
    settings = BotSettings(state=folder, room_origin=origin, room_listen=f"127.0.0.1:{port}")
    async with reader.client() as administrator:
        await administrator.client_add("room", Role.PUBLISHER, Tlp.RED)
    async with (
        reader.client("room") as node,
        await State.open(folder) as state,
        opened(settings, state, node),
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
    ):
        code = await invite(state, "Ed")
        officer = await state.officers.enrol(
            code, chat=1, person=1, language=Language.ENGLISH, now=clock.now()
        )
        assert officer
        browser = Browser(session, origin)
        await browser.follow(await Lobby(settings, state, clock, new_key).key_link(officer))
        found = []
        for number in (1, 2):
            async with session.get(f"{origin}/b/{ref}/file/{number}") as answer:
                assert answer.status == 200
                found.append(await answer.read())
        return found


async def test_a_file_goes_with_a_bulletin_from_one_command_to_another(world: World, tmp_path: Path) -> None:
    fr, jp = await world.agencies("fr", "jp")
    community = await fr.found(jp)
    (tmp_path / "map.txt").write_bytes(SMALL)
    photo = written(tmp_path / "photo.bin", 3 * CHUNK_SIZE + 5)
    words = ("--kind", "threat", "--title", "With files", "--language", "en", "--severity", "high")
    files = ("--attach", tmp_path / "map.txt", "--attach", tmp_path / "photo.bin")
    done = await fr.run("publish", "--community", community.slug, *words, "--tlp", "TLP:AMBER", *files)
    assert done.status == 0, done.err
    steps = [json.loads(line) for line in done.err.splitlines()]
    assert {each["step"] for each in steps} == {"reading", "staging", "sending"}
    ref = done.json["ref"]
    await jp.has(community.slug, "With files")

    listed = (await jp.run("attachments", ref)).json
    assert [(each["name"], each["size"]) for each in listed] == [("map.txt", 36), ("photo.bin", len(photo))]
    (tmp_path / "room").mkdir()
    assert await fetched_in_the_room(jp, ref, tmp_path / "room") == [SMALL, photo]
    out = tmp_path / "out"
    out.mkdir()
    fetched = await jp.run("fetch", ref, "--out", out)
    assert fetched.status == 0, fetched.err
    assert (out / "map.txt").read_bytes() == SMALL
    assert (out / "photo.bin").read_bytes() == photo
    assert sorted(each.name for each in out.iterdir()) == ["map.txt", "photo.bin"]
    async with fr.client() as publisher:  # its own node has them as well
        assert b"".join([data async for data in publisher.files.stream(ref, "photo.bin")]) == photo
    async with jp.client() as agency:
        for name, expected in (("map.txt", Code.ALREADY_KNOWN), ("other.txt", Code.NOT_FOUND)):
            with pytest.raises(LiaisonError) as refused:
                await agency.files.fetch(ref, name, out)
            assert refused.value.code is expected
        shown = (await agency.show(ref)).model_dump_json() + jp.jsonl.read_text("utf-8")
        assert '"key"' not in shown
        proof = (await agency.evidence(ref)).content
        assert proof is not None
        inside = json.loads(proof.payload)["attachments"][1]
        assert inside["sha256"] == sha256(photo).hexdigest()
        assert inside["seal"]["key"] not in shown
        found = await agency.search("photo")
        assert [each.bulletin.ref for each in found.items] == [ref]


async def test_a_client_below_the_marking_gets_no_file(world: World, tmp_path: Path) -> None:
    fr = await world.agency("fr")
    community = await fr.found()
    (tmp_path / "map.txt").write_bytes(SMALL)
    async with fr.client() as agency:
        upload = await agency.files.attach(tmp_path / "map.txt")
        said = await agency.publish(draft("Above", tlp="TLP:AMBER"), community.slug, [upload.id])
        await fr.has(community.slug, "Above")
        with pytest.raises(LiaisonError) as used:
            await agency.publish(draft("Again"), community.slug, [upload.id])
        await agency.client_add("low", Role.PUBLISHER, Tlp.GREEN)
        assert [data async for data in agency.files.stream(said.ref, "map.txt")] == [SMALL]
    async with fr.client("low") as low:
        with pytest.raises(LiaisonError) as unseen:
            await low.files.fetch(said.ref, "map.txt", tmp_path / "..")
        (tmp_path / "map.txt").write_bytes(b"")
        with pytest.raises(LiaisonError) as empty:
            await low.files.attach(tmp_path / "map.txt")
    codes = [each.value.code for each in (used, unseen, empty)]
    assert codes == [Code.NOT_FOUND, Code.NOT_FOUND, Code.BAD_ATTACHMENT]


async def test_after_kills_on_the_way_nothing_is_sent_or_fetched_twice(world: World, tmp_path: Path) -> None:
    fr, jp = await world.agencies("fr", "jp")
    community = await fr.found(jp)
    big = tmp_path / "big.bin"
    data = written(big, 16 * 1024**2 + 9)
    before = await stored(world)
    async with fr.client() as agency:
        # The command is cut off while the node takes the file in, then the node is killed.
        await until(agency.files.attach(big, progress=(seen := Seen())), seen, "staging", CHUNK_SIZE)
        await fr.node.kill()
        await fr.start()
        await until(agency.files.attach(big, progress=(seen := Seen())), seen, "sending", 1)
        assert seen.first("staging") > CHUNK_SIZE  # it went on, and did not begin anew
        await fr.node.kill()
        await fr.start()
        upload = await agency.files.attach(big, progress=(seen := Seen()))
        assert "staging" not in {step for step, _ in seen.told}
        said = await agency.publish(draft("Big"), community.slug, [upload.id])
    # At most a window of chunks was on the way at the kill; notes of what was used lie between them.
    assert await stored(world) - before <= upload.blobs + 16 + upload.blobs // 32

    await jp.has(community.slug, "Big")
    out = tmp_path / "out"
    out.mkdir()
    async with jp.client() as agency:
        fetch = partial(agency.files.fetch, said.ref, "big.bin", out)
        await until(fetch(progress=(seen := Seen())), seen, "fetching", 1)
        here = max(done for step, done in seen.told if step == "fetching")
        await jp.node.kill()
        await jp.start()
        await until(fetch(progress=(seen := Seen())), seen, "saving", CHUNK_SIZE)
        assert min(done for step, done in seen.told if step == "fetching" and done) >= here
        assert not (out / "big.bin").exists()
        await jp.node.kill()
        await jp.start()
        saved = await fetch(progress=(seen := Seen()))
    assert seen.first("saving") > CHUNK_SIZE
    assert saved.read_bytes() == data
    assert [each.name for each in out.iterdir()] == ["big.bin"]


async def until(moving: Coroutine[Any, Any, object], seen: Seen, step: Step, least: int) -> None:
    """Cut a transfer off once it has come so far in that step, if it is not through before."""
    task, far = asyncio.ensure_future(moving), asyncio.ensure_future(seen.has(step, least))
    await asyncio.wait({task, far}, return_when=asyncio.FIRST_COMPLETED)
    for each in (task, far):
        each.cancel()
    await asyncio.gather(task, far, return_exceptions=True)

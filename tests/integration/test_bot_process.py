"""`liaison-bot` as started in earnest: its own process, the real client of the node on NATS, real HTTP."""

import asyncio
import json
import os
import pty
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from bots.sandbox.client import SandboxUser
from bots.sandbox.server import Sandbox
from hub.demo.ports import free_ports
from schemas.vocabulary import Tlp
from subscribers.local import Role
from tests.support.doors import DIALOGUE, ChatDoor, Keyboard, TerminalDoor, hold
from tests.support.forked import ROOT, Forked, spawn
from tests.support.local_nats import Node, running_node
from tests.support.node_api import make_record
from tests.support.officers_bot import running_sandbox, says
from tests.support.room import Browser

_RATES = ("CHAT_RATE", "CHAT_BURST", "OVERALL_RATE", "ASKING_RATE", "ASKING_BURST")
FAST = {f"LIAISON_BOT_{name}": "100" for name in _RATES}
SECRET = "Planted title that no log may hold"
PORT = make_record(60, kind="threat", severity="high", title="Over the port", summary="A drone was seen.")


async def bot(folder: Path, *arguments: str, on: int = asyncio.subprocess.PIPE, **settings: str) -> Forked:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIAISON_")}
    return await spawn(
        Path(sys.executable).with_name("liaison-bot"),
        *arguments,
        cwd=folder,
        stdin=on,
        env={**environment, "PYTHONPATH": str(ROOT), "LIAISON_BOT_LOG": "json", **FAST, **settings},
        stdout=on,
        stderr=on,
    )


async def run(folder: Path, sandbox: Sandbox, node: Node, origin: str = "") -> Forked:
    (folder / "token").write_text(sandbox.bots[0].token)
    options = ("--token-file", "token", "--api-url", sandbox.base_url, "--node-dir", str(node.directory))
    return await bot(folder, "run", *options, "--json-events", "-", LIAISON_BOT_ROOM_ORIGIN=origin)


async def reads_in_the_room(folder: Path, node: Node, origin: str, ed: SandboxUser) -> None:
    """Two processes on one folder: the bot gives a link, the room spends it and asks the node by itself."""
    await node.local.add_client("room", Role.PUBLISHER, Tlp.RED)
    listen = origin.replace("http://localhost", "127.0.0.1")
    options = (
        "--token-file",
        "token",
        "--node-dir",
        str(node.directory),
        "--origin",
        origin,
        "--listen",
        listen,
    )
    room = await bot(folder, "room", *options)
    assert room.stderr is not None
    said = [await asyncio.wait_for(room.stderr.readline(), 100)]
    while b"the reading room is open" not in said[-1]:
        assert said[-1], said
        said.append(await asyncio.wait_for(room.stderr.readline(), 100))
    async with aiohttp.ClientSession() as session:
        browser = Browser(session, origin)
        (button,) = (await ed.ask("/room FRA-2026-0043"))["reply_markup"]["inline_keyboard"][0]
        status, text = await browser.follow(button["url"])
        assert (status, SECRET in text) == (200, True)
    making = await bot(folder, "officer", "passkey", "Ed", "--json", LIAISON_BOT_ROOM_ORIGIN=origin)
    link = json.loads((await making.communicate())[0])["link"]
    async with aiohttp.ClientSession() as session:
        assert "no passkeys yet" in (await Browser(session, origin).follow(link))[1]
    second = await bot(folder, "room", *options)
    assert (await second.communicate())[1].startswith(b"already_running: ")
    room.terminate()
    rest, errors = await asyncio.wait_for(room.communicate(), 100)
    assert room.returncode == 0, errors
    for hidden in (SECRET, *(each.rpartition("/")[2].partition("?")[0] for each in (button["url"], link))):
        assert hidden.encode() not in rest + errors + b"".join(said)


async def event(process: Forked, name: str) -> dict[str, object]:
    assert process.stdout is not None
    while line := await asyncio.wait_for(process.stdout.readline(), 100):
        found: dict[str, object] = json.loads(line)
        if found["event"] == name:
            return found
    raise AssertionError(f"the bot ended before {name}")


async def at_the_keyboard(folder: Path, node: Node, arrive: Callable[[str], Awaitable[None]]) -> None:
    """The same terminal before a person: styles, a bell, what arrives while a line is typed, Ctrl-D."""
    ours, theirs = pty.openpty()
    settings = {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"}
    process = await bot(
        folder, "chat", "--node-dir", str(node.directory), "--officer", "Irina", on=theirs, **settings
    )
    os.close(theirs)
    person = Keyboard(ours)
    await person.sees("Ctrl-D", "›")
    person.types("/sear")
    await arrive("Meanwhile")
    await person.sees("\x1b[1mMeanwhile", "\a")
    person.types("ch port\r")
    await person.sees("Over the port", "its button", "›")
    person.types("\x04")
    assert await asyncio.wait_for(process.wait(), 100) == 0
    person.leave()


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_from_the_first_administrator_to_an_alert(tmp_path: Path) -> None:
    (tmp_path / "bot-folder").mkdir()
    folder = tmp_path / "bot-folder"
    async with running_node(tmp_path / "node") as node, running_sandbox() as (sandbox, client):
        await node.local.add_client("bot", Role.PUBLISHER, Tlp.RED)
        origin = f"http://localhost:{free_ports(1)[0]}"
        process = await run(folder, sandbox, node, origin)
        await event(process, "ready")
        adding = await bot(folder, "officer", "add", "Ed", "--admin", "--json")
        added = json.loads((await adding.communicate())[0])
        ed = client.user("Ed")
        await ed.ask(f"/start {added['code']}")
        menu = await ed.ask("/subscribe")
        for label in ("Preview", "Save"):
            await ed.press(label, menu)
            await ed.next_edit()
        record = make_record(42, title=SECRET)
        node.api.records.append(record)
        await node.local.republish([record])
        alert = await ed.next_message(says(SECRET))
        told = await event(process, "alert")
        assert (told["id"], told["message"]) == (record.bulletin.id, alert["message_id"])
        assert SECRET in (await ed.ask("/search planted"))["text"]
        await ed.press("Acknowledge", alert)
        await ed.next_edit()

        numbers = iter(range(61, 99))

        async def arrive(title: str) -> None:
            came = make_record(next(numbers), title=title, severity="flash", regions=["FR-75"])
            node.api.records.append(came)
            await node.local.republish([came])

        node.api.records.append(PORT)
        await hold(DIALOGUE, ChatDoor(ed), arrive)
        await node.local.add_client("chat", Role.PUBLISHER, Tlp.RED)
        terminal = await bot(folder, "chat", "--node-dir", str(node.directory), "--officer", "Irina")
        await hold(DIALOGUE, TerminalDoor(terminal), arrive)
        _, complaints = await asyncio.wait_for(terminal.communicate(b"/digest now\n"), 100)
        assert (terminal.returncode, complaints) == (0, b"")

        await at_the_keyboard(folder, node, arrive)
        node.api.records.append(make_record(43, title=SECRET, tlp="TLP:AMBER"))
        await reads_in_the_room(folder, node, origin, ed)

        second = await run(folder, sandbox, node)
        assert (await second.communicate())[1].startswith(b"already_running: ")
        assert second.returncode == 1

        process.terminate()
        rest, errors = await asyncio.wait_for(process.communicate(), 100)
        assert process.returncode == 0, errors
        for hidden in (SECRET, added["code"], sandbox.bots[0].token, "planted"):
            assert hidden.encode() not in errors + rest

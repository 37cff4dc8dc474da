"""The sandbox chat with two agencies' bots and three officers, enrolled by real invitations, subscribed."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from hub.demo import plan
from hub.demo.chat import Chats
from hub.demo.plan import Officer
from hub.demo.ports import free_ports
from hub.demo.processes import Process
from hub.demo.world import CLIENT_TURN, World, gather

REAL_SERVICE: Final = "https://api.telegram.org"
_POLL_SECONDS: Final = "2"


class ChatRoom:
    """Where the chats are. `page_url` opens the sandbox's page; `start_link` is for a bot on the real
    service.
    """

    def __init__(
        self,
        page_url: str,
        officers: Sequence[Officer],
        start_code: str = "",
        reading: Mapping[str, str] | None = None,
    ) -> None:
        self.page_url = page_url
        self.officers = tuple(officers)
        self.start_code = start_code
        self.reading = dict(reading or {})
        """Where the reading rooms are, by agency."""


async def open_chat(
    world: World, wishes: Mapping[str, Sequence[str]], token: str | None = None, *, reading: bool = False
) -> ChatRoom:
    """Start the sandbox and the bots, enrol the officers, subscribe each to their wishes (menu buttons).

    With `token` the first agency's bot is on the real service: its officer is not at the sandbox, and the
    answer holds the code for a real person. `reading`: each bot at the sandbox has a reading room beside it
    (the real service takes no addresses of this machine).
    """
    real = next(iter(plan.BOTS)) if token else ""
    officers = [each for each in plan.OFFICERS if each.agency != real]
    told = await (await _sandbox(world, officers, real)).first()
    tokens = {each["username"]: each["token"] for each in told["bots"]}
    codes: dict[str, str] = {}
    rooms = {each: f"http://localhost:{free_ports(1)[0]}" for each in plan.BOTS if reading and each != real}

    async def bot(agency: str, username: str) -> None:
        where = (REAL_SERVICE, token) if token and agency == real else (told["base_url"], tokens[username])
        await world.agency(agency, "client", "add", "bot", "--role", "publisher", "--ceiling", "TLP:RED")
        first = next(each for each in plan.OFFICERS if each.agency == agency)
        added = await world.command(
            "liaison-bot", "officer", "add", first.name, "--admin", "--state", _state(world, agency)
        )
        codes[first.name] = added["code"]
        running = await _bot(world, agency, *where, room=rooms.get(agency, ""))
        await running.first()
        running.discard()
        if agency in rooms:
            await _reading_room(world, agency, rooms[agency])

    await gather([bot(agency, username) for agency, (username, _) in plan.BOTS.items()])
    async with Chats(told["page_url"]) as chats:
        await gather([_enrol(chats, officers, each, codes, wishes) for each in officers if not each.inviter])
    await gather([_given_role(world, each) for each in officers if each.inviter])
    start = next((codes[each.name] for each in plan.OFFICERS if each.agency == real), "")
    return ChatRoom(told["page_url"], officers, start, rooms)


async def _enrol(
    chats: Chats,
    officers: Sequence[Officer],
    officer: Officer,
    codes: Mapping[str, str],
    wishes: Mapping[str, Sequence[str]],
) -> None:
    await chats.enrol(officer, codes[officer.name])
    await chats.subscribe(officer, *wishes[officer.name])
    for guest in (each for each in officers if each.inviter == officer.name):
        await chats.enrol(guest, await chats.invited(officer, guest.name))
        await chats.subscribe(guest, *wishes[guest.name])


async def _given_role(world: World, officer: Officer) -> None:
    where = ("--state", _state(world, officer.agency))
    await world.command("liaison-bot", "officer", "role", officer.name, officer.role, *where)


async def _sandbox(world: World, officers: Sequence[Officer], real: str) -> Process:
    options: list[str] = []
    for agency, (username, name) in plan.BOTS.items():
        if agency != real:
            options += ["--bot", f"{username}:{name}"]
    for each in officers:
        options += ["--officer", f"{each.name}:{each.language}:{plan.BOTS[each.agency][0]}"]
    program = world.program("liaison-bot")
    return await world.processes.start("sandbox", program, "sandbox", "--json", *options, turn=CLIENT_TURN)


async def _bot(world: World, agency: str, api_url: str, token: str, *, room: str) -> Process:
    token_file = _token_file(world, agency)
    await asyncio.to_thread(_write_secret, token_file, token)
    return await world.processes.start(
        f"bot-{agency}",
        *(world.program("liaison-bot"), "run", "--json-events", "-", "--state", str(_state(world, agency))),
        *("--api-url", api_url, "--token-file", str(token_file)),
        *("--node-dir", str(world.state_of(agency) / "local")),
        turn=CLIENT_TURN + 1,
        extra={
            "LIAISON_BOT_POLL_SECONDS": _POLL_SECONDS,
            "LIAISON_BOT_ROOM_ORIGIN": room,
            "LIAISON_BOT_UN_LIST": str(resources.files("hub.demo").joinpath("un-sample.xml")),
        },
    )


async def _reading_room(world: World, agency: str, origin: str) -> None:
    await world.agency(agency, "client", "add", "room", "--role", "publisher", "--ceiling", "TLP:RED")
    await world.processes.start(
        f"room-{agency}",
        *(world.program("liaison-bot"), "room", "--state", str(_state(world, agency))),
        *("--origin", origin, "--listen", origin.replace("http://localhost", "127.0.0.1")),
        *("--token-file", str(_token_file(world, agency))),
        *("--node-dir", str(world.state_of(agency) / "local")),
        turn=CLIENT_TURN + 1,
    )


def _token_file(world: World, agency: str) -> Path:
    return world.directory / "chat" / f"{agency}.token"


def _state(world: World, agency: str) -> Path:
    return world.directory / "chat" / agency


def _write_secret(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)

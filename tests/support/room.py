"""The reading room over real HTTP on loopback, with a node in memory and a clock that a test sets."""

import contextlib
import hashlib
import hmac
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from pydantic import SecretStr

from bots.codes import new_key
from bots.officers.lobby import Lobby
from bots.officers.roles import Role
from bots.room.process import opened
from bots.room.web import Room
from bots.settings import BotSettings
from bots.state import State
from bots.state.officers import Officer
from hub.demo.ports import free_ports
from schemas.vocabulary import Language
from subscribers.records import Record
from tests.support.node import DirectNode
from tests.support.officers_bot import invite

TOKEN = "123456:room-for-tests"


@dataclass
class SetClock:
    """Unix seconds: the machine's, and what a test adds; after `stop` only that moves it."""

    ahead: float = 0.0
    stopped: float | None = None

    def now(self) -> float:
        return (time.time() if self.stopped is None else self.stopped) + self.ahead

    def stop(self) -> None:
        self.stopped = time.time()

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


@dataclass
class RoomStage:
    """A running room. `person` numbers are the chat service's user ids."""

    room: Room
    node: DirectNode
    state: State
    clock: SetClock
    officers: dict[str, Officer] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return self.room.origin.text

    async def enrol(
        self, name: str, language: Language = Language.ENGLISH, role: Role = Role.READER
    ) -> Officer:
        code, number = await invite(self.state, name, role=role), 1000 + len(self.officers)
        officer = await self.state.officers.enrol(
            code, chat=number, person=number, language=language, now=time.time()
        )
        assert officer is not None
        self.officers[name] = officer
        return officer

    async def link(self, officer: Officer, ref: str = "") -> str:
        """The address of a link that the bot gives."""
        lobby = Lobby(self.room.settings, self.state, self.clock, new_key)
        return (await lobby.link(officer, ref)).rows[0][0].url

    async def key_link(self, officer: Officer) -> str:
        """The same from the agency's terminal."""
        return await Lobby(self.room.settings, self.state, self.clock, new_key).key_link(officer)


@dataclass
class Browser:
    """A browser without JavaScript: cookies, forms, and what Chromium says of where a request comes from."""

    session: aiohttp.ClientSession
    origin: str

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.session.get(self.origin + path, headers=headers, allow_redirects=True) as answer:
            return answer.status, await answer.text()

    async def post(self, path: str, site: str = "same-origin", **fields: str) -> tuple[int, str]:
        headers = {"Origin": "null", "Sec-Fetch-Site": site}
        async with self.session.post(self.origin + path, data=fields, headers=headers) as answer:
            return answer.status, await answer.text()

    async def change(self, draft: int, token: str, **fields: str) -> tuple[int, str]:
        """Open a draft's form, and send it filled in so."""
        path = f"/write/{draft}/edit"
        seal = seal_in((await self.get(path))[1])
        return await self.post(path, csrf=token, seal=seal, **fields)

    async def send(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        headers = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        async with self.session.post(self.origin + path, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def follow(self, link: str) -> tuple[int, str]:
        """Open a one-time link and press its button."""
        path = link.removeprefix(self.origin)
        status, text = await self.get(path)
        assert status == 200
        code = re.search(r'name="code" value="([^"]+)"', text)
        assert code
        return await self.post("/in", code=code[1])


def csrf_in(text: str) -> str:
    """The token in a page's first form."""
    found = re.search(r'name="csrf" value="([^"]+)"', text)
    assert found
    return found[1]


async def signed_in(stage: RoomStage, guest: Browser, name: str, role: Role = Role.DRAFTER) -> Officer:
    officer = await stage.enrol(name)
    async with stage.state.store.write() as tx:
        await tx.execute("UPDATE officers SET role = ? WHERE id = ?", (role, officer.id))
    await guest.follow(await stage.link(officer))
    return officer


async def at_the_desk(stage: RoomStage, guest: Browser, officer: Officer) -> str:
    """Sign in again by a link that the chat service never saw; the token of the session's forms."""
    await guest.follow(await stage.key_link(officer))
    return csrf_in((await guest.get("/write"))[1])


def published(stage: RoomStage) -> list[Record]:
    return [each for each in stage.node.api.records if each.bulletin.drafter]


def seal_in(text: str) -> str:
    found = re.search(r'name="seal" value="([^"]+)"', text)
    assert found
    return found[1]


def init_data(person: int, at: float, token: str = TOKEN, **fields: str) -> str:
    """What a chat service hands to a Mini App."""
    user = json.dumps({"id": person, "first_name": "A", "language_code": "en"})
    given = {"auth_date": str(int(at)), "query_id": "AAF", "user": user, **fields}
    text = "\n".join(f"{name}={given[name]}" for name in sorted(given))
    key = hmac.digest(b"WebAppData", token.encode(), hashlib.sha256)
    return urlencode({**given, "hash": hmac.digest(key, text.encode(), hashlib.sha256).hex()})


@contextlib.asynccontextmanager
async def running_room(
    folder: Path,
    node: DirectNode,
    clock: SetClock | None = None,
    **given: Any,  # settings
) -> AsyncIterator[RoomStage]:
    """A room at http://localhost, where browsers take passkeys."""
    port, clock = free_ports(1)[0], clock or SetClock()
    settings = BotSettings(
        **{
            "state": folder,
            "token": SecretStr(TOKEN),
            "room_origin": f"http://localhost:{port}",
            "room_listen": f"127.0.0.1:{port}",
            **given,
        }
    )
    async with await State.open(folder) as state, opened(settings, state, node, clock) as room:
        yield RoomStage(room, node, state, clock)


@contextlib.asynccontextmanager
async def browser(stage: RoomStage, **headers: str) -> AsyncIterator[Browser]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, headers=headers) as session:
        yield Browser(session, stage.origin)

"""The page and the control API under `/s/<secret>/`: what people do there, what tests order and read."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from bots.sandbox.api import BotApi
from bots.sandbox.events import EventLog
from bots.sandbox.faults import Fault, FaultKind
from bots.sandbox.guard import HEADERS
from bots.sandbox.media import MAX_DOWNLOAD
from bots.sandbox.methods import Service
from bots.sandbox.model import Chat, Json, User
from bots.sandbox.profile import commands_for, description_for
from bots.sandbox.refusals import ApiRefusal
from bots.sandbox.world import ControlError, World

PAGE = Path(__file__).parent / "page"
PAGE_FILES = {
    "": ("index.html", "text/html"),
    "style.css": ("style.css", "text/css"),
    "app.js": ("app.js", "text/javascript"),
    "api.js": ("api.js", "text/javascript"),
    "column.js": ("column.js", "text/javascript"),
    "composer.js": ("composer.js", "text/javascript"),
    "dom.js": ("dom.js", "text/javascript"),
    "message.js": ("message.js", "text/javascript"),
    "words.js": ("words.js", "text/javascript"),
}
IDLE_SECONDS = 15.0
MAX_NAME = 64
FIRST_USER = 100_001
FIRST_GROUP = -500_001
_PICTURES = frozenset({"image/png", "image/jpeg"})

Action = Callable[[World, Json], object]


class Control:
    """The handlers of the page and of the control API."""

    def __init__(self, services: list[Service], events: EventLog, api: BotApi, secret: str) -> None:
        self._worlds = {service.world.account.id: service.world for service in services}
        self._events = events
        self._api = api
        self._secret = secret

    def routes(self) -> list[web.RouteDef]:
        """Routes below the secret."""
        own = self._with_secret
        return [
            web.get("/s/{secret}/api/state", own(self.state)),
            web.get("/s/{secret}/api/events", own(self.stream)),
            web.get("/s/{secret}/api/file/{bot}/{file_id}", own(self.file)),
            web.post("/s/{secret}/api/upload/{bot}/{chat}", own(self.upload)),
            web.post("/s/{secret}/api/{bot}/{action}", own(self.act)),
            web.get("/s/{secret}/{name:[^/]*}", own(self.page)),
        ]

    def _with_secret(self, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Handler:
        async def checked(request: web.Request) -> web.StreamResponse:
            given = request.match_info["secret"].encode("utf-8", "surrogateescape")
            if not hmac.compare_digest(given, self._secret.encode()):
                return _error(
                    404, "not_found", "there is nothing here", "open the address that the sandbox printed"
                )
            try:
                return await handler(request)
            except ControlError as error:
                return _error(409, "forbidden", str(error), "")
            except ApiRefusal as refusal:
                return _error(409, "forbidden", refusal.description, "")
            except (KeyError, TypeError, ValueError) as error:
                return _error(
                    400, "bad_request", f"the request cannot be read: {type(error).__name__}: {error}", ""
                )

        return checked

    async def page(self, request: web.Request) -> web.StreamResponse:
        """A file of the page."""
        entry = PAGE_FILES.get(request.match_info["name"])
        if entry is None:
            return _error(404, "not_found", "the page has no such file", "")
        name, kind = entry
        text = (PAGE / name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=kind, charset="utf-8", headers=HEADERS)

    async def state(self, _request: web.Request) -> web.StreamResponse:
        """Everything there is, and the number of the last change that it holds."""
        bots = [_bot_state(world) for world in self._worlds.values()]
        return _answer({"seq": self._events.last, "bots": bots})

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file for the page: a picture to show, anything else to save."""
        world = self._world(request)
        kept = world.files.by_id(request.match_info["file_id"])
        shown = kept.mime_type in _PICTURES
        headers = {**HEADERS, "Content-Security-Policy": "default-src 'none'; sandbox"}
        if not shown:
            headers["Content-Disposition"] = "attachment"
        kind = kept.mime_type if shown else "application/octet-stream"
        return web.Response(body=kept.content, content_type=kind, headers=headers)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """A member sends a document: the raw body, `name` and `caption` in the address."""
        world = self._world(request)
        content = await request.read()
        if not content or len(content) > MAX_DOWNLOAD:
            raise ControlError("the file must have 1 byte to 20 MB: choose another")
        kept = world.files.put(content, request.query.get("name", "file"))
        user = request.query.get("user")
        chat_id, caption = int(request.match_info["chat"]), request.query.get("caption", "")
        return _answer(world.say(chat_id, int(user) if user else None, caption, kept.file_id).page())

    async def act(self, request: web.Request) -> web.StreamResponse:
        """One action: see ACTIONS."""
        name = request.match_info["action"]
        action = ACTIONS.get(name)
        if action is None:
            return _error(
                404, "not_found", f"there is no action {name[:40]}", f"one of {', '.join(sorted(ACTIONS))}"
            )
        body = json.loads(await request.text() or "{}")
        if not isinstance(body, dict):
            raise ControlError("the body must be a JSON object")
        result = action(self._world(request), body)
        if name == "release":
            self._api.release_held()
        return _answer(result)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: each change as JSON with its number as the id."""
        after = int(request.headers.get("Last-Event-ID") or request.query.get("after") or 0)
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        with suppress(ConnectionError):
            await self._write_events(response, after)
        return response

    async def _write_events(self, response: web.StreamResponse, after: int) -> None:
        await response.write(b": connected\n\n")
        async for batch in self._events.follow(after, IDLE_SECONDS):
            if batch is None:
                await response.write(b"event: reset\ndata: {}\n\n")
                return
            lines = [f"id: {event['seq']}\ndata: {_dump(event)}\n\n" for event in batch]
            await response.write("".join(lines).encode() or b": idle\n\n")

    def _world(self, request: web.Request) -> World:
        given = request.match_info["bot"]
        for world in self._worlds.values():
            if given in {str(world.account.id), world.account.username}:
                return world
        raise ControlError(f"there is no bot {given[:40]}: use its id or its username")


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


# ---------------------------------------------------------------------- actions


def _add_user(world: World, body: Json) -> object:
    name = str(body.get("name", "")).strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise ControlError(f"a name has 1 to {MAX_NAME} characters")
    user_id = int(body.get("id") or max([FIRST_USER - 1, *(i for i in world.chats if i > 0)]) + 1)
    user = User(user_id, name, str(body.get("language", ""))[:8], str(body.get("username", ""))[:32])
    return _chat_state(world, world.add_user(user))


def _add_group(world: World, body: Json) -> object:
    chat_id = int(body.get("id") or min([FIRST_GROUP + 1, *(i for i in world.chats if i < 0)]) - 1)
    members = [world.member(world.chat_for_people(int(each)), None) for each in body["members"]]
    return _chat_state(world, world.add_group(chat_id, str(body["title"])[:128], members))


def _user_id(body: Json) -> int | None:
    return int(body["user"]) if body.get("user") else None


def _press(world: World, body: Json) -> object:
    query = world.press(int(body["chat"]), int(body["message"]), str(body["data"]), _user_id(body))
    return {"query_id": query.id}


def _standing(world: World, body: Json, *, blocked: bool) -> object:
    world.set_blocked(int(body["chat"]), blocked=blocked, user_id=_user_id(body))
    return world.chat_for_people(int(body["chat"])).page()


def _fault(world: World, body: Json) -> object:
    options = {
        key: int(body[key]) for key in ("times", "chat_id", "retry_after", "migrate_to") if key in body
    }
    world.faults.plan(Fault(FaultKind(body["kind"]), str(body.get("method", "*")), **options))
    return _planned(world)


def _planned(world: World) -> object:
    return [
        {"kind": fault.kind.value, "method": fault.method, "times": fault.times}
        for fault in world.faults.planned
    ]


def _clear_faults(world: World, _body: Json) -> object:
    world.faults.clear()
    return []


def _done(world: World, change: Callable[[World], object]) -> object:
    change(world)
    return {"done": True}


ACTIONS: dict[str, Action] = {
    "user": _add_user,
    "group": _add_group,
    "say": lambda world, body: world.say(
        int(body["chat"]),
        _user_id(body),
        str(body["text"]),
        forwarded_from=str(body.get("forwarded_from", ""))[:MAX_NAME],
    ).page(),
    "inline": lambda world, body: {"query_id": world.type_inline(int(body["chat"]), str(body["text"])).id},
    "press": _press,
    "block": lambda world, body: _standing(world, body, blocked=True),
    "unblock": lambda world, body: _standing(world, body, blocked=False),
    "language": lambda world, body: _done(
        world, lambda w: w.rename(int(body["chat"]), language_code=str(body["language"])[:8])
    ),
    "deactivate": lambda world, body: _done(world, lambda w: w.deactivate(int(body["chat"]))),
    "delete-chat": lambda world, body: _done(world, lambda w: w.delete_chat(int(body["chat"]))),
    "migrate": lambda world, body: _chat_state(world, world.migrate(int(body["chat"]))),
    "transcript": lambda world, body: _chat_state(world, world.chat_for_people(int(body["chat"]))),
    "commands": lambda world, body: commands_for(
        world, int(body["chat"]), int(body.get("user", 0)), str(body.get("language", ""))
    ),
    "about": lambda world, body: {"description": description_for(world, str(body.get("language", "")))},
    "fault": _fault,
    "faults": lambda world, _body: _planned(world),
    "clear-faults": _clear_faults,
    "release": lambda _world, _body: {"done": True},
    "calls": lambda world, _body: world.calls,
}


def _chat_state(world: World, chat: Chat) -> Json:
    messages = [message.page() for message in chat.messages.values()]
    return {**chat.page(), "bot": world.account.id, "messages": messages}


def _bot_state(world: World) -> Json:
    account = world.account
    chats = [_chat_state(world, chat) for chat in world.chats.values()]
    return {"id": account.id, "username": account.username, "name": account.name, "chats": chats}


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _answer(value: object) -> web.Response:
    return web.Response(text=_dump(value), content_type="application/json", headers=HEADERS)


def _error(status: int, code: str, message: str, fix: str) -> web.Response:
    text = _dump({"code": code, "message": message, "fix": fix})
    return web.Response(text=text, status=status, content_type="application/json", headers=HEADERS)

"""The page's server: loopback only, by its own name, under a secret path, with nothing from outside."""

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from hub.demo.board import Board
from schemas.errors import Code, LiaisonError, OperationError

LOOPBACK: Final = "127.0.0.1"
_NAMES: Final = frozenset({LOOPBACK, "localhost"})
_PAGE: Final = Path(__file__).parent / "page"
_FILES: Final = {
    "": ("index.html", "text/html"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
    "style.css": ("style.css", "text/css"),
    "app.js": ("app.js", "text/javascript"),
    "rows.js": ("rows.js", "text/javascript"),
    "words.js": ("words.js", "text/javascript"),
    "form.js": ("form.js", "text/javascript"),
}
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_BODY_MAX: Final = 64 * 1024
_IDLE_SECONDS: Final = 15.0

Action = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """`world` is told to the page once; `actions` are what its buttons do."""

    def __init__(
        self, board: Board, world: Mapping[str, Any], actions: Mapping[str, Action], secret: str
    ) -> None:
        self._board = board
        self._world = world
        self._actions = actions
        self._secret = secret
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> str:
        """Serve on `port` (0: any free one): the page's address. OperationError when the port is taken."""
        app = web.Application(middlewares=[_guard], client_max_size=_BODY_MAX)
        app.add_routes(
            [
                web.get("/s/{secret}/api/world", self._own(self._tell_world)),
                web.get("/s/{secret}/api/events", self._own(self._stream)),
                web.post("/s/{secret}/api/{action}", self._own(self._act)),
                web.get("/s/{secret}/{name:[^/]*}", self._own(self._file)),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, handle_signals=False)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, LOOPBACK, port).start()
        except OSError as error:
            await self.close()
            raise OperationError(
                Code.BAD_SETTINGS, f"port {port} cannot be opened: {error.strerror}", "choose another, or 0"
            ) from None
        return f"http://{LOOPBACK}:{self._runner.addresses[0][1]}/s/{self._secret}/"

    async def close(self) -> None:
        """Stop serving."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _own(self, handler: Handler) -> Handler:
        async def checked(request: web.Request) -> web.StreamResponse:
            given = request.match_info["secret"].encode("utf-8", "surrogateescape")
            if not hmac.compare_digest(given, self._secret.encode()):
                return _answer({"message": "open the address that liaison-demo printed"}, 404)
            return await handler(request)

        return checked

    async def _file(self, request: web.Request) -> web.StreamResponse:
        entry = _FILES.get(request.match_info["name"])
        if entry is None:
            return _answer({"message": "the page has no such file"}, 404)
        name, kind = entry
        text = (_PAGE / name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=kind, charset="utf-8", headers=_HEADERS)

    async def _tell_world(self, _: web.Request) -> web.StreamResponse:
        return _answer(self._world)

    async def _act(self, request: web.Request) -> web.StreamResponse:
        action = self._actions.get(request.match_info["action"])
        if action is None:
            return _answer({"message": "there is no such action"}, 404)
        try:
            asked = json.loads(await request.text() or "{}")
            return _answer(await action(dict(asked)))
        except LiaisonError as error:
            return _answer(error.as_dict(), 409)
        except (ValueError, KeyError, TypeError):
            return _answer(
                {"code": Code.BAD_REQUEST, "message": "the request cannot be read", "fix": ""}, 400
            )

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        last = request.headers.get("Last-Event-ID") or request.query.get("after") or "0"
        after = int(last) if last.isdecimal() else 0
        response = web.StreamResponse(
            headers={**_HEADERS, "Content-Type": "text/event-stream; charset=utf-8"}
        )
        await response.prepare(request)
        with suppress(ConnectionError):
            async for batch in self._board.follow(after, _IDLE_SECONDS):
                lines = [f"id: {event['n']}\ndata: {_dump(event)}\n\n" for event in batch]
                await response.write("".join(lines).encode() or b": quiet\n\n")
        return response


def own_host(value: str, port: int) -> bool:
    """Whether a Host header, or the network part of an Origin, names this server: stops DNS rebinding."""
    try:
        parts = urlsplit(f"//{value}")
        return parts.hostname in _NAMES and (parts.port or 80) == port and "@" not in value
    except ValueError:
        return False


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse other hosts and other sites' pages before anything is looked at."""
    port = request.transport.get_extra_info("sockname")[1] if request.transport is not None else 0
    origin = request.headers.get("Origin")
    scheme, _, network = (origin or "").partition("://")
    foreign = origin is not None and not (scheme == "http" and own_host(network, port))
    if foreign or not own_host(request.headers.get("Host", ""), port):
        return _answer({"message": "wrong host"}, 403)
    return await handler(request)


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _answer(value: Mapping[str, Any], status: int = 200) -> web.Response:
    return web.Response(text=_dump(value), status=status, content_type="application/json", headers=_HEADERS)

"""The room as an aiohttp application: who may talk to it, its routes, and errors as pages."""

from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import web

from bots.room import answering, drafting, keys, reading, signing
from bots.room.headers import headers
from bots.room.pages import asset, page
from bots.room.texts import PageWords
from bots.room.web import (
    BODY_MAX,
    ROOM,
    SCRIPT,
    NotIn,
    Room,
    asked_place,
    html,
    language_of,
    sign_in_page,
    visitor,
)
from bots.showing.answerable import Answer
from bots.wording.words import words
from schemas.errors import Code, LiaisonError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_SAID: Final = {403: "error_403", 404: "error_404", 429: "error_429"}
_LATER: Final = frozenset({Code.MISSING_CHUNK, Code.BAD_ATTACHMENT})
_FAILED: Final = 500

_log = structlog.get_logger()


def application(room: Room) -> web.Application:
    """Everything under one application."""
    made = web.Application(middlewares=[_guarded], client_max_size=BODY_MAX)
    made[ROOM] = room
    made.on_response_prepare.append(_marked)
    made.add_routes(
        [
            web.get("/", reading.bulletins),
            web.get("/b/{ref}", reading.bulletin),
            web.get("/b/{ref}/print", reading.printing),
            web.post("/b/{ref}/ack", reading.acknowledge),
            web.post(f"/b/{{ref}}/answer/{{what:{'|'.join(Answer)}}}", answering.answer),
            web.post("/b/{ref}/change/{what:amends|retracts}", answering.change),
            web.get("/b/{ref}/file/{number:[0-9]{1,3}}", reading.file),
            web.get("/write", drafting.listed),
            web.get("/write/new", drafting.begin),
            web.post("/write/new", drafting.create),
            web.get("/write/{draft:[0-9]{1,9}}", drafting.draft),
            web.get("/write/{draft:[0-9]{1,9}}/edit", drafting.edit),
            web.post("/write/{draft:[0-9]{1,9}}/edit", drafting.save),
            web.get("/write/{draft:[0-9]{1,9}}/passkey", drafting.passkey),
            web.post("/write/{draft:[0-9]{1,9}}/back", drafting.give_back),
            web.post("/write/{draft:[0-9]{1,9}}/{what:send|release|again|take|undo|discard}", drafting.act),
            web.get("/in/{code:[A-Za-z0-9_-]{43}}", signing.link),
            web.post("/in", signing.by_link),
            web.get("/app", signing.app),
            web.get("/app/{ref}", signing.app),
            web.post("/in/app", signing.by_app),
            web.post("/in/options", signing.options),
            web.post("/in/passkey", signing.by_passkey),
            web.post("/out", signing.out),
            web.get("/keys", keys.listed),
            web.post("/keys", keys.add),
            web.post("/keys/options", keys.options),
            web.post("/keys/remove", keys.remove),
            web.post("/keys/leave", keys.leave),
            web.get("/static/room.css", _asset("room.css", "text/css")),
            web.get("/static/room.js", _asset("room.js", "text/javascript")),
            web.get("/favicon.ico", _nothing),
        ]
    )
    return made


def own_request(origin: str, site: str, room: Room) -> bool:
    """Whether a POST comes from the room's own page, by its `Origin` and `Sec-Fetch-Site` headers.

    Under our referrer policy a form's Origin is `null` (Fetch, "append a request Origin header"), so the
    browser's other word is asked first; one that says neither is not let in.
    """
    if site:
        return site == "same-origin" and (origin in {"", "null"} or room.origin.own(origin))
    return room.origin.own(origin)


async def _marked(request: web.Request, answer: web.StreamResponse) -> None:
    """Every answer carries the strict headers, whatever made it."""
    answer.headers.update(headers(script=bool(request.get(SCRIPT)), secure=request.app[ROOM].origin.secure))
    answer.headers.popall("Server", None)


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse other hosts and other sites' forms before anything is looked at; turn errors into pages."""
    room = request.app[ROOM]
    if request.headers.get("Host", "") != room.origin.authority:
        return web.Response(status=web.HTTPMisdirectedRequest.status_code, text="Not this host.")
    try:
        if request.method == "POST" and not own_request(
            request.headers.get("Origin", ""), request.headers.get("Sec-Fetch-Site", ""), room
        ):
            raise web.HTTPForbidden
        return await handler(request)
    except NotIn:
        found = request.match_info
        to = asked_place(f"write/{found['draft']}" if "draft" in found else found.get("ref", ""))
        return sign_in_page(request, to=to, status=web.HTTPUnauthorized.status_code)
    except web.HTTPException as error:
        if error.status < web.HTTPBadRequest.status_code:
            raise
        said = "error_500" if error.status >= _FAILED else _SAID.get(error.status, "error_400")
        return await _error(request, error.status, said)
    except LiaisonError as error:
        _log.warning("a page could not be shown", code=error.code)
        if error.code is Code.NOT_FOUND:
            return await _error(request, 404, "error_404")
        if error.code is Code.BAD_REQUEST:
            return await _error(request, 400, "error_400")
        if error.code in _LATER:
            return await _error(request, 503, "file_later")
        return await _error(request, 503, "error_503", error.code)
    except Exception as error:  # noqa: BLE001 - the last one: nothing of ours goes out to a browser
        _log.warning("a page failed", error=type(error).__name__)
        return await _error(request, _FAILED, "error_500")


async def _error(request: web.Request, status: int, name: str, code: str = "") -> web.Response:
    request[SCRIPT] = False
    if request.headers.get("Content-Type", "").startswith("application/json"):
        return web.json_response({"error": status}, status=status)
    guest = await visitor(request)
    language = language_of(request, guest.officer if guest else None)
    t = PageWords(words(language))
    said = t(name, code=code) if code else getattr(t, name)
    return html(page("error", language, guest.session if guest else None, said=said), status)


def _asset(name: str, content_type: str) -> Handler:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=asset(name), content_type=content_type, charset="utf-8")

    return answer


async def _nothing(_request: web.Request) -> web.Response:
    return web.Response(status=204)

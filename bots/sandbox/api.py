"""The Bot API over HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`, with the planned faults."""

from __future__ import annotations

import asyncio
import hmac
import inspect
import json
import re
from collections.abc import Sequence

import structlog
from aiohttp import web

from bots.sandbox.faults import Fault, FaultKind
from bots.sandbox.media import MAX_UPLOAD
from bots.sandbox.methods import Service
from bots.sandbox.params import Params, read_params
from bots.sandbox.profile import BY_LOWER_NAME
from bots.sandbox.refusals import ApiRefusal, refuse

MAX_BODY = MAX_UPLOAD + 1024 * 1024
_TOKEN_FORM = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
_log = structlog.get_logger()


class BotApi:
    """The handlers; one service per token."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = services
        self._released = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """Routes of the Bot API."""
        return [
            web.route("GET", "/bot{token:[^/]+}/{method}", self.call),
            web.route("POST", "/bot{token:[^/]+}/{method}", self.call),
            web.get("/file/bot{token:[^/]+}/{path:.+}", self.download),
        ]

    def release_held(self) -> None:
        """Let the answers go that a HOLD fault keeps back."""
        self._released.set()
        self._released = asyncio.Event()

    def service_for(self, token: str) -> Service:
        """The bot of this token; 404 for what is no token, 401 for one that is not known."""
        if not _TOKEN_FORM.fullmatch(token):
            raise refuse("token-malformed")
        for service in self._services:
            if hmac.compare_digest(service.world.account.token, token):
                return service
        raise refuse("token-unknown")

    async def call(self, request: web.Request) -> web.StreamResponse:
        """One method call."""
        name, service = request.match_info["method"], None
        try:
            service = self.service_for(request.match_info["token"])
            name, method = BY_LOWER_NAME.get(name.lower(), (name, None))
            if method is None:
                raise refuse("method-unknown")
            params = await _params(request)
            fault = service.world.faults.take(name, _chat_id(params))
            if fault is not None and fault.kind is FaultKind.CLOSE:
                return _hang_up(request, service, name)
            refusal = fault.refusal() if fault is not None else None
            if refusal is not None:
                raise refusal
            held = self._released
            try:
                result = method(service, params)
                if inspect.isawaitable(result):
                    result = await result
            finally:
                if fault is not None:
                    await _spoil(request, fault, held)
        except ApiRefusal as refusal:
            return _refused(service, name, refusal)
        service.world.count(name, 200)
        return _json({"ok": True, "result": result}, 200)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """A file by its `file_path`."""
        try:
            service = self.service_for(request.match_info["token"])
            kept = service.world.files.by_path(request.match_info["path"])
            if kept is None:
                raise refuse("file-gone")
        except ApiRefusal as refusal:
            return _refused(None, "download", refusal)
        return web.Response(body=kept.content, content_type="application/octet-stream")


async def _params(request: web.Request) -> Params:
    try:
        return await read_params(request)
    except web.HTTPRequestEntityTooLarge as error:
        raise refuse("request-too-large") from error


def _chat_id(params: Params) -> int | None:
    value = params.text("chat_id")
    return int(value) if re.fullmatch(r"-?[0-9]{1,20}", value) else None


def _hang_up(request: web.Request, service: Service, name: str) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    service.world.count(name, 0)
    return web.Response()


async def _spoil(request: web.Request, fault: Fault, held: asyncio.Event) -> None:
    """What a fault does to a call that was carried out, or refused: its answer is lost, or waits."""
    if fault.kind is FaultKind.HOLD:
        await held.wait()
    elif fault.kind is FaultKind.CLOSE_AFTER and request.transport is not None:
        request.transport.abort()


def _refused(service: Service | None, name: str, refusal: ApiRefusal) -> web.Response:
    if service is not None:
        service.world.count(name, refusal.code)
        _log.debug("sandbox refused a call", method=name, refusal=refusal.name, status=refusal.code)
    body: dict[str, object] = {"ok": False, "error_code": refusal.code, "description": refusal.description}
    if refusal.parameters:
        body["parameters"] = refusal.parameters
    return _json(body, refusal.code)


def _json(body: dict[str, object], status: int) -> web.Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return web.Response(text=text, status=status, content_type="application/json")

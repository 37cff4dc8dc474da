"""Who may talk to the sandbox: loopback only, by its own name, never from another site's page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def own_host(value: str, port: int) -> bool:
    """Whether a Host header (or the network part of an Origin) names this server: stops DNS rebinding."""
    try:
        parts = urlsplit(f"//{value}")
        return parts.hostname in _NAMES and (parts.port or 80) == port and "@" not in value
    except ValueError:
        return False


def own_origin(value: str, port: int) -> bool:
    """Whether an Origin header is this server's own."""
    scheme, _, rest = value.partition("://")
    return scheme == "http" and own_host(rest, port)


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse other hosts and origins before anything is looked at."""
    port = request.transport.get_extra_info("sockname")[1] if request.transport is not None else 0
    origin = request.headers.get("Origin")
    if not own_host(request.headers.get("Host", ""), port) or (
        origin is not None and not own_origin(origin, port)
    ):
        return web.json_response(
            {"ok": False, "error_code": 403, "description": "Forbidden: wrong host"}, status=403
        )
    return await handler(request)

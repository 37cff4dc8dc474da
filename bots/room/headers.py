"""What every answer of the room says to the browser, errors and redirects as well. Pure.

Pages that show bulletins run no script at all. Nothing may frame the room: the Mini App opens as a page of
its own in the chat service's own programs, and its web version, which would frame it, is given a one-time
link.
"""

from typing import Final

_PLAIN: Final = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SCRIPTED: Final = _PLAIN + "; script-src 'self'; connect-src 'self'"
_ALWAYS: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(), display-capture=(), fullscreen=(), geolocation=(), microphone=(), payment=(), usb=(), "
        "publickey-credentials-create=(self), publickey-credentials-get=(self)"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
_BY_TLS: Final = {"Strict-Transport-Security": "max-age=31536000"}


def headers(*, script: bool, secure: bool) -> dict[str, str]:
    """`script`: the page signs somebody in and needs the room's own script. `secure`: it is served by TLS."""
    policy = {"Content-Security-Policy": _SCRIPTED if script else _PLAIN}
    return {**_ALWAYS, **policy, **(_BY_TLS if secure else {})}

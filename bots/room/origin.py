"""Where the room is found: its public origin, and who says so in a request. Pure."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from schemas.errors import Code, OperationError

_PORTS: Final = {"https": 443, "http": 80}
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")
_LOOPBACK: Final = "localhost"


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port under which browsers know the room."""

    scheme: str
    host: str
    port: int

    @property
    def text(self) -> str:
        """As browsers write it: without the scheme's usual port."""
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """What the Host header must say."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def secure(self) -> bool:
        """By TLS; otherwise on this machine's loopback, for trying it out."""
        return self.scheme == "https"

    @property
    def named(self) -> bool:
        """Whether the host is a name: passkeys are bound to one, and know no addresses."""
        return not _is_address(self.host)

    def own(self, text: str) -> bool:
        """Whether an Origin header is this one."""
        return text == self.text


def read_origin(text: str) -> Origin:
    """`https://room.agency.example`, or `http://localhost:8480` to try it out.

    Raises OperationError `bad_settings` for anything else: another scheme, a path, plain HTTP beyond
    loopback.
    """
    fix = "such as https://room.agency.example; plain http is for localhost alone"
    if not text:
        raise OperationError(
            Code.BAD_SETTINGS,
            "room_origin is not set: this agency has no reading room, or its address is not known here",
            f"LIAISON_BOT_ROOM_ORIGIN is that address, {fix}",
        )
    wrong = OperationError(Code.BAD_SETTINGS, "room_origin: not an origin that browsers can trust", fix)
    try:
        parts = urlsplit(text)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise wrong from None
    host = parts.hostname or ""
    origin = Origin(parts.scheme, host, port)
    if parts.scheme not in _PORTS or not _HOST.match(host) or origin.text != text.rstrip("/"):
        raise wrong
    if not origin.secure and host != _LOOPBACK and not is_loopback(host):
        raise wrong
    return origin


def read_listen(text: str) -> tuple[str, int]:
    """Address and port from `127.0.0.1:8480` or `[::1]:8480`. Raises OperationError `bad_settings`."""
    wrong = OperationError(
        Code.BAD_SETTINGS, "room_listen: not an address and a port", "such as 127.0.0.1:8480"
    )
    try:
        parts = urlsplit(f"//{text}")
        port = parts.port
    except ValueError:
        raise wrong from None
    host = parts.hostname or ""
    if port is None or parts.path or not _is_address(host):
        raise wrong
    return host, port


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether it is an address of this machine itself."""
    return _is_address(host) and ipaddress.ip_address(host).is_loopback

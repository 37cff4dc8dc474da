"""Ports for what is started a moment later."""

import contextlib
import secrets
import socket
from typing import Final

_LOOPBACK: Final = "127.0.0.1"
_CHOICE: Final = range(10_000, 20_000)
"""Below those that Linux gives to outgoing connections, from 32768 on: such a port can be somebody's by the
time at which a server asks for it, or while a server that is to come back on it is away.
"""


def free_ports(count: int) -> list[int]:
    """Different ports of loopback that nobody listens on now."""
    found: list[int] = []
    while len(found) < count:
        port = _CHOICE.start + secrets.randbelow(len(_CHOICE))
        with contextlib.suppress(OSError), socket.create_server((_LOOPBACK, port)):
            found += [port] if port not in found else []
    return found

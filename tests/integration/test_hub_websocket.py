"""NATS over WebSocket at the hub's own server: off unless asked for, on loopback, for endpoints alone."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp

from hub.accounts import Accounts, Service
from hub.server import NatsServer, server_config


def test_it_is_off_unless_asked_for(tmp_path: Path) -> None:
    accounts = Accounts.create(tmp_path / "keys")
    assert "websocket" not in server_config(tmp_path, accounts, "0.0.0.0", 4222)  # noqa: S104 - not bound
    wanted = server_config(tmp_path, accounts, "0.0.0.0", 4222, 8443)  # noqa: S104 - not bound
    assert 'websocket { host: "127.0.0.1", port: 8443, no_tls: true }\n' in wanted


async def answer(url: str, options: dict[str, Any]) -> str:
    """What the server says to a client that comes over WebSocket with these credentials."""
    async with asyncio.timeout(60), aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        info = json.loads((await socket.receive_bytes()).removeprefix(b"INFO "))
        told = {
            "jwt": options["user_jwt_cb"]().decode(),
            "sig": options["signature_cb"](info["nonce"]).decode(),
            "verbose": False,
            "pedantic": False,
        }
        await socket.send_bytes(f"CONNECT {json.dumps(told)}\r\nPING\r\n".encode())
        return (await socket.receive_bytes()).decode()


async def test_the_hubs_own_users_may_not_come_by_it(tmp_path: Path) -> None:
    accounts = Accounts.create(tmp_path / "keys")
    async with NatsServer(tmp_path / "nats", accounts, port=0, websocket_port=0) as server:
        url = server.websocket_url or ""
        assert url.startswith("ws://127.0.0.1:")
        for service in Service:
            said = await answer(url, accounts.credentials(service).options())
            assert said.startswith("-ERR 'Authorization Violation'"), (service, said)

"""The connection to a server, on both sides, on the loop that hub, node and bot run on and on asyncio's own:
who keeps it is told that it is gone, however much was on its way, and what somebody does not wait for any
more does not end it.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import uvloop
from nats.aio.client import Client

import hub.nats_client
import subscribers.nats_client
from hub import tls
from hub.accounts import Accounts, Service
from hub.dev_ca import UnsafeDevelopmentCa
from hub.server import NatsServer
from tests.support.nats_server import DEADLINE, PIECE, eventually, piled_up

HASTY = {"ping_interval": 1, "max_outstanding_pings": 1}


class Given(NamedTuple):
    """Where the server keeps its files, whose client connects to it, and whether by TLS."""

    directory: Path
    side: type[Client]
    by_tls: bool

    def server_tls(self) -> tls.ServerTls | None:
        if not self.by_tls:
            return None
        authority = UnsafeDevelopmentCa()
        pair = authority.issue("hub", ["127.0.0.1"])
        for name, pem in (("ca", authority.certificate), ("cert", pair.certificate), ("key", pair.key)):
            (self.directory / f"{name}.pem").write_bytes(pem)
        return tls.ServerTls(self.directory / "cert.pem", self.directory / "key.pem")

    def client_tls(self, url: str) -> dict[str, Any]:
        context = tls.client_context(self.directory / "ca.pem") if self.by_tls else None
        return tls.options([url], context)


class Line(NamedTuple):
    """A connection, its server's process, and whether it is gone."""

    nc: Client
    server: int
    lost: asyncio.Event


@contextlib.asynccontextmanager
async def line(given: Given, **options: Any) -> AsyncIterator[Line]:
    lost = asyncio.Event()

    async def told() -> None:
        lost.set()

    async def quiet(_error: Exception) -> None:
        """It is lost on purpose."""

    accounts = Accounts.load_or_create(given.directory / "hub")
    async with NatsServer(given.directory / "nats", accounts, port=0, tls=given.server_tls()) as server:
        nc = given.side()
        rights = {**accounts.credentials(Service.HUB).options(), **given.client_tls(server.url)}
        hearing: dict[str, Any] = {"closed_cb": told, "disconnected_cb": told, "error_cb": quiet}
        await nc.connect(server.url, **rights, **hearing, **{"allow_reconnect": False, **options})
        async with asyncio.timeout(DEADLINE):
            yield Line(nc, server.pid, lost)
        await nc.close()


async def the_server_dies(given: Given) -> None:
    async with line(given) as (nc, server, lost):
        os.kill(server, signal.SIGSTOP)
        sending = await piled_up(nc)
        os.kill(server, signal.SIGKILL)
        await lost.wait()
        assert nc.is_closed
        await sending


async def the_server_stands_still(given: Given) -> None:
    async with line(given, **HASTY) as (nc, server, lost):
        with stopped(server):
            sending = await piled_up(nc)
            await lost.wait()
            assert nc.is_closed
            await sending


async def the_server_stands_still_and_comes_back(given: Given) -> None:
    async with line(given, allow_reconnect=True, **HASTY) as (nc, server, lost):
        with stopped(server):
            sending = await piled_up(nc)
            await lost.wait()
        sending.cancel()
        await eventually(lambda: is_back(nc))
        await nc.flush(int(DEADLINE))


async def it_is_closed_before_the_server_comes_back(given: Given) -> None:
    async with line(given, allow_reconnect=True, **HASTY) as (nc, server, lost):
        with stopped(server):
            sending = await piled_up(nc)
            await lost.wait()
            await nc.close()
            await sending


async def it_is_closed_while_the_server_stands_still(given: Given) -> None:
    async with line(given) as (nc, server, lost):
        with stopped(server):
            sending = await piled_up(nc)
            await nc.close()
            assert lost.is_set()
            await sending


async def a_flush_is_given_up(given: Given) -> None:
    async with line(given) as (nc, _, lost):
        heard = await nc.subscribe("something")
        given_up = asyncio.create_task(nc.flush())
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.wait([given_up])
        assert given_up.cancelled()
        await nc.publish("something", PIECE)
        assert (await heard.next_msg(timeout=DEADLINE)).data == PIECE
        assert not lost.is_set()


@pytest.mark.parametrize(
    "story",
    [
        the_server_dies,
        the_server_stands_still,
        the_server_stands_still_and_comes_back,
        it_is_closed_while_the_server_stands_still,
        it_is_closed_before_the_server_comes_back,
        a_flush_is_given_up,
    ],
    ids=lambda story: story.__name__,
)
@pytest.mark.parametrize("side", [hub.nats_client, subscribers.nats_client], ids=["hub", "agency"])
@pytest.mark.parametrize(
    "loop, by_tls",
    [(asyncio.new_event_loop, False), (uvloop.new_event_loop, False), (uvloop.new_event_loop, True)],
    ids=["asyncio", "uvloop", "uvloop, TLS"],
)
def test_a_connection(
    tmp_path: Path,
    story: Callable[[Given], Coroutine[Any, Any, None]],
    side: Any,
    loop: Callable[[], asyncio.AbstractEventLoop],
    by_tls: bool,
) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(story(Given(tmp_path, side.Client, by_tls)))


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    """SIGSTOP, and SIGCONT in the end."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def is_back(nc: Client) -> bool:
    return nc.is_connected

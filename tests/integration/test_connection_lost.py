"""The connection to a server, on both sides: who keeps it is told that it has closed, however it came, and
what somebody does not wait for any more does not end it.
"""

import asyncio
import os
import signal
from pathlib import Path

import nats.errors
import pytest
from nats.aio.client import DEFAULT_PENDING_SIZE, Client

import hub.nats_client
import subscribers.nats_client
from hub.accounts import Accounts, Service
from hub.server import NatsServer
from tests.support.nats_server import DEADLINE, eventually

PIECE = bytes(16 * 1024)


SIDES = pytest.mark.parametrize("side", [hub.nats_client.Client, subscribers.nats_client.Client])


@SIDES
async def test_who_still_had_something_to_send_is_told_that_it_is_closed(
    tmp_path: Path, side: type[Client]
) -> None:
    closed = asyncio.Event()
    accounts = Accounts.load_or_create(tmp_path / "hub")
    async with NatsServer(tmp_path / "nats", accounts, port=0) as server:
        nc = await joined(side, server.url, accounts, closed)
        os.kill(server.pid, signal.SIGSTOP)
        sending = asyncio.create_task(send_on_and_on(nc))
        # The network takes no more of it, and the client keeps the rest.
        await eventually(lambda: piled_up(nc))
        os.kill(server.pid, signal.SIGKILL)
        async with asyncio.timeout(DEADLINE):
            await closed.wait()
            await sending
    assert nc.is_closed


@SIDES
async def test_a_flush_that_was_given_up_leaves_the_connection_as_it_is(
    tmp_path: Path, side: type[Client]
) -> None:
    accounts = Accounts.load_or_create(tmp_path / "hub")
    async with NatsServer(tmp_path / "nats", accounts, port=0) as server:
        nc = await joined(side, server.url, accounts, asyncio.Event())
        heard = await nc.subscribe("something")
        given_up = asyncio.create_task(nc.flush())
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.wait([given_up])
        assert given_up.cancelled()
        await nc.publish("something", PIECE)
        assert (await heard.next_msg(timeout=DEADLINE)).data == PIECE
        await nc.close()


async def joined(side: type[Client], url: str, accounts: Accounts, closed: asyncio.Event) -> Client:
    async def told() -> None:
        closed.set()

    async def quiet(_error: Exception) -> None:
        """It is lost on purpose."""

    nc = side()
    rights = accounts.credentials(Service.HUB).options()
    await nc.connect(url, **rights, allow_reconnect=False, closed_cb=told, error_cb=quiet)
    return nc


async def send_on_and_on(nc: Client) -> None:
    try:
        while True:
            await nc.publish("nobody.listens", PIECE)
            await asyncio.sleep(0)  # what sends has its turn, until it waits for the network
    except (nats.errors.Error, OSError):
        return


async def piled_up(nc: Client) -> bool:
    return nc.pending_data_size >= DEFAULT_PENDING_SIZE

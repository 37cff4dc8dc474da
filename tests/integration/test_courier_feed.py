"""What a courier pulls, over a real server: one connection, looked at more than once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.grants import DIRECTORY
from schemas.subjects import DIRECTORY_DOCUMENTS
from subscribers.airgap.courier import Feed
from subscribers.pull import ack
from tests.integration.test_hub_streams import publish
from tests.support.nats_server import DEADLINE, HubNats, hub_nats


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[HubNats]:
    async with hub_nats(tmp_path) as made:
        yield made


async def drained(feed: Feed) -> list[tuple[bytes, int]]:
    """Everything that there is now: what it says, and how often it was given."""
    found = []
    async for messages in feed.drain(lambda: True):
        for message in messages:
            found.append((message.data, message.metadata.num_delivered))
            await ack(message)
    return found


async def test_what_comes_between_two_looks_is_given_once_and_in_order(running: HubNats) -> None:
    """Handed back in between, it came again after the server's patience, and not always in its order."""
    peer = await running.admit("A")
    await publish(running.hub, DIRECTORY_DOCUMENTS, b"1")
    async with asyncio.timeout(DEADLINE), Feed.of(peer.nc, DIRECTORY, peer.public) as feed:
        assert await drained(feed) == [(b"1", 1)]
        assert await drained(feed) == []
        for each in (b"2", b"3"):
            await publish(running.hub, DIRECTORY_DOCUMENTS, each)
        assert await drained(feed) == [(b"2", 1), (b"3", 1)]
        assert await drained(feed) == []

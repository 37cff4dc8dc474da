"""Chunks on their way out over a real server whose hub is away: they wait, and the node goes on."""

import asyncio
from hashlib import sha256
from pathlib import Path

import pytest
from nats.aio.client import Client

from subscribers.files.shapes import File
from subscribers.files.staging import Staging
from subscribers.files.uploader import Uploader
from tests.support.nats_server import hub_nats
from tests.unit.test_staging import Machine

DATA = b"a map in a few words"


@pytest.mark.timeout(120)
async def test_a_hub_that_does_not_answer_is_waited_for(tmp_path: Path) -> None:
    async with hub_nats(tmp_path) as server, Machine(tmp_path).node() as staging:
        await attach(staging)
        tries, again = list[int](), asyncio.Event()

        def connection() -> Client:
            tries.append(1)
            if len(tries) > 1:
                again.set()
            return server.hub

        uploader = Uploader(staging._rows, staging, connection, lambda: b"", "A" * 56)  # noqa: SLF001 - the same rows
        running = asyncio.create_task(uploader.run())
        tried = asyncio.create_task(again.wait())
        await asyncio.wait({running, tried}, return_when=asyncio.FIRST_COMPLETED)
        assert not running.done()
        assert staging.trouble == "hub_unreachable"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def attach(staging: Staging) -> None:
    file = File(name="map.txt", media="text/plain", size=len(DATA), sha256=sha256(DATA).hexdigest())
    upload = await staging.begin("cli", file)
    await staging.add("cli", upload.id, 0, DATA)

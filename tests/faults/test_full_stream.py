"""The disk under a nats-server is full for a while, the agency's own and the hub's. It refuses for good a
block that it once could not write; node and hub have it started anew when there is room.
"""

import asyncio
import contextlib
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError

from hub.accounts import Accounts, Service
from hub.batch import Outgoing, publish_ordered
from hub.server import NatsServer
from hub.stream_limits import StreamLimits
from hub.streams import ensure_streams
from schemas.errors import OperationError
from subscribers.local import LocalNats, LocalSettings
from tests.support import disks
from tests.support.node_api import make_record
from tests.support.world import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

DEADLINE = 240.0
MEBIBYTES = 512


async def test_the_stream_goes_on_when_there_is_room_again(tmp_path: Path) -> None:
    try:
        with disks.powered(tmp_path / "disk", MEBIBYTES) as disk:
            async with LocalNats.open(LocalSettings(directory=disk.path / "local")) as local:
                await local.write([make_record(0)])
                filler = disk.path / "filler"
                disks.fill(filler)
                records = [make_record(number, body="x" * 15_000) for number in range(1, 40)]
                with pytest.raises(OperationError):
                    await local.write(records)
                filler.unlink()

                async def is_written() -> bool:
                    try:
                        await local.write(records)
                    except OperationError:
                        return False
                    return True

                await eventually(is_written, DEADLINE)
                js = (await local.connection()).jetstream()
                assert (await js.stream_info("BULLETINS")).state.messages == 1 + len(records)
    except disks.Unavailable as reason:
        pytest.skip(str(reason))


SMALL = StreamLimits(64 << 20, 16 << 20, 1, 16 << 20, 1)
ENDPOINT = "A" * 56
MOST = 40


async def test_the_hubs_streams_go_on_when_there_is_room_again(tmp_path: Path) -> None:
    try:
        with disks.powered(tmp_path / "disk", 2 * MEBIBYTES) as disk:
            accounts = Accounts.load_or_create(disk.path / "hub")
            async with NatsServer(disk.path / "nats", accounts, port=0) as server:
                nc = await nats.connect(
                    server.url,
                    **accounts.credentials(Service.HUB).options(),
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=0.1,
                    error_cb=quiet,
                )
                try:
                    await ensure_streams(nc, SMALL)
                    kept = [(await receipts(nc, number))[0] for number in range(3)]
                    filler = disk.path / "filler"
                    disks.fill(filler)
                    with contextlib.suppress(OperationError):
                        while len(kept) < MOST:
                            kept += await receipts(nc, len(kept))
                    assert len(kept) < MOST
                    await asyncio.sleep(2)  # the fault's duration
                    filler.unlink()

                    async def is_written() -> bool:
                        with contextlib.suppress(OperationError, NatsError):
                            kept.extend(await receipts(nc, len(kept)))
                            return True
                        return False

                    await eventually(is_written, DEADLINE)
                    # What was acknowledged before has kept its place.
                    assert kept == sorted(set(kept))
                    assert server.restarts == 1
                finally:
                    await nc.close()
    except disks.Unavailable as reason:
        pytest.skip(str(reason))


async def receipts(nc: Client, number: int) -> list[int]:
    """The stream's number of one more receipt."""
    one = Outgoing(f"r.{ENDPOINT}", b"x" * 30_000)
    return await publish_ordered(nc, [one], batch_id=f"full-{number}", timeout=5.0)


async def quiet(_: Exception) -> None:
    """The server ends on purpose."""

"""The disk under an agency's own NATS is full for a while. nats-server refuses a block that it once could not
write for good; the node has it started anew when there is room.
"""

from pathlib import Path

import pytest

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

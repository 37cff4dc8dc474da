"""What a node sends again when the hub was restored from a copy: each time that it was."""

from pathlib import Path

import pytest

from subscribers.judging.alarms import Raised, listed
from subscribers.recovery.resending import METADATA, PUT_BACK, Resending
from subscribers.storage.archive import NewRecord, put_all
from tests.support.cut_short import cut_short
from tests.support.federation import AT, COM, FRA, bulletin, uuid
from tests.unit.test_outbox import Box, opened
from tests.unit.test_own_frames import ours

HOUR = 3_600_000
BEFORE = AT - HOUR


async def published(box: Box, number: int, at: int) -> None:
    """A bulletin of ours that the hub admitted and that the archive has since `at`."""
    await box.put(number)
    await ours(box)
    said = bulletin(number)
    record = NewRecord(said, said.to_bytes(), COM, FRA.id, at, own=True)
    await box.store.transact(lambda connection: put_all(connection, [record]))


async def queued(box: Box, *numbers: int) -> list[int]:
    """Those of them that are to be sent."""
    return [number for number in numbers if (await box.state(number))[0] == "queued"]


async def again(box: Box, resending: Resending, made: int, at: int) -> None:
    """A new connection to a hub that says so of itself."""
    await resending.told({METADATA: str(made), PUT_BACK: str(at)})
    await resending.finish()


async def rollback(box: Box) -> Raised:
    """The one alarm of it that stands."""
    (alarm,) = [each for each in await listed(box.store, 10) if each.key.name == "rollback"]
    return alarm


async def test_what_came_after_the_copy_is_sent_again_and_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as box:
        resending = Resending(box.store, box.ledger, box.outbox, lambda: AT)
        await published(box, 1, BEFORE - HOUR)
        await published(box, 2, BEFORE + HOUR // 2)
        await again(box, resending, BEFORE, AT)
        assert await queued(box, 1, 2) == [2]
        await ours(box)
        await again(box, resending, BEFORE, AT)
        assert await queued(box, 1, 2) == [], "another connection to the same hub"


async def test_a_copy_that_is_put_back_a_second_time_is_noticed(tmp_path: Path) -> None:
    async with opened(tmp_path) as box:
        resending = Resending(box.store, box.ledger, box.outbox, lambda: AT)
        await published(box, 1, BEFORE + HOUR // 2)
        await again(box, resending, BEFORE, AT)
        await ours(box)
        await again(box, resending, BEFORE, AT + 1)
        assert await queued(box, 1) == [1]
        assert (await rollback(box)).times == 2


async def test_what_goes_again_goes_also_when_the_connection_is_lost_meanwhile(tmp_path: Path) -> None:
    async with opened(tmp_path) as box:
        resending = Resending(box.store, box.ledger, box.outbox, lambda: AT)
        await published(box, 1, AT)
        await resending.told({METADATA: str(BEFORE), PUT_BACK: str(AT)})
        await cut_short(box.store, resending.finish())
        await resending.finish()
        assert [each[2] for each in await box.frames()][1:] == [uuid(1)]


async def test_what_goes_again_goes_also_when_the_node_is_killed_meanwhile(tmp_path: Path) -> None:
    """It was written down that it goes, and it was not made."""
    async with opened(tmp_path) as box:
        await published(box, 1, AT)
        sql = """UPDATE outgoing SET state = 'queued', payload =
            (SELECT payload FROM payloads) WHERE state = 'admitted'"""
        await box.store.transact(lambda connection: connection.execute(sql).fetchall())
    async with opened(tmp_path) as box:
        assert [each[2] for each in await box.frames()][1:] == [uuid(1)]


@pytest.mark.parametrize("said", [{}, {METADATA: "soon"}, {METADATA: "9" * 5000}, {METADATA: "-1"}])
async def test_a_hub_that_says_nothing_of_it_gets_nothing(tmp_path: Path, said: dict[str, str]) -> None:
    async with opened(tmp_path) as box:
        resending = Resending(box.store, box.ledger, box.outbox, lambda: AT)
        await published(box, 1, AT)
        await resending.told(said)
        await resending.finish()
        assert await queued(box, 1) == []

"""The node's clockwork: at the start what may have been missed, and nothing that a refusal could stop."""

import asyncio

import pytest
from pydantic import ValidationError

from schemas.errors import Code, LiaisonError
from subscribers.settings import DigestSchedule
from subscribers.telling.schedule import running


async def test_every_digest_is_asked_for_at_the_start() -> None:
    asked: list[tuple[str, str]] = []
    done = asyncio.Event()

    async def compose(community: str, period: str) -> None:
        asked.append((community, period))
        if len(asked) == 3:
            done.set()
        raise LiaisonError(Code.NOT_FOUND if community == "a" else Code.NOT_MEMBER, "nothing there")

    schedules = [
        DigestSchedule(community="a"),
        DigestSchedule(community="b", period="week", at="23:59"),
        DigestSchedule(community="c", at="00:00"),
    ]
    with running(schedules, compose):
        async with asyncio.timeout(60):
            await done.wait()
    assert sorted(asked) == [("a", "day"), ("b", "week"), ("c", "day")]


async def test_without_schedules_there_is_nothing_to_do() -> None:
    async def compose(_community: str, _period: str) -> None:
        raise AssertionError

    with running([], compose):
        await asyncio.sleep(0)


@pytest.mark.parametrize("at", ["24:00", "6:00", "06:60", "noon"])
def test_hours_that_are_none(at: str) -> None:
    with pytest.raises(ValidationError):
        DigestSchedule(community="a", at=at)

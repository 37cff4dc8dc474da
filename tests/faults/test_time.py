"""Clocks that jump, and a day of traffic in as many minutes as it takes: each of our own processes has a
clock that the test turns. The day comes last, for nobody's clock goes back afterwards.
"""

import pytest

from tests.support.fault_stage import CLOCKS, READER, SENDER, Stage

pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(2400)]

MINUTE = 60_000
HOUR = 60 * MINUTE
TOGETHER = 3
STEP = 10 * MINUTE
STEPS_OF_A_DAY = 24 * HOUR // STEP
RESTARTS = {
    STEPS_OF_A_DAY // 5 * (place + 1): each for place, each in enumerate(("hub", "sender", "reader", "bot"))
}


@pytest.mark.parametrize("hours", [1, -1], ids=["ahead", "back"])
@pytest.mark.parametrize("role", CLOCKS)
async def test_a_clock_jumps(stage: Stage, role: str, hours: int) -> None:
    """And is set right again. What nobody can date is refused meanwhile, and never half taken."""
    async with stage.judged(f"clock of {role}", f"{hours:+d} h") as case:
        await stage.publish_in_turn(case.titles(1))
        stage.turn(role, hours * HOUR)
        try:
            await stage.publish_in_turn(case.titles(TOGETHER))
        finally:
            stage.turn(role, 0)


async def test_a_day(stage: Stage) -> None:
    """Two agencies publish every ten minutes; one process after the other is killed in the course of it."""
    async with stage.judged("24 hours", "a bulletin each from both, every 10 minutes") as case:
        for step in range(1, STEPS_OF_A_DAY + 2):
            for each in CLOCKS:
                stage.turn(each, step * STEP)
            for sender in (SENDER, READER):
                assert await stage.publish(case.titles(1)[0], sender)
            if step in RESTARTS:
                await stage.kill(RESTARTS[step])

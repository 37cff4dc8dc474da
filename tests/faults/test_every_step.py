"""`kill -9` of each process at each step of a bulletin's way. tests/support/steps.py enumerates both; after
each kill tests/support/history.py judges what became of every bulletin since the beginning.
"""

import asyncio

import pytest

from tests.support.fault_stage import Stage
from tests.support.steps import PROCESSES, STEPS, Step

pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(900)]

TOGETHER = 3
"""Bulletins at each kill: the one that is at the step, and two behind it."""


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("step", STEPS, ids=lambda each: each.name)
async def test_killed_at(stage: Stage, step: Step, process: str) -> None:
    async with stage.judged(f"kill -9 {process}", step.name) as case:
        stage.arm(step)
        asked = asyncio.create_task(stage.publish_in_turn(case.titles(TOGETHER)))
        try:
            await stage.reached(step)
            await stage.kill(process)
            stage.release()
        finally:
            await asked

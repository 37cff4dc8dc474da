"""A hub that starts waits for a NATS server that does not answer yet, and for nothing else."""

import nats.errors
import pytest

from hub.jetstream import JetStreamRefused
from hub.patience import patiently
from schemas.errors import Code, OperationError

SILENT = OperationError(Code.HUB_UNREACHABLE, "no answer", "wait")
UNPLACED = JetStreamRefused(
    "STREAM.CREATE.A", 10005, "no suitable peers for placement, tags not matched ['region:near']"
)
WRONG = OperationError(Code.WRONG_KEY, "another key", "restore it")


class Step:
    """Raises these in turn, then succeeds."""

    def __init__(self, *raised: Exception) -> None:
        self.raised = list(raised)
        self.taken = 0

    async def __call__(self) -> None:
        self.taken += 1
        if self.raised:
            raise self.raised.pop(0)


async def test_silence_is_waited_out() -> None:
    step = Step(SILENT, nats.errors.NoRespondersError(), TimeoutError())
    await patiently(step)
    assert step.taken == 4


async def test_another_refusal_is_raised_at_once() -> None:
    step = Step(WRONG)
    with pytest.raises(OperationError) as refused:
        await patiently(step)
    assert refused.value is WRONG
    assert step.taken == 1


async def test_silence_has_an_end() -> None:
    with pytest.raises(OperationError) as refused:
        await patiently(Step(TimeoutError()), seconds=0.0)
    assert refused.value.code is Code.HUB_UNREACHABLE
    assert "TimeoutError" in refused.value.message


async def test_a_server_with_the_right_tags_may_join_yet() -> None:
    step = Step(UNPLACED, UNPLACED)
    await patiently(step)
    assert step.taken == 3


async def test_tags_that_nobody_has_are_refused_by_their_own_code() -> None:
    with pytest.raises(OperationError) as refused:
        await patiently(Step(SILENT, UNPLACED), joining=0.0)
    assert refused.value is UNPLACED
    assert UNPLACED.code is Code.BAD_SETTINGS
    away = "no suitable peers for placement, peer offline, tags not matched ['region:near']"
    assert JetStreamRefused("STREAM.CREATE.A", 10005, away).code is Code.HUB_UNREACHABLE

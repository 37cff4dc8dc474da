"""When a batch of the intake is made."""

import asyncio
from asyncio import Task
from collections.abc import AsyncIterator

from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.fairness import Allowance, Taken, Tokens, sequence_of
from hub.turns import BATCHES, Turns

FULL = 10


class Intake:
    """What comes in, and a hub that asks for one batch after the other."""

    def __init__(self) -> None:
        self.turns = Turns(Tokens(Allowance(per_second=0)))
        self._came = 0

    async def comes(self, count: int) -> None:
        first, self._came = self._came + 1, self._came + count
        some = [self._message(number) for number in range(first, self._came + 1)]

        async def messages() -> AsyncIterator[list[Msg]]:
            yield some

        await self.turns.read(messages())

    def ask(self) -> Task[list[Taken]]:
        return asyncio.create_task(self.turns.batch(FULL, lambda: 0, lambda _publisher, _message: False))

    @staticmethod
    def _message(number: int) -> Msg:
        return Msg(
            Client(), "in.live.c.routine.A", f"$JS.ACK.INTAKE.admission.1.{number}.{number}.{10**18}.0", b"x"
        )


async def given(asked: Task[list[Taken]]) -> list[int] | None:
    """What was given to whoever asked, once all that can happen has happened; None if nothing was."""
    for _ in range(10):
        await asyncio.sleep(0)
    return [sequence_of(each.message) for each in asked.result()] if asked.done() else None


async def test_what_comes_while_two_small_batches_wait_goes_together() -> None:
    intake = Intake()
    await intake.comes(1)
    assert await given(intake.ask()) == [1], "alone it passes at once"
    await intake.comes(2)
    assert await given(intake.ask()) == [2, 3], "and another is prepared while that one is judged"
    third = intake.ask()
    await intake.comes(1)
    assert await given(third) is None
    await intake.comes(2)
    intake.turns.judged()
    assert await given(third) == [4, 5, 6]


async def test_a_full_batch_is_prepared_beside_two_others_and_no_fourth() -> None:
    intake = Intake()
    asked = []
    for number in range(BATCHES):
        await intake.comes(FULL)
        asked.append(intake.ask())
        assert await given(asked[-1]) == list(range(number * FULL + 1, (number + 1) * FULL + 1))
    await intake.comes(FULL)
    fourth = intake.ask()
    assert await given(fourth) is None
    intake.turns.judged()
    assert await given(fourth) is not None


async def test_a_batch_that_became_full_is_not_waited_for() -> None:
    intake = Intake()
    for _ in range(2):
        await intake.comes(1)
        assert await given(intake.ask())
    third = intake.ask()
    await intake.comes(FULL - 1)
    assert await given(third) is None
    await intake.comes(1)
    assert await given(third) == list(range(3, 3 + FULL))

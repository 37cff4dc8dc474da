"""What is read off a message of the intake."""

from collections.abc import AsyncIterator, Iterable
from typing import Any, cast

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.arrival import NOTHING, Arrival, Mark, unbroken
from schemas.errors import Code, OperationError
from tests.support.federation import FRA, place

NOBODY = cast("Client", cast("Any", None))
SENT = place().intake()
AT = 1_767_225_600_123_456_789
"""Unix nanoseconds, as the server says it."""


def message(sequence: int, delivery: int, *, at: int = AT, domain: bool = False) -> Msg:
    """As a pull delivers it; in a JetStream domain there is more in its reply subject."""
    reply = f"INTAKE.admission.1.{sequence}.{delivery}.{at}.0"
    return Msg(NOBODY, subject=SENT, reply=f"$JS.ACK.hub.ACCOUNT.{reply}.x" if domain else f"$JS.ACK.{reply}")


@pytest.mark.parametrize("domain", [False, True])
def test_its_mark_and_its_sender(domain: bool) -> None:
    arrival = Arrival.of(message(17, 3, domain=domain))
    assert arrival.mark == Mark(17, 1_767_225_600_123_457)
    assert (arrival.publisher, arrival.sent_to) == (FRA.endpoint, SENT)


def test_a_mark_is_read_as_it_was_written() -> None:
    mark = Mark(17, 1_767_225_600_123_456)
    assert Mark.parse(str(mark)) == mark


def test_a_sequence_that_was_given_twice_is_told_apart_by_its_time() -> None:
    through = Mark(17, 1_000)
    assert Mark(16, 900).within(through)
    assert through.within(through)
    assert not Mark(18, 1_100).within(through)
    assert not Mark(3, 2_000).within(through), "the intake has lost its end and begun there again"
    assert NOTHING.within(through)


async def given(*lists: Iterable[Msg]) -> list[int]:
    """How long the lists are that come through."""

    async def pulled() -> AsyncIterator[list[Msg]]:
        for each in lists:
            yield list(each)

    return [len(each) async for each in unbroken(pulled())]


@pytest.mark.parametrize("domain", [False, True])
async def test_what_comes_in_order_comes_through(domain: bool) -> None:
    first = [message(10 + n, 1 + n, domain=domain) for n in range(3)]
    assert await given(first, [message(13, 4, domain=domain)]) == [3, 1]


@pytest.mark.parametrize(
    "deliveries",
    [
        pytest.param([[2]], id="the first went to another"),
        pytest.param([[1, 2], [4]], id="one between two lists"),
        pytest.param([[1, 3]], id="one within a list"),
    ],
)
async def test_what_another_was_given_ends_it(deliveries: list[list[int]]) -> None:
    with pytest.raises(OperationError) as refused:
        await given(*[[message(each, each) for each in part] for part in deliveries])
    assert refused.value.code is Code.HUB_UNREACHABLE

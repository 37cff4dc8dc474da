"""A feed is not read past what was lost on the way."""

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from schemas.errors import Code, OperationError
from subscribers.exchange.in_order import InOrder


def given(*deliveries: int) -> list[Msg]:
    """As a durable gives them out: the places in the stream are others, for it reads part of that alone."""
    return [
        Msg(
            _client=Client(),
            subject="f.x",
            reply=f"$JS.ACK.TRAFFIC.PK.1.{100 + 7 * each}.{each}.1700000000.0",
        )
        for each in deliveries
    ]


def test_a_connection_may_begin_anywhere_and_goes_on_from_there() -> None:
    order = InOrder()
    order.follow(given(41, 42))
    order.follow(given(43))
    order.follow([])
    order.follow(given(44, 45, 46))


@pytest.mark.parametrize("again", [(1, 2, 3), (42, 43), (43, 44)])
def test_what_comes_again_is_no_loss(again: tuple[int, ...]) -> None:
    order = InOrder()
    order.follow(given(41, 42, 43))
    order.follow(given(*again))
    order.follow(given(again[-1] + 1))


@pytest.mark.parametrize("batches", [[(41, 43)], [(41,), (43,)], [(41, 42), (1, 2), (4,)]])
def test_what_comes_after_a_loss_is_not_taken(batches: list[tuple[int, ...]]) -> None:
    order = InOrder()
    for batch in batches[:-1]:
        order.follow(given(*batch))
    with pytest.raises(OperationError) as lost:
        order.follow(given(*batches[-1]))
    assert lost.value.code is Code.HUB_UNREACHABLE

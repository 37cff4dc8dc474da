"""Where a message stands, in the words of a server that nobody trusts."""

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from schemas.errors import Code, OperationError
from subscribers.pull import place


def message(sequence: str, left: str, at: str = "1764000000000000000") -> Msg:
    reply = f"$JS.ACK.TRAFFIC.me.1.{sequence}.5.{at}.{left}"
    return Msg(_client=Client(), subject="f.x", reply=reply, data=b"")


def test_what_an_honest_server_says() -> None:
    assert place(message("7", "3")) == (7, 3, 5)


@pytest.mark.parametrize(
    "sequence,left,at",
    [("x", "1", "1"), ("1", "x", "1"), ("1", "1", "9" * 40), (str(2**53), "1", "1"), ("1", "-1", "1")],
)
def test_what_cannot_be_ends_the_connection_not_the_node(sequence: str, left: str, at: str) -> None:
    with pytest.raises(OperationError) as error:
        place(message(sequence, left, at))
    assert error.value.code is Code.HUB_UNREACHABLE

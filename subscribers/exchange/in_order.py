"""Whether what a feed brings follows on what it brought before.

The server numbers what it gives out of a durable, from 1 after each setting back. A number passed over is a
message that was lost on the way: behind a leaf node, or between the servers of a cluster, while the
connection stood. What came after it must wait until it has come: taken at once, the lost one would look like
a replay when it is repeated.
"""

from collections.abc import Sequence

from nats.aio.msg import Msg

from schemas.errors import Code, OperationError
from subscribers.pull import place


class InOrder:
    """One durable over one connection."""

    def __init__(self) -> None:
        self._last: int | None = None

    def follow(self, messages: Sequence[Msg]) -> None:
        """These come next. OperationError `hub_unreachable` when others should have come before them: read
        anew, and acknowledge none of them.
        """
        for message in messages:
            number = place(message).delivery
            if self._last is not None and number > self._last + 1:
                raise OperationError(
                    Code.HUB_UNREACHABLE,
                    "part of the feed was lost on the way",
                    "a node reads it anew by itself; for a courier, run the exchange again",
                )
            self._last = number

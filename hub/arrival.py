"""What came into the intake, with what its subject and its reply say of it, read once."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from math import modf
from typing import Final, NamedTuple, Self

from nats.aio.msg import Msg

from hub import partitions
from schemas.errors import Code, OperationError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_ACK_TOKENS: Final = 9
"""Parts of the reply subject of a message from a pull, where there is no JetStream domain."""


class Mark(NamedTuple):
    """A message of INTAKE: its sequence, and when the server took it (Unix microseconds).

    The sequence alone does not name it. INTAKE acknowledges before it writes, so that a power cut takes its
    end, and what then comes is counted from there again.
    """

    sequence: int
    time: int

    @classmethod
    def of(cls, message: Msg) -> Self:
        """The mark of a message as a pull delivers it."""
        # `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<Unix ns>.<pending>`; with a
        # JetStream domain there is more around that. The time is rounded as a date made of it would be, since
        # marks of both kinds stand in the streams; the date itself takes four times as long.
        tokens = message.reply.split(".")
        if len(tokens) == _ACK_TOKENS:
            part, seconds = modf(int(tokens[7]) / 1e9)
            return cls(int(tokens[5]), int(seconds) * 1_000_000 + round(part * 1e6))
        metadata = message.metadata
        return cls(metadata.sequence.stream, (metadata.timestamp - _EPOCH) // _MICROSECOND)

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `str` made."""
        sequence, time = text.split(" ")
        return cls(int(sequence), int(time))

    def __str__(self) -> str:
        return f"{self.sequence} {self.time}"

    def within(self, through: "Mark") -> bool:
        """Whether everything up to `through` includes this one."""
        return self.sequence <= through.sequence and self.time <= through.time


def _delivery(message: Msg) -> int:
    """Which of its durable's deliveries a message is, from 1 on."""
    tokens = message.reply.split(".")
    return int(tokens[6]) if len(tokens) == _ACK_TOKENS else message.metadata.sequence.consumer


async def unbroken(pulled: AsyncIterator[list[Msg]]) -> AsyncIterator[list[Msg]]:
    """What a durable delivers from its making on. OperationError `hub_unreachable` as soon as it is seen that
    something was given to somebody else: a hub that stood still asks once more before it knows that its duty
    is another's, and what comes behind that must not be judged before it.
    """
    before = 0
    async for messages in pulled:
        last = _delivery(messages[-1])
        if _delivery(messages[0]) != before + 1 or last != before + len(messages):
            raise OperationError(
                Code.HUB_UNREACHABLE, "a part of the intake went to another", "it is read again"
            )
        before = last
        yield messages


NOTHING: Final = Mark(0, 0)


class Arrival(NamedTuple):
    """A message of INTAKE. `sent_to` is the subject on which its sender published it; who that is stands in
    its last token, where NATS itself puts it.
    """

    message: Msg
    mark: Mark
    publisher: str
    sent_to: str

    @classmethod
    def of(cls, message: Msg) -> Self:
        """A message as a pull on the intake delivers it."""
        sent_to = partitions.sent_to(message.subject)
        return cls(message, Mark.of(message), sent_to.rsplit(".", 1)[-1], sent_to)

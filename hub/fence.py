"""Fences: the server refuses what a hub writes once another has taken its place.

A hub that takes over a duty first puts a message on the fence's subject in the stream that it will write to,
and names that message's sequence with everything it writes there: "only while this is the last message on
that subject". What a former holder still has on the wire, however late it comes, then names a sequence that
is no longer the last, and NATS refuses it. A lease alone cannot do that: its holder may be stopped between
looking and writing. Decision 0043.

Replicated streams refuse a second such message while one is under way, so writers under a fence wait for
each.
"""

import json
from collections.abc import Callable, Mapping
from typing import Final

from nats.aio.client import Client

from hub.batch import Outgoing, publish_ordered
from schemas.errors import Code, OperationError

PARTITION_FENCES: Final = "fence.partition.*"
"""In TRAFFIC."""
OFFICE_FENCE: Final = "fence.office"
"""In DIRECTORY."""


def partition_fence(partition: int) -> str:
    """The subject of a partition's fence."""
    return f"fence.partition.{partition}"


class Fence:
    """One fence. `headers` go with the first message of a batch, and with each message alone."""

    def __init__(self, nc: Client, subject: str, me: str, ours: Callable[[], bool]) -> None:
        self._nc = nc
        self._ours = ours
        self._subject = subject
        self._me = me
        self.headers: Mapping[str, str] = {}

    async def put_up(self) -> int:
        """Shut out whoever wrote before; the sequence in the stream. Raises BatchRefused or BatchUncertain,
        and OperationError `hub_unreachable` while the duty is not `ours` for certain: that is for the holder
        to do.
        """
        if not self._ours():
            raise OperationError(
                Code.HUB_UNREACHABLE, "this hub is not sure of its duty", "it is tried again"
            )
        said = json.dumps({"v": 1, "hub": self._me}).encode()
        (sequence,) = await publish_ordered(self._nc, [Outgoing(self._subject, said)], batch_id="fence")
        self.headers = {
            "Nats-Expected-Last-Subject-Sequence": str(sequence),
            "Nats-Expected-Last-Subject-Sequence-Subject": self._subject,
        }
        return sequence

"""A hub that was restored from a copy: what it had admitted after the copy is gone from its streams, but not
from those who published and read it. docs/decisions/0045.

Its chains then go on where their publishers are, not where the copy ends: the first frame of each that comes
after the restore may leave numbers out, and readers are told of the gap as of any other. Each durable says in
its metadata of when the copy is, so that publishers send again what the hub may have lost. The mark itself is
in the metadata of the stream TRAFFIC: every hub of a cluster sees it, and it goes where the stream goes.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from nats.aio.client import Client

from hub.grants import TRAFFIC
from hub.jetstream import api
from schemas.chain import ChainHead
from schemas.frame import Frame

METADATA: Final = "liaison-restored"
"""Of durables and of TRAFFIC: when the copy was made, in Unix milliseconds. FORMAT.md, "History"."""
PUT_BACK: Final = "liaison-restored-at"
"""Of the same: when it was put back. A copy may be put back twice, and each time something is lost."""
_LAST: Final = "liaison-restored-to"
"""Of TRAFFIC: the last sequence that came from the copy."""


class Returned(NamedTuple):
    """`made` and `at`, when it was put back, in Unix ms; `last` is the last sequence of TRAFFIC that came
    from the copy.
    """

    made: int
    last: int
    at: int

    @property
    def metadata(self) -> dict[str, str]:
        """What the durables say of it."""
        return {METADATA: str(self.made), PUT_BACK: str(self.at)}

    def marked(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The configuration of TRAFFIC with the mark."""
        mark = {**self.metadata, _LAST: str(self.last)}
        return {**config, "metadata": {**(config.get("metadata") or {}), **mark}}


async def returned(nc: Client) -> Returned | None:
    """The copy from which TRAFFIC was restored, if it was. Raises `JetStreamRefused`."""
    config = (await api(nc, f"STREAM.INFO.{TRAFFIC}"))["config"]
    found = config.get("metadata") or {}
    if METADATA not in found:
        return None
    made = int(found[METADATA])
    return Returned(made, int(found[_LAST]), int(found.get(PUT_BACK, made)))


def behind(head: ChainHead, frame: Frame) -> ChainHead:
    """Where a chain stands whose end the hub may have lost: right before `frame`, if that is further on."""
    if frame.header.seq <= head.seq + 1:
        return head
    return ChainHead(frame.header.seq - 1, frame.header.prev)

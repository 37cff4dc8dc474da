"""When a chain's next heartbeat is due, by what everybody sees of it. FORMAT.md, "Chains".

Writer and reader count by the same rule: a chain that goes quiet beats after `HEARTBEAT_FIRST`, then after
times that double, and at the latest after `HEARTBEAT_LONGEST`. So a reader knows how long a silence may last.
"""

from typing import Final, NamedTuple, Self

from schemas.frame import HEARTBEAT, Header
from schemas.limits import HEARTBEAT_FIRST, HEARTBEAT_LONGEST

SILENT_PERIODS: Final = 2
"""After so many periods without a frame, its readers are told."""


class Pulse(NamedTuple):
    """A chain's last frame that is no heartbeat, and its last frame: their `iat`, Unix milliseconds."""

    content: int
    last: int

    @classmethod
    def of(cls, header: Header, before: "Pulse | None") -> Self:
        """The pulse after this frame. A chain seen first at a heartbeat counts from that one."""
        content = before.content if before and header.k == HEARTBEAT else header.iat
        return cls(content, header.iat)

    def period(self, first: int = HEARTBEAT_FIRST) -> int:
        """Milliseconds from the last frame to the next heartbeat, at most. `first` is the writer's own."""
        return min(max(self.last - self.content, first), HEARTBEAT_LONGEST)

    def is_silent(self, since: int, now: int) -> bool:
        """Whether too long has passed since the last frame came, or since one could have come."""
        return now - since > SILENT_PERIODS * self.period()

"""Traces of one bulletin's way (decision 0053): which spans there are, their ids, and whether any are made.

Nothing of a trace travels: whoever handles a frame derives the same ids from the bulletin's id, which stands
in the frame's header. So the spans of several organisations join where they choose to share a collector. It
is here because the hub and the agencies have no other module in common.
"""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Final, NamedTuple

_LABEL: Final = b"liaison/1 trace\0"
_MILLISECOND: Final = 1_000_000
_HALF: Final = 1 << 64
_TIME_DIGITS: Final = 12


class Stage(StrEnum):
    """What a span is of; its name."""

    BULLETIN = "bulletin"
    """From the bulletin's id to its receipt, at its publisher. The root."""
    JOURNALED = "node.journaled"
    SENT = "node.sent"
    RECEIVED = "node.received"
    OPENED = "node.opened"
    COMMITTED = "node.committed"
    REPUBLISHED = "node.republished"
    INTAKE = "hub.intake"
    ADMISSION = "hub.admission"
    STORED = "hub.stored"
    READ = "bot.read"
    DECIDED = "bot.decided"
    TOLD = "bot.told"


_WITHIN: Final[dict[Stage, Stage]] = {
    Stage.ADMISSION: Stage.INTAKE,
    Stage.STORED: Stage.INTAKE,
    Stage.OPENED: Stage.RECEIVED,
    Stage.COMMITTED: Stage.RECEIVED,
    Stage.REPUBLISHED: Stage.RECEIVED,
    Stage.DECIDED: Stage.READ,
    Stage.TOLD: Stage.READ,
}
"""Each other stage lies directly within the root."""

Facts = Mapping[str, str | int | bool]
"""Attributes: codes, sizes, sequences and counts, under `liaison.`"""


class Span(NamedTuple):
    """One stage: ids as numbers (128 and 64 bits), `parent` 0 for the root, times in Unix nanoseconds."""

    stage: Stage
    trace: int
    span: int
    parent: int
    start: int
    end: int
    facts: Facts


class Way(NamedTuple):
    """The way of one bulletin, by its id, through one process: `place` tells this process's spans from those
    of others.
    """

    bulletin: str
    place: bytes = b""

    @property
    def trace(self) -> int:
        """The trace's id: the same wherever the bulletin is."""
        return int.from_bytes(self._digest(b"")[:16]) or 1

    def sampled(self, ratio: float) -> bool:
        """Whether this trace is among the share `ratio` (0 to 1) of all: everybody with one ratio says the
        same of it.
        """
        return self.trace % _HALF < round(ratio * _HALF)

    def span(self, stage: Stage, start: int, end: int, facts: Facts, number: int = 0) -> Span:
        """A stage from `start` to `end` (Unix milliseconds), by a clock that may have been set meanwhile.
        `number` tells apart what is done more than once.
        """
        parent = 0 if stage is Stage.BULLETIN else self._id(_WITHIN.get(stage, Stage.BULLETIN))
        told = {f"liaison.{name}": value for name, value in facts.items()}
        span = self._id(stage, number)
        return Span(
            stage, self.trace, span, parent, start * _MILLISECOND, max(start, end) * _MILLISECOND, told
        )

    @property
    def begun(self) -> int:
        """When the bulletin was given its id: the time in its UUIDv7, Unix milliseconds."""
        return int(self.bulletin.replace("-", "")[:_TIME_DIGITS], 16)

    def _id(self, stage: Stage, number: int = 0) -> int:
        place = b"" if stage is Stage.BULLETIN else self.place
        what = f"{stage}\0{number}\0".encode() + place
        return int.from_bytes(self._digest(what)[:8]) or 1

    def _digest(self, what: bytes) -> bytes:
        return sha256(_LABEL + self.bulletin.encode() + b"\0" + what).digest()

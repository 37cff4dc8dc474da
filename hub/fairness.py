"""In which order what waits in the intake is admitted, and how much of one endpoint's. Pure.

What an endpoint sends keeps its order, which its chains and its answers need. Between endpoints turns are
taken, and whoever has a flash frame waiting comes first in each turn: so a flash waits for a turn of the
others, however much of theirs came before it. And an endpoint has a store of tokens that fills again with
time. Without one a submission is over quota, and answered so before anything of it is read or verified: that
costs a fraction of an admission, so that what a hostile endpoint heaps up is soon out of the way.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from nats.aio.msg import Msg

from hub.arrival import Arrival

TURN: Final = 16
"""Submissions of one endpoint in a turn."""
WINDOW: Final = 4096
"""Submissions that wait here at most, but for what is on its way when that many do."""
WINDOW_BYTES: Final = 32 * 1024 * 1024
_FREE: Final = 4
"""So many times what a batch may have of others may be over quota in it."""
_BYTES_OF_A_TOKEN: Final = 16 * 1024
_FLASH: Final = ".flash."


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an endpoint may submit: `burst` at once, and `per_second` for ever; 0: as much as it likes. A
    submission counts once, and once more for each 16 KiB. Flash frames have an allowance of their own, of the
    same size.
    """

    burst: int = 2_000
    per_second: int = 100


@dataclass(slots=True)
class Tokens:
    """The stores of all endpoints, which begin full."""

    allowance: Allowance = field(default_factory=Allowance)
    _stores: dict[tuple[str, bool], tuple[float, int]] = field(default_factory=dict)

    def take(self, publisher: str, *, flash: bool, size: int, now: int) -> bool:
        """Whether a submission of so many bytes may pass at `now` (Unix ms), which is counted then."""
        burst, per_second = self.allowance.burst, self.allowance.per_second
        if not per_second:
            return True
        left, since = self._stores.get((publisher, flash), (float(burst), now))
        left = min(float(burst), left + max(0, now - since) * per_second / 1000)
        cost = 1 + size // _BYTES_OF_A_TOKEN
        passes = left >= cost
        self._stores[publisher, flash] = (left - cost if passes else left, now)
        return passes


class Taken(NamedTuple):
    """A submission whose turn it is. `over`: its endpoint has no token for it."""

    arrival: Arrival
    over: bool


class Window:
    """What was read from the intake and waits for its turn."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._queues: dict[str, deque[Arrival]] = {}
        self._flashes: dict[str, int] = {}
        self._count = 0
        self._bytes = 0
        self._open: deque[Arrival] = deque()
        """What was read and is not settled, in the intake's order, with what is settled behind it."""
        self._settled: set[int] = set()
        self._read = 0

    def __len__(self) -> int:
        return self._count

    @property
    def full(self) -> bool:
        """Whether no more should be read for the moment."""
        return self._count >= WINDOW or self._bytes >= WINDOW_BYTES

    def add(self, messages: Iterable[Msg]) -> None:
        """Messages of the intake, in its order."""
        for message in messages:
            arrival = Arrival.of(message)
            publisher = arrival.publisher
            queue = self._queues.get(publisher)
            if queue is None:
                queue = self._queues[publisher] = deque()
            queue.append(arrival)
            self._open.append(arrival)
            self._read = max(self._read, arrival.mark.sequence)
            self._count += 1
            self._bytes += len(message.data)
            if _FLASH in message.subject:
                self._flashes[publisher] = self._flashes.get(publisher, 0) + 1

    def take(self, most: int, now: int, answered: Callable[[Arrival], bool]) -> list[Taken]:
        """The next batch: `most` submissions, and beside them some that are over quota.

        `answered` tells whether a submission has been answered: it comes again after a crash, and takes no
        token. `now` is Unix ms.
        """
        taken: list[Taken] = []
        passed, room = 0, most * (1 + _FREE)
        while self._queues and passed < most and len(taken) < room:
            for publisher in sorted(self._queues, key=lambda each: each not in self._flashes):
                if passed >= most or len(taken) >= room:
                    break
                turn = self._turn(publisher, min(TURN, most - passed), room - len(taken), now, answered)
                taken += turn
                passed += sum(not each.over for each in turn)
        return taken

    def settled(self, sequences: Iterable[int]) -> Msg | None:
        """These sequences of the intake are answered. The last message before which all are, if that has
        moved: acknowledging it passes no gap.
        """
        self._settled.update(sequences)
        last = None
        while self._open and self._open[0].mark.sequence in self._settled:
            last, (sequence, _), *_ = self._open.popleft()
            self._settled.discard(sequence)
        return last

    @property
    def floor(self) -> int:
        """The first sequence of the intake that is not settled, as far as it was read."""
        return self._open[0].mark.sequence if self._open else self._read + 1

    def _turn(
        self, publisher: str, most: int, room: int, now: int, answered: Callable[[Arrival], bool]
    ) -> list[Taken]:
        """One publisher's turn; then it stands behind all others."""
        queue, taken = self._queues.pop(publisher), list[Taken]()
        while queue and most and len(taken) < room:
            arrival = queue.popleft()
            message = arrival.message
            flash, size = _FLASH in message.subject, len(message.data)
            self._count -= 1
            self._bytes -= size
            if flash:
                self._flashes[publisher] -= 1
            passes = answered(arrival) or self._tokens.take(publisher, flash=flash, size=size, now=now)
            taken.append(Taken(arrival, not passes))
            most -= passes
        if queue:
            self._queues[publisher] = queue
        if not self._flashes.get(publisher, 1):
            del self._flashes[publisher]
        return taken

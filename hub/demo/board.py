"""Everything that the page shows, as numbered events; who follows is told of new ones.

The board also knows which of the hub's frames is which bulletin. The hub does not: the board stands on both
sides, and pairs the n-th frame of a chain with the n-th bulletin that its publisher shows.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

from hub.demo import tally
from hub.demo.view import Json, bulletin_row, hub_row, local_row
from schemas.vocabulary import Precedence, Severity

KEPT: Final = 3_000
_LATENCIES_KEPT: Final = 500
COUNTED: Final = ("published", "hub", "hub_bytes", "received", "local", "refused")
_PAIRED: Final = "bulletin"

Chain = tuple[str, str, str]


class Board:
    """Events in order, and counters. `agencies`: account key to id; `communities`: slug to id."""

    def __init__(
        self,
        agencies: Mapping[str, str],
        communities: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._agencies = agencies
        self._communities = communities
        self._clock = clock
        self._events: deque[Json] = deque(maxlen=KEPT)
        self._last = 0
        self._grew = asyncio.Event()
        self._frames: dict[Chain, deque[int]] = {}
        self._shown: dict[Chain, deque[str]] = {}
        self._began: dict[str, float] = {}
        self._came: dict[str, dict[str, float]] = {}
        self._taken: deque[float] = deque(maxlen=_LATENCIES_KEPT)
        self.counts = dict.fromkeys(COUNTED, 0)

    def post(self, event: Json) -> None:
        """One more event."""
        self._last += 1
        self._events.append({**event, "n": self._last})
        self._grew.set()

    def hub_line(self, line: Mapping[str, Any]) -> None:
        """A message that the hub has stored."""
        row = hub_row(line)
        if row is None:
            return
        self.counts["hub"] += 1
        self.counts["hub_bytes"] += int(row["size"] or 0)
        self.counts["refused"] += row["what"] == "refused"
        row["agency"] = self._agencies.get(str(row.get("publisher")), "")
        self.post(row)
        if row["what"] == _PAIRED:
            chain = (str(row["publisher"]), str(row["community"]), str(row["precedence"]))
            self._frames.setdefault(chain, deque()).append(int(row["seq"]))
            self._pair(chain)
        self._post_counts()

    def tail_line(self, agency: str, language: str, record: Mapping[str, Any]) -> None:
        """A bulletin that has arrived at an agency."""
        row = bulletin_row(agency, language, record)
        self.counts["received"] += 1
        self.post(row)
        self._arrived(row["id"], agency)
        if row["own"]:
            publisher = next((key for key, id in self._agencies.items() if id == agency), "")
            flash = row["severity"] == Severity.FLASH
            precedence = Precedence.FLASH if flash else Precedence.ROUTINE
            chain = (publisher, self._communities.get(row["community"], ""), str(precedence))
            self._shown.setdefault(chain, deque()).append(row["id"])
            self._pair(chain)
        self._post_counts()

    def integrator_line(self, line: str) -> None:
        """A line of the plain NATS client."""
        self.counts["local"] += 1
        self.post(local_row(line))
        self._post_counts()

    def published(self, id: str, began: float) -> None:
        """A bulletin was given to its publisher at `began` (this board's clock)."""
        self.counts["published"] += 1
        self._began[id] = began
        for agency, came in self._came.pop(id, {}).items():
            self._timed(id, agency, came)
        self._post_counts()

    def _arrived(self, id: str, agency: str) -> None:
        now = self._clock()
        if id in self._began:
            self._timed(id, agency, now)
        else:
            self._came.setdefault(id, {})[agency] = now

    def _timed(self, id: str, agency: str, came: float) -> None:
        taken = max(0.0, (came - self._began[id]) * 1000)
        self._taken.append(taken)
        self.post({"type": "timing", "id": id, "agency": agency, "ms": round(taken)})

    def _pair(self, chain: Chain) -> None:
        frames, shown = self._frames.get(chain), self._shown.get(chain)
        while frames and shown:
            self.post({"type": "pair", "seq": frames.popleft(), "id": shown.popleft()})

    def _post_counts(self) -> None:
        median = tally.percentile(list(self._taken), 50)
        event = {"type": "counts", **self.counts, "p50": None if median is None else round(median)}
        # Only the newest matters: an older one that nobody has passed is taken away.
        if self._events and self._events[-1]["type"] == "counts":
            self._events.pop()
        self.post(event)

    def events(self, after: int = 0) -> list[Json]:
        """The kept events after number `after`."""
        return [event for event in self._events if event["n"] > after]

    async def follow(self, after: int, idle: float) -> AsyncIterator[list[Json]]:
        """Events after number `after`, in batches as they come; an empty batch after `idle` quiet seconds."""
        while True:
            grew = self._grew
            if batch := self.events(after):
                after = batch[-1]["n"]
                yield batch
                continue
            try:
                async with asyncio.timeout(idle):
                    await grew.wait()
            except TimeoutError:
                yield []
            if grew.is_set() and self._grew is grew:
                self._grew = asyncio.Event()

"""Past: what lies before a reader's anchor in a chain, read by the rules of what is live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .frame import Frame
from .receiver import Message, Receiver, Verdict

_WAITS, _WITHHELD, _PASSED, _REFUSED = "waits", "withheld", "passed", "refused"
_NO_KEY, _BEHIND = "missing_wrap", "log_behind"
_SKIPPED, _BEFORE_ANCHOR = "skipped", "unknown_epoch"
_CARD = "c"


@dataclass(frozen=True)
class Outcome:
    """What comes of an old frame: it waits for its key, is withheld, has passed, or is refused by a code."""

    name: str
    code: str | None = None


class Past:
    """The past of one chain, read by a receiver that is for this alone.

    `live` are frames of the chain that the reader took live, the anchor first; `announced` are all
    announcements of its publisher in the community that it has taken.
    """

    def __init__(
        self,
        receiver: Receiver,
        chain: tuple[str, str, str],
        live: Sequence[Frame] = (),
        announced: Sequence[Frame] = (),
    ) -> None:
        self._receiver = receiver
        self._live = live
        pins = {frame.header.seq: frame.hash for frame in live}
        if live:
            pins[live[0].header.seq - 1] = live[0].header.prev
        receiver.pin(chain, pins, announced)

    def read(self, messages: Sequence[Message], now: int) -> tuple[list[Outcome], list[tuple[int, int]]]:
        """What comes of each frame, and which numbers have not come (the first and the last of each gap)."""
        verdicts = self._receiver.read_past(messages, self._live[:1], now)
        outcomes = [self._outcome(message, verdict) for message, verdict in zip(messages, verdicts)]
        came = {
            Frame.read(data).header.seq
            for (_, data), verdict in zip(messages, verdicts)
            if verdict.get("moves", verdict["verdict"] != _BEHIND)
        }
        end = self._live[0].header.seq if self._live else max(came, default=-1) + 1
        places = [-1, *sorted(number for number in came if number < end), end]
        return outcomes, [(a + 1, b - 1) for a, b in pairwise(places) if a + 1 < b]

    def _outcome(self, message: Message, verdict: Verdict) -> Outcome:
        if verdict["verdict"] == _BEHIND:
            return Outcome(_BEHIND)
        code = verdict.get("code")
        if verdict["verdict"] == _SKIPPED and code == _BEFORE_ANCHOR:
            return Outcome(_PASSED)
        if code == _NO_KEY:
            frame = Frame.read(message[1])
            if frame.header.k == _CARD:
                return Outcome(_PASSED)
            return Outcome(_WAITS if self._receiver.history_of(frame) == "members" else _WITHHELD)
        return Outcome(_PASSED if code is None else _REFUSED, code)

"""Replay of a backlog: what a reader decides about each frame, against the same reader frame by frame."""

from collections.abc import Callable, Iterable
from itertools import chain, islice
from typing import Final

from schemas.vocabulary import Precedence
from subscribers.judging.reading import Reading
from subscribers.judging.trust import Announced, Opened, Skipped, Verdict, receive
from subscribers.sealing import EpochKey
from tests.bench.frames import BODY
from tests.bench.measure import Result, Work, by_turns
from tests.support import federation

BATCH: Final = 512
"""As the node's traffic feed asks for them."""
_LATER: Final = federation.AT + 1_000
_CHAINS: Final = (
    (federation.FRA, federation.COM, Precedence.ROUTINE),
    (federation.JPN, federation.COM, Precedence.ROUTINE),
    (federation.FRA, federation.COM, Precedence.FLASH),
    (federation.FRA, federation.OTHER, Precedence.ROUTINE),
    (federation.JPN, federation.OTHER, Precedence.ROUTINE),
)
_UNOPENED: Final = "the same reader frame by frame: all that is decided, one Ed25519 each; bodies stay shut"
_OPENED: Final = "the same, and every bulletin is opened and parsed on both sides"
Messages = list[tuple[str, bytes]]


def measure(*, frames: int, rounds: int) -> list[Result]:
    """`catch_up` and `catch_up_opened`: rounds over a backlog of so many frames on five chains."""
    publishers = [
        federation.Publisher(party, com, precedence, ep=ep)
        for ep, (party, com, precedence) in enumerate(_CHAINS)
    ]
    messages = _backlog(publishers, frames)
    keys = {each.key.commitment: each.key for each in publishers}
    return [
        _compared("catch_up", messages, {}, Skipped, rounds, _UNOPENED),
        _compared("catch_up_opened", messages, keys, Opened, rounds, _OPENED),
    ]


def _backlog(publishers: list[federation.Publisher], frames: int) -> Messages:
    for each in publishers:
        each.send(each.announcement())
    for number in range(frames // len(publishers)):
        for each in publishers:
            severity = "flash" if each.precedence is Precedence.FLASH else "low"
            each.send(each.bulletin(number, body=BODY, severity=severity))
    sent = zip(*([(each.subject, raw) for raw in each.sent] for each in publishers), strict=True)
    return list(chain.from_iterable(sent))


def _compared(
    name: str, messages: Messages, keys: dict[bytes, EpochKey], kind: type, rounds: int, note: str
) -> Result:
    # Who joined later may not open what was said before: all is decided, and nothing opened.
    party = federation.UNX if keys else federation.BRA
    directory = federation.directory()
    count = len(messages)

    def replay(verdicts: Callable[[federation.Station], Iterable[Verdict]]) -> Work:
        def work() -> int:
            station = federation.Station(party, directory, keys=keys)
            for number, verdict in enumerate(verdicts(station)):
                expected = Announced if number < len(_CHAINS) else kind
                if not isinstance(verdict, expected):
                    raise TypeError(f"not {expected}: {verdict}")
                station.apply(verdict)
            return count

        return work

    def together(station: federation.Station) -> Iterable[Verdict]:
        reader, waiting = station.reader, iter(messages)
        while batch := list(islice(waiting, BATCH)):
            reading = Reading(batch, each=False)
            for index in range(len(batch)):
                yield reading.judge(reader, index, _LATER)

    def one_by_one(station: federation.Station) -> Iterable[Verdict]:
        reader = station.reader
        for subject, raw in messages:
            yield receive(reader, subject, raw, _LATER)

    ours, floor = by_turns(replay(together), replay(one_by_one), rounds)
    return Result(name, "frames/s", 1 / ours, 1 / floor, floor / ours, note)

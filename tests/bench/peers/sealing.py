"""One bulletin sealed for many readers and opened by one of them: Liaison and its peers by turns, in one run.

A peer's row has the peer's value and, as its floor, Liaison's for the same work; the ratio is above one where
Liaison is better.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from schemas.frame import EPOCH
from schemas.subjects import FrameSubject
from schemas.vocabulary import History, Precedence, Realm
from schemas.wraps import parse_bundle
from subscribers.exchange.composer import WRAPS, Composed, Context, Item, OwnChain, compose
from subscribers.judging.trust import Announced, Opened, accept_wrap
from tests.bench.archive import SIGHTS
from tests.bench.measure import WARM_UP, Result, Skipped, Work, by_turns, compared
from tests.bench.peers.sealers import PEERS, Sealer
from tests.bench.rotation import agencies, code, with_members
from tests.support import federation

BODY: Final = " ".join(random.Random(1).choices([*SIGHTS, *map(str, range(1_000))], k=430))
"""Makes a bulletin of two KiB, which compresses as plain words do."""


class _Sealed(NamedTuple):
    composed: Composed

    def raw(self, kind: str) -> list[bytes]:
        return [each.raw for each in self.composed.submissions if each.kind == kind]


class Liaison:
    """A publisher and a community of so many readers, by the node's own code; the first of them opens."""

    def __init__(self, readers: int) -> None:
        directory, owner = agencies(readers)
        community = f"{readers:032x}"
        self._directory = with_members(directory, owner, community, readers)
        self._reader = federation.Party("b1", code(1))
        self._place = FrameSubject(Realm.LIVE, community, Precedence.ROUTINE, owner.endpoint)
        self._context = Context(
            self._directory, owner.kid, owner.signing, federation.AT, 1, lambda: federation.uuid(2)
        )
        self._chain = OwnChain()
        self.payload: Final = federation.bulletin(1, owner, body=BODY).to_bytes()

    def first(self, payload: bytes) -> _Sealed:
        """A new epoch, its key wrapped for every reader, and the bulletin."""
        return self._composed(payload, OwnChain())

    def further(self, payload: bytes) -> _Sealed:
        """The next bulletin of the epoch."""
        return self._composed(payload, self._chain)

    def open(self, sealed: _Sealed) -> bytes:
        """Announcement, wrap and frame, judged as a node judges them."""
        station = federation.Station(self._reader, self._directory)
        subject = self._place.traffic()
        announced = station.judge(subject, sealed.raw(EPOCH)[0])
        if not isinstance(announced, Announced):
            raise TypeError(f"not announced: {announced}")
        epochs = {announced.epoch.announcement: announced.epoch}
        own = self._own_wrap(sealed)
        _, key = accept_wrap(own, epochs, [self._reader.kem], self._reader.endpoint)
        station.keys[key.commitment] = key
        station.apply(announced)
        opened = station.judge(subject, sealed.raw("b")[0])
        if not isinstance(opened, Opened):
            raise TypeError(f"not opened: {opened}")
        return opened.payload

    def size(self, sealed: _Sealed) -> int:
        """Everything that is submitted."""
        return sum(len(each.raw) for each in sealed.composed.submissions)

    def _composed(self, payload: bytes, chain: OwnChain) -> _Sealed:
        item = Item("b", federation.uuid(1), payload, History.MEMBERS)
        made = compose(item, self._place, chain, replace(self._context, next_epoch=2))
        self._chain = made.chain
        return _Sealed(made)

    def _own_wrap(self, sealed: _Sealed) -> bytes:
        """What the hub hands to this reader: it takes the bundles apart."""
        wraps = (each for bundle in sealed.raw(WRAPS) for each in parse_bundle(bundle))
        return next(each.to_bytes() for each in wraps if each.kid == self._reader.kem.kid)


def measure(directory: Path, *, readers: Sequence[int], rounds: int) -> Iterator[Result | Skipped]:
    """`peer_<name>_<readers>` for sealing the first bulletin; at the most readers also `_next`, `_open` and
    `_bytes`.
    """
    most = max(readers)
    for peer in PEERS:
        if peer.missing:
            yield Skipped(f"peer_{peer.name}", peer.missing)
            continue
        for number in readers:
            ours = Liaison(number)
            with peer.sealer(directory, number) as theirs:
                yield _row(peer.name, number, "first", ours, theirs, rounds)
                if number == most:
                    yield _row(f"{peer.name}_next", number, "further", ours, theirs, rounds)
                    yield from _opened(peer.name, number, ours, theirs, rounds)


def _row(name: str, readers: int, what: str, ours: Liaison, theirs: Sealer, rounds: int) -> Result:
    payload = ours.payload

    def sealing(sealer: Sealer) -> Work:
        def work() -> int:
            getattr(sealer, what)(payload)
            return 1

        return work

    pair = by_turns(sealing(theirs), sealing(ours), rounds)
    note = f"the {what} bulletin of 2 KiB, signed and sealed to {readers} readers"
    return compared(f"peer_{name}_{readers}", "ms", (1000 * pair[0], 1000 * pair[1]), note)


def _opened(name: str, readers: int, ours: Liaison, theirs: Sealer, rounds: int) -> Iterator[Result]:
    payload = ours.payload
    sizes: list[int] = []

    def opening(sealer: Sealer) -> Work:
        # Each is opened once: a ratchet moves on.
        sealed = [sealer.first(payload) for _ in range(WARM_UP + rounds)]
        sizes.append(sealer.size(sealed[-1]))

        def work() -> int:
            if sealer.open(sealed.pop(0)) != payload:
                raise ValueError(f"{name} opens to something else")
            return 1

        return work

    pair = by_turns(opening(theirs), opening(ours), rounds)
    times = 1000 * pair[0], 1000 * pair[1]
    yield compared(f"peer_{name}_open_{readers}", "ms", times, "opened and verified by one reader")
    note = f"sent for {readers} readers with the first bulletin of 2 KiB"
    yield compared(f"peer_{name}_bytes_{readers}", "B", (sizes[0], sizes[1]), note)

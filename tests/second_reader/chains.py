"""Chains: a reader's place in each, from its anchor on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .frame import PRECEDENCES, Frame
from .refusals import Refused, demand


@dataclass
class Chain:
    """One chain as a reader follows it; `pins` are hashes that are known of places further on."""

    anchor: int
    seq: int
    hash: bytes
    pins: Mapping[int, bytes] = field(default_factory=dict)

    @classmethod
    def anchored(cls, frame: Frame, pins: Mapping[int, bytes]) -> "Chain":
        """A chain that begins, for this reader, with an announcement."""
        demand(pins.get(frame.header.seq, frame.hash) == frame.hash, "fork")
        return cls(frame.header.ep, frame.header.seq, frame.hash, pins)

    def move(self, frame: Frame) -> range:
        """Go on to a frame; what is missing before it comes back."""
        header = frame.header
        demand(frame.hash != self.hash, "replayed")
        demand(header.seq != self.seq, "fork")
        demand(header.seq > self.seq, "replayed")
        demand(header.seq > self.seq + 1 or header.prev == self.hash, "fork")
        demand(self.pins.get(header.seq, frame.hash) == frame.hash, "fork")
        missing = range(self.seq + 1, header.seq)
        self.seq, self.hash = header.seq, frame.hash
        return missing


class Chains:
    """All chains that a reader follows."""

    def __init__(self) -> None:
        self._chains: dict[tuple[str, str, str], Chain] = {}
        self._pins: dict[tuple[str, str, str], Mapping[int, bytes]] = {}

    def of(self, frame: Frame) -> Chain | None:
        """The chain of a frame, if it has its anchor."""
        return self._chains.get(frame.header.chain)

    def pin(self, chain: tuple[str, str, str], pins: Mapping[int, bytes]) -> None:
        """Let no other frames stand in these places of a chain that is not followed yet."""
        self._pins[chain] = pins

    def move(self, frame: Frame) -> range:
        """Go on to a frame, or begin with it."""
        chain = self.of(frame)
        if chain:
            return chain.move(frame)
        self._chains[frame.header.chain] = Chain.anchored(frame, self._pins.get(frame.header.chain, {}))
        return range(0)

    def behind(self, heartbeat: Frame) -> list[str]:
        """Chains of which a heartbeat shows that their tail is missing here."""
        header = heartbeat.header
        demand(header.heads[header.pr] == (header.seq, header.prev), "fork")
        longer = []
        for precedence in PRECEDENCES:
            chain = self._chains.get((header.pub, header.com, precedence))
            size, digest = header.heads[precedence]
            if precedence == header.pr or chain is None:
                continue
            if size == chain.seq + 1 and digest != chain.hash:
                raise Refused("fork")
            if size > chain.seq + 1:
                longer.append(f"{header.pub} {header.com} {precedence}")
        return longer

"""One chain per publisher, community and precedence: what may come next, and what a gap, a replay or a fork
is. FORMAT.md, "Chains".

The hub's admission and every reader hold frames against the same rule.
"""

from hashlib import sha256
from typing import NamedTuple

from schemas.errors import Code, TrustError
from schemas.frame import GENESIS, HEARTBEAT, Frame
from schemas.vocabulary import Precedence


class ChainKey(NamedTuple):
    """Which chain a frame belongs to."""

    publisher: str
    community: str
    precedence: str

    @classmethod
    def of(cls, frame: Frame) -> "ChainKey":
        """The chain of a frame, by its signed header."""
        return cls(frame.header.pub, frame.header.com, frame.header.pr)


class ChainHead(NamedTuple):
    """The last frame of a chain: its sequence number and SHA-256 in hex. A chain that has not begun is
    `ChainHead()`.
    """

    seq: int = -1
    hash: str = GENESIS

    def then(self, raw: bytes) -> "ChainHead":
        """The head once this message is put on the chain: for its own publisher, who knows that it fits."""
        return ChainHead(self.seq + 1, sha256(raw).hexdigest())


def check_next(head: ChainHead, frame: Frame) -> ChainHead:
    """The head after this frame. TrustError: `replayed` for one that was seen or lies behind, `gap` for one
    too far on, `fork` for one that stands in the right place on another past.
    """
    seq = frame.header.seq
    if frame.hash == head.hash:
        raise TrustError(Code.REPLAYED, f"frame {seq} has been seen")
    if seq <= head.seq:
        raise TrustError(
            Code.FORK if seq == head.seq else Code.REPLAYED,
            f"frame {seq} lies behind the chain's head {head.seq}",
        )
    if seq > head.seq + 1:
        raise TrustError(
            Code.GAP, f"frames {head.seq + 1} to {seq - 1} are missing", "send the missing frames first"
        )
    if frame.header.prev != head.hash:
        raise TrustError(Code.FORK, f"frame {seq} does not continue the chain that was seen")
    return ChainHead(seq, frame.hash)


def check_join(past: ChainHead | None, frame: Frame) -> None:
    """Hold the first frame of a chain that a reader follows against the past that it read before. TrustError
    `fork`. What lies between the two was on its way meanwhile, and is not missed.
    """
    header = frame.header
    if past is None or header.seq > past.seq + 1:
        return
    if header.seq <= past.seq or header.prev != past.hash:
        raise TrustError(Code.FORK, f"frame {header.seq} does not continue the past that was read")


def contradiction(first: Frame, second: Frame) -> str | None:
    """Why one publisher cannot honestly have signed both; None when it can. FORMAT.md, "Chains"."""
    one, other = first.header, second.header
    if (one.pub, one.com) != (other.pub, other.com):
        return None
    if one.pr == other.pr and one.seq == other.seq and first.hash != second.hash:
        return f"both stand at place {one.seq} of one chain"
    if one.pr == other.pr and other.seq == one.seq + 1 and other.prev != first.hash:
        return (
            f"the second follows place {one.seq} of the chain, but names another frame there than the first"
        )
    if other.k == HEARTBEAT:
        size, last = other.heads[list(Precedence).index(Precedence(one.pr))]
        if size == one.seq + 1 and last != first.hash:
            return (
                f"the heartbeat names another frame at place {one.seq} of the {one.pr} chain than the first"
            )
    return None

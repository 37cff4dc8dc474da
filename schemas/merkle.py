"""RFC 9162 Merkle tree hashing, grown one leaf at a time, and inclusion paths over a batch.

`Tree` keeps only the right-hand edge (one hash per set bit of the size), so appending and taking the root
cost O(log n).
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """RFC 9162, 2.1.1: `SHA256(0x00 || entry)`."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162, 2.1.1: `SHA256(0x01 || left || right)`."""
    return sha256(b"\x01" + left + right).digest()


class Head(NamedTuple):
    """A log's size and root: what frames cite."""

    size: int
    root: bytes


class Tree(NamedTuple):
    """An append-only tree as its size and the roots of its perfect subtrees, largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, entry: bytes) -> "Tree":
        """The tree with one more entry."""
        node, peaks, size = leaf_hash(entry), self.peaks, self.size
        while size & 1:
            node, peaks, size = node_hash(peaks[-1], node), peaks[:-1], size >> 1
        return Tree(self.size + 1, (*peaks, node))

    @property
    def head(self) -> Head:
        """Size and root; the root of the empty tree is `SHA256("")`."""
        if not self.peaks:
            return Head(0, EMPTY_ROOT)
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return Head(self.size, root)


def paths(entries: Sequence[bytes]) -> tuple[bytes, list[list[bytes]]]:
    """Root of a batch, and for each entry its inclusion path, leaf to root (RFC 9162, 2.1.3.1). At least one
    entry.
    """
    if len(entries) == 1:
        return leaf_hash(entries[0]), [[]]
    split = 1 << (len(entries) - 1).bit_length() - 1
    left, left_paths = paths(entries[:split])
    right, right_paths = paths(entries[split:])
    return node_hash(left, right), [[*p, right] for p in left_paths] + [[*p, left] for p in right_paths]


def root_from_path(entry: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a path leads to (RFC 9162, 2.1.3.2); None when the path does not fit."""
    if not 0 <= index < size:
        return None
    node, position, last = leaf_hash(entry), index, size - 1
    for sibling in path:
        if last == 0 or len(sibling) != HASH_SIZE:
            return None
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        position, last = position >> 1, last >> 1
    return node if last == 0 else None

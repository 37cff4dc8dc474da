"""RFC 9162 Merkle tree hashing: trees that grow, inclusion and consistency proofs. FORMAT.md, "Proofs".

`Tree` keeps only the right-hand edge (one hash per set bit of the size), so appending and taking the root
cost O(log n). `Log` keeps every perfect subtree, for whoever makes proofs.
"""

from collections.abc import Iterable, Sequence
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
    split = _split(len(entries))
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


class Log:
    """A log that can prove: every hash of its perfect subtrees, `levels[k][i]` being that of the 2^k entries
    from i * 2^k on. 64 bytes for each entry; a root or a proof costs O(log^2 n).

    It is the one thing here that changes in place; who holds it holds it alone.
    """

    __slots__ = ("_levels",)

    def __init__(self, entries: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for entry in entries:
            self.append(entry)

    def append(self, entry: bytes) -> None:
        """One more entry at the end."""
        node, depth = leaf_hash(entry), 0
        self._levels[0].append(node)
        while len(self._levels[depth]) % 2 == 0:
            left, right = self._levels[depth][-2:]
            depth += 1
            if depth == len(self._levels):
                self._levels.append([])
            self._levels[depth].append(node_hash(left, right))

    @property
    def size(self) -> int:
        """How many entries."""
        return len(self._levels[0])

    @property
    def head(self) -> Head:
        """Size and root."""
        return Head(self.size, self.root(self.size))

    def root(self, size: int) -> bytes:
        """The root of the first `size` entries. ValueError beyond the log."""
        self._check(0 <= size <= self.size)
        return self._range(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The path of entry `index` in the tree of the first `size`, leaf to root (RFC 9162, 2.1.3.1).
        ValueError when there is no such entry.
        """
        self._check(0 <= index < size <= self.size)
        path, start, end = [], 0, size
        while end - start > 1:
            split = start + _split(end - start)
            if index < split:
                path.append(self._range(split, end))
                end = split
            else:
                path.append(self._range(start, split))
                start = split
        return path[::-1]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """That the first `old` entries begin the tree of the first `new` (RFC 9162, 2.1.4.1); empty for an
        empty or the same tree. ValueError when there are no such trees.
        """
        self._check(0 <= old <= new <= self.size)
        proof, start, end, whole = [], 0, new, True
        while old not in {0, end}:
            split = start + _split(end - start)
            if old <= split:
                proof.append(self._range(split, end))
                end = split
            else:
                proof.append(self._range(start, split))
                start, whole = split, False
        if not whole:  # the old tree itself needs no hash of its own: whoever checks knows its root
            proof.append(self._range(start, end))
        return proof[::-1]

    def _range(self, start: int, end: int) -> bytes:
        """The hash of entries start to end, where start is where such a subtree can begin."""
        width = end - start
        if width & (width - 1) == 0:
            return self._levels[width.bit_length() - 1][start // width]
        split = start + _split(width)
        return node_hash(self._range(start, split), self._range(split, end))

    @staticmethod
    def _check(holds: bool) -> None:  # noqa: FBT001 - one condition, said where it is asked
        if not holds:
            raise ValueError("no such entry or size in this log")


def check_consistency(old: Head, new: Head, proof: Sequence[bytes]) -> bool:
    """Whether the log at `new` begins with what it was at `old` (RFC 9162, 2.1.4.2).

    Every log begins with the empty one, for which the proof is empty and the root `SHA256("")`.
    """
    if not 0 <= old.size <= new.size or any(len(each) != HASH_SIZE for each in proof):
        return False
    if old.size == new.size:
        return not proof and old.root == new.root
    if old.size == 0:
        return not proof and old.root == EMPTY_ROOT
    path = [old.root, *proof] if old.size & (old.size - 1) == 0 else list(proof)
    if not path:
        return False
    position, last = old.size - 1, new.size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    first = second = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, step)
        position, last = position >> 1, last >> 1
    return last == 0 and (first, second) == (old.root, new.root)


def _split(size: int) -> int:
    """The largest power of two below `size`, which is at least 2."""
    return 1 << (size - 1).bit_length() - 1

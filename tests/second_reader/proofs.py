"""Proofs: hash trees of RFC 9162, inclusion and consistency."""

from collections.abc import Sequence

from .refusals import demand
from .signatures import sha256

EMPTY = sha256()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00", entry)


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01", left, right)


class Tree:
    """An append-only log's tree, with its root at every size."""

    def __init__(self) -> None:
        self.roots = [EMPTY]
        self._peaks: list[bytes] = []

    @property
    def size(self) -> int:
        """How many entries there are."""
        return len(self.roots) - 1

    @property
    def root(self) -> bytes:
        """The root of them all."""
        return self.roots[-1]

    def append(self, entry: bytes) -> None:
        """One more entry."""
        peak, size = leaf_hash(entry), self.size
        while size & 1:
            peak, size = node_hash(self._peaks.pop(), peak), size >> 1
        self._peaks.append(peak)
        root = self._peaks[-1]
        for left in reversed(self._peaks[:-1]):
            root = node_hash(left, root)
        self.roots.append(root)


def check_inclusion(entry: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Refuse a path that does not lead from an entry at its place to the root."""
    demand(0 <= index < size, "bad_proof")
    r, f, s = leaf_hash(entry), index, size - 1
    for p in path:
        demand(s != 0, "bad_proof")
        if f & 1 or f == s:
            r = node_hash(p, r)
            while not f & 1 and f:
                f, s = f >> 1, s >> 1
        else:
            r = node_hash(r, p)
        f, s = f >> 1, s >> 1
    demand(s == 0 and r == root, "bad_proof")


def check_consistency(m: int, first: bytes, n: int, second: bytes, proof: Sequence[bytes]) -> None:
    """Refuse a proof that does not show the tree of m entries to be the beginning of that of n."""
    demand(0 <= m <= n, "bad_proof")
    if m in (0, n):
        demand(not proof and first == (second if m == n else EMPTY), "bad_proof")
        return
    demand(bool(proof), "bad_proof")
    hashes = [first, *proof] if m & (m - 1) == 0 else list(proof)
    f, s = m - 1, n - 1
    while f & 1:
        f, s = f >> 1, s >> 1
    a = b = hashes[0]
    for c in hashes[1:]:
        demand(s != 0, "bad_proof")
        if f & 1 or f == s:
            a, b = node_hash(c, a), node_hash(c, b)
            while not f & 1 and f:
                f, s = f >> 1, s >> 1
        else:
            b = node_hash(b, c)
        f, s = f >> 1, s >> 1
    demand(s == 0 and a == first and b == second, "bad_proof")

"""RFC 9162, 2.1, once more as it stands there: slow, and sharing nothing with schemas/merkle.py."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

ENTRIES: Final = [bytes((number,)) for number in range(33)]


def root(entries: Sequence[bytes]) -> bytes:
    """MTH, 2.1.1."""
    if not entries:
        return sha256().digest()
    if len(entries) == 1:
        return sha256(b"\0" + entries[0]).digest()
    k = _largest_power_below(len(entries))
    return sha256(b"\1" + root(entries[:k]) + root(entries[k:])).digest()


def path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """PATH, 2.1.3.1."""
    if len(entries) == 1:
        return []
    k = _largest_power_below(len(entries))
    if m < k:
        return [*path(m, entries[:k]), root(entries[k:])]
    return [*path(m - k, entries[k:]), root(entries[:k])]


def proof(m: int, entries: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    """PROOF and SUBPROOF, 2.1.4.1."""
    if m == len(entries):
        return [] if whole else [root(entries)]
    k = _largest_power_below(len(entries))
    if m <= k:
        return [*proof(m, entries[:k], whole=whole), root(entries[k:])]
    return [*proof(m - k, entries[k:], whole=False), root(entries[:k])]


def table() -> dict[str, Any]:
    """Everything for 0 to 33 entries; hashes stand once, and proofs are their places."""
    places: dict[bytes, int] = {}

    def put(hashes: Sequence[bytes]) -> list[int]:
        return [places.setdefault(each, len(places)) for each in hashes]

    sizes = range(len(ENTRIES) + 1)
    roots = put([root(ENTRIES[:size]) for size in sizes])
    inclusion = [[put(path(m, ENTRIES[:size])) for m in range(size)] for size in sizes]
    consistency = [
        [put(proof(old, ENTRIES[:size])) if old else [] for old in range(size + 1)] for size in sizes
    ]
    return {
        "what": "Roots and proofs of RFC 9162 for the first n of the entries 00 to 20, n = 0 to 33",
        "hashes": [each.hex() for each in places],
        "roots": roots,
        "inclusion": inclusion,
        "consistency": consistency,
    }


def _largest_power_below(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power

"""Receipts as `schemas.receipts.issue` makes them, byte for byte, in a third of the time.

A full batch has hundreds of answers, and each goes out with its path: to have JSON made of them, one by one,
cost the hub more than judging their frames. Whatever stands in them has one form without anything to escape
(an account key, hex, a code, numbers), so that texts are put together instead. A test holds both together.
"""

from collections.abc import Sequence

from schemas.encoding import to_base64
from schemas.merkle import leaf_hash, node_hash
from schemas.receipts import Answer
from schemas.signing import RECEIPT_TYPE, Signer, pae


def issue(answers: Sequence[Answer], signer: Signer) -> dict[str, bytes]:
    """A receipt message for each publisher in the batch, under one signature. At least one answer."""
    leaves = [
        leaf_hash(f'{{"at":{at},"code":"{code}","pub":"{to}","sha256":"{sha256}"}}'.encode("ascii"))
        for to, sha256, code, at in answers
    ]
    root, trails = _paths(leaves)
    size = len(answers)
    signature = signer.sign(pae(RECEIPT_TYPE.encode(), size.to_bytes(8, "big") + root))
    items: dict[str, list[str]] = {}
    for index, ((to, sha256, code, at), trail) in enumerate(zip(answers, trails, strict=True)):
        # The path begins with a comma, if it is not empty.
        item = f'{{"at":{at},"code":"{code}","index":{index},"path":[{trail[1:]}],"sha256":"{sha256}"}}'
        items.setdefault(to, []).append(item)
    end = f'],"root":"{root.hex()}","sig":"{to_base64(signature)}","size":{size},"v":1}}'
    return {to: f'{{"items":[{",".join(each)}{end}'.encode("ascii") for to, each in items.items()}


def _paths(leaves: Sequence[bytes]) -> tuple[bytes, list[str]]:
    """The root of these leaf hashes, and for each its path, leaf to root, as JSON strings with a comma before
    each (RFC 9162, 2.1.3.1). A level's last node without a neighbour goes up as it is.
    """
    levels = [leaves]
    while len(below := levels[-1]) > 1:
        pairs = zip(below[::2], below[1::2], strict=False)
        levels.append([*(node_hash(*pair) for pair in pairs), *below[len(below) & ~1 :]])
    (root,), trails = levels.pop(), [""]
    for level in reversed(levels):
        beside = [f',"{node.hex()}"' for node in level] + [""]
        # `^ 1` is the neighbour's index; for a last node without one it is that of the nothing at the end.
        trails = [beside[index ^ 1] + trails[index >> 1] for index in range(len(level))]
    return root, trails

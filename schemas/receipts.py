"""The hub's signed answers: one signature per batch, and to each publisher only its own leaves with their
paths. FORMAT.md, "Receipts".

A leaf is canonical JSON `{"at", "code", "pub", "sha256"}`: when (Unix ms), `admitted` or a refusal's code,
whose, and of which bytes.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from schemas.encoding import canonical_json, from_base64, from_hex, parse_json, to_base64
from schemas.errors import Code, FormatError, TrustError
from schemas.limits import INTEGER_MAX, SIGNATURE_SIZE
from schemas.merkle import HASH_SIZE, paths, root_from_path
from schemas.signing import RECEIPT_TYPE, Signer, pae, verify

ADMITTED: Final = "admitted"
RECEIPT_MAX: Final = 512 * 1024
_CODES: Final = frozenset({ADMITTED, *Code})


class Answer(NamedTuple):
    """What the hub says about one submission. `sha256` is that of the submitted message, in hex."""

    publisher: str
    sha256: str
    code: str
    at: int

    def leaf(self) -> bytes:
        """The leaf of the batch's tree."""
        return canonical_json(
            {"at": self.at, "code": self.code, "pub": self.publisher, "sha256": self.sha256}
        )


def issue(answers: Sequence[Answer], signer: Signer) -> dict[str, bytes]:
    """A receipt message for each publisher in the batch, under one signature. At least one answer."""
    root, trails = paths([each.leaf() for each in answers])
    signature = to_base64(signer.sign(_signed(root, len(answers))))
    by_publisher: dict[str, list[dict[str, object]]] = {}
    for index, (answer, trail) in enumerate(zip(answers, trails, strict=True)):
        item = {
            "at": answer.at,
            "code": answer.code,
            "index": index,
            "path": [step.hex() for step in trail],
            "sha256": answer.sha256,
        }
        by_publisher.setdefault(answer.publisher, []).append(item)
    frame = {"root": root.hex(), "sig": signature, "size": len(answers), "v": 1}
    return {publisher: canonical_json({**frame, "items": items}) for publisher, items in by_publisher.items()}


def read(data: bytes, publisher: str, hub_key: bytes) -> list[Answer]:
    """The verified answers in a receipt for `publisher`. FormatError, or TrustError `bad_receipt`."""
    fields = parse_json(data, RECEIPT_MAX)
    if (
        fields.keys() != {"items", "root", "sig", "size", "v"}
        or _whole(fields["v"]) != 1
        or not isinstance(fields["items"], list)
    ):
        raise FormatError(Code.BAD_RECEIPT, "not a receipt")
    root, signature = from_hex(fields["root"], HASH_SIZE), from_base64(fields["sig"], SIGNATURE_SIZE)
    size = _whole(fields["size"])
    if len(signature) != SIGNATURE_SIZE or not verify(hub_key, _signed(root, size), signature):
        raise TrustError(Code.BAD_RECEIPT, "the receipt is not signed by the hub's key in the directory")
    return [_answer(item, publisher, root, size) for item in fields["items"]]


def alone(data: bytes, sha256: str) -> bytes:
    """The same receipt with nothing but the answers about one message: it proves as much of that, and shows
    no other. `data` is a receipt that `read` accepts.
    """
    fields = parse_json(data, RECEIPT_MAX)
    items = [item for item in fields["items"] if item["sha256"] == sha256]
    return canonical_json({**fields, "items": items[-1:]})


def _answer(item: object, publisher: str, root: bytes, size: int) -> Answer:
    if (
        not isinstance(item, dict)
        or item.keys() != {"at", "code", "index", "path", "sha256"}
        or not isinstance(item["path"], list)
    ):
        raise FormatError(Code.BAD_RECEIPT, "not a receipt's item")
    if not isinstance(item["code"], str) or item["code"] not in _CODES:
        raise FormatError(Code.BAD_RECEIPT, "an unknown code")
    from_hex(item["sha256"], HASH_SIZE)
    answer = Answer(publisher, item["sha256"], item["code"], _whole(item["at"]))
    trail = [from_hex(step, HASH_SIZE) for step in item["path"]]
    if root_from_path(answer.leaf(), _whole(item["index"]), size, trail) != root:
        raise TrustError(Code.BAD_RECEIPT, "an answer that is not under the hub's signature")
    return answer


def _signed(root: bytes, size: int) -> bytes:
    return pae(RECEIPT_TYPE.encode(), size.to_bytes(8, "big") + root)


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value <= INTEGER_MAX:
        raise FormatError(Code.BAD_RECEIPT, "a whole number was expected")
    return value

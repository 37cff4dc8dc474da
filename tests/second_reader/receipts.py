"""Receipts: the hub's signed answers to what was submitted."""

from dataclasses import dataclass

from . import fields
from .encoding import canonical_json, from_base64, strict_json
from .limits import INTEGER_MAX, RECEIPT_MAX, SIGNATURE_SIZE
from .proofs import check_inclusion
from .refusals import CODES, demand, renamed
from .signatures import RECEIPT, holds, pae

_HASH = fields.hex_of(32)
_ITEM = fields.record(
    {
        "at": fields.integer(),
        "code": fields.one_of("admitted", *sorted(CODES)),
        "index": fields.integer(),
        "path": fields.array(_HASH),
        "sha256": _HASH,
    }
)
_RECEIPT = fields.record(
    {
        "v": fields.one_of(1),
        "size": fields.integer(1),
        "root": _HASH,
        "sig": fields.base64_of(SIGNATURE_SIZE),
        "items": fields.array(_ITEM, 0, INTEGER_MAX),
    }
)


@dataclass(frozen=True)
class Answer:
    """The hub's answer to one submission."""

    sha256: str
    code: str
    at: int


def read_receipt(data: bytes, publisher: str, hub_key: bytes) -> list[Answer]:
    """The answers to a publisher in a receipt under the hub's signature."""
    receipt = strict_json(data, RECEIPT_MAX)
    with renamed("bad_document", "bad_receipt"):
        _RECEIPT(receipt)
    size, root = receipt["size"], bytes.fromhex(receipt["root"])
    signed = pae(RECEIPT, size.to_bytes(8) + root)
    demand(holds(hub_key, from_base64(receipt["sig"]), signed), "bad_receipt")
    for item in receipt["items"]:
        leaf = {"at": item["at"], "code": item["code"], "pub": publisher, "sha256": item["sha256"]}
        with renamed("bad_proof", "bad_receipt"):
            path = [bytes.fromhex(p) for p in item["path"]]
            check_inclusion(canonical_json(leaf), item["index"], size, path, root)
    return [Answer(item["sha256"], item["code"], item["at"]) for item in receipt["items"]]

"""Worked example: the values at the end of FORMAT.md, made or verified again."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_sign,
    crypto_sign_seed_keypair,
)

from .bulletin import read_bulletin
from .checkpoints import Checkpoint
from .content import Opened, check_agreement, commitment, open_body, read_card, room_for
from .directory import Authority
from .documents import encryption_key, read_document, read_enrolment, read_entry
from .encoding import canonical_json, to_base64
from .epochs import aead_key, key_commitment
from .frame import Frame, assemble
from .limits import LENGTH_SIZE, SIGNATURE_SIZE
from .proofs import check_consistency, check_inclusion
from .receipts import read_receipt
from .refusals import Refused
from .signatures import DIRECTORY, ENROLMENT, MEMBERSHIP, Envelope, holds, key_id, pae, public_key, sha256
from .wraps import DecryptionKey, Wrap, expand

Result = tuple[str, Any, Any]

_BLOCK = re.compile(r"<!-- example:.*?```text\n(.*?)```\n<!-- /example -->", re.DOTALL)
_WIDTH = 96
_PROOF_OF_FOUR = 4


def parse_example(text: str) -> dict[str, str]:
    """The values of the example by their labels; `its` is told from another by the label before."""
    match = _BLOCK.search(text)
    assert match is not None
    values: dict[str, str] = {}
    label, joined = "", True
    for line in match[1].splitlines():
        if line and not line.startswith("  "):
            label = f"{label}: {line}" if line.startswith("its ") else line
            label = label.rstrip(":")
            values[label], joined = "", True
            continue
        piece = line[2:]
        values[label] += piece if joined else "\n" + piece
        joined = len(piece) == _WIDTH
    return values


def _seed(name: str) -> bytes:
    return sha256(b"liaison example " + name.encode())


def _signed(value: dict[str, Any], seed: bytes, kind: str) -> Envelope:
    payload = canonical_json(value)
    public, secret = crypto_sign_seed_keypair(seed)
    signature = crypto_sign(pae(kind, payload), secret)[:SIGNATURE_SIZE]
    return Envelope(payload, kind, {key_id(public): signature})


def _public_encryption_key(name: str) -> bytes:
    return DecryptionKey.from_seed(_seed(name)).public


class _Example:
    """The example's values, as bytes where they are hex."""

    def __init__(self, folder: Path) -> None:
        self.values = parse_example((folder / "FORMAT.md").read_text("utf-8"))
        published = json.loads((folder / "published" / "examples.json").read_text("utf-8"))
        self.published: dict[str, Any] = published
        self.hub_key = public_key(published["document-hub"]["key"])
        root = published["document-root"]
        witnesses = {witness["name"]: public_key(witness["key"]) for witness in root["witnesses"]}
        self.authority = Authority(self.hub_key, witnesses, root["quorum"], root["freshness"])

    def __getitem__(self, label: str) -> str:
        return self.values[label]

    def hex(self, label: str) -> bytes:
        """A value in hex."""
        return bytes.fromhex(self.values[label])

    def sized(self, label: str) -> tuple[int, bytes]:
        """A size and a hash."""
        size, digest = self.values[label].split(" ")
        return int(size), bytes.fromhex(digest)

    def hashes(self, label: str) -> list[bytes]:
        """The hashes of a proof."""
        data = self.hex(label)
        return [data[at : at + 32] for at in range(0, len(data), 32)]

    @property
    def announcement(self) -> bytes:
        """The e frame, put together from its parts."""
        return assemble(self["e frame, header"].encode(), self.hex("e frame, signature"), b"")


def _keys(example: _Example) -> Iterator[Result]:
    yield "seed of fra signing", example.hex("fra signing key, seed"), _seed("fra signing")
    signing, _ = crypto_sign_seed_keypair(_seed("fra signing"))
    yield "fra signing key", example.hex("fra signing key, public"), signing
    yield "its kid", example.hex("fra signing key, public: its kid"), key_id(signing)
    yield "seed of jpn encryption", example.hex("jpn encryption key, seed"), _seed("jpn encryption")
    expansion = "jpn encryption key, seed: its expansion, SHAKE-256, 96 bytes"
    yield "expansion", example.hex(expansion), expand(_seed("jpn encryption"))
    public = DecryptionKey.from_seed(_seed("jpn encryption")).public
    yield "jpn encryption key", example.hex("SHA-256 of its public key"), sha256(public)
    yield "its kid", example.hex("SHA-256 of its public key: its kid"), key_id(public)


def _logs(example: _Example) -> Iterator[Result]:
    size, root = example.sized("directory head")
    fingerprint = example.hex("root version 1, SHA-256 (its fingerprint)")
    note = (example["checkpoint, cosigned by three witnesses"] + "\n").encode()
    head = Checkpoint.read(note).judge(fingerprint, example.authority)
    yield "head of the checkpoint", (size, root), (head.size, head.root)
    yield "number of witnesses", 3, len(head.times)
    community = example["community document, envelope"].encode()
    path = example.hashes("inclusion proof of the community document (index 6 of 7)")
    check_inclusion(community, 6, size, path, root)
    proof = example.hashes("consistency proof from 4 documents to 7")
    check_consistency(_PROOF_OF_FOUR, path[-1], size, root, proof)
    envelope = Envelope.read(community, DIRECTORY)
    envelope.demand_signer(public_key(example.published["document-agency"]["identity"]))
    yield "community document", example.published["document-community"], read_document(envelope)


def _epoch(example: _Example) -> Iterator[Result]:
    key = example.hex("epoch key Ke")
    yield "epoch key", key, _seed("epoch")
    yield "K_aead", example.hex("K_aead"), aead_key(key)
    yield "kc", example.hex("kc"), key_commitment(key)
    frame = Frame.read(example.announcement)
    yield "e frame's hash", example.hex("e frame, SHA-256"), frame.hash
    signing = example.hex("fra signing key, public")
    yield "e frame's signature", True, holds(signing, frame.signature, frame.signed)
    yield "kc announced", frame.header.kc, key_commitment(key)
    yield "directory cited", example.sized("directory head"), frame.header.logs["directory"]
    yield "membership cited", example.sized("membership head"), frame.header.logs["membership"]
    wrap = Wrap.read(example.hex("wrap for jpn (recorded)"))
    yield "announcement of the wrap", frame.hash, wrap.announcement
    reader = DecryptionKey.from_seed(_seed("jpn encryption"))
    yield "key in the wrap", key, reader.open(wrap.ciphertext, wrap.info(example["jpn endpoint (PK)"]))
    bundle = b"\x01" + wrap.announcement + wrap.kid + wrap.ciphertext
    yield "bundle", example.hex("bundle with it, SHA-256"), sha256(bundle)


def _bulletin(example: _Example) -> Iterator[Result]:
    size, digest = example.sized("b frame, size and SHA-256")
    data = example.hex("b frame")
    frame = Frame.read(data)
    yield "b frame", (size, digest), (len(data), frame.hash)
    yield "its header", example["b frame, header"].encode(), frame.header_bytes
    yield "its signature", example.hex("b frame, signature"), frame.signature
    signed = (len(frame.signed), sha256(frame.signed))
    yield "its signed message", example.sized("signed message (PAE), size and SHA-256"), signed
    key = example.hex("fra signing key, public")
    yield "its signature holds", True, holds(key, frame.signature, frame.signed)
    announcement = Frame.read(example.announcement)
    yield "it stands on the e frame", True, announcement.stands_before(frame)
    opened = open_body(frame, example.hex("K_aead"))
    yield "payload", example["payload"].encode(), opened.payload
    yield "salt", (example.hex("salt"), _seed("salt")), (opened.salt, opened.salt)
    yield "pc", example.hex("pc"), commitment(Opened(example.hex("salt"), example["payload"].encode()))
    length = len(opened.payload)
    padded = opened.salt + length.to_bytes(LENGTH_SIZE) + opened.payload.ljust(room_for(length), b"\0")
    wanted = example.sized("padded plaintext, size and SHA-256")
    yield "padded plaintext", wanted, (len(padded), sha256(padded))
    nonce = example.hex("nonce")
    yield "nonce", nonce, _seed("nonce")[: len(nonce)]
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(
        padded, frame.header_bytes, nonce, example.hex("K_aead")
    )
    yield "body", frame.body, nonce + sealed
    bulletin = read_bulletin(opened.payload)
    check_agreement(bulletin, frame.header, announcement.header.hist, "FRA")
    yield "bulletin", example.published["bulletin"], json.loads(opened.payload)


def _receipt(example: _Example) -> Iterator[Result]:
    publisher = example["fra endpoint (PK)"]
    answers = read_receipt(example["receipt for fra"].encode(), publisher, example.hub_key)
    hashes = [Frame.read(example.announcement).hash.hex(), sha256(example.hex("b frame")).hex()]
    wanted = [(digest, "admitted") for digest in hashes]
    yield "receipt", wanted, [(answer.sha256, answer.code) for answer in answers]


def _documents(example: _Example) -> Iterator[Result]:
    for name, value in example.published.items():
        payload = canonical_json(value)
        if name.startswith("document-"):
            yield name, value, read_document(Envelope(payload, DIRECTORY, {}))
    entry = example.published["membership"]
    yield "membership entry", entry, read_entry(Envelope(canonical_json(entry), MEMBERSHIP, {}))
    card = example.published["card"]
    yield "card", card, read_card(canonical_json(card))
    envelope = canonical_json(example.published["envelope"]).decode()
    yield "envelope", example["community document, envelope"], envelope
    keys = example.published["document-keys"]
    yield "its encryption key", _public_encryption_key("fra encryption"), encryption_key(keys)
    yield "its signing key", to_base64(example.hex("fra signing key, public")), keys["signing"]
    request = example.published["enrolment"]
    yield "enrolment", request, read_enrolment(_signed(request, _seed("fra identity"), ENROLMENT))


_PARTS: dict[str, Callable[[_Example], Iterator[Result]]] = {
    "keys": _keys,
    "logs": _logs,
    "epoch": _epoch,
    "bulletin": _bulletin,
    "receipt": _receipt,
    "documents": _documents,
}


def check_example(folder: Path) -> list[Result]:
    """What the example says and what comes out here, of each value."""
    example = _Example(folder)
    results: list[Result] = []
    for part, values in _PARTS.items():
        try:
            results += [(f"example, {part}: {name}", wanted, got) for name, wanted, got in values(example)]
        except Refused as refused:
            results.append((f"example, {part}", "no refusal", refused.code))
    return results

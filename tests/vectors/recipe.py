"""How the project's own vectors are written down: one case is one JSON file with one thing to find out."""

import base64
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Final

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt

from schemas.content import pad, plaintext_commitment
from schemas.errors import Code
from schemas.frame import header_bytes, parse_frame
from schemas.signing import Signer
from tests.support import federation as fed
from tests.support.federation import AT, FRA, JPN, UNX, Party, Publisher

Case = dict[str, Any]
NOW: Final = AT + 1000


def b64(data: bytes) -> str:
    """Binary in a case."""
    return base64.b64encode(data).decode("ascii")


def case(name: str, what: str, op: str, expect: dict[str, Any], **given: Any) -> Case:
    """One case: its name is its file's name, `what` says what is right or wrong about it."""
    return {"name": name, "what": what, "op": op, **given, "expect": expect}


def code(expected: Code) -> dict[str, Any]:
    """A refusal."""
    return {"code": str(expected)}


def refused(expected: Code, *, moves: bool = False) -> dict[str, Any]:
    """A reader's refusal; `moves` when the frame is authentic and in its place, so that its chain goes on."""
    return {"verdict": "refused", "code": str(expected), "moves": moves}


def opened(payload: bytes, *, missing: Sequence[int] = (), expired: bool = False) -> dict[str, Any]:
    """A bulletin that is read."""
    facts = {"sha256": sha256(payload).hexdigest(), "missing": list(missing), "expired": expired}
    return {"verdict": "opened", **facts}


def received(
    name: str,
    what: str,
    expect: dict[str, Any],
    message: tuple[str, bytes],
    *,
    before: Iterable[tuple[str, bytes]] = (),
    reader: Party = JPN,
    documents: Iterable[bytes] = (),
    entries: Iterable[bytes] = (),
    keys: Iterable[bytes] = (),
    now: int = NOW,
    **more: Any,
) -> Case:
    """A message to a reader, after `before`, with these further documents, entries and epoch keys."""
    subject, raw = message
    given = {
        "reader": reader.id,
        "documents": [each.decode() for each in documents],
        "entries": [each.decode() for each in entries],
        "keys": [each.hex() for each in keys],
        "before": [[where, b64(each)] for where, each in before],
        "now": now,
        **more,
        "message": [subject, b64(raw)],
    }
    return case(name, what, "receive", expect, **{key: value for key, value in given.items() if value != []})


def caught_up(
    name: str,
    what: str,
    expect: Sequence[dict[str, Any]],
    messages: Sequence[tuple[str, bytes]],
    *,
    reader: Party = UNX,
    documents: Iterable[bytes] = (),
    entries: Iterable[bytes] = (),
    keys: Iterable[bytes] = (),
    now: int = NOW,
    **more: Any,
) -> Case:
    """A batch to a reader with a backlog, and a verdict on each of its messages."""
    given = {
        "reader": reader.id,
        "documents": [each.decode() for each in documents],
        "entries": [each.decode() for each in entries],
        "keys": [each.hex() for each in keys],
        "now": now,
        **more,
        "messages": [[where, b64(each)] for where, each in messages],
    }
    filled = {key: value for key, value in given.items() if value != []}
    return case(name, what, "catch_up", {"verdicts": list(expect)}, **filled)


def started(party: Party = FRA, **fields: Any) -> Publisher:
    """A chain that has announced its epoch."""
    publisher = Publisher(party, **fields)
    publisher.send(publisher.announcement())
    return publisher


def sent(publisher: Publisher) -> list[tuple[str, bytes]]:
    """Everything on its chain so far."""
    return [(publisher.subject, raw) for raw in publisher.sent]


def after(
    publisher: Publisher, name: str, what: str, expect: dict[str, Any], raw: bytes, **more: Any
) -> Case:
    """The next message of a publisher whose chain the reader has followed."""
    given = {"before": sent(publisher), "keys": [bytes(publisher.key)], **more}
    subject = given.pop("subject", publisher.subject)
    return received(name, what, expect, (subject, raw), **given)


def padded_as(publisher: Publisher, number: int, padded: bytes, pc: bytes, signer: Signer) -> bytes:
    """A frame around any plaintext and any commitment, otherwise as it should be."""
    model = parse_frame(publisher.bulletin(number)).header._replace(pc=pc.hex())
    header, nonce = header_bytes(model), fed.seed(f"nonce {number}")[:24]
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(padded, header, nonce, bytes(publisher.key.aead))
    return fed.forge(header, nonce + sealed, signer)


def committed(payload: bytes) -> tuple[bytes, bytes]:
    """Padded plaintext of a payload, and its commitment."""
    salt = fed.seed("salt")
    return pad(salt, payload), plaintext_commitment(salt, payload)

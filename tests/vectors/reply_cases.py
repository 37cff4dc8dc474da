"""Cases about replies for their originator alone. HPKE takes its own randomness, so what it made of the keys
is recorded, not made again.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt

from schemas.bulletin import Bulletin
from schemas.content import pad
from schemas.encoding import canonical_json
from schemas.errors import Code
from schemas.frame import CARD
from schemas.limits import REPLY_KEYS_MAX
from schemas.reply import SealedReply, reply_aead_key, reply_commitment, reply_context, reply_info
from schemas.vocabulary import History, Precedence
from tests.support import federation as fed
from tests.support.federation import COM, FRA, JPN, UNX, Party, Publisher
from tests.vectors.recipe import NOW, Case, after, b64, case, code, refused, sent

RECORDED: Final = Path(__file__).resolve().parent / "recorded_replies.json"
KEY: Final = fed.seed("reply key")
OTHER_KEY: Final = fed.seed("another reply key")
SALT: Final = fed.seed("reply salt")
NONCE: Final = fed.seed("reply nonce")[:24]
TARGET: Final = fed.uuid(90)
"""A bulletin of the reader's."""
NUMBER: Final = 1
CONTEXT: Final = reply_context(COM, fed.uuid(NUMBER), FRA.endpoint)


def _wanted() -> dict[str, tuple[bytes, Party]]:
    return {"for jpn": (KEY, JPN), "for fra": (KEY, FRA), "another key for jpn": (OTHER_KEY, JPN)}


def record() -> None:
    """Make what is wanted and not recorded."""
    known = json.loads(RECORDED.read_text(encoding="ascii")) if RECORDED.exists() else {}
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    for name, (key, party) in _wanted().items():
        if name not in known:
            info = reply_info(CONTEXT, party.kem.kid, party.endpoint)
            known[name] = b64(suite.encrypt(key, party.kem.private.public_key(), info))
    RECORDED.write_text(json.dumps(known, indent=1) + "\n", encoding="ascii")


@cache
def recorded() -> dict[str, bytes]:
    """What is recorded."""
    return {name: base64.b64decode(text) for name, text in json.loads(RECORDED.read_text("ascii")).items()}


def keys(*names: str) -> tuple[bytes, ...]:
    """The recorded keys of these names; for the originator and the publisher when none is given."""
    return tuple(recorded()[name] for name in names or ("for jpn", "for fra"))


def acknowledgement(**changes: Any) -> Bulletin:
    """Of `fra`, to a bulletin of `jpn`."""
    link = {"relation": "acknowledges", "id": TARGET}
    fields = {"kind": "acknowledgement", "title": "Acknowledged: JPN-2026-0090", "history": "none"}
    return fed.bulletin(NUMBER, **{**fields, "links": [link], **changes})


def sealed(
    content: bytes,
    slots: Sequence[bytes] = (),
    *,
    padded: bytes | None = None,
    commitment: bytes | None = None,
) -> SealedReply:
    """Under `KEY`, whatever it is."""
    plain = pad(SALT, content) if padded is None else padded
    body = crypto_aead_xchacha20poly1305_ietf_encrypt(plain, CONTEXT, NONCE, reply_aead_key(KEY))
    return SealedReply(commitment or reply_commitment(SALT, content), tuple(slots) or keys(), NONCE + body)


def publisher(
    party: Party = FRA, hist: History = History.NONE, precedence: Precedence = Precedence.ROUTINE
) -> Publisher:
    """A chain that has announced its epoch, of this history."""
    made = Publisher(party, precedence=precedence)
    made.send(made.announcement(hist=hist))
    return made


def reply_cases() -> Iterator[Case]:
    """All of them."""
    yield from _places()
    yield from _replies()


def _places() -> Iterator[Case]:
    """What every reader of the community makes of the frame."""
    good = sealed(acknowledgement().to_bytes()).to_bytes()
    chain = publisher()
    taken = {"verdict": "sealed", "readers": 2, "missing": [], "expired": False}
    raw = chain.sealed(good, NUMBER)
    yield after(chain, "sealed_good", "a reply for somebody else, in its place", taken, raw, reader=UNX)
    raw = chain.sealed(good, NUMBER, head=chain.head._replace(seq=chain.head.seq + 1))
    what = "a reply behind a gap: taken, and the gap is told"
    yield after(chain, "sealed_after_a_gap", what, {**taken, "missing": [1]}, raw, reader=UNX)
    wrong = refused(Code.CONTENT_MISMATCH, moves=True)
    members = publisher(hist=History.MEMBERS)
    what = "under an epoch whose key later members are given"
    yield after(members, "sealed_under_members_history", what, wrong, members.sealed(good, NUMBER))
    flash = publisher(precedence=Precedence.FLASH)
    yield after(flash, "sealed_in_the_flash_chain", "as flash", wrong, flash.sealed(good, NUMBER))
    bad = refused(Code.BAD_DOCUMENT, moves=True)
    head, rest = good[:48], good[49:]
    rows = (
        ("for_nobody", "without a key", head + b"\x00" + rest[2 * 1168 :]),
        (
            "for_17",
            "with more keys than it may have",
            head + bytes((REPLY_KEYS_MAX + 1,)) + bytes((REPLY_KEYS_MAX + 1) * 1168) + rest[2 * 1168 :],
        ),
        ("with_a_key_too_few", "with a key less than it says", head + b"\x02" + rest[1168:]),
        ("cut", "a byte short", good[:-1]),
        ("appended", "a byte too long", good + b"\x00"),
        ("cut_in_its_head", "ends before the number of its keys", good[:48]),
    )
    for name, what, payload in rows:
        raw = chain.sealed(payload, NUMBER)
        yield after(chain, f"sealed_{name}", what, bad, raw)
    what = "a sealed reply where a card should be"
    raw = chain.sealed(good, NUMBER, kind=CARD)
    yield after(chain, "sealed_as_card", what, refused(Code.BAD_JSON, moves=True), raw)


def _replies() -> Iterator[Case]:
    """What it is to those who can read it, and to those who cannot."""
    said = acknowledgement()
    good = sealed(said.to_bytes())

    def given(
        name: str, what: str, expect: dict[str, Any], reply: SealedReply, *, reader: str = "jpn", **more: Any
    ) -> Case:
        by: Publisher = more.get("by") or publisher()
        number = more.get("number", NUMBER)
        fields = {"reader": reader, "now": NOW, "keys": [bytes(by.key).hex()]}
        before = [[where, b64(raw)] for where, raw in sent(by)]
        message = [by.subject, b64(by.sealed(reply.to_bytes(), number))]
        return case(f"reply_{name}", what, "reply", expect, **fields, before=before, message=message)

    def read(bulletin: Bulletin) -> dict[str, Any]:
        digest = sha256(bulletin.to_bytes()).hexdigest()
        return {"reply": digest, "kind": bulletin.kind.value, "target": bulletin.links[0].id}

    nothing = {"reply": None}
    yield given("good", "an acknowledgement, read by its originator", read(said), good)
    yield given("own", "the copy of who sent it", read(said), good, reader="fra")
    yield given("for_others", "in the community, but for somebody else", nothing, good, reader="unx")
    link = [{"relation": "sights", "id": TARGET}]
    seen = acknowledgement(kind="sighting", links=link)
    yield given("sighting", "a sighting", read(seen), sealed(seen.to_bytes()))
    swapped = sealed(said.to_bytes(), keys("for fra", "for jpn"))
    yield given("keys_in_any_order", "our key is not the first", read(said), swapped)
    what = "carried into another frame of its publisher"
    yield given("in_another_frame", what, nothing, good, number=2)
    what = "carried into a frame of another publisher, who would speak by it"
    yield given("by_another_publisher", what, nothing, good, reader="fra", by=publisher(JPN))
    flipped = sealed(said.to_bytes(), (fed.changed(keys()[0], 5), keys()[1]))
    yield given("key_flipped", "one bit of our key changed", nothing, flipped)
    what = "a key that opens, of another ciphertext"
    other = sealed(said.to_bytes(), keys("another key for jpn"))
    yield given("another_key", what, code(Code.DECRYPTION_FAILED), other)
    turned = good._replace(body=fed.changed(good.body, 60))
    yield given("body_flipped", "one bit of the text changed", code(Code.DECRYPTION_FAILED), turned)
    dirty = bytearray(pad(SALT, said.to_bytes()))
    dirty[-1] = 1
    what = "padding that is not zero"
    yield given("dirty_padding", what, code(Code.BAD_PADDING), sealed(said.to_bytes(), padded=bytes(dirty)))
    lying = sealed(said.to_bytes(), commitment=bytes(32))
    yield given("another_text", "not the text committed to", code(Code.COMMITMENT_MISMATCH), lying)
    yield from (
        given(name, what, code(expected), sealed(content)) for name, what, expected, content in _contents()
    )
    yield from (given(name, what, expect, sealed(content)) for name, what, expect, content in _reports())
    own = sealed(next(_reports())[3])
    yield given("report_own", "our own report: nothing to us", nothing, own, reader="fra")


def _reports() -> Iterator[tuple[str, str, dict[str, Any], bytes]]:
    """Reports on changes: name, what, what comes of it, content."""
    first = {
        "id": TARGET,
        "received": fed.AT,
        "applied": fed.AT + 5,
        "archive": "applied",
        "local": "applied",
        "sinks": "none",
    }
    late = {**first, "id": fed.uuid(91), "applied": None, "local": "failed", "archive": "absent"}

    def made(*changes: dict[str, Any], **more: Any) -> bytes:
        return canonical_json({"v": 1, "type": "report", "changes": list(changes), **more})

    good = made(first, late)
    digest = sha256(good).hexdigest()
    yield "report", "two changes, one of them not applied", {"report": digest, "changes": 2}, good
    bad = code(Code.BAD_DOCUMENT)
    yield "report_of_nothing", "no changes", bad, made()
    yield "report_twice", "a change twice", bad, made(first, first)
    yield "report_of_65", "65 changes", bad, made(*({**first, "id": fed.uuid(n)} for n in range(65)))
    failed = made({**first, "sinks": "failed"})
    yield "report_failed_and_applied", "applied, though something failed", bad, failed
    yield "report_not_applied", "not applied, and nothing failed", bad, made({**first, "applied": None})
    yield "report_with_another_word", "a word that is none", bad, made({**first, "archive": "perhaps"})
    yield "report_with_a_field_too_many", "an unknown field", bad, made(first, officer="x")
    spaced = good.replace(b",", b", ")
    yield "report_with_spaces", "not in its canonical form", code(Code.BAD_ENCODING), spaced


def _contents() -> Iterator[tuple[str, str, Code, bytes]]:
    link = {"relation": "acknowledges", "id": TARGET}

    def made(**changes: Any) -> bytes:
        return acknowledgement(**changes).to_bytes()

    yield "no_json", "no JSON", Code.BAD_JSON, b"seen"
    yield "no_bulletin", "no bulletin", Code.BAD_DOCUMENT, b"{}"
    yield "threat", "a bulletin that answers nothing", Code.NOT_A_REPLY, made(kind="threat")
    response = made(kind="response", links=[{"relation": "responds-to", "id": TARGET}])
    yield "response", "a response: that goes to the community", Code.NOT_A_REPLY, response
    two = made(links=[link, {"relation": "related", "id": fed.uuid(91)}])
    yield "two_links", "an answer to two bulletins", Code.NOT_A_REPLY, two
    yield "another_id", "another id than its frame", Code.CONTENT_MISMATCH, made(id=fed.uuid(2))
    yield "anothers_reference", "another agency's code", Code.CONTENT_MISMATCH, made(ref="JPN-2026-0001")
    yield "flash", "of flash severity", Code.CONTENT_MISMATCH, made(severity="flash")
    yield "history", "for later members", Code.CONTENT_MISMATCH, made(history="members")
    yield "exercise", "of the other realm", Code.EXERCISE_MISMATCH, made(exercise=True)

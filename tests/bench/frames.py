"""Sealing, admission and receiving of 1 KiB bulletins, each against its bare library calls."""

import json
import os
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_sign,
    crypto_sign_open,
    crypto_sign_seed_keypair,
)

from hub.admission import View, decide, open_frame
from schemas.chain import ChainHead, ChainKey
from schemas.frame import Frame, parse_frame, signed_message
from schemas.subjects import parse_frame_subject
from subscribers.judging.trust import Opened, receive
from subscribers.sealing import seal
from tests.bench.measure import Result, Work, throughput
from tests.support import federation

BODY: Final = "Seen twice near the northern gate, heading west. " * 13
_NONCE: Final = 24
_SALT: Final = 32
_HEAD: Final = _SALT + 4
_LATER: Final = federation.AT + 1_000


def measure(*, frames: int, rounds: int) -> list[Result]:
    """`seal`, `admission`, `receive`: rounds of so many frames."""
    publisher = federation.Publisher()
    publisher.send(publisher.announcement())
    start = publisher.head
    payloads = [federation.bulletin(number, body=BODY).to_bytes() for number in range(frames)]
    raw = [publisher.send(publisher.sealed(each, number)) for number, each in enumerate(payloads)]
    parsed = [parse_frame(each) for each in raw]
    return [
        throughput(
            "seal",
            _sealing(publisher, start, payloads),
            _bare_sealing(publisher, parsed, payloads),
            rounds,
            "urandom, XChaCha20-Poly1305, Ed25519, three SHA-256",
        ),
        throughput(
            "admission",
            _admitting(publisher, start, raw),
            _bare_admitting(publisher, parsed),
            rounds,
            "json.loads of the header, two SHA-256, Ed25519",
        ),
        throughput(
            "receive",
            _receiving(publisher, raw),
            _bare_receiving(publisher, parsed),
            rounds,
            "json.loads of header and bulletin, three SHA-256, Ed25519, XChaCha20-Poly1305",
        ),
    ]


def _sealing(publisher: federation.Publisher, start: ChainHead, payloads: list[bytes]) -> Work:
    place, key, signer, kid = publisher.place, publisher.key, publisher.party.signing, publisher.party.kid
    iat, exp = federation.AT, federation.AT + 30 * federation.DAY

    def work() -> int:
        head = start
        for number, payload in enumerate(payloads):
            raw = seal(
                place, kind="b", kid=kid, ep=0, head=head, id=federation.uuid(number), iat=iat, exp=exp,
                payload=payload, epoch_key=key, signer=signer,
            )  # fmt: skip
            head = head.then(raw)
        return len(payloads)

    return work


def _bare_sealing(publisher: federation.Publisher, frames: list[Frame], payloads: list[bytes]) -> Work:
    key, (_, secret) = bytes(publisher.key.aead), crypto_sign_seed_keypair(bytes(publisher.party.signing))
    padded = [bytes(len(frame.body) - _NONCE - 16) for frame in frames]

    def work() -> int:
        for frame, payload, room in zip(frames, payloads, padded, strict=True):
            fresh = os.urandom(_SALT + _NONCE)
            sha256(payload).digest()
            nonce = fresh[_SALT:]
            body = crypto_aead_xchacha20poly1305_ietf_encrypt(room, frame.header_bytes, nonce, key)
            message = frame.header_bytes + sha256(body).digest()
            crypto_sign(message, secret)
            sha256(frame.raw).digest()
        return len(payloads)

    return work


def _admitting(publisher: federation.Publisher, start: ChainHead, raw: list[bytes]) -> Work:
    view = View.of(publisher.at, frozenset(), _LATER)
    subject = publisher.subject

    def work() -> int:
        head = start
        for each in raw:
            opened = open_frame(each, view.keys)
            head = decide(opened, parse_frame_subject(subject), view, head, _LATER).head
        return len(raw)

    return work


def _bare_admitting(publisher: federation.Publisher, frames: list[Frame]) -> Work:
    check = _bare_check(publisher)

    def work() -> int:
        for frame in frames:
            check(frame)
        return len(frames)

    return work


def _receiving(publisher: federation.Publisher, raw: list[bytes]) -> Work:
    station = federation.Station()
    station.keys[publisher.key.commitment] = publisher.key
    station.take(publisher.subject, publisher.sent[0])
    beginning = dict(station.chains)
    subject = publisher.subject

    def work() -> int:
        chains = station.chains
        chains.update(beginning)
        reader = station.reader
        for each in raw:
            verdict = receive(reader, subject, each, _LATER)
            if not isinstance(verdict, Opened):
                raise TypeError(f"not opened: {verdict}")
            chains[ChainKey.of(verdict.frame)] = verdict.chain
        return len(raw)

    return work


def _bare_receiving(publisher: federation.Publisher, frames: list[Frame]) -> Work:
    check, key = _bare_check(publisher), bytes(publisher.key.aead)

    def work() -> int:
        for frame in frames:
            check(frame)
            body = frame.body
            padded = crypto_aead_xchacha20poly1305_ietf_decrypt(
                body[_NONCE:], frame.header_bytes, body[:_NONCE], key
            )
            payload = padded[_HEAD : _HEAD + int.from_bytes(padded[_SALT:_HEAD], "big")]
            sha256(payload).digest()
            json.loads(payload)
        return len(frames)

    return work


def _bare_check(publisher: federation.Publisher) -> Callable[[Frame], None]:
    key = publisher.party.signing.public
    signed: dict[str, bytes] = {}

    def check(frame: Frame) -> None:
        json.loads(frame.header_bytes)
        sha256(frame.raw).hexdigest()
        sha256(frame.body).digest()
        if frame.hash not in signed:
            message = signed_message(frame.header_bytes, frame.body)
            signed[frame.hash] = frame.signature + message
        crypto_sign_open(signed[frame.hash], key)

    return check

"""Cases about wraps and bundles. HPKE takes its own randomness, so the wraps are recorded, not made again."""

import base64
import json
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from schemas.errors import Code
from schemas.limits import WRAPS_PER_BUNDLE
from schemas.wraps import Wrap, bundle, parse_wrap
from subscribers.sealing import EpochKey, wrap
from tests.support import federation as fed
from tests.support.federation import FRA, JPN, UNX, Publisher
from tests.vectors.recipe import Case, b64, case, code, sent, started

RECORDED: Final = Path(__file__).resolve().parent / "recorded_wraps.json"
_KEM: Final = 48
_CURVE: Final = 48 + 1088
_SEALED: Final = 48 + 1120
OTHER_KEY: Final = EpochKey(fed.seed("not the announced key"))


def _publishers() -> tuple[Publisher, Publisher]:
    first = started()
    second = Publisher(FRA, head=first.head, ep=1, sent=list(first.sent))
    second.send(second.announcement())
    return first, second


def _announcement(publisher: Publisher) -> bytes:
    return sha256(publisher.sent[-1]).digest()


def _wanted() -> dict[str, tuple[EpochKey, bytes, fed.Party]]:
    first, second = _publishers()
    return {
        "epoch 0 for jpn": (first.key, _announcement(first), JPN),
        "epoch 1 for jpn": (second.key, _announcement(second), JPN),
        "epoch 0 for unx": (first.key, _announcement(first), UNX),
        "another key for jpn": (OTHER_KEY, _announcement(first), JPN),
    }


def record() -> None:
    """Make the wraps that are wanted and not recorded."""
    known = json.loads(RECORDED.read_text(encoding="ascii")) if RECORDED.exists() else {}
    for name, (key, announcement, party) in _wanted().items():
        if name not in known or base64.b64decode(known[name])[:32] != announcement:
            known[name] = b64(wrap(key, announcement, party.keys()).to_bytes())
    RECORDED.write_text(json.dumps(known, indent=1) + "\n", encoding="ascii")


@cache
def recorded() -> dict[str, bytes]:
    """The recorded wraps."""
    return {name: base64.b64decode(text) for name, text in json.loads(RECORDED.read_text("ascii")).items()}


def wrap_cases() -> Iterator[Case]:
    """All of them."""
    yield from _wraps()
    yield from _bundles()


def _wraps() -> Iterator[Case]:
    first, second = _publishers()
    made = recorded()
    good, next_one = made["epoch 0 for jpn"], made["epoch 1 for jpn"]

    def given(name: str, what: str, expect: dict[str, Any], raw: bytes, **more: Any) -> Case:
        before = [[where, b64(each)] for where, each in sent(second)]
        fields = {"reader": "jpn", "now": fed.AT, "before": before, "wrap": b64(raw), **more}
        return case(f"wrap_{name}", what, "wrap", expect, **fields)

    for name, what, raw, publisher in (
        ("good", "the key that was announced", good, first),
        ("good_next_epoch", "the next epoch's", next_one, second),
    ):
        expect = {"announcement": _announcement(publisher).hex(), "key": bytes(publisher.key).hex()}
        yield given(name, what, expect, raw)
    theirs, bad = made["epoch 0 for unx"], code(Code.BAD_WRAP)
    rows = (
        ("for_another", "for another endpoint", theirs),
        (
            "relabelled",
            "for another endpoint, with our key's id on it",
            theirs[:32] + good[32:48] + theirs[48:],
        ),
        ("named_for_another", "ours, with another key's id on it", good[:32] + theirs[32:48] + good[48:]),
        ("moved_to_another_epoch", "named after another announcement", next_one[:32] + good[32:]),
        ("kem_flipped", "one bit changed in the ML-KEM half", fed.changed(good, _KEM + 5)),
        ("curve_flipped", "one bit changed in the X25519 half", fed.changed(good, _CURVE + 5)),
        (
            "curve_of_small_order",
            "an X25519 share of small order",
            good[:_CURVE] + bytes(32) + good[_SEALED:],
        ),
        ("key_flipped", "one bit of the sealed key changed", fed.changed(good, _SEALED)),
        ("tag_flipped", "one bit of the tag changed", fed.changed(good, len(good) - 1)),
        ("cut", "a byte short", good[:-1]),
        ("appended", "a byte too long", good + b"\x00"),
        ("empty", "no bytes at all", b""),
    )
    for name, what, raw in rows:
        yield given(name, what, bad, raw)
    what = "another key than was announced, to one member only"
    yield given("another_key", what, code(Code.KEY_MISMATCH), made["another key for jpn"])
    what = "for an epoch that was never announced"
    yield given("unannounced", what, code(Code.UNKNOWN_EPOCH), good, before=[])


def _bundles() -> Iterator[Case]:
    made = recorded()
    wraps = [parse_wrap(made["epoch 0 for jpn"]), parse_wrap(made["epoch 0 for unx"])]
    announcement = wraps[0].announcement
    good = bundle(wraps)

    def given(name: str, what: str, expect: dict[str, Any], raw: bytes) -> Case:
        return case(f"bundle_{name}", what, "bundle", expect, bundle=b64(raw))

    def of(count: int) -> bytes:
        return bundle([Wrap(announcement, n.to_bytes(16, "big"), bytes(1168)) for n in range(count)])

    expect = {"announcement": announcement.hex(), "recipients": [each.kid.hex() for each in wraps]}
    yield given("good", "two recipients", expect, good)
    bad = code(Code.BAD_WRAP)
    yield given("recipient_twice", "the same recipient twice", bad, bundle([wraps[0], wraps[0]]))
    yield given("of_none", "no wraps", bad, good[:33])
    yield given("cut", "a byte short", bad, good[:-1])
    yield given("appended", "a byte too long", bad, good + b"\x00")
    yield given("empty", "no bytes at all", code(Code.BAD_VERSION), b"")
    yield given("version_2", "bundle version 2", code(Code.BAD_VERSION), b"\x02" + good[1:])
    yield given("of_257", "257 wraps", code(Code.TOO_LARGE), of(WRAPS_PER_BUNDLE + 1))

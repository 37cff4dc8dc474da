"""What comes from the network before anything is verified: frames, wraps, receipts, checkpoints, parcels."""

import base64
import json
import random
from hashlib import sha256
from typing import Final

from schemas import parcel as parcels
from schemas.checkpoint import parse_note
from schemas.content import pad, unpad
from schemas.encoding import (
    canonical_json,
    check_uuid7,
    from_base64,
    from_hex,
    from_instant,
    instant,
    parse_json,
    to_base64,
)
from schemas.errors import LiaisonError
from schemas.frame import header_bytes, join, parse_frame, parse_header
from schemas.receipts import read
from schemas.reply import SealedReply, parse_sealed
from schemas.report import parse_report
from schemas.signing import RECEIPT_TYPE, pae
from schemas.subjects import parse_frame_subject
from schemas.wraps import bundle, parse_bundle, parse_wrap
from tests.fuzz import samples
from tests.fuzz.mutate import changed_json, edit
from tests.fuzz.target import Target
from tests.support.federation import FRA, HUB

_JSON_MAX: Final = 64 * 1024
_HUB_KEY: Final = HUB.public


def _json(data: bytes) -> None:
    value = parse_json(data, _JSON_MAX)
    assert parse_json(canonical_json(value), 8 * _JSON_MAX) == value


def _encodings(data: bytes) -> None:
    """The first byte says which of the four."""
    text = data[1:].decode("utf-8", "replace")
    match data[:1]:
        case b"b":
            assert to_base64(from_base64(text, 64)) == text
        case b"h":
            assert from_hex(text, len(text) // 2).hex() == text
        case b"t":
            assert instant(from_instant(text)) == text
        case _:
            assert check_uuid7(text) == text


def _subject(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    place = parse_frame_subject(text)
    assert text in {place.intake(), place.traffic()}


def _header(data: bytes) -> None:
    assert header_bytes(parse_header(data)) == data


def _frame(data: bytes) -> None:
    frame = parse_frame(data)
    assert join(frame.header_bytes, frame.signature, frame.body) == data == frame.raw
    assert header_bytes(frame.header) == frame.header_bytes


def _padding(data: bytes) -> None:
    assert pad(*unpad(data)) == data


def _padded() -> list[bytes]:
    salt = bytes(range(32))
    return [pad(salt, b"x" * size) for size in (0, 1, 1023, 1024, 1025)] + [bytes(1060), bytes(36)]


def _wraps(data: bytes) -> None:
    if len(data) == len(_WRAP):
        assert parse_wrap(data).to_bytes() == data
    assert bundle(parse_bundle(data)) == data


_WRAP: Final = samples.decoded("wrap", "wrap")[0]


def _reply(data: bytes) -> None:
    assert parse_sealed(data).to_bytes() == data


def _replies() -> list[bytes]:
    made = [SealedReply(bytes(range(32)), (bytes(1168),) * count, bytes(1100)) for count in (1, 2)]
    whole = [each.to_bytes() for each in made]
    return [*whole, whole[0][:-1], whole[1] + b"\x00", whole[0][:48], whole[0][:16]]


def _report(data: bytes) -> None:
    assert parse_report(data, parse_json(data, _JSON_MAX)).to_bytes() == data


def _reports() -> list[bytes]:
    change = {"received": 1, "applied": 2, "archive": "absent", "local": "applied", "sinks": "failed"}
    ids = [f"019c132c-df40-7000-8000-{number:012x}" for number in range(3)]
    stuck = [{**change, "id": each, "applied": None} for each in ids]
    whole = {"v": 1, "type": "report", "changes": [{**stuck[0], "applied": 3, "sinks": "none"}]}
    return [canonical_json(each) for each in ({**whole, "changes": stuck}, whole, {**whole, "changes": []})]


def _checkpoint(data: bytes) -> None:
    assert parse_note(data).to_bytes() == data


def _receipt(data: bytes) -> None:
    for answer in read(data, FRA.endpoint, _HUB_KEY):
        assert answer.publisher == FRA.endpoint


def _other_receipt(data: bytes, rng: random.Random) -> bytes | None:
    """Changed, and at times signed again by the hub, so that the answers and their paths are looked at."""
    if rng.random() < 0.6:
        return changed_json(data, rng)
    try:
        fields = edit(json.loads(data), rng)
        size = int(fields["size"]) % 2**53
        signed = pae(RECEIPT_TYPE.encode(), size.to_bytes(8, "big") + bytes.fromhex(fields["root"]))
        fields["sig"] = base64.b64encode(HUB.sign(signed)).decode()
        return canonical_json(fields)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _parcel(data: bytes) -> None:
    """In pieces (every fourth) it holds the same as in one; written again it is the same bytes."""
    whole = _pieces([data])
    assert len(data) % 4 or whole == _pieces([data[:97], data[97:150], data[150:]])
    if whole is None:
        return
    header, pieces = whole
    writer = parcels.ParcelWriter()
    assert writer.begin(header) + b"".join(map(writer.add, pieces)) + writer.end() == data


def _pieces(chunks: list[bytes]) -> tuple[parcels.ParcelHeader, list[parcels.Piece]] | None:
    reader = parcels.ParcelReader()
    try:
        found = [piece for chunk in chunks for piece in reader.feed(chunk)]
        return reader.finish(), found
    except LiaisonError:
        return None


def _some_parcels() -> list[bytes]:
    found = []
    for pieces in ([], [parcels.Piece("f.live", b"abc", 7)], [parcels.Piece("r.A", b"", 0)] * 3):
        writer = parcels.ParcelWriter()
        header = parcels.ParcelHeader(
            endpoint=FRA.endpoint, direction="in", number=7, previous=parcels.NO_PARCEL, received=-1, made=1
        )
        found.append(writer.begin(header) + b"".join(map(writer.add, pieces)) + writer.end())
    return [*found, found[1][:-40], found[2][:-1]]


def _other_parcel(data: bytes, rng: random.Random) -> bytes | None:
    """Changed in its header or after it, with a digest that holds."""
    start = len(parcels.MAGIC) + 4
    size = int.from_bytes(data[start - 4 : start])
    if len(data) < start + size + 41:
        return None
    header = changed_json(data[start : start + size], rng) if rng.random() < 0.4 else None
    header = data[start : start + size] if header is None else header
    rest = bytearray(data[start + size : -32])
    if rest and rng.random() < 0.6:
        rest[rng.randrange(min(len(rest), 24))] = rng.choice((0, 1, 2, 3, 127, 255))
    begun = parcels.MAGIC + len(header).to_bytes(4) + header + bytes(rest)
    return begun + sha256(begun).digest()


def _jsons() -> list[bytes]:
    odd = [b'{"a":1,"a":2}', b'{"a":1.0}', b'{"a":-0}', b'{"a":"\\ud800"}', b'{"a":NaN}', b"[" * 40, b"{}"]
    deep = b'{"a":' * 14 + b"1" + b"}" * 14
    return [*odd, deep, *(canonical_json(each) for each in samples.bulletins()[:4])]


def _texts() -> list[bytes]:
    uuid = b"u019c132c-df40-7000-8000-000000000001"
    return [b"t2026-01-31T08:30:00Z", uuid, b"bQUJD", b"bQQ==", b"h" + b"00ff" * 8, b"h"]


def _subjects() -> list[bytes]:
    return [each[0].encode() for each in samples.vectors("receive", "message")][:40]


def _headers() -> list[bytes]:
    return [canonical_header(each) for each in samples.frames()]


def canonical_header(frame: bytes) -> bytes:
    """The header's bytes of a frame that may not be one."""
    return frame[3 : 3 + int.from_bytes(frame[1:3], "big")]


_WORDS: Final = tuple(
    each.encode()
    for each in ('"k":"e"', '"k":"h"', ',"dir":[0,"', ',"mem":[', '"hist":"none"', "9007199254740992", "01")
)  # fmt: skip

_ENCODING: Final = "schemas/encoding.py"

TARGETS: Final = (
    Target("json", _json, (_ENCODING,), _jsons, changed_json),
    Target("encodings", _encodings, (_ENCODING,), _texts, longest=96),
    Target("subject", _subject, ("schemas/subjects.py",), _subjects, longest=160),
    Target("header", _header, ("schemas/frame.py",), _headers, None, longest=1024),
    Target("frame", _frame, ("schemas/frame.py",), samples.frames, longest=2600),
    Target("padding", _padding, ("schemas/content.py",), _padded, longest=2200),
    Target(
        "wraps",
        _wraps,
        ("schemas/wraps.py",),
        lambda: [*samples.decoded("wrap", "wrap"), *samples.decoded("bundle", "bundle")[:4]],
        longest=2600,
    ),
    Target("reply", _reply, ("schemas/reply.py",), _replies, longest=3600),
    Target("report", _report, ("schemas/report.py",), _reports, changed_json, longest=1200),
    Target("checkpoint", _checkpoint, ("schemas/checkpoint.py",), samples.notes, longest=1200),
    Target(
        "receipt",
        _receipt,
        ("schemas/receipts.py", _ENCODING),
        lambda: samples.texts("receipt", "receipt"),
        _other_receipt,
        longest=1600,
    ),
    Target("parcel", _parcel, ("schemas/parcel.py",), _some_parcels, _other_parcel, longest=600),
)

"""The frame: one NATS message. Its bytes, its strict header, and what its signature covers. FORMAT.md,
"Frame".

`split` and `parse_header` read untrusted bytes; `header_bytes` and `join` write. Nothing is re-serialised to
verify: the signature is over the bytes as sent. The header has one form, so it is written again and compared:
that refuses duplicate keys, spaces, floats and reordering in one step.
"""

import json
import re
from hashlib import sha256
from typing import Any, Final, NamedTuple

from schemas.content import BODY_SIZES
from schemas.errors import Code, FormatError
from schemas.limits import FRAME_MAX, HEADER_MAX, INTEGER_MAX, SIGNATURE_SIZE
from schemas.merkle import Head
from schemas.signing import FRAME_TYPE, pae
from schemas.subjects import is_community, is_publisher

VERSION: Final = 1
BULLETIN: Final = "b"
CARD: Final = "c"
EPOCH: Final = "e"
HEARTBEAT: Final = "h"

_PREFIX: Final = 3
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_COMMON: Final = ("v", "k", "rl", "pr", "com", "pub", "kid", "ep", "seq", "prev", "id", "iat", "exp", "pc")
FIELDS: Final = {
    BULLETIN: _COMMON,
    CARD: _COMMON,
    EPOCH: (*_COMMON, "dir", "mem", "kc", "hist"),
    HEARTBEAT: (*_COMMON, "dir", "mem", "heads"),
}
"""The fields of each kind of frame, in the order in which they are written."""

_HEX16: Final = re.compile(r"[0-9a-f]{32}\Z")
_HEX32: Final = re.compile(r"[0-9a-f]{64}\Z")
_UUID7: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
NO_COMMITMENT: Final = "0" * 64
GENESIS: Final = "0" * 64
"""`prev` of a chain's first frame."""


class Header(NamedTuple):
    """The signed header. Times are Unix milliseconds; hashes and ids are lower-case hex as they stand on the
    wire.
    """

    v: int
    k: str
    rl: str
    pr: str
    com: str
    pub: str
    kid: str
    ep: int
    seq: int
    prev: str
    id: str
    iat: int
    exp: int
    pc: str
    dir: Head | None = None
    mem: Head | None = None
    kc: str | None = None
    hist: str | None = None
    heads: tuple[tuple[int, str], tuple[int, str]] | None = None
    """For routine and flash: the next sequence number, and the hash of the frame before it."""


class Frame(NamedTuple):
    """A frame taken apart. `raw` is the whole message, `hash` its SHA-256 in hex: what the next frame's
    `prev` must say.
    """

    header: Header
    header_bytes: bytes
    signature: bytes
    body: bytes
    raw: bytes
    hash: str


def parse_frame(raw: bytes) -> Frame:
    """A frame from untrusted bytes: size, version, strict header. Raises FormatError; the signature is not
    checked here.
    """
    if len(raw) > FRAME_MAX:
        raise FormatError(
            Code.TOO_LARGE,
            f"{len(raw)} bytes, {FRAME_MAX} is the most a frame can have",
            "attach large content as a file",
        )
    if len(raw) < _PREFIX:
        raise FormatError(Code.TRUNCATED, "too short for a frame")
    if raw[0] != VERSION:
        raise FormatError(
            Code.BAD_VERSION,
            f"frame version {raw[0]} is not {VERSION}",
            "update the software on the older side",
        )
    size = int.from_bytes(raw[1:3], "big")
    if size > HEADER_MAX:
        raise FormatError(Code.TOO_LARGE, f"a header of {size} bytes, {HEADER_MAX} is the most")
    end = _PREFIX + size
    if len(raw) < end + SIGNATURE_SIZE:
        raise FormatError(Code.TRUNCATED, "the frame ends before its signature does")
    header_bytes = raw[_PREFIX:end]
    header = parse_header(header_bytes)
    body = raw[end + SIGNATURE_SIZE :]
    if header.k in {EPOCH, HEARTBEAT}:
        if body:
            raise FormatError(Code.BODY_UNEXPECTED, "announcements and heartbeats have no body")
    elif len(body) not in BODY_SIZES:
        raise FormatError(Code.BAD_PADDING, f"a body of {len(body)} bytes is none of the padded sizes")
    return Frame(header, header_bytes, raw[end : end + SIGNATURE_SIZE], body, raw, sha256(raw).hexdigest())


def parse_header(data: bytes) -> Header:
    """The strict header of FORMAT.md: exactly its fields, in order, each in its one form. FormatError
    `bad_header`.
    """
    try:
        fields = json.loads(data.decode("ascii"))
        if header_json(fields) != data:
            raise ValueError("not in its one form")
        kind = fields["k"]
        if tuple(fields) != FIELDS[kind]:
            raise ValueError("fields are missing, unknown or out of order")
        _check_fields(fields)
        return _header(fields)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = error.args[0] if type(error) is ValueError and error.args else type(error).__name__
        raise FormatError(Code.BAD_HEADER, f"the header is not as the format says: {reason}") from None


def header_json(fields: object) -> bytes:
    """The header's one form: fields in the order given, no spaces, ASCII."""
    return _ENCODER.encode(fields).encode("ascii")


def header_bytes(header: Header) -> bytes:
    """The bytes of a header, as they will be signed and sent."""
    fields: dict[str, object] = dict(zip(_COMMON, header, strict=False))
    for name in FIELDS[header.k][len(_COMMON) :]:
        value = getattr(header, name)
        fields[name] = _head_json(value) if isinstance(value, Head) else value
    return header_json(fields)


def signed_message(header: bytes, body: bytes) -> bytes:
    """What the one signature covers: `PAE(T, header || SHA256(body))`."""
    return pae(FRAME_TYPE, header + sha256(body).digest())


def join(header: bytes, signature: bytes, body: bytes) -> bytes:
    """The message from its parts."""
    return bytes((VERSION,)) + len(header).to_bytes(2, "big") + header + signature + body


def _head_json(head: Head) -> list[Any]:
    return [head.size, head.root.hex()]


def _whole(value: object) -> bool:
    return type(value) is int and 0 <= value <= INTEGER_MAX


def _check_fields(f: dict[str, Any]) -> None:
    if not (type(f["v"]) is int and f["v"] == VERSION):
        raise ValueError("v")
    if not (f["rl"] in {"live", "exercise"} and f["pr"] in {"routine", "flash"}):
        raise ValueError("rl or pr")
    if not (is_community(f["com"]) and is_publisher(f["pub"]) and _HEX16.match(f["kid"])):
        raise ValueError("com, pub or kid")
    if not (_whole(f["ep"]) and _whole(f["seq"]) and _whole(f["iat"]) and _whole(f["exp"])):
        raise ValueError("ep, seq, iat or exp")
    if not (_HEX32.match(f["prev"]) and _UUID7.match(f["id"]) and _HEX32.match(f["pc"])):
        raise ValueError("prev, id or pc")
    if (f["pc"] == NO_COMMITMENT) != (f["k"] in {EPOCH, HEARTBEAT}):
        raise ValueError("pc is all zeros exactly where there is no body")
    if (f["seq"] == 0) != (f["prev"] == GENESIS):
        raise ValueError("prev is all zeros exactly at seq 0")
    if f["k"] == EPOCH and not (_HEX32.match(f["kc"]) and f["hist"] in {"none", "members"}):
        raise ValueError("kc or hist")


def _header(f: dict[str, Any]) -> Header:
    header = Header(*[f[name] for name in _COMMON])
    if header.k in {BULLETIN, CARD}:
        return header
    header = header._replace(dir=_head(f["dir"]), mem=_head(f["mem"]))
    if header.k == EPOCH:
        return header._replace(kc=f["kc"], hist=f["hist"])
    routine, flash = f["heads"]
    return header._replace(heads=(_pair(routine), _pair(flash)))


def _head(value: object) -> Head:
    size, root = _pair(value)
    return Head(size, bytes.fromhex(root))


def _pair(value: object) -> tuple[int, str]:
    if not isinstance(value, list) or len(value) != 2 or not _whole(value[0]) or not _HEX32.match(value[1]):  # noqa: PLR2004
        raise ValueError("a head is a number and a hash")
    return value[0], value[1]

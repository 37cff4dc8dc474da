"""The frame: one NATS message. Its bytes, its strict header, and what its signature covers. FORMAT.md,
"Frame".

`parse_frame` and `parse_header` read untrusted bytes; `header_bytes` and `join` write. Nothing is
re-serialised to verify: the signature is over the bytes as sent. The header is JSON for everybody who reads
it, and has one form only, so a regular expression is its grammar: duplicate keys, spaces, floats, other
orders and unknown fields are not in the language. It is also several times faster than parsing JSON and
comparing.
"""

import re
from hashlib import sha256
from typing import Final, NamedTuple

from schemas.content import BODY_SIZES
from schemas.errors import Code, FormatError
from schemas.limits import FRAME_MAX, HEADER_MAX, INTEGER_MAX, SIGNATURE_SIZE
from schemas.merkle import EMPTY_ROOT, Head
from schemas.signing import FRAME_TYPE, pae

VERSION: Final = 1
BULLETIN: Final = "b"
CARD: Final = "c"
EPOCH: Final = "e"
HEARTBEAT: Final = "h"

_PREFIX: Final = 3
_NUMBER: Final = "(0|[1-9][0-9]{0,15})"
_HASH: Final = '"([0-9a-f]{64})"'
_HEAD: Final = rf"\[{_NUMBER},{_HASH}\]"
_START: Final = (
    r'\{"v":1,"k":"([bceh])","rl":"(live|exercise)","pr":"(routine|flash)","com":"([0-9a-f]{32})"'
    rf',"pub":"(A[A-Z2-7]{{55}})","kid":"([0-9a-f]{{32}})","ep":{_NUMBER},"seq":{_NUMBER},"prev":{_HASH}'
    r',"id":"([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})"'
    rf',"iat":{_NUMBER},"exp":{_NUMBER},"pc":{_HASH}'
)
_PLAIN: Final = re.compile(_START + r"\}\Z")
_EPOCH: Final = re.compile(rf'{_START},"dir":{_HEAD},"mem":{_HEAD},"kc":{_HASH},"hist":"(none|members)"\}}\Z')
_HEARTBEAT: Final = re.compile(rf'{_START},"dir":{_HEAD},"mem":{_HEAD},"heads":\[{_HEAD},{_HEAD}\]\}}\Z')
_GRAMMAR: Final = {BULLETIN: _PLAIN, CARD: _PLAIN, EPOCH: _EPOCH, HEARTBEAT: _HEARTBEAT}
_BODILESS: Final = frozenset({EPOCH, HEARTBEAT})
_KIND_AT: Final = len('{"v":1,"k":"')
_TEMPLATE: Final = (
    '{"v":%d,"k":"%s","rl":"%s","pr":"%s","com":"%s","pub":"%s","kid":"%s","ep":%d,"seq":%d,"prev":"%s"'
    ',"id":"%s","iat":%d,"exp":%d,"pc":"%s"'
)
_TEMPLATE_FIELDS: Final = 14

NO_COMMITMENT: Final = "0" * 64
GENESIS: Final = "0" * 64
"""`prev` of a chain's first frame."""
NO_HEAD: Final = Head(0, EMPTY_ROOT)
"""What stands for `dir` and `mem` in a header that cites no log: the empty log, on which everybody agrees."""


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
    dir: Head = NO_HEAD
    mem: Head = NO_HEAD
    kc: str = ""
    hist: str = ""
    heads: tuple[tuple[int, str], tuple[int, str]] = ((0, GENESIS), (0, GENESIS))
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
    if header.k in _BODILESS:
        if body:
            raise FormatError(Code.BODY_UNEXPECTED, "announcements and heartbeats have no body")
    elif len(body) not in BODY_SIZES:
        raise FormatError(Code.BAD_PADDING, f"a body of {len(body)} bytes is none of the padded sizes")
    return Frame(header, header_bytes, raw[end : end + SIGNATURE_SIZE], body, raw, sha256(raw).hexdigest())


def parse_header(data: bytes) -> Header:
    """The strict header of FORMAT.md: exactly its fields, in order, each in its one form. FormatError
    `bad_header`.
    """
    text = data.decode("latin-1")
    grammar = _GRAMMAR.get(text[_KIND_AT : _KIND_AT + 1], _PLAIN)
    match = grammar.match(text)
    if match is None:
        raise _bad_header("its fields, their order or their form")
    kind, realm, precedence, community, publisher, kid, ep, seq, prev, uuid, iat, exp, pc, *rest = (
        match.groups()
    )
    header = Header(
        VERSION,
        kind,
        realm,
        precedence,
        community,
        publisher,
        kid,
        _whole(ep),
        _whole(seq),
        prev,
        uuid,
        _whole(iat),
        _whole(exp),
        pc,
    )
    _check_meaning(header)
    if not rest:
        return header
    header = header._replace(dir=_head(rest[0], rest[1]), mem=_head(rest[2], rest[3]))
    if kind == EPOCH:
        return header._replace(kc=rest[4], hist=rest[5])
    heads = (_whole(rest[4]), rest[5]), (_whole(rest[6]), rest[7])
    if any((size == 0) != (last == GENESIS) for size, last in heads):
        raise _bad_header("a chain's head is all zeros exactly where it has no frames")
    return header._replace(heads=heads)


def header_bytes(header: Header) -> bytes:
    """The bytes of a header, as they will be signed and sent."""
    tail = ""
    if header.k in _BODILESS:
        tail = f',"dir":{_head_json(header.dir)},"mem":{_head_json(header.mem)}'
    if header.k == EPOCH:
        tail += f',"kc":"{header.kc}","hist":"{header.hist}"'
    if header.k == HEARTBEAT:
        heads = ",".join(f'[{seq},"{last}"]' for seq, last in header.heads)
        tail += f',"heads":[{heads}]'
    return f"{_TEMPLATE % header[:_TEMPLATE_FIELDS]}{tail}}}".encode("ascii")


def signed_message(header: bytes, body: bytes) -> bytes:
    """What the one signature covers: `PAE(T, header || SHA256(body))`."""
    return pae(FRAME_TYPE, header + sha256(body).digest())


def join(header: bytes, signature: bytes, body: bytes) -> bytes:
    """The message from its parts."""
    return bytes((VERSION,)) + len(header).to_bytes(2, "big") + header + signature + body


def _head_json(head: Head) -> str:
    return f'[{head.size},"{head.root.hex()}"]'


def _whole(digits: str) -> int:
    value = int(digits)
    if value > INTEGER_MAX:
        raise _bad_header("a number beyond 2^53 - 1")
    return value


def _head(size: str, root: str) -> Head:
    return Head(_whole(size), bytes.fromhex(root))


def _check_meaning(header: Header) -> None:
    if (header.pc == NO_COMMITMENT) != (header.k in _BODILESS):
        raise _bad_header("`pc` is all zeros exactly where there is no body")
    if (header.seq == 0) != (header.prev == GENESIS):
        raise _bad_header("`prev` is all zeros exactly at `seq` 0")


def _bad_header(reason: str) -> FormatError:
    return FormatError(
        Code.BAD_HEADER, f"the header is not as the format says: {reason}", "see FORMAT.md, Frame"
    )

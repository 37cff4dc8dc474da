"""Frame: prefix, header, signature and body of one message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .encoding import ENDPOINT, UUID7
from .limits import (
    FRAME_MAX,
    HEADER_MAX,
    INTEGER_MAX,
    LENGTH_SIZE,
    NONCE_SIZE,
    PAYLOAD_MAX,
    PAYLOAD_ROOM_MIN,
    SALT_SIZE,
    SIGNATURE_SIZE,
    TAG_SIZE,
)
from .refusals import Refused, demand
from .signatures import FRAME, pae, sha256
from .subjects import FrameSubject

VERSION = 1
PRECEDENCES = ("routine", "flash")

_PREFIX_SIZE = 3
_NO_HASH = "0" * 64
_NUMBERS = ("ep", "seq", "iat", "exp", "dir_size", "mem_size", "routine_size", "flash_size")
BODY_SIZES = {
    NONCE_SIZE + SALT_SIZE + LENGTH_SIZE + (PAYLOAD_ROOM_MIN << doubled) + TAG_SIZE
    for doubled in range((PAYLOAD_MAX // PAYLOAD_ROOM_MIN).bit_length())
}

_NUMBER = r"(?:0|[1-9][0-9]{0,15})"
_HASH = r"[0-9a-f]{64}"
_ALL_KINDS = (
    r'"rl":"(?P<rl>live|exercise)","pr":"(?P<pr>routine|flash)","com":"(?P<com>[0-9a-f]{32})",'
    rf'"pub":"(?P<pub>{ENDPOINT})","kid":"(?P<kid>[0-9a-f]{{32}})","ep":(?P<ep>{_NUMBER}),'
    rf'"seq":(?P<seq>{_NUMBER}),"prev":"(?P<prev>{_HASH})","id":"(?P<id>{UUID7})",'
    rf'"iat":(?P<iat>{_NUMBER}),"exp":(?P<exp>{_NUMBER}),"pc":"(?P<pc>{_HASH})"'
)
_HEADS_OF_LOGS = (
    rf',"dir":\[(?P<dir_size>{_NUMBER}),"(?P<dir_root>{_HASH})"\]'
    rf',"mem":\[(?P<mem_size>{_NUMBER}),"(?P<mem_root>{_HASH})"\]'
)
_ANNOUNCEMENT = rf',"kc":"(?P<kc>{_HASH})","hist":"(?P<hist>none|members)"'
_HEADS_OF_CHAINS = (
    rf',"heads":\[\[(?P<routine_size>{_NUMBER}),"(?P<routine_hash>{_HASH})"\],'
    rf'\[(?P<flash_size>{_NUMBER}),"(?P<flash_hash>{_HASH})"\]\]'
)


@dataclass(frozen=True)
class _Kind:
    """What distinguishes one kind of frame: further fields of its header, and whether it has a body."""

    letter: str
    fields: str
    has_body: bool

    @property
    def pattern(self) -> re.Pattern[str]:
        """The one form of its headers."""
        return re.compile(rf'\{{"v":1,"k":"(?P<k>{self.letter})",{_ALL_KINDS}{self.fields}\}}')


_KINDS = {
    kind.pattern: kind
    for kind in (
        _Kind("b", "", True),
        _Kind("c", "", True),
        _Kind("e", _HEADS_OF_LOGS + _ANNOUNCEMENT, False),
        _Kind("h", _HEADS_OF_LOGS + _HEADS_OF_CHAINS, False),
    )
}

LogHead = tuple[int, bytes]


def assemble(header: bytes, signature: bytes, body: bytes) -> bytes:
    """A message of its parts."""
    demand(len(header) <= HEADER_MAX, "too_large")
    return bytes([VERSION]) + len(header).to_bytes(_PREFIX_SIZE - 1) + header + signature + body


def signed_bytes(header: bytes, digest: bytes) -> bytes:
    """What the signature of a frame is over, by its header and its body's hash."""
    return pae(FRAME, header + digest)


@dataclass(frozen=True)
class Header:
    """A header; the last four are there in the kinds that have them."""

    k: str
    has_body: bool
    rl: str
    pr: str
    com: str
    pub: str
    kid: bytes
    ep: int
    seq: int
    prev: bytes
    id: str
    iat: int
    exp: int
    pc: bytes
    logs: Mapping[str, LogHead]
    kc: bytes
    hist: str
    heads: Mapping[str, LogHead]

    @classmethod
    def read(cls, data: bytes) -> Header:
        """Read a header in its one form."""
        try:
            text = data.decode("ascii")
        except UnicodeDecodeError as error:
            raise Refused("bad_header") from error
        for pattern, kind in _KINDS.items():
            if match := pattern.fullmatch(text):
                return cls._from(match.groupdict(), kind)
        raise Refused("bad_header")

    @classmethod
    def _from(cls, found: dict[str, str], kind: _Kind) -> Header:
        numbers = {name: int(found[name]) for name in _NUMBERS if name in found}
        demand(all(number <= INTEGER_MAX for number in numbers.values()), "bad_header")
        demand((found["prev"] == _NO_HASH) == (numbers["seq"] == 0), "bad_header")
        demand((found["pc"] == _NO_HASH) != kind.has_body, "bad_header")
        logs = {
            log: (numbers[f"{short}_size"], bytes.fromhex(found[f"{short}_root"]))
            for log, short in (("directory", "dir"), ("membership", "mem"))
            if f"{short}_size" in found
        }
        heads = {
            precedence: (numbers[f"{precedence}_size"], bytes.fromhex(found[f"{precedence}_hash"]))
            for precedence in PRECEDENCES
            if f"{precedence}_size" in found
        }
        demand(all((size == 0) == (not any(digest)) for size, digest in heads.values()), "bad_header")
        return cls(
            k=found["k"],
            has_body=kind.has_body,
            rl=found["rl"],
            pr=found["pr"],
            com=found["com"],
            pub=found["pub"],
            kid=bytes.fromhex(found["kid"]),
            ep=numbers["ep"],
            seq=numbers["seq"],
            prev=bytes.fromhex(found["prev"]),
            id=found["id"],
            iat=numbers["iat"],
            exp=numbers["exp"],
            pc=bytes.fromhex(found["pc"]),
            logs=logs,
            heads=heads,
            kc=bytes.fromhex(found.get("kc", "")),
            hist=found.get("hist", ""),
        )

    @property
    def chain(self) -> tuple[str, str, str]:
        """The chain in which the frame stands."""
        return self.pub, self.com, self.pr

    def demand_subject(self, subject: FrameSubject) -> None:
        """Refuse a subject that says other than the header."""
        here = FrameSubject(self.rl, self.com, self.pr, self.pub)
        demand(here == subject, "subject_mismatch")


@dataclass(frozen=True)
class Frame:
    """A frame that is well formed; who made it is another question."""

    header: Header
    header_bytes: bytes
    signature: bytes
    body: bytes
    hash: bytes

    @classmethod
    def read(cls, data: bytes) -> Frame:
        """Read a frame."""
        demand(len(data) <= FRAME_MAX, "too_large")
        demand(len(data) > 0, "truncated")
        demand(data[0] == VERSION, "bad_version")
        demand(len(data) >= _PREFIX_SIZE, "truncated")
        length = int.from_bytes(data[1:_PREFIX_SIZE])
        demand(length <= HEADER_MAX, "too_large")
        signature_at = _PREFIX_SIZE + length
        body_at = signature_at + SIGNATURE_SIZE
        demand(len(data) >= body_at, "truncated")
        header_bytes, body = data[_PREFIX_SIZE:signature_at], data[body_at:]
        header = Header.read(header_bytes)
        if header.has_body:
            demand(len(body) in BODY_SIZES, "bad_padding")
        else:
            demand(not body, "body_unexpected")
        return cls(header, header_bytes, data[signature_at:body_at], body, sha256(data))

    @property
    def signed(self) -> bytes:
        """What the signature is over."""
        return signed_bytes(self.header_bytes, sha256(self.body))

    def stands_before(self, other: Frame) -> bool:
        """Whether the frame is directly before another, as that one has it."""
        return (
            self.header.chain == other.header.chain
            and self.header.seq + 1 == other.header.seq
            and self.hash == other.header.prev
        )

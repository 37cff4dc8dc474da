"""A process that does nothing but verify signatures for the hub: run as `python -m hub.verifier`.

Python runs one thread at a time, and what a batch needs besides its signatures fills that one. So they are
verified beside it. On stdin come requests, each its number (eight bytes, big endian), a length (four) and so
many bytes of claims (`pack`); on stdout go the same number and one byte for each claim, 1 where its signature
holds. It ends with its stdin.
"""

import signal
import struct
import sys
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final, NamedTuple

from schemas.limits import SIGNATURE_SIZE
from schemas.signing import KEY_SIZE, verify

HEAD: Final = struct.Struct(">QI")
NUMBER: Final = struct.Struct(">Q")
LENGTH: Final = struct.Struct(">I")
_FIXED: Final = KEY_SIZE + SIGNATURE_SIZE + LENGTH.size


class Claim(NamedTuple):
    """That `key` (32 bytes) signed `message` with `signature` (64 bytes)."""

    key: bytes
    message: bytes
    signature: bytes

    def holds(self) -> bool:
        """Whether it did."""
        return verify(self.key, self.message, self.signature)


def pack(number: int, claims: Sequence[Claim]) -> bytes:
    """The request with this number."""
    parts = [b""]
    for key, message, signature in claims:
        parts += key, signature, LENGTH.pack(len(message)), message
    parts[0] = HEAD.pack(number, sum(map(len, parts)))
    return b"".join(parts)


def unpack(body: bytes) -> Iterator[Claim]:
    """The claims of a request without its head."""
    at = 0
    while at < len(body):
        start = at + _FIXED
        (size,) = LENGTH.unpack_from(body, start - LENGTH.size)
        yield Claim(
            body[at : at + KEY_SIZE], body[start : start + size], body[at + KEY_SIZE : start - LENGTH.size]
        )
        at = start + size


def work(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the requests end."""
    while len(head := requests.read(HEAD.size)) == HEAD.size:
        number, length = HEAD.unpack(head)
        body = requests.read(length)
        answers.write(NUMBER.pack(number) + bytes(claim.holds() for claim in unpack(body)))
        answers.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt at the terminal is for the hub
    work(sys.stdin.buffer, sys.stdout.buffer)

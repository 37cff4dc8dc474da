"""Checkpoints: signed notes of the directory's head."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .directory import Authority
from .encoding import from_base64, is_name
from .limits import CLOCK_SKEW_MAX, INTEGER_MAX, NOTE_MAX, NOTE_SIGNATURES_MAX
from .refusals import Refused, demand
from .signatures import holds, sha256

_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_LOG, _WITNESS = b"\x01", b"\x04"
_HASH_SIZE, _SIGNATURE_SIZE, _COSIGNATURE_SIZE = 4, 64, 72


@dataclass(frozen=True)
class Signature:
    """A line under a checkpoint."""

    name: str
    hash: bytes
    signature: bytes

    @classmethod
    def read(cls, line: str) -> Signature:
        """Read a signature's line."""
        parts = line.split(" ")
        demand(len(parts) == 3 and parts[0] == "\u2014" and is_name(parts[1]), "bad_checkpoint")
        data = from_base64(parts[2])
        demand(len(data) - _HASH_SIZE in (_SIGNATURE_SIZE, _COSIGNATURE_SIZE), "bad_checkpoint")
        return cls(parts[1], data[:_HASH_SIZE], data[_HASH_SIZE:])

    def is_by(self, name: str, kind: bytes, key: bytes) -> bool:
        """Whether the line says that it is by this key."""
        return self.name == name and self.hash == sha256(name.encode(), b"\n", kind, key)[:_HASH_SIZE]

    @property
    def seconds(self) -> int:
        """When a witness signed."""
        return int.from_bytes(self.signature[:-_SIGNATURE_SIZE])


@dataclass(frozen=True)
class Head:
    """A head that a hub and its witnesses have signed."""

    size: int
    root: bytes
    times: list[int]
    signed_at: int
    fresh_until: int

    def is_fresh(self, now: int) -> bool:
        """Whether the head is not stale yet."""
        return now < self.fresh_until

    def demand_timely(self, now: int) -> None:
        """Refuse a head from the future."""
        demand(self.signed_at <= now + CLOCK_SKEW_MAX, "from_the_future")

    def demand_fresh(self, now: int) -> None:
        """Refuse a head from the future, or one that is stale."""
        self.demand_timely(now)
        demand(self.is_fresh(now), "stale_head")

    def demand_continued_by(self, later: Head) -> None:
        """Refuse to go back from this head; that the longer continues the shorter, the log shows."""
        demand(later.size >= self.size, "rollback")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint as it is written."""

    origin: str
    size: int
    root: bytes
    body: bytes
    signatures: list[Signature]

    @classmethod
    def read(cls, data: bytes) -> Checkpoint:
        """Read a note."""
        demand(len(data) <= NOTE_MAX, "too_large")
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise Refused("bad_checkpoint") from error
        demand(text.endswith("\n"), "bad_checkpoint")
        lines = text[:-1].split("\n")
        demand(5 <= len(lines) <= 4 + NOTE_SIGNATURES_MAX, "bad_checkpoint")
        origin, size, root, blank, *signatures = lines
        demand(is_name(origin) and blank == "", "bad_checkpoint")
        demand(_SIZE.fullmatch(size) is not None and int(size) <= INTEGER_MAX, "bad_checkpoint")
        digest = from_base64(root)
        demand(len(digest) == 32, "bad_checkpoint")
        body = f"{origin}\n{size}\n{root}\n".encode()
        return cls(origin, int(size), digest, body, [Signature.read(line) for line in signatures])

    def judge(self, fingerprint: bytes, authority: Authority) -> Head:
        """The head that the checkpoint shows to who knows the fingerprint of the root."""
        demand(self.origin == "liaison/directory/" + fingerprint.hex(), "bad_checkpoint")
        demand(authority.log_key is not None and self._is_logs(authority.log_key), "bad_checkpoint")
        newest = [self._newest(name, key) for name, key in authority.witnesses.items()]
        times = sorted((time for time in newest if time is not None), reverse=True)
        demand(len(times) >= authority.quorum, "witness_shortfall")
        if authority.quorum == 0:
            return Head(self.size, self.root, times, 0, INTEGER_MAX)
        signed_at = times[authority.quorum - 1]
        return Head(self.size, self.root, times, signed_at, signed_at + authority.freshness)

    def _is_logs(self, key: bytes) -> bool:
        return any(
            line.is_by(self.origin, _LOG, key)
            and len(line.signature) == _SIGNATURE_SIZE
            and holds(key, line.signature, self.body)
            for line in self.signatures
        )

    def _newest(self, name: str, key: bytes) -> int | None:
        times = [
            line.seconds * 1000
            for line in self.signatures
            if line.is_by(name, _WITNESS, key)
            and len(line.signature) == _COSIGNATURE_SIZE
            and line.seconds <= INTEGER_MAX // 1000
            and holds(key, line.signature[-_SIGNATURE_SIZE:], self._cosigned(line.seconds))
        ]
        return max(times, default=None)

    def _cosigned(self, seconds: int) -> bytes:
        return b"cosignature/v1\ntime %d\n" % seconds + self.body

"""The directory's head as a C2SP checkpoint with witness cosignatures. FORMAT.md, "Checkpoints".

Sources: c2sp.org/tlog-checkpoint, c2sp.org/signed-note, c2sp.org/tlog-cosignature (cosignature/v1). Pure:
bytes and keys go in, what holds comes out.
"""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from schemas.documents import Witness
from schemas.encoding import from_base64, to_base64
from schemas.errors import Code, FormatError, TrustError
from schemas.limits import CLOCK_SKEW_MAX, INTEGER_MAX, NOTE_MAX, NOTE_SIGNATURES_MAX, SIGNATURE_SIZE
from schemas.merkle import HASH_SIZE, Head
from schemas.signing import KEY_SIZE, Signer, verify

ORIGIN: Final = "liaison/directory/"
LOG_KEY: Final = b"\x01"
"""Signature type of Ed25519 in a signed note."""
WITNESS_KEY: Final = b"\x04"
"""Signature type of cosignature/v1."""
ALWAYS_FRESH: Final = INTEGER_MAX
"""Where a head without a quorum stops being fresh: never."""

_HASH_SIZE: Final = 4
_TIME_SIZE: Final = 8
_MARK: Final = "\u2014 "
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}")
_NAME: Final = re.compile(r"[^\s+\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]{1,200}")


class Checkpoint(NamedTuple):
    """A log's name, size and root: what the hub and the witnesses sign."""

    origin: str
    head: Head

    def body(self) -> bytes:
        """Three lines, each ended: origin, size, base64 root."""
        return f"{self.origin}\n{self.head.size}\n{to_base64(self.head.root)}\n".encode()


class NoteSignature(NamedTuple):
    """One signature line. `signature` is 64 bytes of the log's, or u64be seconds and 64 bytes of a
    witness's.
    """

    name: str
    key_hash: bytes
    signature: bytes


class Note(NamedTuple):
    """A checkpoint with its signatures, not yet verified."""

    checkpoint: Checkpoint
    signatures: tuple[NoteSignature, ...]

    def to_bytes(self) -> bytes:
        """The C2SP signed note."""
        lines = [
            f"{_MARK}{each.name} {to_base64(each.key_hash + each.signature)}\n" for each in self.signatures
        ]
        return self.checkpoint.body() + b"\n" + "".join(lines).encode()


class Cosigned(NamedTuple):
    """What a note proves: the head, and when each of the root's witnesses had it, in Unix ms, newest
    first.
    """

    head: Head
    times: tuple[int, ...]


def origin_of(root_fingerprint: bytes) -> str:
    """The log's name: `root_fingerprint` is the SHA-256 of root version 1's envelope."""
    return ORIGIN + root_fingerprint.hex()


def key_hash(name: str, kind: bytes, public: bytes) -> bytes:
    """The 4 bytes that tell a key in a note: of its name, signature type and 32 bytes."""
    return sha256(name.encode() + b"\n" + kind + public).digest()[:_HASH_SIZE]


def sign_log(checkpoint: Checkpoint, name: str, signer: Signer) -> NoteSignature:
    """The log's own signature, by the hub's receipt key; `name` is the origin."""
    return NoteSignature(name, key_hash(name, LOG_KEY, signer.public), signer.sign(checkpoint.body()))


def cosign(checkpoint: Checkpoint, name: str, seconds: int, signer: Signer) -> NoteSignature:
    """A witness's word that at `seconds` (Unix) this was the newest head that it knew."""
    signature = seconds.to_bytes(_TIME_SIZE, "big") + signer.sign(_cosigned(checkpoint, seconds))
    return NoteSignature(name, key_hash(name, WITNESS_KEY, signer.public), signature)


def parse_note(data: bytes) -> Note:
    """A note from untrusted bytes, in its one form. FormatError `too_large`, `bad_encoding` or
    `bad_checkpoint`.
    """
    if len(data) > NOTE_MAX:
        raise FormatError(Code.TOO_LARGE, f"a checkpoint of more than {NOTE_MAX} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(Code.BAD_CHECKPOINT, "a checkpoint is UTF-8") from None
    lines = text.split("\n")
    if len(lines) < 6 or lines[3] or lines[-1]:  # noqa: PLR2004 - three, a blank one, a signature, the end
        raise FormatError(Code.BAD_CHECKPOINT, "three lines, a blank one and signatures were expected")
    origin, size, root = lines[:3]
    if not _NAME.fullmatch(origin) or not _SIZE.fullmatch(size) or int(size) > INTEGER_MAX:
        raise FormatError(Code.BAD_CHECKPOINT, "no origin and size of a log")
    checkpoint = Checkpoint(origin, Head(int(size), from_base64(root, HASH_SIZE)))
    if len(checkpoint.head.root) != HASH_SIZE:
        raise FormatError(Code.BAD_CHECKPOINT, f"a root has {HASH_SIZE} bytes")
    if len(lines) - 5 > NOTE_SIGNATURES_MAX:
        raise FormatError(Code.BAD_CHECKPOINT, f"more than {NOTE_SIGNATURES_MAX} signatures")
    return Note(checkpoint, tuple(_signature(line) for line in lines[4:-1]))


def check_note(
    note: Note, origin: str, hub_key: bytes, witnesses: Sequence[Witness], quorum: int
) -> Cosigned:
    """What the note proves under the root in force at its size. Signatures that are of no witness, or do not
    hold, count for nothing.

    Raises TrustError `bad_checkpoint` (another log, or not signed by the hub) or `witness_shortfall`.
    """
    body, own = note.checkpoint.body(), key_hash(origin, LOG_KEY, hub_key)
    if note.checkpoint.origin != origin:
        raise TrustError(
            Code.BAD_CHECKPOINT, "the checkpoint is of another log", "compare the root's fingerprint"
        )
    if not any(
        (each.name, each.key_hash) == (origin, own) and verify(hub_key, body, each.signature)
        for each in note.signatures
    ):
        raise TrustError(
            Code.BAD_CHECKPOINT,
            "the checkpoint is not signed by the hub's key in the directory",
            "fetch the directory; then treat the hub as hostile or broken",
        )
    found = (_time_of(note, each) for each in witnesses)
    times = tuple(sorted((each for each in found if each is not None), reverse=True))
    if len(times) < quorum:
        raise TrustError(
            Code.WITNESS_SHORTFALL,
            f"{len(times)} witnesses have signed the head where {quorum} must",
            "wait for the witnesses; if they stay away, call the secretariat",
        )
    return Cosigned(note.checkpoint.head, times)


def fresh_until(cosigned: Cosigned, quorum: int, freshness: int) -> int:
    """Unix ms from which the head is stale: the quorum-th newest time and `freshness` ms. `ALWAYS_FRESH` with
    a quorum of 0, for then nobody says when.
    """
    return min(cosigned.times[quorum - 1] + freshness, ALWAYS_FRESH) if quorum else ALWAYS_FRESH


def check_fresh(cosigned: Cosigned, quorum: int, freshness: int, now: int) -> None:
    """That the head is not stale at `now` (Unix ms), nor from the future; TrustError `stale_head`,
    `from_the_future`.
    """
    check_not_ahead(cosigned, quorum, now)
    check_not_after(fresh_until(cosigned, quorum, freshness), now)


def check_not_ahead(cosigned: Cosigned, quorum: int, now: int) -> None:
    """That its time is not ahead of `now` (Unix ms) by more than clocks differ: it would be fresh for as long
    as a witness's clock was wrong. TrustError `from_the_future`.
    """
    if quorum and cosigned.times[quorum - 1] > now + CLOCK_SKEW_MAX:
        raise TrustError(
            Code.FROM_THE_FUTURE,
            "the witnesses signed the head at a time that has not come yet",
            "check this clock; then ask the witnesses about theirs",
        )


def check_not_after(until: int, now: int) -> None:
    """That a head that is fresh until `until` is so at `now`; TrustError `stale_head`."""
    if now >= until:
        raise TrustError(
            Code.STALE_HEAD,
            "the directory's newest head is too old: it may have grown behind our back",
            "check the connection to the hub and the clock; then call the witnesses",
        )


def _cosigned(checkpoint: Checkpoint, seconds: int) -> bytes:
    return b"cosignature/v1\ntime %d\n" % seconds + checkpoint.body()


def _time_of(note: Note, witness: Witness) -> int | None:
    """The newest time in ms at which a witness has cosigned, however often it did; None for never."""
    public = from_base64(witness.key, KEY_SIZE)
    own = (witness.name, key_hash(witness.name, WITNESS_KEY, public))
    times = []
    for each in note.signatures:
        seconds = int.from_bytes(each.signature[:_TIME_SIZE], "big")
        if (each.name, each.key_hash) != own or seconds > INTEGER_MAX // 1000:
            continue
        if verify(public, _cosigned(note.checkpoint, seconds), each.signature[_TIME_SIZE:]):
            times.append(seconds * 1000)
    return max(times, default=None)


def _signature(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_MARK).partition(" ")
    if not line.startswith(_MARK) or not _NAME.fullmatch(name):
        raise FormatError(Code.BAD_CHECKPOINT, "a signature line has a dash, a name and base64")
    data = from_base64(encoded, _HASH_SIZE + _TIME_SIZE + SIGNATURE_SIZE)
    if len(data) not in {_HASH_SIZE + SIGNATURE_SIZE, _HASH_SIZE + _TIME_SIZE + SIGNATURE_SIZE}:
        raise FormatError(Code.BAD_CHECKPOINT, "a signature of neither the log nor a witness")
    return NoteSignature(name, data[:_HASH_SIZE], data[_HASH_SIZE:])

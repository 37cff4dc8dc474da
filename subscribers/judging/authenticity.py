"""Which frames are authentic: whose key a frame names, and whose signature reaches it.

A frame is authentic if its own signature verifies, or if it is the `prev`-ancestor of a frame of its chain
whose signature does (FORMAT.md, "Frame"). The hashes are there anyway, so a reader with a backlog needs a
signature only where a run ends, and where the key changes backwards. Frames of a revoked key count in this
way only. Pure.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from schemas.directory import Directory
from schemas.documents import Keys
from schemas.encoding import from_base64
from schemas.errors import Code, LiaisonError, TrustError
from schemas.frame import Frame, parse_frame, signed_message
from schemas.signing import KEY_SIZE, verify
from schemas.subjects import parse_frame_subject
from subscribers.judging.verdicts import LogBehind, Refused

_Place = tuple[str, str, str, int, str]
"""Publisher, community, precedence, `seq` and hash: one frame, as the next one of its chain cites it."""


class Pending(NamedTuple):
    """A well-formed frame under its own subject, with the document that binds its key to its publisher."""

    frame: Frame
    keys: Keys


def read_frame(subject: str, raw: bytes) -> Frame | Refused:
    """What needs no directory: sizes, header, subject."""
    frame = None
    try:
        frame = parse_frame(raw)  # FORMAT.md, Limits; Frame
        _check_subject(frame, subject)
    except LiaisonError as error:
        return Refused(error, frame)
    return frame


def bind(directory: Directory, frame: Frame) -> Pending | LogBehind | Refused:
    """Whose key the frame names. A revoked one is bound still; whether that counts is said elsewhere."""
    header = frame.header
    if header.kid not in directory.signers and header.dir.size > directory.head.size:
        # Perhaps the key is in what we have not read; nothing is believed yet.
        return LogBehind("directory", header.dir.size)
    try:
        return Pending(frame, _bound(directory, frame))
    except LiaisonError as error:
        return Refused(error, frame)


def signature_holds(pending: Pending) -> bool:
    """Whether the frame's own signature holds, whatever has become of its key since."""
    # FORMAT.md, Signatures: over PAE(T, header || SHA256(body)), by the key that the directory binds to
    # `pub`.
    frame = pending.frame
    message = signed_message(frame.header_bytes, frame.body)
    return verify(_decoded(pending.keys.signing), message, frame.signature)


class Voucher(NamedTuple):
    """A key whose signature reaches a frame: the version of the `keys` document that bound it, and its id."""

    version: int
    kid: str


def prove(
    directory: Directory,
    frames: Sequence[Pending | None],
    *,
    each: bool,
    withheld: frozenset[str] = frozenset(),
) -> list[str | None]:
    """For each frame the id of the key whose signature shows that it is authentic; None where there is none.

    `frames` stand in the order in which they came, None for what is no frame or not bound to a key yet. With
    `each`, a frame of a key that is not revoked needs its own signature, as live frames do. A signature that
    does not hold costs its own frame at most: those before it are then tried by their own. Keys that are
    `withheld` vouch for nothing but their own frames.
    """
    proofs: list[str | None] = [None] * len(frames)
    cited: dict[_Place, Voucher] = {}
    # From the end, so that who vouches is known before those that it vouches for. What comes before its own
    # ancestor is a reorder: it vouches for nothing that comes later.
    for index in range(len(frames) - 1, -1, -1):
        pending = frames[index]
        if pending is None:
            continue
        header = pending.frame.header
        heard = cited.get((header.pub, header.com, header.pr, header.seq, pending.frame.hash))
        voucher = _voucher(directory, pending, heard, each=each)
        if voucher is None:
            continue  # what is not authentic vouches for nothing, whoever cites it
        proofs[index] = voucher.kid
        before = (header.pub, header.com, header.pr, header.seq - 1, header.prev)
        reach = [
            known for known in (voucher, heard, cited.get(before)) if known and known.kid not in withheld
        ]
        if reach:
            cited[before] = max(reach)
    return proofs


def _voucher(directory: Directory, pending: Pending, heard: Voucher | None, *, each: bool) -> Voucher | None:
    own = Voucher(pending.keys.version, pending.frame.header.kid)
    revoked = own.kid in directory.revoked
    # FORMAT.md, Directory: keys follow each other. An older one does not speak for a newer one, and of two
    # with one version, which are the same, a revoked one does not speak at all.
    if heard is not None and heard.version >= own.version and (revoked or not each):
        return heard
    return own if not revoked and signature_holds(pending) else None


def _check_subject(frame: Frame, subject: str) -> None:
    # FORMAT.md, Frame: realm, community, precedence and publisher stand in the subject as in the signed
    # header.
    header = frame.header
    if parse_frame_subject(subject) != (header.rl, header.com, header.pr, header.pub):
        raise TrustError(Code.SUBJECT_MISMATCH, "the frame does not belong under its subject")


def _bound(directory: Directory, frame: Frame) -> Keys:
    # FORMAT.md, Directory: a `keys` document binds the key to the endpoint, for ever.
    header = frame.header
    if header.pub not in directory.endpoints:
        raise TrustError(Code.UNKNOWN_PUBLISHER, "the directory knows no such endpoint")
    keys = directory.signers.get(header.kid)
    if keys is None or keys.endpoint != header.pub:
        raise TrustError(Code.UNKNOWN_KEY, "the directory does not bind this key to the endpoint")
    return keys


@lru_cache(maxsize=4096)
def _decoded(key: str) -> bytes:
    return from_base64(key, KEY_SIZE)

"""What a reader believes: one message in, one verdict out. Pure; the node feeds it and acts on what it says.

The order of the checks is that of FORMAT.md: size, header, subject, key, signature, cited heads, membership,
chain, epoch, AEAD, padding, commitment, content. Refusals are verdicts too: a frame that is authentic and in
its place moves its chain even when its content is refused, so that one bad bulletin does not look like a gap
for ever after.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from schemas.bulletin import Bulletin, parse_bulletin
from schemas.card import parse_card
from schemas.chain import ChainHead, ChainKey, check_next
from schemas.directory import Directory
from schemas.encoding import from_base64
from schemas.errors import Code, LiaisonError, SealError, TrustError
from schemas.frame import CARD, EPOCH, HEARTBEAT, Frame, parse_frame, signed_message
from schemas.membership import MembershipLog
from schemas.merkle import Head
from schemas.signing import KEY_SIZE, verify
from schemas.subjects import parse_frame_subject
from schemas.vocabulary import Precedence
from schemas.wraps import parse_wrap
from subscribers.keys import KemKey
from subscribers.sealing import EpochKey, open_body, unwrap
from subscribers.verdicts import (
    Announced,
    Beat,
    Carded,
    Chain,
    Epoch,
    EpochId,
    LogBehind,
    LogName,
    Opened,
    Reader,
    Refused,
    Skipped,
    Verdict,
)

__all__ = [
    "Announced",
    "Beat",
    "Carded",
    "Chain",
    "Epoch",
    "EpochId",
    "LogBehind",
    "Opened",
    "Pending",
    "Reader",
    "Refused",
    "Skipped",
    "Verdict",
    "accept_wrap",
    "begin",
    "judge",
    "receive",
    "verify_frames",
]
_NOTHING: Final = range(0)
_subject = lru_cache(maxsize=4096)(parse_frame_subject)  # a reader sees the same few subjects all day


class Pending(NamedTuple):
    """A well-formed frame by a known key, before its signature is checked."""

    frame: Frame
    key: bytes


def receive(reader: Reader, subject: str, raw: bytes, now: int) -> Verdict:
    """The verdict on one message; `now` in Unix milliseconds. Raises nothing for bad input."""
    pending = begin(reader.directory, subject, raw)
    if not isinstance(pending, Pending):
        return pending
    (signed,) = verify_frames([pending])
    return judge(reader, pending, signed=signed, now=now)


def begin(directory: Directory, subject: str, raw: bytes) -> Pending | LogBehind | Refused:
    """Everything before the signature: sizes, header, subject, and whose key it is."""
    frame = None
    try:
        frame = parse_frame(raw)  # FORMAT.md, Limits; Frame
        _check_subject(frame, subject)
        if frame.header.kid not in directory.signers and (
            behind := _beyond(frame, "directory", directory.head)
        ):
            return behind  # perhaps the key is in what we have not read; nothing is believed yet
        return Pending(frame, _key(directory, frame))
    except LiaisonError as error:
        return Refused(error, frame)


def verify_frames(pending: Sequence[Pending]) -> list[bool]:
    """Whether each signature holds. libsodium releases the GIL, so chunks may run on threads."""
    # FORMAT.md, Signatures: over PAE(T, header || SHA256(body)), by the key that the directory binds to
    # `pub`.
    return [verify(key, signed_message(f.header_bytes, f.body), f.signature) for f, key in pending]


def judge(reader: Reader, pending: Pending, *, signed: bool, now: int) -> Verdict:
    """Everything after the signature. Apply the verdict before judging the publisher's next frame."""
    frame = pending.frame
    try:
        if not signed:
            raise TrustError(Code.BAD_SIGNATURE, "the frame's signature does not hold")
        _key(reader.directory, frame)  # again: it may have been revoked since `begin`
        keys = reader.directory.signers[frame.header.kid]
        log = _community(reader.directory, frame)
        behind = _check_cited(reader.directory, log, frame)
        if behind:
            return behind
        _check_publisher(log, frame, keys.agency)
        chain, missing = _place(reader, frame)
    except LiaisonError as error:
        return Refused(error, frame)
    if chain is None:
        return Skipped(frame, None, _NOTHING, Code.UNKNOWN_EPOCH)
    try:
        return _content(reader, _Placed(frame, chain, missing, log, keys.agency), now)
    except LiaisonError as error:
        return Refused(error, frame, chain)


def accept_wrap(
    raw: bytes, announced: Mapping[bytes, Epoch], kem: KemKey, endpoint: str
) -> tuple[bytes, EpochKey]:
    """The announcement (SHA-256 of the `e` frame) that a wrap belongs to, and the key in it.

    Raises FormatError or SealError `bad_wrap`, TrustError `unknown_epoch` without a signed announcement,
    SealError `key_mismatch` for another key than was announced.
    """
    wrapped = parse_wrap(raw)  # FORMAT.md, Wraps
    epoch = announced.get(wrapped.announcement)
    if epoch is None:
        raise TrustError(Code.UNKNOWN_EPOCH, "a wrap for an epoch that was never announced")
    return wrapped.announcement, unwrap(wrapped, epoch.announcement, kem, endpoint, epoch.kc)


class _Placed(NamedTuple):
    frame: Frame
    chain: Chain
    missing: range
    log: MembershipLog
    agency: str


def _check_subject(frame: Frame, subject: str) -> None:
    # FORMAT.md, Frame: realm, community, precedence and publisher stand in the subject as in the signed
    # header.
    header = frame.header
    if _subject(subject) != (header.rl, header.com, header.pr, header.pub):
        raise TrustError(Code.SUBJECT_MISMATCH, "the frame does not belong under its subject")


def _key(directory: Directory, frame: Frame) -> bytes:
    # FORMAT.md, Directory: a `keys` document binds the key to the endpoint; a `revoke` document ends that.
    header = frame.header
    if header.pub not in directory.endpoints:
        raise TrustError(Code.UNKNOWN_PUBLISHER, "the directory knows no such endpoint")
    keys = directory.signers.get(header.kid)
    if keys is None or keys.endpoint != header.pub:
        raise TrustError(Code.UNKNOWN_KEY, "the directory does not bind this key to the endpoint")
    if header.kid in directory.revoked:
        raise TrustError(Code.REVOKED_KEY, "the key that signed this frame is revoked")
    return _decoded(keys.signing)


@lru_cache(maxsize=4096)
def _decoded(key: str) -> bytes:
    return from_base64(key, KEY_SIZE)


def _community(directory: Directory, frame: Frame) -> MembershipLog:
    # FORMAT.md, Directory: the community's document fixes its realm.
    log = directory.communities.get(frame.header.com)
    if log is None:
        raise TrustError(Code.UNKNOWN_COMMUNITY, "the directory knows no such community")
    if log.community.realm.value != frame.header.rl:
        raise TrustError(Code.WRONG_REALM, f"the community belongs to the realm {log.community.realm.value}")
    return log


def _beyond(frame: Frame, name: LogName, ours: Head) -> LogBehind | None:
    cited = frame.header.dir if name == "directory" else frame.header.mem
    return LogBehind(name, cited.size) if cited.size > ours.size else None


def _check_cited(directory: Directory, log: MembershipLog, frame: Frame) -> LogBehind | None:
    # FORMAT.md, Directory: a head that we passed must be the one that we had; a longer one is waited for.
    if frame.header.k not in {EPOCH, HEARTBEAT}:
        return None
    for name, cited, roots in (
        ("directory", frame.header.dir, directory.roots),
        ("membership", frame.header.mem, log.roots),
    ):
        if cited.size < len(roots) and roots[cited.size] != cited.root:
            fix = "stop, and compare the log's heads with another agency by another way"
            raise TrustError(Code.SPLIT_VIEW, f"the publisher was shown another {name} log than we were", fix)
    return _beyond(frame, "directory", directory.head) or _beyond(frame, "membership", log.head)


def _check_publisher(log: MembershipLog, frame: Frame, agency: str) -> None:
    # FORMAT.md, Membership: judged at the frame's own time, by the entries' `nbf`.
    role = log.role(agency, frame.header.iat)
    if role is None:
        raise TrustError(Code.NOT_MEMBER, f"{agency} is not a member of the community")
    if role == "reader":
        raise TrustError(Code.READ_ONLY_MEMBER, f"{agency} may read in the community, not publish")
    if frame.header.k == CARD and agency not in log.community.owners:
        raise TrustError(Code.NOT_MEMBER, f"{agency} does not own the community, so its card is not believed")


def _place(reader: Reader, frame: Frame) -> tuple[Chain | None, range]:
    # FORMAT.md, Chains: an announcement is the anchor; after it a gap is flagged, a replay or a fork refused.
    known = reader.chains.get(ChainKey.of(frame))
    here = ChainHead(frame.header.seq, frame.hash)
    if known is None:
        return (Chain(here, frame.header.ep) if frame.header.k == EPOCH else None), _NOTHING
    missing = range(known.head.seq + 1, frame.header.seq)
    if not missing:
        check_next(known.head, frame)
    return Chain(here, known.since), missing


def _content(reader: Reader, placed: _Placed, now: int) -> Verdict:
    kind = placed.frame.header.k
    if kind == EPOCH:
        return _announced(reader, placed)
    if kind == HEARTBEAT:
        return _beat(reader, placed)
    return _sealed(reader, placed, now)


def _announced(reader: Reader, placed: _Placed) -> Announced:
    # FORMAT.md, Epochs: a number is announced once; the announcement commits to the key.
    header = placed.frame.header
    name = EpochId(header.pub, header.com, header.ep)
    announcement = bytes.fromhex(placed.frame.hash)
    epoch = reader.epochs.get(name)  # our own are known before they come back to us
    if header.ep < placed.chain.since or (epoch is not None and epoch.announcement != announcement):
        raise TrustError(Code.NOT_NEXT, f"epoch {header.ep} was announced before")
    if epoch is None:
        due = placed.log.role(reader.agency, header.iat, header.mem.size) is not None
        epoch = Epoch(header.pr, announcement, bytes.fromhex(header.kc), header.hist, due)
    return Announced(placed.frame, placed.chain, placed.missing, name, epoch)


def _beat(reader: Reader, placed: _Placed) -> Beat:
    # FORMAT.md, Chains: a heartbeat names the heads of both chains as they stood before it.
    header = placed.frame.header
    behind = []
    for precedence, (size, last) in zip(Precedence, header.heads, strict=True):
        if precedence.value == header.pr:
            if (size, last) != (header.seq, header.prev):
                raise TrustError(Code.FORK, "the heartbeat names another past than it stands on")
            continue
        key = ChainKey(header.pub, header.com, precedence.value)
        known = reader.chains.get(key)
        if known is None:
            continue  # before our anchor there is nothing that we should have seen
        if size == known.head.seq + 1 and last != known.head.hash:
            raise TrustError(Code.FORK, f"the heartbeat names another {precedence.value} chain than we saw")
        if size > known.head.seq + 1:
            behind.append(key)
    return Beat(placed.frame, placed.chain, placed.missing, tuple(behind))


def _sealed(reader: Reader, placed: _Placed, now: int) -> Opened | Carded | Skipped:
    # FORMAT.md, Epochs: announced before its use, in the same chain.
    frame, header = placed.frame, placed.frame.header
    epoch = reader.epochs.get(EpochId(header.pub, header.com, header.ep))
    if epoch is None and header.ep < placed.chain.since:
        return Skipped(frame, placed.chain, placed.missing, Code.UNKNOWN_EPOCH)
    if epoch is None or epoch.precedence != header.pr:
        raise TrustError(Code.UNKNOWN_EPOCH, f"epoch {header.ep} was not announced in this chain")
    if epoch.key is None:
        if not epoch.due:
            return Skipped(frame, placed.chain, placed.missing, Code.MISSING_WRAP)
        raise SealError(Code.MISSING_WRAP, f"the key of epoch {header.ep} has not been sent to us")
    payload = open_body(frame, epoch.key)  # FORMAT.md, Content: AEAD, padding, commitment
    if header.k == CARD:
        return Carded(frame, placed.chain, placed.missing, parse_card(payload), placed.agency)
    bulletin = parse_bulletin(payload)
    _check_bulletin(bulletin, frame, epoch, reader.directory.agencies[placed.agency].code)
    expired = header.exp <= now  # the hub refuses these; a reader who comes late still wants to know
    return Opened(frame, placed.chain, placed.missing, expired, payload, bulletin, placed.agency)


def _check_bulletin(bulletin: Bulletin, frame: Frame, epoch: Epoch, code: str) -> None:
    # FORMAT.md, Content: what the bulletin says of itself is what its signed header says.
    header = frame.header
    if bulletin.realm.value != header.rl:
        raise TrustError(Code.EXERCISE_MISMATCH, "the exercise flag does not agree with the realm")
    said = (bulletin.id, bulletin.precedence.value, bulletin.history.value, bulletin.ref.partition("-")[0])
    signed = (header.id, header.pr, epoch.hist, code)
    if said != signed:
        names = ("id", "severity", "history", "ref")
        wrong = [name for name, one, other in zip(names, said, signed, strict=True) if one != other]
        raise TrustError(Code.CONTENT_MISMATCH, f"the bulletin and its frame disagree: {', '.join(wrong)}")

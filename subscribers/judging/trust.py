"""What a reader believes: one message in, one verdict out. Pure; the node feeds it and acts on what it says.

The order of the checks is that of FORMAT.md: size, header, subject, key, signature, cited heads, membership,
chain, epoch, AEAD, padding, commitment, content. Refusals are verdicts too: a frame that is authentic and in
its place moves its chain even when its content is refused, so that one bad bulletin does not look like a gap
for ever after.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from schemas.agreement import check_agreement
from schemas.bulletin import Bulletin, parse_bulletin
from schemas.card import parse_card
from schemas.chain import ChainHead, ChainKey, check_join, check_next
from schemas.directory import Directory
from schemas.errors import Code, LiaisonError, SealError, TrustError
from schemas.frame import CARD, EPOCH, HEARTBEAT, Frame
from schemas.membership import MembershipLog
from schemas.merkle import Head
from schemas.onward import check_onward
from schemas.reply import check_place, is_sealed, parse_sealed
from schemas.vocabulary import Precedence
from schemas.wraps import parse_wrap
from subscribers.directory.heads import stale
from subscribers.judging.authenticity import Pending, bind, read_frame, signature_holds
from subscribers.judging.verdicts import (
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
    Sealed,
    Skipped,
    Verdict,
)
from subscribers.keys import KemKey
from subscribers.sealing import EpochKey, open_body, unwrap

__all__ = [
    "Announced",
    "Beat",
    "Carded",
    "Chain",
    "Epoch",
    "EpochId",
    "LogBehind",
    "Opened",
    "Reader",
    "Refused",
    "Sealed",
    "Skipped",
    "Verdict",
    "accept_wrap",
    "judge",
    "open_bulletin",
    "receive",
]
_NOTHING: Final = range(0)


def receive(reader: Reader, subject: str, raw: bytes, now: int) -> Verdict:
    """The verdict on one message by itself; `now` in Unix milliseconds. Raises nothing for bad input."""
    frame = read_frame(subject, raw)
    pending = bind(reader.directory, frame) if isinstance(frame, Frame) else frame
    if not isinstance(pending, Pending):
        return pending
    by = pending.frame.header.kid if signature_holds(pending) else None
    return judge(reader, pending, by=by, now=now)


def judge(reader: Reader, pending: Pending, *, by: str | None, now: int) -> Verdict:
    """Everything after the signature. Apply the verdict before judging the publisher's next frame.

    `by` is the id of the key whose signature shows that the frame is authentic: its own, or that of a frame
    of which it is a `prev`-ancestor (`authenticity.prove`). None when there is none.
    """
    frame = pending.frame
    try:
        _check_authentic(reader.directory, frame, by)
        # FORMAT.md, Checkpoints: no new key under a stale head.
        if reader.withheld and reader.withheld & {frame.header.kid, by}:
            raise stale("a frame by a key that came after its newest head is not believed")
        keys = pending.keys
        if frame.header.com not in reader.directory.communities and (
            behind := _beyond(frame, "directory", reader.directory.head)
        ):
            return behind  # the two feeds are not ordered: the community may be in what we have not read
        log = _community(reader.directory, frame)
        behind = _check_cited(reader.directory, log, frame) or _joining(reader, log, frame, keys.agency)
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
    raw: bytes, announced: Mapping[bytes, Epoch], kems: Sequence[KemKey], endpoint: str
) -> tuple[bytes, EpochKey]:
    """The announcement (SHA-256 of the `e` frame) that a wrap belongs to, and the key in it.

    `kems` are our encryption keys, the current one first: a wrap may be for one that was replaced while it
    was on its way.

    Raises FormatError or SealError `bad_wrap`, TrustError `unknown_epoch` without a signed announcement,
    SealError `key_mismatch` for another key than was announced.
    """
    wrapped = parse_wrap(raw)  # FORMAT.md, Wraps
    epoch = announced.get(wrapped.announcement)
    if epoch is None:
        raise TrustError(Code.UNKNOWN_EPOCH, "a wrap for an epoch that was never announced")
    kem = next((each for each in kems if each.kid == wrapped.kid), kems[0])
    return wrapped.announcement, unwrap(wrapped, epoch.announcement, kem, endpoint, epoch.kc)


def open_bulletin(
    directory: Directory, frame: Frame, epoch: Epoch, agency: str
) -> tuple[bytes, bytes, Bulletin]:
    """Salt, payload and bulletin of an authentic `b` frame of `agency`, whose epoch's key is here. Raises
    SealError, or what FORMAT.md's "Content" says of a bulletin.
    """
    if epoch.key is None:
        raise SealError(Code.MISSING_WRAP, "the key of the frame's epoch is not here")
    salt, payload = open_body(frame, epoch.key)  # FORMAT.md, Content: AEAD, padding, commitment
    return salt, payload, _bulletin(directory, frame, payload, epoch.hist, agency)


def _bulletin(directory: Directory, frame: Frame, payload: bytes, hist: str, agency: str) -> Bulletin:
    bulletin = parse_bulletin(payload)
    # FORMAT.md, Content: what the bulletin says of itself is what its signed header says.
    check_agreement(bulletin, frame.header, hist, directory.agencies[agency].code)
    check_onward(directory, frame.header.com, frame.header.iat, agency, bulletin)
    return bulletin


class _Placed(NamedTuple):
    frame: Frame
    chain: Chain
    missing: range
    log: MembershipLog
    agency: str


def _check_authentic(directory: Directory, frame: Frame, by: str | None) -> None:
    # FORMAT.md, Frame and Directory: a `revoke` document ends what a key can show, for itself and for others.
    # Looked up here once more, since the key may have been revoked after the signature was checked.
    if (by or frame.header.kid) in directory.revoked:
        raise TrustError(Code.REVOKED_KEY, "the key that signed this frame is revoked")
    if by is None:
        raise TrustError(Code.BAD_SIGNATURE, "the frame's signature does not hold")


def _community(directory: Directory, frame: Frame) -> MembershipLog:
    # FORMAT.md, Directory: the community's document fixes its realm.
    log = directory.communities.get(frame.header.com)
    if log is None:
        raise TrustError(Code.UNKNOWN_COMMUNITY, "the directory knows no such community")
    if log.community.realm != frame.header.rl:
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


def _joining(reader: Reader, log: MembershipLog, frame: Frame, agency: str) -> LogBehind | None:
    # FORMAT.md, Membership: the hub gives frames to members. A log in which we have never been says of nobody
    # yet that it may not publish: the two feeds of who has just joined are not ordered.
    if reader.agency in log.by_agency or log.role(agency, frame.header.iat) == "member":
        return None
    return LogBehind("membership", log.head.size + 1)


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
    header, key = frame.header, ChainKey.of(frame)
    known = reader.chains.get(key)
    if known is None:
        if header.k != EPOCH:
            return None, _NOTHING
        check_join(reader.past.get(key), frame)  # FORMAT.md, History
        return Chain(ChainHead(header.seq, frame.hash), header.ep), _NOTHING
    if missing := range(known.head.seq + 1, header.seq):
        return Chain(ChainHead(header.seq, frame.hash), known.since), missing
    return Chain(check_next(known.head, frame), known.since), _NOTHING


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


def _sealed(reader: Reader, placed: _Placed, now: int) -> Opened | Sealed | Carded | Skipped:
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
    salt, payload = open_body(frame, epoch.key)  # FORMAT.md, Content: AEAD, padding, commitment
    if header.k == CARD:
        return Carded(frame, placed.chain, placed.missing, parse_card(payload), placed.agency)
    expired = header.exp <= now  # the hub refuses these; a reader who comes late still wants to know
    if is_sealed(payload):  # FORMAT.md, Replies: what it says is its reader's to judge
        check_place(header, epoch.hist)
        code = reader.directory.agencies[placed.agency].code
        reply, agency = parse_sealed(payload), placed.agency
        return Sealed(frame, placed.chain, placed.missing, expired, salt, payload, reply, agency, code)
    bulletin = _bulletin(reader.directory, frame, payload, epoch.hist, placed.agency)
    return Opened(frame, placed.chain, placed.missing, expired, salt, payload, bulletin, placed.agency)

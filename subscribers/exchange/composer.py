"""From a payload to the submissions that carry it: epoch announcement, wraps and sealed frame, in order.
Pure.

A chain of this node is an `OwnChain`: where composing stands, what the hub has admitted, and the epochs in
use. Rotation is lazy: a new epoch begins with the next bulletin after the membership or a reader's key
changed, or the epoch's time or use is spent (FORMAT.md, "Epochs").
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final, NamedTuple

from schemas.chain import ChainHead
from schemas.checkpoint import ALWAYS_FRESH
from schemas.directory import Directory
from schemas.documents import Keys
from schemas.errors import TrustError
from schemas.frame import BULLETIN, EPOCH, HEARTBEAT
from schemas.limits import WRAPS_PER_BUNDLE
from schemas.merkle import Head
from schemas.signing import Signer
from schemas.subjects import FrameSubject, wrap_submission
from schemas.vocabulary import History, Precedence
from schemas.wraps import Wrap, bundle
from subscribers.directory.heads import stale
from subscribers.judging.trust import Epoch, EpochId
from subscribers.sealing import EpochKey, announce, heartbeat, seal, wrap

WRAPS: Final = "w"
HOUR: Final = 3_600_000
NOT_BEGUN: Final = ChainHead()


class Item(NamedTuple):
    """Something to be sealed: a bulletin (`b`) or a card (`c`). `id` is a UUIDv7, `payload` its canonical
    JSON.
    """

    kind: str
    id: str
    payload: bytes
    history: History


class Submission(NamedTuple):
    """One message to the hub. `kind` is a frame's, or `w` for a bundle of wraps; `seq` is None for wraps."""

    kind: str
    subject: str
    raw: bytes
    seq: int | None

    @property
    def sha256(self) -> str:
        """What the hub's receipt will name it by."""
        return sha256(self.raw).hexdigest()


@dataclass(frozen=True, slots=True)
class OwnEpoch:
    """An epoch of ours in use: its key, whom it went to, and how far it is spent. `since` in Unix
    milliseconds.
    """

    ep: int
    key: EpochKey
    mem: Head
    readers: bytes
    kid: str
    since: int
    uses: int = 0


@dataclass(frozen=True, slots=True)
class OwnChain:
    """One of our chains: `head` is the last frame composed, `admitted` the last that the hub has taken."""

    head: ChainHead = NOT_BEGUN
    admitted: ChainHead = NOT_BEGUN
    epochs: dict[History, OwnEpoch] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an epoch serves, and how long a frame may wait for the hub (milliseconds)."""

    epoch_age: int = 24 * HOUR
    epoch_uses: int = 1_000
    life: int = 30 * 24 * HOUR


@dataclass(frozen=True, slots=True)
class Context:
    """What composing needs to know and may not look up itself."""

    directory: Directory
    kid: str
    signer: Signer
    now: int
    next_epoch: int
    new_id: Callable[[], str]
    limits: Limits = Limits()
    random: Callable[[int], bytes] = os.urandom
    fresh_until: int = ALWAYS_FRESH
    """Unix ms from which no epoch begins: what is known of the readers' keys is too old."""
    wraps_max: int | None = None
    """An epoch with more readers is not begun here."""


class ManyWraps(Exception):
    """An epoch is due whose wraps would hold up whoever composes here."""


class Composed(NamedTuple):
    """Submissions in the order in which they must be sent, the chain after them, and the epoch that they
    announce.
    """

    submissions: list[Submission]
    chain: OwnChain
    announced: tuple[EpochId, Epoch] | None


def readers_of(directory: Directory, community: str, now: int) -> list[Keys]:
    """The endpoints that may read what is published in a community now, in a fixed order."""
    members = directory.communities[community].members(now)
    found = (keys for keys in directory.endpoints.values() if keys.agency in members)
    return sorted(
        (keys for keys in found if directory.kid_of(keys) not in directory.revoked),
        key=lambda keys: keys.endpoint,
    )


def needs_epoch(chain: OwnChain, place: FrameSubject, history: History, context: Context) -> bool:
    """Whether the next bulletin must begin a new epoch."""
    epoch = chain.epochs.get(history)
    if (
        epoch is None
        or epoch.kid != context.kid
        or epoch.mem != context.directory.communities[place.community].head
    ):
        return True
    if context.now - epoch.since >= context.limits.epoch_age or epoch.uses >= context.limits.epoch_uses:
        return True
    return epoch.readers != _digest(readers_of(context.directory, place.community, context.now))


def compose(item: Item, place: FrameSubject, chain: OwnChain, context: Context) -> Composed:
    """The submissions for one item. About 0.2 ms a reader when an epoch begins: run that in a thread.

    TrustError `stale_head` when it needs a new epoch and the directory's head is stale, ManyWraps when that
    one has more readers than `wraps_max`.
    """
    submissions: list[Submission] = []
    announced = None
    if needs_epoch(chain, place, item.history, context):
        submissions, chain, announced = _begin_epoch(item.history, place, chain, context)
    epoch = chain.epochs[item.history]
    raw = seal(
        place,
        kind=item.kind,
        kid=context.kid,
        ep=epoch.ep,
        head=chain.head,
        id=item.id,
        iat=context.now,
        exp=context.now + context.limits.life,
        payload=item.payload,
        epoch_key=epoch.key,
        signer=context.signer,
        random=context.random,
    )
    seq = chain.head.seq + 1
    submissions.append(Submission(item.kind, place.intake(), raw, seq))
    spent = replace(epoch, uses=epoch.uses + (item.kind == BULLETIN))
    chain = replace(chain, head=chain.head.then(raw), epochs={**chain.epochs, item.history: spent})
    return Composed(submissions, chain, announced)


def beat(id: str, place: FrameSubject, chain: OwnChain, other: ChainHead, context: Context) -> Composed:
    """A heartbeat. `other` is what the hub has admitted of our chain of the other precedence here."""
    routine = place.precedence is Precedence.ROUTINE
    raw = heartbeat(
        place,
        kid=context.kid,
        ep=0,
        head=chain.head,
        id=id,
        iat=context.now,
        exp=context.now + context.limits.life,
        dir=context.directory.head,
        mem=context.directory.communities[place.community].head,
        heads=(chain.head, other) if routine else (other, chain.head),
        signer=context.signer,
    )
    submission = Submission(HEARTBEAT, place.intake(), raw, chain.head.seq + 1)
    return Composed([submission], replace(chain, head=chain.head.then(raw)), None)


def _begin_epoch(history: History, place: FrameSubject, chain: OwnChain, context: Context) -> Composed:
    if context.now >= context.fresh_until:
        raise stale("no new epoch begins")
    readers = readers_of(context.directory, place.community, context.now)
    if context.wraps_max is not None and len(readers) > context.wraps_max:
        raise ManyWraps
    key = EpochKey(context.random(32))
    members = context.directory.communities[place.community].head
    raw = announce(
        place,
        kid=context.kid,
        ep=context.next_epoch,
        head=chain.head,
        id=context.new_id(),
        iat=context.now,
        exp=context.now + context.limits.life,
        dir=context.directory.head,
        mem=members,
        hist=history,
        epoch_key=key,
        signer=context.signer,
    )
    seq = chain.head.seq + 1
    announcement = sha256(raw).digest()
    # One is for ourselves: after its machine was lost, a restored node reads its own bulletins by it.
    wraps = [each for reader in readers if (each := _wrap(key, announcement, reader))]
    submissions = [Submission(EPOCH, place.intake(), raw, seq)]
    bundles = (wraps[start : start + WRAPS_PER_BUNDLE] for start in range(0, len(wraps), WRAPS_PER_BUNDLE))
    subject = wrap_submission(place.publisher)
    submissions += [Submission(WRAPS, subject, bundle(each), None) for each in bundles]
    epoch = OwnEpoch(context.next_epoch, key, members, _digest(readers), context.kid, context.now)
    chain = replace(chain, head=chain.head.then(raw), epochs={**chain.epochs, history: epoch})
    known = Epoch(str(place.precedence), announcement, key.commitment, history, due=True, key=key)
    return Composed(submissions, chain, (EpochId(place.publisher, place.community, epoch.ep), known))


def _wrap(key: EpochKey, announcement: bytes, reader: Keys) -> Wrap | None:
    try:
        return wrap(key, announcement, reader)
    except TrustError:
        return None  # a key that cannot be used locks out its owner, and must not hold up everybody else


def _digest(readers: Iterable[Keys]) -> bytes:
    digest = sha256()
    for keys in readers:
        digest.update(f"{keys.endpoint} {keys.version}\n".encode())
    return digest.digest()

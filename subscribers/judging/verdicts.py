"""What a reader keeps between messages, and its verdicts on one. FORMAT.md, "Chains" and "Epochs"."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from schemas.bulletin import Bulletin
from schemas.card import Card
from schemas.chain import ChainHead, ChainKey
from schemas.directory import Directory
from schemas.errors import Code, LiaisonError
from schemas.frame import Frame
from schemas.reply import SealedReply
from subscribers.sealing import EpochKey

LogName = Literal["directory", "membership"]


class EpochId(NamedTuple):
    """One counter per publisher and community."""

    publisher: str
    community: str
    ep: int


class Epoch(NamedTuple):
    """What a signed announcement said. `due`: we were a member by the log that it cites, so a wrap is due to
    us.

    `announcement` is the SHA-256 of the `e` frame, `kc` the commitment to the key (32 bytes each).
    """

    precedence: str
    announcement: bytes
    kc: bytes
    hist: str
    due: bool
    key: EpochKey | None = None


class Chain(NamedTuple):
    """Where a reader stands in a chain. `since` is the epoch of its anchor, the first announcement that it
    saw.
    """

    head: ChainHead
    since: int


@dataclass(frozen=True, slots=True)
class Reader:
    """What a reader knows when a message comes in. The mappings may be the node's own, changing between
    calls.
    """

    directory: Directory
    agency: str
    chains: Mapping[ChainKey, Chain]
    epochs: Mapping[EpochId, Epoch]
    withheld: frozenset[str] = frozenset()
    """Signing keys, by id, that are not taken up while the directory's newest head is stale."""
    past: Mapping[ChainKey, ChainHead] = field(default_factory=dict)
    """How far chains were read that have no anchor yet: FORMAT.md, "History"."""


class Opened(NamedTuple):
    """A bulletin. `missing` are the numbers of frames that were skipped on the way, `expired` that `exp` is
    past. With `salt` (32 bytes) and `payload` a third party can be shown what the header commits to.
    """

    frame: Frame
    chain: Chain
    missing: range
    expired: bool
    salt: bytes
    payload: bytes
    bulletin: Bulletin
    agency: str


class Sealed(NamedTuple):
    """A reply sealed to its originator: for us or not, it is in its place. `agency` is its publisher, `code`
    that agency's; the rest as in `Opened`.
    """

    frame: Frame
    chain: Chain
    missing: range
    expired: bool
    salt: bytes
    payload: bytes
    reply: SealedReply
    agency: str
    code: str


class Carded(NamedTuple):
    """A community's card, by one of its owners."""

    frame: Frame
    chain: Chain
    missing: range
    card: Card
    agency: str


class Announced(NamedTuple):
    """A new epoch; its key comes in a wrap."""

    frame: Frame
    chain: Chain
    missing: range
    id: EpochId
    epoch: Epoch


class Beat(NamedTuple):
    """A heartbeat. `behind` are chains of which it names a head that we have not seen."""

    frame: Frame
    chain: Chain
    missing: range
    behind: tuple[ChainKey, ...]


class Skipped(NamedTuple):
    """Authentic, but of an epoch from before we joined; `chain` is None before the anchor."""

    frame: Frame
    chain: Chain | None
    missing: range
    code: Code


class LogBehind(NamedTuple):
    """The frame cites a longer log than ours: apply the directory feed, then try again."""

    log: LogName
    size: int


class Refused(NamedTuple):
    """For the quarantine. `chain` is set when the frame is authentic and in its place: the chain moves on."""

    error: LiaisonError
    frame: Frame | None = None
    chain: Chain | None = None


Settled = Opened | Sealed | Carded | Announced | Beat | Skipped | Refused
Verdict = Settled | LogBehind

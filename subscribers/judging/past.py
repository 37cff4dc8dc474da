"""A chain's past: read by the same rules as what is live, from the chain's beginning. Pure. FORMAT.md,
"History".

The past has a chain state of its own, so that nothing in it moves the live one; where the two meet, the
hashes must be those that the live chain knows. What cannot be opened yet waits for its key; what its
originator keeps from later joiners is counted, and nothing else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from schemas.chain import ChainHead, ChainKey
from schemas.directory import Directory
from schemas.errors import Code, LiaisonError, TrustError
from schemas.frame import BULLETIN, Frame, parse_header
from schemas.vocabulary import History
from subscribers.judging.authenticity import Pending, Voucher, bind, read_frame, signature_holds
from subscribers.judging.trust import judge
from subscribers.judging.verdicts import Announced, Chain, Epoch, EpochId, LogBehind, Reader, Refused


class Step(NamedTuple):
    """One frame of a chain by its header: whose signature is known to hold under the key `kid`."""

    seq: int
    hash: str
    prev: str
    kid: str


class Join(NamedTuple):
    """Where the live chain begins: `seq`, `prev` and `kid` of its anchor."""

    seq: int
    prev: str
    kid: str

    @classmethod
    def at(cls, header: bytes) -> "Join":
        """From the anchor's header."""
        anchor = parse_header(header)
        return cls(anchor.seq, anchor.prev, anchor.kid)


def stage(directory: Directory, subject: str, raw: bytes) -> Pending | LogBehind | Refused:
    """What an old frame must show before it is kept for reading: form, subject, a key of its publisher's and
    its own signature. So a hub cannot fill the disk with what nobody has signed.
    """
    frame = read_frame(subject, raw)
    pending = bind(directory, frame) if isinstance(frame, Frame) else frame
    if isinstance(pending, Pending) and not signature_holds(pending):
        error = TrustError(Code.BAD_SIGNATURE, "the old frame's signature does not hold")
        return Refused(error, pending.frame)
    return pending


def vouchers(directory: Directory, steps: Sequence[Step], join: Join | None) -> list[str | None]:
    """For each step, in ascending order, the id of the key that shows that it is authentic: its own, or for a
    revoked one that of a successor's frame which has it as an ancestor; None where there is none.
    """
    proofs: list[str | None] = [None] * len(steps)
    cited: dict[tuple[int, str], Voucher] = {}
    if join is not None and join.kid in directory.signers and join.kid not in directory.revoked:
        cited[join.seq - 1, join.prev] = Voucher(directory.signers[join.kid].version, join.kid)
    for index in range(len(steps) - 1, -1, -1):
        step = steps[index]
        heard = cited.get((step.seq, step.hash))
        own = Voucher(directory.signers[step.kid].version, step.kid)
        if step.kid not in directory.revoked:
            proofs[index], reach = step.kid, own if heard is None else max(own, heard)
        elif heard is not None and heard.version >= own.version:
            proofs[index], reach = heard.kid, heard
        else:
            continue
        before = (step.seq - 1, step.prev)
        cited[before] = max(cited.get(before, reach), reach)
    return proofs


class Outcome(NamedTuple):
    """What becomes of an old frame: it `waits` for a key, is `withheld` by its originator, has `passed`
    (nothing in it is kept), or was `refused`.
    """

    state: Literal["waits", "withheld", "passed", "refused"]
    frame: Frame | None
    announcement: bytes = b""
    error: LiaisonError | None = None


@dataclass
class PastChain:
    """Reads one chain of the past, frame by frame in the order of the chain."""

    key: ChainKey
    agency: str
    join: Join | None
    pins: Mapping[int, str]
    """What stands where, by the live chain: the frame before its anchor, and its last one."""
    epochs: dict[EpochId, Epoch]
    """Of this publisher in this community, as they are known; those that the chain announces are added."""
    read_live: frozenset[EpochId] = frozenset()
    """Those whose key is here: the live feed reads them."""
    learned: dict[EpochId, Epoch] = field(default_factory=dict)
    announced: list[Frame] = field(default_factory=list)
    missing: list[range] = field(default_factory=list)
    chain: Chain | None = None

    @classmethod
    def of(
        cls,
        key: ChainKey,
        agency: str,
        join: Join | None,
        known: Iterable[tuple[EpochId, Epoch]],
        live: ChainHead | None = None,
    ) -> "PastChain":
        """`known` are all the epochs that the node knows, `live` is the live chain's last frame."""
        place = (key.publisher, key.community)
        ours = {id: epoch for id, epoch in known if (id.publisher, id.community) == place}
        pins = {live.seq: live.hash} if live else {}
        if join is not None:
            pins[join.seq - 1] = join.prev
        epochs = {id: epoch._replace(key=None, due=False) for id, epoch in ours.items()}
        held = frozenset(id for id, epoch in ours.items() if epoch.key is not None)
        return cls(key, agency, join, pins, epochs, held)

    def read(
        self, directory: Directory, raw: bytes, by: str | None, withheld: frozenset[str], now: int
    ) -> Outcome | LogBehind:
        """The next frame, staged before; `by` as `vouchers` gives it, `withheld` as a `Reader` has it."""
        community = directory.communities[self.key.community].community
        subject = f"f.{community.realm.value}.{self.key.community}.{self.key.precedence}.{self.key.publisher}"
        pending = stage(directory, subject, raw)
        if isinstance(pending, LogBehind):
            return pending
        if isinstance(pending, Refused):
            return Outcome("refused", pending.frame, error=pending.error)
        frame = pending.frame
        chains = {} if self.chain is None else {self.key: self.chain}
        verdict = judge(
            Reader(directory, self.agency, chains, self.epochs, withheld), pending, by=by, now=now
        )
        if isinstance(verdict, LogBehind):
            return verdict
        try:
            self._meet(frame, verdict.chain)
        except TrustError as error:
            return Outcome("refused", frame, error=error)
        if isinstance(verdict, Announced):
            self.announced.append(frame)
            epoch = verdict.epoch._replace(due=False)
            if verdict.id not in self.epochs:
                self.epochs[verdict.id] = self.learned[verdict.id] = epoch
        if isinstance(verdict, Refused):
            return Outcome("refused", frame, error=verdict.error)
        return self._kept(frame)

    def close(self) -> None:
        """The chain has been read to its end: what lies between that and the live chain's anchor is missing,
        and stays so.
        """
        head, since = (ChainHead(), 0) if self.chain is None else self.chain
        if self.join is not None and head.seq + 1 < self.join.seq:
            self.missing.append(range(head.seq + 1, self.join.seq))
            self.chain = Chain(ChainHead(self.join.seq - 1, self.join.prev), since)

    @property
    def head(self) -> ChainHead | None:
        """The last frame that was read."""
        return None if self.chain is None else self.chain.head

    def _meet(self, frame: Frame, chain: Chain | None) -> None:
        """Move on to `frame`, unless the live chain has another in its place."""
        if chain is None:
            return
        seq = frame.header.seq
        if self.pins.get(seq, frame.hash) != frame.hash:
            raise TrustError(
                Code.FORK,
                "the old chain does not lead to the one that is followed",
                "find out who else signs with this key; compare with another member",
            )
        before = -1 if self.chain is None else self.chain.head.seq
        if seq > before + 1:
            self.missing.append(range(before + 1, seq))
        self.chain = chain

    def _kept(self, frame: Frame) -> Outcome:
        header = frame.header
        id = EpochId(header.pub, header.com, header.ep)
        epoch = self.epochs.get(id)
        if header.k != BULLETIN or epoch is None or id in self.read_live:
            return Outcome("passed", frame)
        state: Literal["waits", "withheld"] = "waits" if epoch.hist == History.MEMBERS else "withheld"
        return Outcome(state, frame, epoch.announcement)


def given(hist: str, *, due: bool) -> None:
    """Whether a wrap that came may be used. TrustError `history_none`: one that was not due is of an epoch
    for later joiners, or nobody may have passed it on.
    """
    if not due and hist != History.MEMBERS:
        raise TrustError(
            Code.HISTORY_NONE,
            "a key of an epoch that its originator keeps from later joiners",
            "tell the originator who passed it on",
        )

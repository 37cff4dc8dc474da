"""Receiver: a reader that judges frames and wraps in their order of checks, and keeps its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .authentic import authentic_places, binding_of
from .bulletin import read_bulletin
from .chains import Chain, Chains
from .checkpoints import Checkpoint, Head
from .content import Opened, check_agreement, open_body, read_card
from .directory import Binding, Directory
from .epochs import Epoch, Epochs, aead_key, key_commitment
from .frame import Frame, LogHead
from .membership import Membership, Memberships
from .onward import Place, check_onward
from .proofs import Tree
from .refusals import Refused, demand
from .replies import REPORT, Reply, Sealed, is_sealed
from .signatures import holds, sha256
from .subjects import FrameSubject
from .wraps import Keyring, Wrap

Verdict = dict[str, Any]
Message = tuple[str, bytes]


@dataclass
class _Judgement:
    """A frame while it is judged: what is known of it besides what it says."""

    frame: Frame
    authentic: bool
    now: int
    moved: bool = False
    missing: range = range(0)

    def refused(self, code: str) -> Verdict:
        """It is not believed."""
        return {"verdict": "refused", "code": code, "moves": self.moved}

    def skipped(self, code: str) -> Verdict:
        """It is neither believed nor refused, or authentic but not readable."""
        return {"verdict": "skipped", "code": code, "moves": self.moved}


class Receiver:
    """A reader at one endpoint."""

    def __init__(
        self, directory: Directory, memberships: Memberships, endpoint: str, keyring: Keyring
    ) -> None:
        self._directory = directory
        self._memberships = memberships
        self._agency = directory.endpoints[endpoint].agency
        self._keyring = keyring
        self._keys: dict[bytes, bytes] = {}
        self._chains = Chains()
        self._epochs = Epochs()
        self._accepted: Head | None = None
        self._kinds: dict[str, Callable[[_Judgement, Chain], Verdict]] = {
            "e": self._announcement,
            "h": self._heartbeat,
            "b": self._bulletin,
            "c": self._card,
        }

    def keep_key(self, key: bytes) -> None:
        """Hold an epoch's key, whenever the epoch is announced."""
        self._keys[key_commitment(key)] = key

    def accept_checkpoint(self, note: bytes, now: int) -> Head:
        """The head that a checkpoint shows, which is the newest from now on, fresh or stale."""
        checkpoint = Checkpoint.read(note)
        head = checkpoint.judge(self._directory.fingerprint, self._directory.authority(checkpoint.size))
        head.demand_timely(now)
        demand(head.size <= self._directory.tree.size, "log_behind")
        demand(self._had(self._directory.tree, (head.size, head.root)), "split_view")
        if self._accepted:
            self._accepted.demand_continued_by(head)
        if self._accepted is None or (head.size, head.fresh_until) > (
            self._accepted.size,
            self._accepted.fresh_until,
        ):
            self._accepted = head
        return head

    def take_wrap(self, data: bytes) -> tuple[bytes, bytes]:
        """The announcement of a wrap and the key in it, which is kept."""
        wrap = Wrap.read(data)
        epoch = self._epochs.announced_by(wrap.announcement)
        if epoch is None:
            raise Refused("unknown_epoch")
        demand(epoch.due or epoch.hist == "members", "history_none")
        key = self._keyring.open(wrap)
        demand(key_commitment(key) == epoch.announcement.header.kc, "key_mismatch")
        self.keep_key(key)
        return wrap.announcement, key

    def receive(self, message: Message, now: int) -> Verdict:
        """The verdict on one live message."""
        return self.catch_up([message], now)[0]

    def catch_up(self, messages: Sequence[Message], now: int) -> list[Verdict]:
        """The verdicts on messages that are read together, in their order, up to one that waits for a log."""
        batch = [self._well_formed(message) for message in messages]
        return self._verdicts(batch, self._authentic(batch, now), now)

    def read_past(self, messages: Sequence[Message], anchor: Sequence[Frame], now: int) -> list[Verdict]:
        """The verdicts on old frames of one chain, before its anchor if there is one."""
        batch = [self._well_formed(message) for message in messages]
        places = self._authentic([*batch, *anchor], now)
        by_themselves = {place for place in places if self._signed_by_itself(batch[place : place + 1])}
        return self._verdicts(batch, by_themselves, now)

    def pin(self, chain: tuple[str, str, str], pins: Mapping[int, bytes], announced: Sequence[Frame]) -> None:
        """Know some frames of a chain by their hashes, and which numbers are taken."""
        self._chains.pin(chain, pins)
        for frame in announced:
            self._epochs.reserve(frame)

    def history_of(self, frame: Frame) -> str | None:
        """Which bulletins go under the epoch of a frame, if it was announced in the frame's chain."""
        epoch = self._epochs.of(frame)
        return epoch.hist if epoch else None

    def _authentic(self, batch: Sequence[Frame | Refused], now: int) -> set[int]:
        frames = [frame if isinstance(frame, Frame) else None for frame in batch]
        return authentic_places(frames, self._directory, partial(self._believes, now))

    def _signed_by_itself(self, frames: Sequence[Frame | Refused]) -> bool:
        return all(
            isinstance(frame, Frame)
            and holds(binding_of(frame, self._directory).key, frame.signature, frame.signed)
            for frame in frames
        )

    def _verdicts(self, batch: Sequence[Frame | Refused], authentic: set[int], now: int) -> list[Verdict]:
        verdicts: list[Verdict] = []
        for place, frame in enumerate(batch):
            if isinstance(frame, Refused):
                verdicts.append({"verdict": "refused", "code": frame.code, "moves": False})
            else:
                verdicts.append(self._verdict(_Judgement(frame, place in authentic, now)))
            if verdicts[-1]["verdict"] == "log_behind":
                break
        return verdicts

    def open_reply(self, data: bytes, own: Mapping[str, str] | None = None) -> tuple[Opened, Reply] | None:
        """The reply in a frame that was found to be sealed; nothing where it is for others or our own report.

        `own` are the kinds, by id, of this agency's bulletins in the frame's community, where known.
        """
        frame = Frame.read(data)
        epoch = self._epochs.of(frame)
        assert epoch is not None
        payload = open_body(frame, aead_key(self._keys[epoch.announcement.header.kc])).payload
        opened = Sealed.read(payload, frame.header, epoch.hist).open(frame.header, self._keyring)
        if opened is None:
            return None
        reply = Reply.read(opened.payload, frame.header, self._code(frame))
        if self._publisher(frame) == self._agency:
            return None if reply.kind == REPORT else (opened, reply)
        if own is not None:
            reply.demand_about(own)
        return opened, reply

    @staticmethod
    def _well_formed(message: Message) -> Frame | Refused:
        subject, data = message
        try:
            frame = Frame.read(data)
            frame.header.demand_subject(FrameSubject.read(subject))
        except Refused as refused:
            return refused
        return frame

    def _verdict(self, judgement: _Judgement) -> Verdict:
        try:
            return self._judge(judgement)
        except Refused as refused:
            return judgement.refused(refused.code)

    def _judge(self, judgement: _Judgement) -> Verdict:
        frame = judgement.frame
        header = frame.header
        if not self._directory.binds(header.kid) and self._is_behind(frame):
            return self._log_behind("directory", frame)
        self._demand_authentic(judgement)
        if header.com not in self._directory.communities:
            demand(self._is_behind(frame), "unknown_community")
            return self._log_behind("directory", frame)
        demand(self._directory.communities[header.com]["realm"] == header.rl, "wrong_realm")
        if verdict := self._cited_heads(frame):
            return verdict
        if verdict := self._before_our_own(frame):
            return verdict
        self._demand_member(frame)
        chain = self._chains.of(frame)
        if chain is None and header.k != "e":
            return judgement.skipped("unknown_epoch")
        judgement.missing = self._chains.move(frame)
        judgement.moved = True
        chain = self._chains.of(frame)
        assert chain is not None
        return self._kinds[header.k](judgement, chain)

    def _demand_authentic(self, judgement: _Judgement) -> None:
        binding = binding_of(judgement.frame, self._directory)
        if not judgement.authentic:
            demand(judgement.frame.header.kid not in self._directory.revoked, "revoked_key")
            raise Refused("bad_signature")
        demand(self._believes(judgement.now, binding), "stale_head")

    def _believes(self, now: int, binding: Binding) -> bool:
        """Whether the newest head reaches what a key rests on, and the key itself if that head is stale."""
        reached = self._accepted.size if self._accepted else 0
        if self._directory.quorum > 0 and binding.identity >= reached:
            return False
        return self._accepted is None or self._accepted.is_fresh(now) or binding.place < reached

    def _is_behind(self, frame: Frame) -> bool:
        cited = frame.header.logs.get("directory")
        return cited is not None and cited[0] > self._directory.tree.size

    @staticmethod
    def _log_behind(log: str, frame: Frame) -> Verdict:
        return {"verdict": "log_behind", "log": log, "size": frame.header.logs[log][0]}

    def _cited_heads(self, frame: Frame) -> Verdict | None:
        trees = {"directory": self._directory.tree, "membership": self._membership(frame).tree}
        for log, cited in frame.header.logs.items():
            demand(self._had(trees[log], cited), "split_view")
        for log, (size, _) in frame.header.logs.items():
            if size > trees[log].size:
                return self._log_behind(log, frame)
        return None

    @staticmethod
    def _had(tree: Tree, cited: LogHead) -> bool:
        size, root = cited
        return size > tree.size or tree.roots[size] == root

    def _membership(self, frame: Frame) -> Membership:
        return self._memberships.of(frame.header.com)

    def _publisher(self, frame: Frame) -> str:
        return self._directory.endpoints[frame.header.pub].agency

    def _code(self, frame: Frame) -> str:
        code: str = self._directory.agencies[self._publisher(frame)]["code"]
        return code

    def _before_our_own(self, frame: Frame) -> Verdict | None:
        """Whether the log has not come as far as this reader's own addition, where it would refuse."""
        membership = self._membership(frame)
        role = membership.role(self._publisher(frame), frame.header.iat)
        if role == "member" or membership.mentions(self._agency):
            return None
        return {"verdict": "log_behind", "log": "membership", "size": membership.tree.size + 1}

    def _demand_member(self, frame: Frame) -> None:
        agency = self._publisher(frame)
        role = self._membership(frame).role(agency, frame.header.iat)
        demand(role is not None, "not_member")
        demand(role == "member", "read_only_member")
        owners = self._directory.communities[frame.header.com]["owners"]
        demand(frame.header.k != "c" or agency in owners, "not_member")

    def _announcement(self, judgement: _Judgement, chain: Chain) -> Verdict:
        header = judgement.frame.header
        cited_size, _ = header.logs["membership"]
        due = self._membership(judgement.frame).role(self._agency, header.iat, cited_size) is not None
        self._epochs.announce(judgement.frame, due, chain.anchor)
        return {"verdict": "announced", "ep": header.ep, "due": due}

    def _heartbeat(self, judgement: _Judgement, _: Chain) -> Verdict:
        return {"verdict": "beat", "behind": self._chains.behind(judgement.frame)}

    def _open(self, judgement: _Judgement, chain: Chain) -> tuple[Epoch, bytes] | Verdict:
        """The epoch and the payload of a frame with a body, or the verdict where it cannot be read."""
        frame = judgement.frame
        epoch = self._epochs.of(frame)
        if epoch is None:
            before_anchor = frame.header.ep < chain.anchor
            return (judgement.skipped if before_anchor else judgement.refused)("unknown_epoch")
        key = self._keys.get(epoch.announcement.header.kc)
        if key is None:
            return (judgement.refused if epoch.due else judgement.skipped)("missing_wrap")
        return epoch, open_body(frame, aead_key(key)).payload

    def _bulletin(self, judgement: _Judgement, chain: Chain) -> Verdict:
        opened = self._open(judgement, chain)
        if isinstance(opened, dict):
            return opened
        epoch, payload = opened
        frame = judgement.frame
        flags = {"missing": judgement.missing, "expired": judgement.now >= frame.header.exp}
        if is_sealed(payload):
            sealed = Sealed.read(payload, frame.header, epoch.hist)
            return {"verdict": "sealed", "readers": len(sealed.keys), **flags}
        bulletin, header = read_bulletin(payload), frame.header
        check_agreement(bulletin, header, epoch.hist, self._code(frame))
        check_onward(bulletin, Place(header.com, header.iat, self._publisher(frame)), self._directory)
        return {"verdict": "opened", "sha256": sha256(payload).hex(), **flags}

    def _card(self, judgement: _Judgement, chain: Chain) -> Verdict:
        opened = self._open(judgement, chain)
        if isinstance(opened, dict):
            return opened
        return {"verdict": "carded", "slug": read_card(opened[1])["slug"]}

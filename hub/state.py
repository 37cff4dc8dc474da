"""What the hub knows while it runs, and how it is read back from the streams at every start. Nothing is kept
elsewhere.

Admission needs the directory, the head of every chain, and how far the intake was worked on. All three follow
from what DIRECTORY, TRAFFIC and QUARANTINE hold: so a crash loses nothing, and there is no second store to
disagree.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.admission import View
from hub.arrival import NOTHING, Mark
from hub.grants import DIRECTORY, TRAFFIC
from hub.recovery.returned import Returned, behind, returned
from hub.registrar import Announcements
from hub.streams import QUARANTINE, scan
from schemas.chain import ChainHead, ChainKey
from schemas.directory import Directory
from schemas.errors import Code, LiaisonError, OperationError
from schemas.frame import EPOCH, Frame, parse_frame
from schemas.subjects import DIRECTORY_DOCUMENTS

ACCOUNT: Final = "acct"
"""First token of the subjects in DIRECTORY on which the hubs of a cluster tell each other of an endpoint's
account: `acct.<PK>`, a record without its secret.
"""
ANSWERED: Final = "Liaison-Answered"
"""Header of receipts: the mark in INTAKE up to which everything of this endpoint is answered. For each
endpoint by itself, so that hubs may divide the endpoints among them as they like (`hub.partitions`).
"""
THROUGH: Final = "Liaison-Through"
"""Header in QUARANTINE: the mark of what was refused. In TRAFFIC, by versions before `ANSWERED`: the mark up
to which everything of everybody is answered.
"""

Learn = Callable[[str, bytes], None]
"""Hears an account's public key and what is told of it."""


@dataclass
class State:
    """The hub's knowledge; one writer (`hub.office`). `through` and `quarantined` are marks in INTAKE, by
    endpoint.

    What an endpoint sent at or before `through` has been answered: after a crash it may come from the intake
    once more. `floor` is the same for all, as an earlier version left it.
    """

    directory: Directory
    position: int = 0
    """The sequence of DIRECTORY up to which it is known."""
    heads: dict[ChainKey, ChainHead] = field(default_factory=dict)
    announcements: Announcements = field(default_factory=Announcements)
    looked_up: set[str] = field(default_factory=set)
    heard: dict[str, int] = field(default_factory=dict)
    """When each publisher's last frame or receipt was stored, Unix ms: as far as the streams told at the
    start.
    """
    through: dict[str, Mark] = field(default_factory=dict)
    quarantined: dict[str, Mark] = field(default_factory=dict)
    floor: Mark = NOTHING
    restored: Returned | None = None
    """The backup that TRAFFIC was restored from, if it was."""
    moved: set[ChainKey] = field(default_factory=set)
    """The chains of which frames have come since then."""
    _view: View | None = None

    def view(self, suspended: frozenset[str], now: int) -> View:
        """The directory laid out for admission at `now` (Unix ms), made anew only when something changed."""
        view = self._view
        if view is None or view.suspended != suspended or not view.holds(now):
            self._view = view = View.of(self.directory, suspended, now)
        return view

    def replace_directory(self, directory: Directory) -> None:
        """Go on with a longer directory."""
        self.directory = directory
        self._view = None

    def answered(self, publisher: str, mark: Mark) -> bool:
        """Whether what the endpoint sent there has been answered."""
        return mark.within(self.through.get(publisher, NOTHING)) or mark.within(self.floor)

    def kept(self, publisher: str, mark: Mark) -> bool:
        """Whether what the endpoint sent there, and was refused, is in quarantine."""
        return mark.within(self.quarantined.get(publisher, NOTHING))

    def head_before(self, frame: Frame) -> ChainHead:
        """Where the chain of a frame stands that is to be judged."""
        key = ChainKey.of(frame)
        head = self.heads.get(key, ChainHead())
        lost = self.restored is not None and key not in self.moved
        return behind(head, frame) if lost else head

    def admitted(self, frame: Frame, head: ChainHead) -> None:
        """Count a frame that is on TRAFFIC, or will be with the batch that is being made."""
        key = ChainKey.of(frame)
        self.heads[key] = head
        if self.restored is not None:
            self.moved.add(key)
        if frame.header.k == EPOCH:
            self.announcements.add(frame)

    def hear(self, message: Msg) -> None:
        """Note when a message of TRAFFIC or QUARANTINE was stored for the publisher that its subject
        names.
        """
        tokens = message.subject.split(".")
        publisher = tokens[1 if tokens[0] in {"r", "q"} else -1]
        at = Mark.of(message).time // 1000
        self.heard[publisher] = max(self.heard.get(publisher, 0), at)


async def read_directory(nc: Client, root: bytes, learn: Learn | None = None) -> tuple[Directory, int]:
    """The directory as DIRECTORY holds it, checked from the pinned first root on, and the sequence up to
    which it was read; empty streams give the root alone, and 0. `learn` hears of the accounts in between.

    Raises OperationError `root_mismatch` when the stream begins with another root, `store_corrupt` when
    something in it does not hold.
    """
    directory, position = Directory.pinned(root), 0
    first = True
    accounts = [f"{ACCOUNT}.*"] if learn else []
    async for messages in scan(nc, DIRECTORY, [DIRECTORY_DOCUMENTS, "m.*", *accounts]):
        for message in messages:
            position = message.metadata.sequence.stream
            if learn and message.subject.startswith(f"{ACCOUNT}."):
                learn(message.subject.removeprefix(f"{ACCOUNT}."), message.data)
                continue
            if first and message.data != root:
                raise OperationError(
                    Code.ROOT_MISMATCH,
                    "the directory stream begins with another root than this hub's",
                    "give the hub the state directory and the NATS store that belong together",
                )
            if not first:
                directory = grown(directory, message.subject, message.data, f"{DIRECTORY} {position}")
            first = False
    return directory, position


async def rebuild(
    nc: Client, root: bytes, newest: int = 0, fences: Sequence[str] = (), learn: Learn | None = None
) -> State:
    """All of the hub's state, read from the streams. Raises as `read_directory`.

    `newest` is the last sequence of TRAFFIC that must be known, and is on its subject still; `fences` are
    subjects beside those of frames and receipts on which it may be. OperationError `hub_unreachable` when a
    replica has not got so far.
    """
    directory, position = await read_directory(nc, root, learn)
    state = State(directory, position=position)
    restored = await returned(nc)
    before, seen = _Latest(), 0
    async for messages in scan(nc, TRAFFIC, ["f.>", "r.>", *fences], last_per_subject=True):
        for message in messages:
            seen = max(seen, message.metadata.sequence.stream)
            if message.subject.startswith("fence."):
                continue
            before.see(message)
            state.hear(message)
            if message.subject.startswith("f."):
                frame = _frame(message)
                state.admitted(frame, ChainHead(frame.header.seq, frame.hash))
                if restored and message.metadata.sequence.stream > restored.last:
                    state.moved.add(ChainKey.of(frame))
            elif said := (message.headers or {}).get(ANSWERED):
                state.through[message.subject.removeprefix("r.")] = Mark.parse(said)
    if seen < newest:
        raise OperationError(
            Code.HUB_UNREACHABLE, "a replica of TRAFFIC lags behind", "it is read again in a moment"
        )
    state.floor, state.restored = before.mark, restored
    refused: dict[str, _Latest] = defaultdict(_Latest)
    async for messages in scan(nc, QUARANTINE, ["q.>"], last_per_subject=True):
        for message in messages:
            refused[message.subject.split(".")[1]].see(message)
            state.hear(message)
    state.quarantined = {publisher: latest.mark for publisher, latest in refused.items()}
    return state


async def look_up_announcements(nc: Client, state: State, publisher: str) -> None:
    """Read a publisher's announcements from TRAFFIC, once: after a start the memory of them is empty."""
    if publisher in state.looked_up:
        return
    state.looked_up.add(publisher)
    async for messages in scan(nc, TRAFFIC, [f"f.*.*.*.{publisher}"]):
        for message in messages:
            frame = _frame(message)
            if frame.header.k == EPOCH:
                state.announcements.add(frame)


def digest(data: bytes) -> str:
    """SHA-256 in hex: how submissions are named in receipts."""
    return sha256(data).hexdigest()


@dataclass
class _Latest:
    """The mark of the last message of a stream that has one, whatever the order they are seen in."""

    sequence: int = 0
    mark: Mark = NOTHING

    def see(self, message: Msg) -> None:
        sequence = message.metadata.sequence.stream
        if sequence > self.sequence and (said := (message.headers or {}).get(THROUGH)):
            self.sequence, self.mark = sequence, Mark.parse(said)


def grown(directory: Directory, subject: str, data: bytes, place: str) -> Directory:
    """The directory with what DIRECTORY holds at `place`. OperationError `store_corrupt`."""
    try:
        if subject == DIRECTORY_DOCUMENTS:
            return directory.apply(data)
        return directory.apply_membership(data)
    except LiaisonError as bad:
        raise _corrupt(place, bad) from bad


def _frame(message: Msg) -> Frame:
    try:
        return parse_frame(message.data)
    except LiaisonError as bad:
        raise _corrupt(f"{message.metadata.stream} {message.metadata.sequence.stream}", bad) from bad


def _corrupt(place: str, bad: LiaisonError) -> OperationError:
    return OperationError(
        Code.STORE_CORRUPT,
        f"message {place} does not hold: {bad.code}",
        "restore the NATS store from its backup",
    )

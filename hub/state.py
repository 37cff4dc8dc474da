"""What the hub knows while it runs, and how it is read back from the streams at every start. Nothing is kept
elsewhere.

Admission needs the directory, the head of every chain, and how far the intake was worked on. All three follow
from what DIRECTORY, TRAFFIC and QUARANTINE hold: so a crash loses nothing, and there is no second store to
disagree.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg

from hub.admission import View
from hub.grants import DIRECTORY, TRAFFIC
from hub.jetstream import api
from hub.registrar import Announcements
from hub.streams import INTAKE, QUARANTINE, scan
from schemas.chain import ChainHead, ChainKey
from schemas.directory import Directory
from schemas.errors import Code, LiaisonError, OperationError
from schemas.frame import EPOCH, Frame, parse_frame
from schemas.subjects import DIRECTORY_DOCUMENTS

THROUGH: Final = "Liaison-Through"
"""Header of everything in TRAFFIC and QUARANTINE: the sequence in INTAKE up to which its batch answers
all.
"""


@dataclass
class State:
    """The hub's knowledge; one writer (`hub.office`). `through` and `quarantined` are sequences in INTAKE.

    What stands at or before `through` has been answered: after a crash it may come from the intake once more.
    """

    directory: Directory
    heads: dict[ChainKey, ChainHead] = field(default_factory=dict)
    announcements: Announcements = field(default_factory=Announcements)
    looked_up: set[str] = field(default_factory=set)
    through: int = 0
    quarantined: int = 0
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

    def admitted(self, frame: Frame, head: ChainHead) -> None:
        """Count a frame that is on TRAFFIC, or will be with the batch that is being made."""
        self.heads[ChainKey.of(frame)] = head
        if frame.header.k == EPOCH:
            self.announcements.add(frame)


async def read_directory(nc: Client, root: bytes) -> Directory:
    """The directory as DIRECTORY holds it, checked from the pinned first root on; empty streams give the root
    alone.

    Raises OperationError `root_mismatch` when the stream begins with another root, `store_corrupt` when
    something in it does not hold.
    """
    directory = Directory.pinned(root)
    first = True
    async for messages in scan(nc, DIRECTORY, [DIRECTORY_DOCUMENTS, "m.*"]):
        for message in messages:
            if first and message.data != root:
                raise OperationError(
                    Code.ROOT_MISMATCH,
                    "the directory stream begins with another root than this hub's",
                    "give the hub the state directory and the NATS store that belong together",
                )
            if not first:
                directory = _grown(directory, message)
            first = False
    return directory


async def rebuild(nc: Client, root: bytes) -> State:
    """All of the hub's state, read from the streams. Raises as `read_directory`."""
    state = State(await read_directory(nc, root))
    async for messages in scan(nc, TRAFFIC, ["f.>"], last_per_subject=True):
        for message in messages:
            frame = _frame(message)
            state.admitted(frame, ChainHead(frame.header.seq, frame.hash))
            state.through = max(state.through, _through(message))
    state.through = max(state.through, await _last_through(nc, TRAFFIC, ["r.>"]))
    state.quarantined = await _last_through(nc, QUARANTINE, ["q.>"])
    # A new intake counts from one again: what was answered in an older one says nothing about it.
    last = int((await api(nc, f"STREAM.INFO.{INTAKE}"))["state"]["last_seq"])
    if state.through > last or state.quarantined > last:
        state.through = state.quarantined = 0
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


async def _last_through(nc: Client, stream: str, subjects: Collection[str]) -> int:
    found = 0
    async for messages in scan(nc, stream, subjects, last_per_subject=True):
        found = max(found, *(_through(message) for message in messages))
    return found


def _through(message: Msg) -> int:
    return int((message.headers or {}).get(THROUGH, "0"))


def _grown(directory: Directory, message: Msg) -> Directory:
    try:
        if message.subject == DIRECTORY_DOCUMENTS:
            return directory.apply(message.data)
        return directory.apply_membership(message.data)
    except LiaisonError as bad:
        raise _corrupt(message, bad) from bad


def _frame(message: Msg) -> Frame:
    try:
        return parse_frame(message.data)
    except LiaisonError as bad:
        raise _corrupt(message, bad) from bad


def _corrupt(message: Msg, bad: LiaisonError) -> OperationError:
    place = f"{message.metadata.stream} {message.metadata.sequence.stream}"
    return OperationError(
        Code.STORE_CORRUPT,
        f"message {place} does not hold: {bad.code}",
        "restore the NATS store from its backup",
    )

"""Messages of the traffic feed that are judged and committed together."""

from dataclasses import dataclass, field
from typing import NamedTuple, Self

from nats.aio.msg import Msg

from schemas.errors import Code
from schemas.frame import Frame
from schemas.receipts import Answer
from schemas.subjects import parse_frame_subject
from subscribers import tracing
from subscribers.judging.alarms import AlarmKey, AlarmName
from subscribers.judging.held import Waits
from subscribers.judging.kept import Keeping, Proof
from subscribers.judging.reading import Reading
from subscribers.judging.verdicts import Opened
from subscribers.pull import place
from subscribers.storage.archive import NewRecord
from subscribers.storage.ledger import Changes, Ledger
from subscribers.writing.replies import Reported, flags_of


class Piece(NamedTuple):
    """One message of the feed: its subject, its bytes, and where it stands in the hub's stream."""

    subject: str
    data: bytes
    sequence: int
    held: str = ""
    """Its name where it waited, when it comes from the quarantine; `sequence` is 0 then."""

    @classmethod
    def of(cls, message: Msg) -> Self:
        """As the hub gives it. OperationError `hub_unreachable`, by `place`."""
        return cls(message.subject, message.data, place(message).sequence)


@dataclass
class Batch:
    """What is decided of some pieces, before it is committed."""

    changes: Changes
    reading: Reading
    waits: Waits
    begun: int | None = field(default_factory=tracing.begin)
    records: list[tuple[NewRecord, Piece]] = field(default_factory=list)
    reports: list[tuple[Reported, Piece]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    unlocked: bool = False
    asked: list[bytes] = field(default_factory=list)
    keeping: Keeping = field(default_factory=Keeping)
    own: list[Frame] = field(default_factory=list)
    """Frames in our own name."""
    came: dict[AlarmKey, int] = field(default_factory=dict)
    """Whose frames were ahead of the directory, and are judged now; and when."""
    still: set[str] = field(default_factory=set)
    """Subjects of frames that are ahead of it as before."""
    late: bool = False
    """The directory has been waited for in vain."""

    @classmethod
    def begin(cls, ledger: Ledger, reading: Reading) -> Self:
        """Nothing is decided yet."""
        changes = ledger.changes()
        return cls(changes, reading, Waits(ledger.held, changes.held, changes.released))

    def release(self, name: str, frame: Frame | None, now: int) -> None:
        """What `frame` waited for under this name, if it did, has come; `now` in Unix milliseconds."""
        if self.waits.release(name) is Code.LOG_BEHIND and frame is not None:
            self.came[AlarmKey(AlarmName.LOG_BEHIND, frame.header.com, frame.header.pub)] = now

    def end_alarms(self) -> None:
        """End those of `came`, but where something of the same publisher is ahead of the directory still."""
        behind = {(place.community, place.publisher) for place in map(parse_frame_subject, self.still)}
        ended = ((key, at) for key, at in self.came.items() if (key.community, key.publisher) not in behind)
        self.changes.ended += ended


def record_of_opened(verdict: Opened, endpoint: str, now: int) -> NewRecord:
    """How a bulletin is kept by `endpoint`, which may have published it; `now` in Unix milliseconds."""
    frame, own = verdict.frame, verdict.frame.header.pub == endpoint
    return NewRecord(
        verdict.bulletin,
        verdict.payload,
        frame.header.com,
        verdict.agency,
        now,
        own,
        flags_of(verdict),
        Proof.of(frame, verdict.salt, own=own),
    )

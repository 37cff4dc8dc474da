"""One batch of the intake on its way to answers: what came in, what will go out, and what is kept of the
refused. Pure.

The router (`hub.router`) hands messages in and does with the result what has to be done over the network.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from nats.aio.msg import Msg

from hub.admission import Opened, View, decide, open_frame
from hub.batch import MAX_BATCH, Outgoing
from hub.grants import MAX_PAYLOAD
from hub.operating.meter import Taken
from hub.state import NOTHING, THROUGH, Mark, State, digest
from schemas.chain import ChainHead, ChainKey
from schemas.errors import LiaisonError
from schemas.limits import WRAPS_PER_BUNDLE
from schemas.receipts import Answer
from schemas.subjects import FrameSubject, is_publisher, parse_frame_subject

ANSWERS_PER_RECEIPT: Final = 128
"""Answers to one publisher in one batch: with their paths they stay below the 128 KiB of a message on
TRAFFIC.
"""
_BYTES: Final = 8 * 1024 * 1024
QUARANTINE_MAX: Final = MAX_PAYLOAD - 4096
"""Bytes kept of a refused submission: what fits into one message beside the headers that say why."""
_SUBJECT_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class Submission:
    """One message of the intake. `opened` is what `prepare` made of a frame; `refusal` why it could not."""

    message: Msg
    mark: Mark
    publisher: str
    subject: FrameSubject | None = None
    opened: Opened | None = None
    refusal: LiaisonError | None = None


@dataclass(slots=True)
class Settlement:
    """What one atomic batch will hold, and what goes to quarantine before it."""

    traffic: list[Outgoing] = field(default_factory=list)
    refused: list[tuple[Submission, LiaisonError]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    to_each: Counter[str] = field(default_factory=Counter)
    size: int = 0
    through: Mark = NOTHING
    last: Msg | None = None
    """What acknowledges all of it."""

    def answer(self, submission: Submission, code: str, now: int) -> None:
        """Note the answer to a submission."""
        self.to_each[submission.publisher] += 1
        data = submission.message.data
        self.answers.append(Answer(submission.publisher, digest(data), code, now))
        self.taken.append(Taken(submission.publisher, code, len(data), submission.mark.time // 1000))

    def send(self, subject: str, payload: bytes, headers: dict[str, str]) -> None:
        """Note a message for TRAFFIC."""
        self.size += len(payload)
        self.traffic.append(Outgoing(subject, payload, headers))

    def full(self) -> bool:
        """Whether one more submission, a full bundle and a receipt for its sender, might not fit."""
        return (
            len(self.traffic) + WRAPS_PER_BUNDLE + len(self.to_each) + 1 > MAX_BATCH
            or self.size > _BYTES
            or max(self.to_each.values(), default=0) >= ANSWERS_PER_RECEIPT
        )


def prepare(message: Msg, keys: Mapping[str, bytes]) -> Submission:
    """One message of the intake, with a frame's form and signature checked. Never raises: a refusal is
    kept in it.
    """
    mark = Mark.of(message)
    publisher = message.subject.rsplit(".", 1)[-1]
    if not message.subject.startswith("in."):
        return Submission(message, mark, publisher)
    try:
        subject = parse_frame_subject(message.subject)
        return Submission(message, mark, publisher, subject, open_frame(message.data, keys))
    except LiaisonError as refusal:
        return Submission(message, mark, publisher, refusal=refusal)


def admit(
    opened: Opened, subject: FrameSubject, view: View, state: State, settlement: Settlement, now: int
) -> None:
    """Judge a frame, and note it for TRAFFIC unless it is there already. Raises TrustError."""
    frame = opened.frame
    key = ChainKey(subject.publisher, subject.community, subject.precedence.value)
    admitted = decide(opened, subject, view, state.heads.get(key, ChainHead()), now)
    if not admitted.repeated:
        state.admitted(frame, admitted.head)
        settlement.send(subject.traffic(), frame.raw, {"Nats-Msg-Id": frame.hash})


def quarantine_entry(submission: Submission, refusal: LiaisonError) -> Outgoing:
    """A refused submission as QUARANTINE keeps it: its bytes (the first 508 KiB), and why, in headers."""
    message = submission.message
    publisher = submission.publisher if is_publisher(submission.publisher) else "unknown"
    headers = {
        "Nats-Msg-Id": f"intake-{submission.mark.time}-{submission.mark.sequence}",
        THROUGH: str(submission.mark),
        "Liaison-Code": str(refusal.code),
        "Liaison-Message": " ".join(refusal.message.split()),
        "Liaison-Subject": message.subject[:_SUBJECT_MAX],
        "Liaison-Size": str(len(message.data)),
        "Liaison-Sha256": digest(message.data),
    }
    return Outgoing(f"q.{publisher}.{refusal.code}", message.data[:QUARANTINE_MAX], headers)

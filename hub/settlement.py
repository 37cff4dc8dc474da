"""One batch of the intake on its way to answers: what came in, what will go out, and what is kept of the
refused. Pure.

The router (`hub.router`) hands messages in and does with the result what has to be done over the network.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from nats.aio.msg import Msg

from hub.admission import Opened, View, decide, open_frame
from hub.arrival import Arrival, Mark
from hub.batch import MAX_BATCH, Outgoing
from hub.grants import MAX_PAYLOAD
from hub.operating.meter import Taken
from hub.state import THROUGH, State, digest
from hub.verifier import Claim
from schemas.errors import Code, LiaisonError, TrustError
from schemas.frame import signed_message
from schemas.limits import WRAPS_PER_BUNDLE
from schemas.receipts import Answer
from schemas.subjects import FrameSubject, is_publisher, parse_frame_subject

ANSWERS_PER_RECEIPT: Final = 128
"""Answers to one publisher in one receipt: with their paths they stay below the 128 KiB of a message on
TRAFFIC.
"""
_BYTES: Final = 8 * 1024 * 1024
QUARANTINE_MAX: Final = MAX_PAYLOAD - 4096
"""Bytes kept of a refused submission: what fits into one message beside the headers that say why."""
_SUBJECT_MAX: Final = 256


@dataclass(slots=True)
class Submission:
    """One message of the intake, as its `Arrival` has it. `opened` is what `prepare` made of a frame, and
    then says whether its signature holds; `refusal` why it could not.
    """

    message: Msg
    mark: Mark
    publisher: str
    sent_to: str
    subject: FrameSubject | None = None
    opened: Opened | None = None
    refusal: LiaisonError | None = None

    @property
    def is_document(self) -> bool:
        """Whether it may change who is who, so that it is judged by itself."""
        return self.refusal is None and self.sent_to.startswith("s.doc.")


class Judged(NamedTuple):
    """A submission that was answered, with its code and when it was (Unix ms)."""

    submission: Submission
    code: str
    at: int


@dataclass(slots=True)
class Settlement:
    """What one atomic batch will hold, and what goes to quarantine before it."""

    traffic: list[Outgoing] = field(default_factory=list)
    refused: list[tuple[Submission, LiaisonError]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    judged: list[Judged] | None = None
    """The same for traces (`hub.tracing`), where they are wanted."""
    to_each: Counter[str] = field(default_factory=Counter)
    size: int = 0
    through: dict[str, Mark] = field(default_factory=dict)
    """By sender, the last submission that it answers."""
    done: list[int] = field(default_factory=list)
    """The sequences in the intake of all of it."""
    _receipts: int = 0

    def answer(self, submission: Submission, code: str, now: int) -> None:
        """Note the answer to a submission."""
        publisher, opened = submission.publisher, submission.opened
        if self.to_each[publisher] % ANSWERS_PER_RECEIPT == 0:
            self._receipts += 1
        self.to_each[publisher] += 1
        sha256 = opened.frame.hash if opened else digest(submission.message.data)
        self.answers.append(Answer(publisher, sha256, code, now))
        size, at = len(submission.message.data), submission.mark.time // 1000
        self.taken.append(Taken(publisher, code, size, at))
        if self.judged is not None:
            self.judged.append(Judged(submission, code, now))

    def settled(self, submission: Submission) -> None:
        """Note that this is the last submission of its sender so far."""
        self.through[submission.publisher] = submission.mark

    def send(self, subject: str, payload: bytes, headers: dict[str, str]) -> None:
        """Note a message for TRAFFIC."""
        self.size += len(payload)
        self.traffic.append(Outgoing(subject, payload, headers))

    def full(self, submission: Submission) -> bool:
        """Whether this submission, with a receipt for its sender, might not fit any more."""
        needs = 1 if submission.opened else WRAPS_PER_BUNDLE
        return len(self.traffic) + needs + self._receipts + 1 > MAX_BATCH or self.size > _BYTES

    def answered(self) -> list[list[Answer]]:
        """The answers to whoever can read them, in as few parts as will do: no publisher has more of one part
        than a receipt holds.
        """
        parts: list[list[Answer]] = []
        seen: Counter[str] = Counter()
        for answer in self.answers:
            if not is_publisher(answer.publisher):
                continue
            part = seen[answer.publisher] // ANSWERS_PER_RECEIPT
            seen[answer.publisher] += 1
            if part == len(parts):
                parts.append([])
            parts[part].append(answer)
        return parts


def prepare(arrival: Arrival) -> Submission:
    """One message of the intake, with a frame's form checked. Never raises: a refusal is kept in it."""
    message, _, _, sent_to = arrival
    if not sent_to.startswith("in."):
        return Submission(*arrival)
    try:
        return Submission(*arrival, parse_frame_subject(sent_to), open_frame(message.data, {}))
    except LiaisonError as refusal:
        return Submission(*arrival, refusal=refusal)


def over_quota(arrival: Arrival) -> Submission:
    """One message of an endpoint that sends more than it may: nothing of it is looked at."""
    refusal = TrustError(Code.OVER_QUOTA, "the endpoint sends more than it may", "send it again later")
    return Submission(*arrival, refusal=refusal)


def claim(submission: Submission, keys: Mapping[str, bytes]) -> Claim | None:
    """What has to be verified of it; None for what is no frame, or where its key is not known (`decide` then
    looks again).
    """
    if submission.opened is None or (key := keys.get(submission.opened.frame.header.kid)) is None:
        return None
    frame = submission.opened.frame
    return Claim(key, signed_message(frame.header_bytes, frame.body), frame.signature)


def admit(
    opened: Opened, subject: FrameSubject, view: View, state: State, settlement: Settlement, now: int
) -> None:
    """Judge a frame, and note it for TRAFFIC unless it is there already. Raises TrustError."""
    frame = opened.frame
    admitted = decide(opened, subject, view, state.head_before(frame), now)
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
        "Liaison-Subject": submission.sent_to[:_SUBJECT_MAX],
        "Liaison-Size": str(len(message.data)),
        "Liaison-Sha256": digest(message.data),
    }
    return Outgoing(f"q.{publisher}.{refusal.code}", message.data[:QUARANTINE_MAX], headers)

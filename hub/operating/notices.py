"""When the hub tells operators that something is amiss, and when that it is over. Pure.

Each thing that is watched is `amiss` from one limit on and `well` from another; between the two what was said
last stays said, so that a value which wavers about a limit is told of once.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from schemas.encoding import from_instant
from schemas.errors import Code
from schemas.limits import INTEGER_MAX
from schemas.operations import CERTIFICATE, KEY, Operation, OperationKind, OperationState

MINUTE: Final = 60_000
DAY: Final = 86_400_000
_WINDOW: Final = 10 * MINUTE
_HALF: Final = 2
_MORE: Final = 1.5
_NEARLY: Final = 0.9
_MUCH_LESS: Final = 0.75
_ANY_CODE: Final = str(Code.INTERNAL)
"""Where no refusal is left to be named."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something is amiss: messages that wait for an endpoint, milliseconds of silence,
    submissions refused within ten minutes, bytes free on the disk, milliseconds before something expires, and
    how long (ms) an endpoint's keys are good for.
    """

    lag: int = 1_000
    silence: int = 120 * MINUTE
    refused: int = 20
    disk: int = 1024**3
    expiry: int = 30 * DAY
    key_life: int = 365 * DAY


class Topic(NamedTuple):
    """What is told of by itself. `code` tells apart what can expire, and is empty else."""

    kind: OperationKind
    about: str
    code: str = ""

    @classmethod
    def of(cls, record: Operation) -> "Topic":
        """What a record is about."""
        return cls(record.kind, record.about, record.code if record.kind is OperationKind.EXPIRY else "")


class Reading(NamedTuple):
    """How something stands. Neither `amiss` nor `well`: in between. `code` is a refusal's, if any."""

    topic: Topic
    value: int
    limit: int
    amiss: bool
    well: bool
    code: str = ""


@dataclass(slots=True)
class Recent:
    """What was refused lately: counts that only grow, as they were seen within the last ten minutes."""

    seen: deque[tuple[int, Mapping[str, Mapping[str, int]]]] = field(default_factory=deque)

    def add(self, now: int, refused: Mapping[str, Mapping[str, int]]) -> dict[str, Counter[str]]:
        """One more look, at `now` (Unix ms): by endpoint and code what was refused since the window began."""
        while self.seen and self.seen[0][0] < now - _WINDOW:
            self.seen.popleft()
        self.seen.append((now, refused))
        before = self.seen[0][1]
        return {each: Counter(codes) - Counter(before.get(each, {})) for each, codes in refused.items()}


def readings(facts: Mapping[str, Any], limits: Limits, recent: Recent) -> Iterator[Reading]:
    """Everything that is watched, from the facts of `status` (`hub.health`)."""
    now = from_instant(facts["at"])
    free = facts["disk"]["free"]
    topic = Topic(OperationKind.DISK, "")
    yield Reading(topic, free, limits.disk, free < limits.disk, free >= limits.disk * _MORE)
    ends = [from_instant(each) for each in facts["certificates"].values()]
    if ends:
        yield _expiry(Topic(OperationKind.EXPIRY, "", CERTIFICATE), min(ends), now, limits)
    known = [each for agency in facts["agencies"] for each in agency["endpoints"] if each["registered"]]
    lately = recent.add(now, {each["public"]: each["refused"] for each in known})
    for each in known:
        if not each["suspended"]:
            yield from _endpoint(each, lately[each["public"]], now, facts["upload_limit"], limits)


def changes(standing: Iterable[Topic], seen: Iterable[Reading], now: int) -> list[Operation]:
    """The records that are due to one endpoint, given what it was told that stands, and the readings that are
    for it. What is watched no longer (an endpoint that was suspended) is over. `now` is Unix ms.
    """
    left, due = set(standing), []
    for reading in seen:
        stands = reading.topic in left
        left.discard(reading.topic)
        if reading.amiss and not stands:
            due.append(_record(reading, OperationState.RAISED, now))
        elif reading.well and stands:
            due.append(_record(reading, OperationState.CLEARED, now))
    for topic in sorted(left):
        code = _ANY_CODE if topic.kind is OperationKind.REFUSED else topic.code
        gone = Reading(topic, 0, 0, amiss=False, well=True, code=code)
        due.append(_record(gone, OperationState.CLEARED, now))
    return due


def after(standing: Iterable[Topic], records: Iterable[Operation]) -> set[Topic]:
    """What stands once these have been told, in their order."""
    found = set(standing)
    for record in records:
        if record.state is OperationState.RAISED:
            found.add(Topic.of(record))
        else:
            found.discard(Topic.of(record))
    return found


def for_each(seen: Iterable[Reading], operators: Collection[str]) -> dict[str, list[Reading]]:
    """The readings by the endpoint that hears of them: the operators' endpoints of all, every other of
    itself, but for its silence, of which it cannot hear.
    """
    found: dict[str, list[Reading]] = {each: [] for each in operators}
    everything = list(found.values())
    for reading in seen:
        for heard in everything:
            heard.append(reading)
        about = reading.topic.about
        if about and about not in operators and reading.topic.kind is not OperationKind.SILENCE:
            found.setdefault(about, []).append(reading)
    return found


def _endpoint(
    each: Mapping[str, Any], lately: Counter[str], now: int, upload_limit: int, limits: Limits
) -> Iterator[Reading]:
    public = each["public"]
    lag = each["traffic_waiting"] + each["directory_waiting"]
    topic = Topic(OperationKind.LAG, public)
    yield Reading(topic, lag, limits.lag, lag >= limits.lag, lag * _HALF < limits.lag)
    if each["last_heard"]:
        quiet = now - from_instant(each["last_heard"])
        topic = Topic(OperationKind.SILENCE, public)
        yield Reading(topic, max(quiet, 0), limits.silence, quiet >= limits.silence, quiet < limits.silence)
    used = each["uploaded"]
    topic = Topic(OperationKind.QUOTA, public)
    nearly, less = used >= _NEARLY * upload_limit, used < _MUCH_LESS * upload_limit
    yield Reading(topic, used, upload_limit, nearly, less)
    refused = sum(lately.values())
    code = lately.most_common(1)[0][0] if refused else _ANY_CODE
    topic = Topic(OperationKind.REFUSED, public)
    yield Reading(topic, refused, limits.refused, refused >= limits.refused, not refused, code)
    ends = from_instant(each["keys_issued"]) + limits.key_life
    yield _expiry(Topic(OperationKind.EXPIRY, public, KEY), ends, now, limits)


def _expiry(topic: Topic, ends: int, now: int, limits: Limits) -> Reading:
    soon = ends - now < limits.expiry
    return Reading(topic, max(ends, 0), max(ends - limits.expiry, 0), soon, not soon, topic.code)


def _record(reading: Reading, state: OperationState, now: int) -> Operation:
    kind, about, _ = reading.topic
    return Operation(
        at=now,
        kind=kind,
        about=about,
        state=state,
        value=min(reading.value, INTEGER_MAX),
        limit=min(reading.limit, INTEGER_MAX),
        code=reading.code,
    )

"""What the hub tells of its own service (FORMAT.md, "Operational records"), as alarms that stand until
the hub says that it is over. Pure.
"""

from collections.abc import MutableSequence
from typing import Final

from schemas.encoding import instant
from schemas.operations import Operation, OperationKind, OperationState
from subscribers.judging.alarms import Alarm, AlarmKey, AlarmName

NAMES: Final = {
    OperationKind.LAG: AlarmName.HUB_LAG,
    OperationKind.SILENCE: AlarmName.HUB_SILENCE,
    OperationKind.QUOTA: AlarmName.HUB_QUOTA,
    OperationKind.REFUSED: AlarmName.HUB_REFUSED,
    OperationKind.DISK: AlarmName.HUB_DISK,
    OperationKind.EXPIRY: AlarmName.HUB_EXPIRY,
}
_MINUTE: Final = 60_000
_MIB: Final = 1024 * 1024
_LATEST: Final = 9_000_000_000_000
"""A time that an instant of four digits of year can tell (Unix milliseconds)."""


def take(
    record: Operation, raised: MutableSequence[Alarm], ended: MutableSequence[tuple[AlarmKey, int]], now: int
) -> None:
    """Add what a record raises or ends to what a batch does so far: the last word counts. `now` is Unix
    ms.
    """
    key = AlarmKey(NAMES[record.kind], publisher=record.about)
    if record.state is OperationState.RAISED:
        raised.append(Alarm(key, now, said(record)))
        ended[:] = [each for each in ended if each[0] != key]
    else:
        ended.append((key, now))


def said(record: Operation) -> str:
    """What was measured, for people."""
    value, limit = record.value, record.limit
    match record.kind:
        case OperationKind.LAG:
            return f"{value} messages wait; {limit} is much."
        case OperationKind.SILENCE:
            return f"Nothing for {value // _MINUTE} minutes."
        case OperationKind.QUOTA:
            return f"{value // _MIB} of {limit // _MIB} MiB today."
        case OperationKind.REFUSED:
            return f"{value} submissions refused lately, most of them as {record.code}."
        case OperationKind.DISK:
            return f"{value // _MIB} MiB free; {limit // _MIB} is little."
        case OperationKind.EXPIRY:
            return f"The {record.code} ends at {instant(min(value, _LATEST))}."

"""When what a node says by itself is due: reports on others' changes, and corrections of our digests. Pure.

What comes together is told together, a moment after it came. What was refused is told again later, ever more
rarely: most refusals pass (a suspended endpoint, a log that was behind, a reader without usable keys).
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from schemas.limits import LIST_MAX

PAUSE: Final = 30.0
"""Seconds after which it is looked again, whatever happens."""
STUCK: Final = 900_000
"""After so long a change that a sink has not taken is reported as failed there (milliseconds)."""
_AGAIN_FIRST: Final = 60_000
_AGAIN_LONGEST: Final = 3_600_000
_SECOND: Final = 1_000


class Change(NamedTuple):
    """Another agency's amendment or retraction that has not been reported. Times in Unix milliseconds;
    `number` is the archive's. `refused` says how often a report on it was refused, by the hub or before it
    went there, and `tried` when it last was.
    """

    id: str
    community: str
    originator: str
    number: int
    received: int
    applied: int | None
    archive: str
    refused: int = 0
    tried: int = 0


class Listed(NamedTuple):
    """That a digest of ours lists what `change` has changed; times in Unix milliseconds. `refused` and
    `tried` are of the digest's corrections.
    """

    digest: str
    change: str
    received: int
    refused: int = 0
    tried: int = 0


Batch = list[Change]
"""What goes into one report: of one originator in one community."""


def again_at(refused: int, tried: int) -> int:
    """From when on something may be told (Unix ms) that was refused so often, at last when it was `tried`: at
    once, or after a minute, then two, four, and so on up to an hour.
    """
    if refused == 0:
        return 0
    return tried + min(_AGAIN_FIRST << (refused - 1), _AGAIN_LONGEST)


def reports(changes: Iterable[Change], wait: int, now: int) -> tuple[list[Batch], float]:
    """Those that are due, in the order of `changes`, and the seconds until others may be. A change is
    gathered from when it was applied, or is given up, for `wait` milliseconds, or until a report is full.
    """
    gathered: dict[tuple[str, str], Batch] = {}
    pause = PAUSE
    for each in changes:
        left = max(_told_from(each), again_at(each.refused, each.tried)) - now
        if left > 0:
            pause = min(pause, left / _SECOND)
        else:
            gathered.setdefault((each.community, each.originator), []).append(each)
    due: list[Batch] = []
    for batch in gathered.values():
        left = min(map(_told_from, batch)) + wait - now
        if left > 0 and len(batch) < LIST_MAX:
            pause = min(pause, left / _SECOND)
        else:
            due += (batch[start : start + LIST_MAX] for start in range(0, len(batch), LIST_MAX))
    return due, pause


def corrections(listed: Iterable[Listed], wait: int, now: int) -> tuple[dict[str, list[str]], float]:
    """The changes for which a digest is due to be corrected, by digest, and the seconds until others may be.
    `wait`: milliseconds for which changes are gathered.
    """
    gathered: dict[str, list[Listed]] = {}
    for each in listed:
        gathered.setdefault(each.digest, []).append(each)
    due, pause = dict[str, list[str]](), PAUSE
    for digest, changes in gathered.items():
        ripe = min(each.received for each in changes) + wait
        left = max(ripe, *(again_at(each.refused, each.tried) for each in changes)) - now
        if left > 0:
            pause = min(pause, left / _SECOND)
        else:
            due[digest] = [each.change for each in changes]
    return due, pause


def _told_from(change: Change) -> int:
    return change.received + STUCK if change.applied is None else change.applied

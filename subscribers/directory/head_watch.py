"""Tells when the directory's head has become stale: nothing comes in then that would."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from subscribers.judging.alarms import Alarm, AlarmKey, AlarmName, raise_alarms
from subscribers.storage.ledger import Ledger

log = structlog.get_logger(__name__)

_LOOK: Final = 5.0
"""Seconds after which it looks again: clocks are set, and a first head needs a moment to come."""


async def watch_head(ledger: Ledger, clock: Callable[[], int]) -> None:
    """Raise the alarm `stale_head` each time that the head becomes stale; runs until cancelled."""
    told, first = False, True
    while True:
        left = (ledger.fresh_until() - clock()) / 1000
        if left > 0:
            told = False
        elif not told and not (first and ledger.vouched.kept is None):
            told = True
            log.warning("directory head stale")
            alarm = Alarm(AlarmKey(AlarmName.STALE_HEAD), clock(), "no new keys and no new epochs are begun")
            await ledger.store.transact(partial(raise_alarms, alarms=[alarm]))
        first = False
        await asyncio.sleep(min(left, _LOOK) if left > 0 else _LOOK)

"""How the node is: what waits, what was refused, whom it has heard, what is about to end. Counts and times;
there is nothing of any bulletin in them, and no community.
"""

import shutil
import time
from collections import Counter
from typing import Final, NamedTuple
from uuid import UUID

from schemas.directory import Directory
from schemas.errors import OperationError
from schemas.frame import HEARTBEAT
from subscribers.core import DATABASE, Core
from subscribers.exchange.hub_link import directory_backlog, traffic_backlog
from subscribers.judging import alarms
from subscribers.keyring.key_life import good_until
from subscribers.keyring.rotation import Rotation
from subscribers.storage.ledger import Ledger
from subscribers.watching.certificates import ends

_TIME_BITS: Final = 80
"""Of a UUIDv7, what is behind its Unix milliseconds (RFC 9562, 5.7)."""


class Vitals(NamedTuple):
    """Times are Unix milliseconds. `lag` counts what waits at the hub by feed, and is empty without a
    connection; `oldest` is since when the first in the outbox waits.
    """

    now: int
    uptime_s: int
    connected: bool
    lag: dict[str, int]
    outbox: int
    oldest: int | None
    held_s: float
    refused: dict[str, int]
    quarantined: dict[str, int]
    alarms: dict[str, int]
    heard: dict[str, int]
    bulletins: int
    store_bytes: int
    disk_free: int
    disk_bytes: int
    documents: int
    head_stale: bool
    keys_until: int | None
    certificates: dict[str, int]


class Watch:
    """Looks at one running node whenever it is asked."""

    def __init__(self, core: Core, rotation: Rotation) -> None:
        self._core = core
        self._rotation = rotation
        self._since = time.monotonic()

    async def vitals(self) -> Vitals:
        """Everything. OperationError where the store does not answer."""
        core, now = self._core, self._core.clock()
        store, known = core.store, core.ledger.known()
        oldest = await store.query(
            "SELECT id FROM outgoing WHERE state = 'queued' AND kind != ? ORDER BY number LIMIT 1",
            (HEARTBEAT,),
        )
        refused = await store.query(
            "SELECT code, count(*) FROM outgoing WHERE state = 'refused' GROUP BY code"
        )
        quarantined = await store.query("SELECT code, count(*) FROM quarantine GROUP BY code")
        disk = shutil.disk_usage(core.state)
        return Vitals(
            now,
            int(time.monotonic() - self._since),
            core.link.connected,
            await self._lag(),
            await core.outbox.size(),
            _made(oldest[0][0]) if oldest else None,
            core.outbox.held_for(),
            {str(code): int(count) for code, count in refused},
            {str(code): int(count) for code, count in quarantined},
            await alarms.by_name(store),
            heard(core.ledger, known),
            await core.archive.count(),
            (core.state / DATABASE).stat().st_size,
            disk.free,
            disk.total,
            known.head.size,
            now >= core.ledger.fresh_until(),
            good_until(known, core.endpoint, self._rotation.policy),
            ends(core.link.tls),
        )

    async def ready(self) -> None:
        """OperationError where the store does not answer. That the hub is away keeps nobody from reading."""
        await self._core.store.query("SELECT 1")

    async def _lag(self) -> dict[str, int]:
        nc = self._core.link.nc
        if nc is None or not self._core.link.connected:
            return {}
        try:
            return {"traffic": await traffic_backlog(nc), "directory": await directory_backlog(nc)}
        except OperationError:
            return {}  # the hub does not answer just now: it is not known, and not 0


def heard(ledger: Ledger, known: Directory) -> dict[str, int]:
    """When a frame of each agency last came."""
    last: Counter[str] = Counter()
    for chain, (_, seen) in ledger.pulses.items():
        if keys := known.endpoints.get(chain.publisher):
            last[keys.agency] = max(last[keys.agency], seen)
    return dict(last)


def _made(item: str) -> int:
    return UUID(item).int >> _TIME_BITS

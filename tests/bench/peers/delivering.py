"""One bulletin from its publisher to many readers, each verifying its signature: Liaison and its peers in one
run.

All have a connection for each reader, and all readers are in this process. With Liaison the text is sealed,
the hub verifies as well, and everything is on the disk before a reader has it; the peers' servers read it,
and keep it in memory.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.bench.arrivals import Arrivals, Send, at, last
from tests.bench.fan_out import TEXT, liaison
from tests.bench.many import hub_of
from tests.bench.measure import Result, Skipped, compared
from tests.bench.peers import mosquitto, taxii

Delivery = Callable[[Path, int, bytes], AbstractAsyncContextManager[tuple[Arrivals, Send]]]


class _Peer(NamedTuple):
    name: str
    missing: str
    delivery: Delivery
    often: int
    """One in so many rounds is enough: each lasts long."""


PEERS: Final = (
    _Peer("taxii", taxii.missing(), taxii.delivery, 3),
    _Peer("mosquitto", mosquitto.missing(), mosquitto.delivery, 1),
)


async def measure(directory: Path, *, readers: int, rounds: int) -> AsyncIterator[Result | Skipped]:
    """`peer_<name>_<readers>`: ms until all readers have it; `_p50` until half of them have."""
    ours: list[Any] = []
    for peer in PEERS:
        if peer.missing:
            yield Skipped(f"peer_{peer.name}", peer.missing)
            continue
        if not ours:
            hub = hub_of(directory, agencies=readers + 1)
            async with hub as many, liaison(many, readers) as (arrivals, send):
                ours = await arrivals.rounds(send, rounds)
        async with peer.delivery(directory, readers, TEXT) as (arrivals, send):
            theirs = await arrivals.rounds(send, max(1, rounds // peer.often))
        note = f"until {{}} of {readers} readers have verified one bulletin of 1 KiB"
        name = f"peer_{peer.name}"
        yield compared(f"{name}_{readers}", "ms", (last(theirs), last(ours)), note.format("all"))
        half = at(theirs, 0.5), at(ours, 0.5)
        yield compared(f"{name}_p50_{readers}", "ms", half, note.format("half"))

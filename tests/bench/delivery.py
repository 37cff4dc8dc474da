"""From an agency's client to another agency's own systems, through real processes, against bare hops."""

import statistics
from pathlib import Path
from typing import Final

from tests.bench.hops import floor
from tests.bench.load import chain
from tests.bench.measure import Result, latency, percentile
from tests.bench.stage import COMMUNITY, READER, SENDER, World

RATE: Final = 100.0
"""Bulletins a second."""
_NOTE: Final = (
    "request, fsync, JetStream publish, pull, JetStream publish, pull, fsync, JetStream publish; all synced"
)


async def measure(world: World, directory: Path, *, count: int, rounds: int) -> list[Result]:
    """`end_to_end_p50` and `end_to_end_p99` of `rounds` rounds of `count` bulletins. `directory` is for the
    floor's files.
    """
    async with (
        chain(world.local(SENDER), world.local(READER), COMMUNITY, (1 + rounds) * count) as product,
        floor(directory) as bare,
    ):
        ours: list[list[float]] = []
        theirs: list[list[float]] = []
        for each in range(1 + rounds):
            for taken, stream in ((ours, product), (theirs, bare)):
                latencies = await stream.round(count, RATE)
                if each:  # the first round warms up
                    taken.append(latencies)
    return [
        latency(
            f"end_to_end_{name}",
            statistics.median(percentile(each, part) for each in ours),
            statistics.median(percentile(each, part) for each in theirs),
            _NOTE,
        )
        for name, part in (("p50", 0.5), ("p99", 0.99))
    ]

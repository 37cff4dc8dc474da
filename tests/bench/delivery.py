"""From an agency's client to another agency's own systems, through real processes, against bare hops."""

import statistics
from pathlib import Path
from typing import Final

from tests.bench.hops import floor
from tests.bench.load import Stream, chain
from tests.bench.measure import Result, latency, percentile
from tests.bench.stage import COMMUNITY, READER, SENDER, World

RATE: Final = 100.0
"""Bulletins a second."""
LOADED: Final = 200.0
"""The same, under load."""
_NOTE: Final = (
    "request, fsync, JetStream publish, pull, JetStream publish, pull, fsync, JetStream publish; all synced"
)
_PARTS: Final = (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))


async def measure(world: World, directory: Path, *, count: int, rounds: int) -> list[Result]:
    """`end_to_end_p50`, `_p99` and `_p999` at `RATE`, `loaded_...` at `LOADED`, of `rounds` rounds of `count`
    bulletins; `throughput` of as many at once. `directory` is for the floor's files.
    """
    results = []
    async with (
        chain(world.local(SENDER), world.local(READER), COMMUNITY, 3 * (1 + rounds) * count) as product,
        floor(directory) as bare,
    ):
        for name, rate in (("end_to_end", RATE), ("loaded", LOADED)):
            ours, theirs = await _latencies(product, bare, count, rounds, rate)
            results += [
                latency(f"{name}_{part}", _at(ours, at), _at(theirs, at), _NOTE) for part, at in _PARTS
            ]
        rates = [(await product.rate(count), await bare.rate(count)) for _ in range(1 + rounds)][1:]
    value, bound = (statistics.median(each) for each in zip(*rates, strict=True))
    return [*results, Result("throughput", "msg/s", value, bound, value / bound, _NOTE)]


async def _latencies(
    product: Stream, bare: Stream, count: int, rounds: int, rate: float
) -> tuple[list[list[float]], list[list[float]]]:
    """Of rounds by turns; milliseconds."""
    taken: tuple[list[list[float]], list[list[float]]] = ([], [])
    for each in range(1 + rounds):
        for times, stream in zip(taken, (product, bare), strict=True):
            latencies = await stream.round(count, rate)
            if each:  # the first round warms up
                times.append(latencies)
    return taken


def _at(rounds: list[list[float]], part: float) -> float:
    """The median of the rounds; of what is rarer than one in a round, that of all of them together."""
    if part * len(rounds[0]) > len(rounds[0]) - 1:
        return percentile([each for one in rounds for each in one], part)
    return statistics.median(percentile(each, part) for each in rounds)

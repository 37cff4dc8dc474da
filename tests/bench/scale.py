"""How it grows: each thing at a tenth of the size and at the full one, in one run. The ratio says which it
is: 1 where it does not grow, 0.1 where it grows with the size.

Three hundred endpoints in a thousand communities, ten thousand officers, a million archived bulletins. It
takes long: `make bench ARGS="--only scale"`.
"""

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bots.sandbox.limits import UNLIMITED
from subscribers.storage import tables
from subscribers.storage.archive import Archive
from subscribers.storage.store import Store
from tests.bench import archive, routing
from tests.bench.many import hub_of
from tests.bench.measure import Result, percentile
from tests.bench.memory import resident
from tests.support.federation import seed
from tests.support.forked import spawn
from tests.support.many_officers import Carrier, enrolled
from tests.support.officers_bot import running_sandbox

MEMBERS: Final = 20
"""Agencies in each community."""
_TENTH: Final = 10
_NOTE: Final = "a tenth of it: {}"
_TOLD: Final = 50
"""Alerts that are waited for."""
_RATE: Final = 1_000.0
_CHAT_RATE: Final = 100.0


@dataclass(frozen=True)
class Sizes:
    """The full sizes."""

    endpoints: int = 300
    communities: int = 1_000
    officers: int = 10_000
    bulletins: int = 1_000_000
    queries: int = 200
    frames: int = 10_000
    rounds: int = 3

    def tenth(self) -> "Sizes":
        """A tenth of what grows."""
        return replace(
            self,
            endpoints=self.endpoints // _TENTH,
            communities=self.communities // _TENTH,
            officers=self.officers // _TENTH,
            bulletins=self.bulletins // _TENTH,
        )


async def measure(directory: Path, sizes: Sizes) -> AsyncIterator[Result]:
    """`scale_hub_*`, `scale_bot_*` and `scale_archive_*`."""
    small = sizes.tenth()
    async for result in _hub(directory, small, sizes):
        yield result
    async for result in _officers(directory, small, sizes):
        yield result
    async for result in _archive(directory, small, sizes):
        yield result


def _grown(name: str, unit: str, pair: tuple[float, float], what: str) -> Result:
    """`pair` is at a tenth, and in full; less is better."""
    tenth, full = pair
    return Result(f"scale_{name}", unit, full, tenth, tenth / full, _NOTE.format(what))


async def _hub(directory: Path, *both: Sizes) -> AsyncIterator[Result]:
    starts, sizes, costs = [], [], []
    for number, each in enumerate(both):
        place = directory / f"hub{number}"
        place.mkdir()
        members = min(MEMBERS, each.endpoints)
        async with hub_of(place, agencies=each.endpoints, communities=each.communities, each=members) as many:
            starts.append(1000 * many.start)
            spent = [one async for one in routing.admitted(many, each.frames, each.rounds)]
            costs.append(1e6 * statistics.median(spent) / each.frames)
            sizes.append(resident(many.pid))
    what = f"{both[0].endpoints} endpoints, {both[0].communities} communities of {MEMBERS}"
    yield _grown("hub_start", "ms", (starts[0], starts[1]), what)
    yield _grown("hub_memory", "MiB", (sizes[0], sizes[1]), what)
    yield _grown("hub_frame", "us", (costs[0], costs[1]), what)


async def _officers(directory: Path, *both: Sizes) -> AsyncIterator[Result]:
    firsts, sizes = [], []
    await (await spawn("true")).communicate()  # who forks the bots has loaded what they need
    for number, each in enumerate(both):
        place = directory / f"bot{number}"
        place.mkdir()
        async with running_sandbox(UNLIMITED) as (sandbox, _):
            await enrolled(sandbox, place, each.officers)
            begun, told = time.perf_counter(), 0
            bot = await Carrier.start(sandbox, place, overall_rate=_RATE, chat_rate=_CHAT_RATE, concurrency=8)
            async for one in bot.told():
                told += one.verb == "alert"
                if told == min(_TOLD, each.officers):
                    break
            firsts.append(1000 * (time.perf_counter() - begun))
            sizes.append(resident(bot.process.pid))
            with contextlib.suppress(ProcessLookupError):
                bot.process.kill()
            await bot.process.communicate()
    what = f"{both[0].officers} officers with a flash and a digest each waiting"
    yield _grown("bot_first_alerts", "ms", (firsts[0], firsts[1]), f"{what}, start to {_TOLD} alerts")
    yield _grown("bot_memory", "MiB", (sizes[0], sizes[1]), what)


async def _archive(directory: Path, *both: Sizes) -> AsyncIterator[Result]:
    path, queries, inserts, bytes_each, done = directory / "archive.db", [], [], [], 0
    async with await Store.open(path, seed("archive"), tables.NODE) as store:
        for each in both:
            begun = time.process_time()
            await archive.fill(store, done, each.bulletins)
            inserts.append(1e6 * (time.process_time() - begun) / (each.bulletins - done))
            done = each.bulletins
            queries.append(await _queried(store, each.queries))
            bytes_each.append(await asyncio.to_thread(_size, path) / done)
    what = f"{both[0].bulletins} bulletins"
    yield _grown("archive_query_p95", "ms", (queries[0], queries[1]), what)
    yield _grown("archive_insert", "us", (inserts[0], inserts[1]), f"{what}, processor time of each")
    yield _grown("archive_bytes", "B", (bytes_each[0], bytes_each[1]), f"{what}, for each")


async def _queried(store: Store, count: int) -> float:
    """Ms, the 95th percentile of so many searches."""
    kept, taken = Archive(store), []
    for words in archive.questions(count):
        start = time.perf_counter()
        await kept.search(words, limit=archive.PAGE)
        taken.append(1000 * (time.perf_counter() - start))
    return percentile(taken, 0.95)


def _size(path: Path) -> int:
    """Bytes of the database with its log."""
    return sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*"))

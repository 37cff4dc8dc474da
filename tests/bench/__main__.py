"""`python -m tests.bench`: measure, print a table, write `build/bench.json`. `--quick` only shows that it all
runs.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
import uvloop
from rich.console import Console
from rich.table import Table

from tests.bench import (
    answers,
    archive,
    catch_up,
    chat,
    delivery,
    fan_out,
    flash,
    frames,
    memory,
    rotation,
    routing,
    scale,
)
from tests.bench.measure import Mark, Result, Skipped
from tests.bench.peers import delivering, sealing
from tests.bench.stage import world

BUILD: Final = Path("build")
PEER: Final = "peer_"
"""Begins the name of a row that is another's."""
MARKS: Final = {
    "seal": Mark(ratio=0.6),
    "admission": Mark(ratio=0.7),
    "receive": Mark(ratio=0.65),
    "catch_up": Mark(ratio=3.0),
    "end_to_end_p50": Mark(most=10.0),
    "bot_reply_p95": Mark(most=200.0),
    **{f"answer_{each}_p95": Mark(most=150.0) for each in answers.NAMES},
    "answer_like_p95": Mark(most=500.0),
    "answer_meant_p95": Mark(most=500.0),
    "flash_rate": Mark(ratio=0.95),
    "hub_admission": Mark(ratio=0.6),
}
"""First marks; the others are watched."""


@dataclass(frozen=True)
class Sizes:
    """How much of each thing is done."""

    frames: int
    frame_rounds: int
    backlog: int
    backlog_rounds: int
    members: tuple[int, ...]
    rotation_rounds: int
    bulletins: int
    queries: int
    answers: int
    deliveries: int
    delivery_rounds: int
    questions: int
    officers: int
    admitted: int
    admitted_rounds: int
    readers: int
    fan_out_rounds: int
    peer_readers: tuple[int, ...]
    peer_rounds: int
    delivered_to: int
    scale: scale.Sizes


FULL: Final = Sizes(
    frames=100,
    frame_rounds=60,
    backlog=20_000,
    backlog_rounds=3,
    members=(10, 300, 1_000),
    rotation_rounds=9,
    bulletins=200_000,
    queries=600,
    answers=60,
    deliveries=500,
    delivery_rounds=5,
    questions=120,
    officers=2_000,
    admitted=20_000,
    admitted_rounds=7,
    readers=300,
    fan_out_rounds=30,
    peer_readers=(10, 100, 300),
    peer_rounds=9,
    delivered_to=100,
    scale=scale.Sizes(),
)
QUICK: Final = Sizes(
    frames=3,
    frame_rounds=1,
    backlog=200,
    backlog_rounds=1,
    members=(10, 300, 1_000),
    rotation_rounds=1,
    bulletins=50,
    queries=8,
    answers=1,
    deliveries=10,
    delivery_rounds=1,
    questions=2,
    officers=40,
    admitted=60,
    admitted_rounds=1,
    readers=3,
    fan_out_rounds=1,
    peer_readers=(2,),
    peer_rounds=1,
    delivered_to=2,
    scale=scale.Sizes(20, 20, 20, 200, queries=4, frames=100, rounds=1),
)
PARTS: Final = (
    "frames", "catch_up", "rotation", "archive", "processes", "flash", "hub", "fan_out", "peers",
)  # fmt: skip
SLOW: Final = ("scale",)
"""Only when they are asked for."""


def computed(sizes: Sizes, parts: Sequence[str]) -> Iterator[Result]:
    """Every result that needs neither disk nor processes, as it is there."""
    if "frames" in parts:
        yield from frames.measure(frames=sizes.frames, rounds=sizes.frame_rounds)
    if "catch_up" in parts:
        yield from catch_up.measure(frames=sizes.backlog, rounds=sizes.backlog_rounds)
    if "rotation" in parts:
        yield from rotation.measure(sizes.members, sizes.rotation_rounds)


async def measured(sizes: Sizes, parts: Sequence[str], directory: Path) -> AsyncIterator[Result | Skipped]:
    """Every result, as it is there."""
    for result in computed(sizes, parts):
        yield result
    for part, measure in _MEASURES.items():
        if part in parts:
            (directory / part).mkdir()
            async for each in measure(sizes, directory / part):
                yield each


async def _archive(sizes: Sizes, directory: Path) -> AsyncIterator[Result]:
    async with archive.filled(directory, sizes.bulletins) as store:
        for result in await archive.measure(store, queries=sizes.queries):
            yield result
        asked = await answers.measure(store, directory, bulletins=sizes.bulletins, questions=sizes.answers)
        for result in asked:
            yield result


async def _processes(sizes: Sizes, directory: Path) -> AsyncIterator[Result]:
    for name in ("world", "hops"):
        (directory / name).mkdir()
    async with world(directory / "world", forked=sizes is QUICK) as running:
        for result in await delivery.measure(
            running, directory / "hops", count=sizes.deliveries, rounds=sizes.delivery_rounds
        ):
            yield result
        for result in await chat.measure(running, questions=sizes.questions):
            yield result
        for result in await memory.measure("node"):
            yield result


async def _flash(sizes: Sizes, directory: Path) -> AsyncIterator[Result]:
    for result in await flash.measure(directory, officers=sizes.officers):
        yield result


async def _hub(sizes: Sizes, directory: Path) -> AsyncIterator[Result]:
    for result in await routing.measure(directory, frames=sizes.admitted, rounds=sizes.admitted_rounds):
        yield result


async def _fan_out(sizes: Sizes, directory: Path) -> AsyncIterator[Result]:
    for result in await fan_out.measure(directory, readers=sizes.readers, rounds=sizes.fan_out_rounds):
        yield result


async def _peers(sizes: Sizes, directory: Path) -> AsyncIterator[Result | Skipped]:
    for result in sealing.measure(directory, readers=sizes.peer_readers, rounds=sizes.peer_rounds):
        yield result
    async for each in delivering.measure(directory, readers=sizes.delivered_to, rounds=sizes.peer_rounds):
        yield each


_MEASURES: Final[dict[str, Callable[[Sizes, Path], AsyncIterator[Result | Skipped]]]] = {
    "archive": _archive,
    "processes": _processes,
    "flash": _flash,
    "hub": _hub,
    "fan_out": _fan_out,
    "peers": _peers,
    "scale": lambda sizes, directory: scale.measure(directory, sizes.scale),
}


def peer_table(results: Sequence[Result | Skipped]) -> Table:
    """For people: Liaison beside others on the same work, less being better, and why some are not there."""
    made = Table("name", "unit", title="Beside others on the same work", title_justify="left")
    for heading in ("theirs", "Liaison", "ratio"):
        made.add_column(heading, justify="right")
    made.add_column("what", style="dim")
    for each in results:
        if isinstance(each, Skipped):
            made.add_row(each.name, "", "", "", "", f"skipped: {each.reason}")
        else:
            made.add_row(each.name, each.unit, *_numbers(each), f"{each.ratio:.2f}", each.note)
    return made


def table(results: Sequence[Result]) -> Table:
    """For people: the ratio is above one where the product is faster than its floor."""
    made = Table("name", "unit", title="Against a bare loop of the same library calls", title_justify="left")
    for heading in ("value", "floor", "ratio"):
        made.add_column(heading, justify="right")
    made.add_column("mark")
    made.add_column("floor is", style="dim")
    for each in results:
        mark = MARKS.get(each.name)
        reached = "" if mark is None else f"{mark} {'[green]yes[/]' if mark.holds(each) else '[red]no[/]'}"
        made.add_row(each.name, each.unit, *_numbers(each), f"{each.ratio:.2f}", reached, each.note)
    return made


def _numbers(result: Result) -> list[str]:
    """Value and floor."""
    return [f"{value:,.4g}" if value < 1_000 else f"{value:,.0f}" for value in (result.value, result.floor)]


async def _run(sizes: Sizes, parts: Sequence[str], build: Path, console: Console) -> list[Result | Skipped]:
    results: list[Result | Skipped] = []
    # On the disk that the project is on: a memory file system would make every fsync free.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as directory:
        async for result in measured(sizes, parts, Path(directory)):
            results.append(result)
            if isinstance(result, Skipped):
                console.print(f"{result.name}: skipped, {result.reason}")
            else:
                console.print(f"{result.name}: {result.value:.4g} {result.unit}, ratio {result.ratio:.2f}")
    return results


def main(arguments: Sequence[str]) -> int:
    """Run; the exit code is 0 whatever was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that everything runs")
    parser.add_argument("--only", nargs="+", choices=PARTS + SLOW, default=PARTS, help="some parts only")
    parser.add_argument("--build", type=Path, default=BUILD, help="where bench.json goes [build]")
    given = parser.parse_args(arguments)
    given.build.mkdir(parents=True, exist_ok=True)
    console, begun = Console(stderr=True, highlight=False), time.monotonic()
    before = os.getloadavg()[0]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    results = uvloop.run(_run(QUICK if given.quick else FULL, given.only, given.build.resolve(), console))
    file = given.build / "bench.json"
    there = [each for each in results if isinstance(each, Result)]
    file.write_text(json.dumps([each.entry() for each in there], indent=1) + "\n", encoding="utf-8")
    out = Console(width=None if sys.stdout.isatty() else 160)
    out.print(table([each for each in there if not each.name.startswith(PEER)]))
    if beside := [each for each in results if each.name.startswith(PEER)]:
        out.print(peer_table(beside))
    spent, after = time.monotonic() - begun, os.getloadavg()[0]
    out.print(f"{spent:.0f} s on {os.cpu_count()} cores, load {before:.1f} before, {after:.1f} after; {file}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (asyncio.CancelledError, KeyboardInterrupt):
        sys.exit(130)

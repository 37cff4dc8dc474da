"""`python -m tests.bench`: measure, print a table, write `build/bench.json`. `--quick` only shows that it all
runs.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console
from rich.table import Table

from tests.bench import answers, archive, catch_up, chat, delivery, flash, frames, rotation
from tests.bench.measure import Mark, Result
from tests.bench.stage import world

BUILD: Final = Path("build")
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
)
PARTS: Final = ("frames", "catch_up", "rotation", "archive", "processes", "flash")


def computed(sizes: Sizes, parts: Sequence[str]) -> Iterator[Result]:
    """Every result that needs neither disk nor processes, as it is there."""
    if "frames" in parts:
        yield from frames.measure(frames=sizes.frames, rounds=sizes.frame_rounds)
    if "catch_up" in parts:
        yield from catch_up.measure(frames=sizes.backlog, rounds=sizes.backlog_rounds)
    if "rotation" in parts:
        yield from rotation.measure(sizes.members, sizes.rotation_rounds)


async def measured(sizes: Sizes, parts: Sequence[str], directory: Path) -> AsyncIterator[Result]:
    """Every result, as it is there."""
    for result in computed(sizes, parts):
        yield result
    if "archive" in parts:
        async with archive.filled(directory, sizes.bulletins) as store:
            for result in await archive.measure(store, queries=sizes.queries):
                yield result
            asked = await answers.measure(
                store, directory, bulletins=sizes.bulletins, questions=sizes.answers
            )
            for result in asked:
                yield result
    if "processes" in parts:
        for name in ("world", "hops"):
            (directory / name).mkdir()
        async with world(directory / "world", forked=sizes is QUICK) as running:
            for result in await delivery.measure(
                running, directory / "hops", count=sizes.deliveries, rounds=sizes.delivery_rounds
            ):
                yield result
            for result in await chat.measure(running, questions=sizes.questions):
                yield result
    if "flash" in parts:
        (directory / "bot").mkdir()
        for result in await flash.measure(directory / "bot", officers=sizes.officers):
            yield result


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
        numbers = (
            f"{value:,.4g}" if value < 1_000 else f"{value:,.0f}" for value in (each.value, each.floor)
        )
        made.add_row(each.name, each.unit, *numbers, f"{each.ratio:.2f}", reached, each.note)
    return made


async def _run(sizes: Sizes, parts: Sequence[str], build: Path, console: Console) -> list[Result]:
    results = []
    # On the disk that the project is on: a memory file system would make every fsync free.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as directory:
        async for result in measured(sizes, parts, Path(directory)):
            results.append(result)
            console.print(f"{result.name}: {result.value:.4g} {result.unit}, ratio {result.ratio:.2f}")
    return results


def main(arguments: Sequence[str]) -> int:
    """Run; the exit code is 0 whatever was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that everything runs")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="some parts only")
    parser.add_argument("--build", type=Path, default=BUILD, help="where bench.json goes [build]")
    given = parser.parse_args(arguments)
    given.build.mkdir(parents=True, exist_ok=True)
    console, begun = Console(stderr=True, highlight=False), time.monotonic()
    before = os.getloadavg()[0]
    results = uvloop.run(_run(QUICK if given.quick else FULL, given.only, given.build.resolve(), console))
    file = given.build / "bench.json"
    file.write_text(json.dumps([each.entry() for each in results], indent=1) + "\n", encoding="utf-8")
    out = Console(width=None if sys.stdout.isatty() else 160)
    out.print(table(results))
    spent, after = time.monotonic() - begun, os.getloadavg()[0]
    out.print(f"{spent:.0f} s on {os.cpu_count()} cores, load {before:.1f} before, {after:.1f} after; {file}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (asyncio.CancelledError, KeyboardInterrupt):
        sys.exit(130)

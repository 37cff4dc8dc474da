"""Run the fuzz targets: `make fuzz SECONDS=n`, or `python -m tests.fuzz --help`.

The time is divided among the targets, those with the fewest executions first. What was found interesting
stays in build/fuzz, so that the next run goes on from there; counts go to tests/fuzz/counts.json.
"""

import argparse
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.fuzz import corpus, counts
from tests.fuzz.catalogue import TARGETS
from tests.fuzz.target import ROOT, Target

_WORK: Final = ROOT / "build/fuzz"
_DONE: Final = re.compile(rb"stat::number_of_executed_units: ([0-9]+)")
_SLICE_MAX: Final = 240
_OPTIONS: Final = ("-print_final_stats=1", "-timeout=60", "-rss_limit_mb=2048", "-verbosity=1")


def main() -> int:
    """0 when nothing was found."""
    asked = _arguments()
    if asked.report:
        return _report()
    names = asked.only or list(TARGETS)
    if asked.minimise:
        for name in names:
            _minimise(TARGETS[name])
        return 0
    until = time.monotonic() + asked.seconds
    slice_ = max(2, min(_SLICE_MAX, asked.seconds // max(1, len(names))))
    found = 0
    while (left := until - time.monotonic()) > 1:
        due = _due(names, asked.goal)
        if not due:
            break
        for name in due if asked.goal is None else due[:1]:
            left = until - time.monotonic()
            found += _run(TARGETS[name], max(1, min(slice_, int(left))), asked.goal)
        if asked.goal is None:
            break
    _report()
    return 1 if found else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("seconds", type=int, nargs="?", default=60, help="for all targets together")
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", choices=tuple(TARGETS), help="these targets alone"
    )
    parser.add_argument(
        "--goal", type=int, help="stop each target at so many executions of its parser as it is"
    )
    parser.add_argument(
        "--minimise", action="store_true", help="write the smallest corpus that reaches as much"
    )
    parser.add_argument("--report", action="store_true", help="show the counts")
    return parser.parse_args()


def _due(names: list[str], goal: int | None) -> list[str]:
    """The targets to run, in the order of the command line (with a goal) or the least tried first."""
    known = {name: counts.read().get(name, counts.Count()).now(TARGETS[name]) for name in names}
    if goal is not None:
        return [name for name in names if known[name].executions < goal and not known[name].findings]
    return sorted(names, key=lambda name: known[name].executions)


def _run(target: Target, seconds: int, goal: int | None) -> int:
    """One slice; returns how many findings it ended with (0 or 1)."""
    folder, log = _WORK / target.name / "corpus", _WORK / target.name / "log"
    corpus.unpack(target, folder)
    before = counts.read().get(target.name, counts.Count()).now(target)
    options = [*_OPTIONS, f"-max_total_time={seconds}", f"-artifact_prefix={_WORK / target.name}/"]
    if goal is not None:
        options.append(f"-runs={max(1, goal - before.executions)}")
    with log.open("wb") as file:
        command = [sys.executable, "-m", "tests.fuzz.engine", target.name, "--", *options, str(folder)]
        status = subprocess.run(command, cwd=ROOT, stdout=file, stderr=file, check=False).returncode
    done = _DONE.search(log.read_bytes())
    executions, failed = int(done[1]) if done else 0, int(status != 0)
    _count(target, executions, failed)
    print(f"{target.name:18} {executions:>10,} executions in {seconds} s", flush=True)
    if failed:
        print(f"  FOUND something: see {log.relative_to(ROOT)}; the input lies beside it", flush=True)
    return failed


def _count(target: Target, executions: int, findings: int) -> None:
    known = counts.read()
    day = datetime.now(UTC).date().isoformat()
    known[target.name] = known.get(target.name, counts.Count()).now(target).grown(executions, findings, day)
    counts.write({name: each for name, each in known.items() if name in TARGETS})


def _minimise(target: Target) -> None:
    """libFuzzer's merge: the inputs that are needed to reach what all of them reach."""
    folder, small = _WORK / target.name / "corpus", _WORK / target.name / "small"
    corpus.unpack(target, folder)
    shutil.rmtree(small, ignore_errors=True)
    small.mkdir()
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.engine",
        target.name,
        "--",
        "-merge=1",
        str(small),
        str(folder),
    ]
    with (_WORK / target.name / "merge.log").open("wb") as file:
        subprocess.run(command, cwd=ROOT, stdout=file, stderr=file, check=True)
    print(f"{target.name:18} {corpus.keep(target.name, small)} of {_number(folder)} inputs kept", flush=True)


def _number(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def _report() -> int:
    """Show what was done; 0 when every target has reached the goal without a finding."""
    known = counts.read()
    print(f"\n{'target':18} {'executions':>12} {'earlier':>12} findings")
    short = 0
    for name, target in TARGETS.items():
        each = known.get(name, counts.Count()).now(target)
        reached = each.executions >= counts.GOAL and not each.findings
        short += not reached
        mark = "" if reached else "<"
        print(f"{name:18} {each.executions:>12,} {each.earlier:>12,} {each.findings:>8}  {mark}")
    print(f"{len(TARGETS) - short} of {len(TARGETS)} have {counts.GOAL:,} executions of the parser as it is")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())

"""Every parser takes what fuzzing has kept, and new inputs made of it; only its own errors come out."""

import importlib.util
import random
import subprocess
import sys

import pytest

from tests.fuzz import corpus, counts
from tests.fuzz.catalogue import TARGETS
from tests.fuzz.mutate import by_chance
from tests.fuzz.target import ROOT, Target

MADE = 150
"""Inputs made of the kept ones for each target, without libFuzzer: on every platform, the same each time."""
SHORT = 600
"""Executions of each target by libFuzzer."""


@pytest.mark.parametrize("name", TARGETS)
def test_only_its_own_errors_come_out_of_a_parser(name: str) -> None:
    target, rng = TARGETS[name], random.Random(name)
    inputs = [*target.seeds(), *corpus.kept(name)]
    for data in inputs:
        target.run(data)
    for number in range(MADE):
        target.run(_made(target, rng.choice(inputs), rng, structured=number % 3 == 0))


def _made(target: Target, data: bytes, rng: random.Random, *, structured: bool) -> bytes:
    made = target.mutate(data, rng) if target.mutate and structured else None
    return by_chance(data, rng) if made is None else made


@pytest.mark.parametrize("name", TARGETS)
def test_some_seed_of_each_target_is_taken(name: str) -> None:
    """A target whose every input is refused at the door would try nothing behind it."""
    target = TARGETS[name]
    if name == "backup_share":  # its words would have to be a share of a real backup
        return
    taken = 0
    for data in target.seeds():
        try:
            target.body(data)
            taken += 1
        except target.raises:
            continue
    assert taken


@pytest.mark.timeout(600)
def test_a_short_run_of_every_target_by_libfuzzer() -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed: it has wheels for CPython 3.11 to 3.13 on Linux, x86-64")
    command = [sys.executable, "-m", "tests.fuzz.engine", *TARGETS, "--", f"-runs={SHORT}", "-timeout=60"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert ended.stderr.count(f"Done {SHORT} runs") == len(TARGETS)


def test_every_target_is_counted_and_none_has_a_finding() -> None:
    known = counts.read()
    assert set(known) == set(TARGETS), "run `make fuzz`, and commit tests/fuzz/counts.json"
    assert not [name for name, each in known.items() if each.findings]


def test_a_count_begins_again_when_the_parser_changes() -> None:
    target = TARGETS["frame"]
    same = counts.Count(executions=7, earlier=3, parser=target.fingerprint(), last="2026-11-26")
    assert same.now(target) == same
    other = counts.Count(executions=7, earlier=3, findings=1, parser="another", last="2026-11-26")
    assert other.now(target) == counts.Count(0, 10, 0, target.fingerprint(), "2026-11-26")

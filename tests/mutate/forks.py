"""A pytest plugin: the tests are collected once, then each mutant gets a process forked from there.

mutmut's own runner begins pytest anew for each mutant, which takes longer than most tests that kill it.
What killed other mutants of a function is tried first on the next, then the fastest tests; properties get few
examples, and nothing is reported of what fails.
Results go to `results.json` in the working directory (mutants/): by the mutant's name, what became of it and
of which source, so that a run goes on where the last one stopped, and again where the source has changed.
"""

import gc
import json
import math
import mmap
import os
import resource
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import Phase, settings
from mutmut.mutation import trampoline

RESULTS: Final = Path("results.json")
_STATS: Final = Path("mutmut-stats.json")
_AGAIN: Final = ("survived", "no tests")
"""There may be a new test."""
_SOON: Final = 3.0
"""Seconds of tests that a mutant meets at first."""
_CPU_SPARE: Final = 5
_MEMORY_MAX: Final = 4 << 30
_EXAMPLES_MAX: Final = 5
_SETTINGS: Final = "_hypothesis_internal_use_settings"
"""Where hypothesis keeps what a test asked for; its decorator is for tests that have asked for nothing."""


class Forks:
    """Takes the place of pytest's loop over the tests."""

    def __init__(self) -> None:
        self._killer = mmap.mmap(-1, 4)
        """Where a child leaves which of its tests failed."""
        self._killers: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.kept: dict[str, dict[str, str]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """Called in a child, for its own tests: the first that fails ends it."""
        if call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
            os._exit(1)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Every mutant that has no result yet, those first whose tests are fast; before them, with `--again`,
        what has survived.
        """
        stats, again = json.loads(_STATS.read_text()), session.config.getoption("mutate_again")
        took: dict[str, float] = stats["duration_by_test"]
        items = {item.nodeid: item for item in session.items}
        for item in session.items:
            _few_examples(item)
        gc.freeze()
        todo = []
        for name, source in _mutants(session.config.getoption("mutants")):
            known = self.kept.get(name, {})
            if known.get("source") != source or (again and known["became"] in _AGAIN):
                reached = stats["tests_by_mangled_function_name"].get(name.partition("__mutmut_")[0], ())
                tests = {
                    items[each]: took[each]
                    for each in sorted(reached, key=lambda each: took[each])
                    if each in items
                }
                todo.append((sum(tests.values()), name, source, tests))
        todo.sort(key=lambda each: (self.kept.get(each[1], {}).get("source") != each[2], *each[:2]))
        print(f"\n{len(todo)} mutants to try", flush=True)
        self._check_tests({item: seconds for each in todo for item, seconds in each[3].items()})
        self._try_all([each[1:] for each in todo], session.config.getoption("mutate_seconds"))
        _save(self.kept)
        return True

    def _check_tests(self, tests: dict[pytest.Item, float]) -> None:
        """One that fails anyway would kill every mutant."""
        if tests and self._try("none", tests) != "survived":
            pytest.exit(f"{list(tests)[self._failed()].nodeid} fails without any mutant", 1)

    def _try_all(self, todo: list[tuple[str, str, dict[pytest.Item, float]]], seconds: float) -> None:
        """Each against what may kill it soon; then against the rest what has survived that."""
        queue, until, tried = deque((*each, _SOON) for each in todo), time.monotonic() + seconds, 0
        while queue and time.monotonic() < until:
            name, source, tests, most = queue.popleft()
            soon = self._soon(name, tests, most)
            became = self._try(name, soon)
            if became == "survived" and len(soon) < len(tests):
                rest = {item: took for item, took in tests.items() if item not in soon}
                queue.append((name, source, rest, math.inf))
                continue
            self.kept[name], tried = {"became": became, "source": source}, tried + 1
            if tried % 25 == 0:
                _save(self.kept)
                print(f"{tried} of {len(todo)}", flush=True)

    def _soon(self, name: str, tests: dict[pytest.Item, float], most: float) -> dict[pytest.Item, float]:
        """What killed others of this function, then the fastest, up to `most` seconds and at least one."""
        killers = self._killers[_function(name)]
        first = sorted(tests, key=lambda each: (-killers[each.nodeid], tests[each]))
        ends = accumulate(tests[each] for each in first)
        return {
            item: tests[item]
            for item, end in zip(first, ends, strict=True)
            if end <= most or item is first[0]
        }

    def _try(self, name: str, tests: dict[pytest.Item, float]) -> str:
        if not tests:
            return "no tests"
        child = os.fork()
        if child == 0:
            self._child(name, list(tests), sum(tests.values()))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == 1:
            self._killers[_function(name)][list(tests)[self._failed()].nodeid] += 1
        return {0: "survived", 1: "killed"}.get(status, "timeout")

    def _failed(self) -> int:
        return int.from_bytes(self._killer[:4])

    def _child(self, name: str, tests: list[pytest.Item], estimate: float) -> None:
        """Does not return: 1 at the first test that fails, 0 when none does."""
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        seconds = int(estimate * 3) + _CPU_SPARE
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MAX, _MEMORY_MAX))
        trampoline.set_mutant_under_test(name)
        trampoline.get_mutant_under_test = lambda: name
        try:
            for number, item in enumerate(tests):
                self._killer[:4] = number.to_bytes(4)
                after = tests[number + 1] if number + 1 < len(tests) else None
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        except BaseException:  # noqa: BLE001 - a mutant that breaks pytest itself is noticed, too
            os._exit(1)
        os._exit(0)


def _few_examples(item: pytest.Item) -> None:
    """For a mutant it is enough that some example notices it: none is made simpler, none is kept."""
    function = getattr(item, "obj", None)
    asked: settings | None = getattr(function, _SETTINGS, None)
    if asked is not None:
        few = min(asked.max_examples, _EXAMPLES_MAX)
        phases = (Phase.explicit, Phase.generate)
        setattr(function, _SETTINGS, settings(asked, max_examples=few, phases=phases, database=None))


def _mutants(patterns: list[str]) -> Iterator[tuple[str, str]]:
    """Name and the hash of its function's source, of each mutant there is."""
    for path in sorted(Path().rglob("*.py.meta")):
        module = str(path).removesuffix(".py.meta").replace("/", ".")
        if patterns and not any(module.endswith(each) for each in patterns):
            continue
        meta: dict[str, Any] = json.loads(path.read_text())
        for name in meta["exit_code_by_key"]:
            yield name, meta["hash_by_function_name"].get(_function(name).rpartition(".")[2], "")


def _function(name: str) -> str:
    return name.partition("__mutmut_")[0]


def _save(kept: dict[str, dict[str, str]]) -> None:
    temporary = RESULTS.with_suffix(".new")
    temporary.write_text(json.dumps(kept, indent=0, sort_keys=True))
    temporary.replace(RESULTS)


def pytest_addoption(parser: pytest.Parser) -> None:
    """What the command passes on."""
    parser.addoption("--mutants", action="append", default=[], help="a module, such as schemas.signing")
    parser.addoption("--mutate-seconds", type=float, default=1e9)
    parser.addoption("--mutate-again", action="store_true")


def pytest_configure(config: pytest.Config) -> None:
    """Put ours in the place of pytest's loop."""
    config.pluginmanager.register(Forks(), "forks")

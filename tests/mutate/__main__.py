"""Mutation testing of what decides who is believed: `make mutate`.

    python -m tests.mutate [--modules schemas.frame ...] [--seconds n]    make and try mutants, going on
    python -m tests.mutate --report                                       what became of them so far
    python -m tests.mutate --show schemas.frame.x_join__mutmut_1          one of them

mutmut makes the mutants and says which tests reach which function ([tool.mutmut] in pyproject.toml);
tests/mutate/forks.py tries them. Two of mutmut's operators are narrowed: what is said to people in a refusal
is no decision, and no test should hold its words.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import libcst as cst
from mutmut import __main__ as mutmut
from mutmut.configuration import config
from mutmut.mutation import mutators, trampoline
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.utils import file_utils
from mutmut.workers.isolation import get_mutant_runner

from tests.mutate import result

_REFUSALS: Final = ("Error", "_bad", "_bad_header", "_refuse")


def _strings(node: cst.BaseString) -> Iterable[cst.BaseString]:
    """Strings, but no sentences: bytes with spaces are part of the format."""
    if isinstance(node, cst.SimpleString) and " " in node.raw_value and "b" not in node.prefix:
        return ()
    changed: Iterable[cst.BaseString] = mutators.operator_string(node)
    return changed


def _arguments(node: cst.Call) -> Iterable[cst.Call]:
    """Arguments; of a refusal only the first, which is its code."""
    name = node.func.value if isinstance(node.func, cst.Name) else ""
    if not name.endswith(_REFUSALS):
        changed: Iterable[cst.Call] = mutators.operator_arg_removal(node)
        return changed
    if name.endswith("Error") and node.args:
        return [node.with_changes(args=[node.args[0].with_changes(value=cst.Name("None")), *node.args[1:]])]
    return ()


def _narrow() -> None:
    ours = {mutators.operator_string: _strings, mutators.operator_arg_removal: _arguments}
    operators: Any = mutators.mutation_operators
    operators[:] = [(kind, ours.get(operator, operator)) for kind, operator in operators]


def _make(*, again: bool) -> None:
    """The mutants, where a source has changed, and which tests reach them: of new tests, and with `again` of
    all.
    """
    Path("mutants").mkdir(exist_ok=True)
    if again:
        Path("mutants/mutmut-stats.json").unlink(missing_ok=True)
    trampoline.set_mutant_under_test("mutant_generation")
    file_utils.copy_src_dir()
    file_utils.copy_also_copy_files()
    file_utils.setup_source_paths()
    mutmut.create_mutants(1)
    mutmut.collect_or_load_stats(get_mutant_runner(1))


def _try(modules: list[str], seconds: float, *, again: bool) -> int:
    chosen = config().pytest_add_cli_args_test_selection
    options = [
        "-q",
        "-s",
        "-p",
        "tests.mutate.forks",
        *config().pytest_add_cli_args,
        f"--mutate-seconds={seconds}",
    ]
    environment = {**os.environ, "PYTHONPATH": ".", "MUTANT_UNDER_TEST": "none"}
    command = [sys.executable, "-m", "pytest", *options, *chosen, *(f"--mutants={each}" for each in modules)]
    command += ["--mutate-again"] * again
    return subprocess.run(command, cwd="mutants", env=environment, check=False).returncode


def main() -> int:
    """0 when every mutant was tried, and every survivor is explained."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutate", description=__doc__)
    parser.add_argument("--modules", nargs="*", default=[], help="these alone, such as schemas.frame")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after this time")
    parser.add_argument(
        "--again", action="store_true", help="try what survived again, first: tests have changed"
    )
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--show", metavar="MUTANT")
    asked = parser.parse_args()
    if asked.show:
        print(get_diff_for_mutant(asked.show, path=asked.show.rpartition(".")[0].replace(".", "/") + ".py"))
        return 0
    if not asked.report:
        _narrow()
        _make(again=asked.again)
        _try(asked.modules, asked.seconds, again=asked.again)
    return result.report()


if __name__ == "__main__":
    sys.exit(main())

"""Makes the mutants, with two of mutmut's operators narrowed, and has them tried."""

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


def narrow() -> None:
    """Leave out what says nothing about a decision."""
    ours = {mutators.operator_string: _strings, mutators.operator_arg_removal: _arguments}
    operators: Any = mutators.mutation_operators
    operators[:] = [(kind, ours.get(operator, operator)) for kind, operator in operators]


def make(*, again: bool) -> None:
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


def try_all(modules: list[str], seconds: float, *, again: bool) -> int:
    """Those of these modules, or all; what pytest ended with."""
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


def shown(mutant: str) -> str:
    """What a mutant changes."""
    return str(get_diff_for_mutant(mutant, path=mutant.rpartition(".")[0].replace(".", "/") + ".py"))

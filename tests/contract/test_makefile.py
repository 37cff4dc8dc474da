"""What `make` runs is there: each `python -m MODULE` of the Makefile does something, and says what."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(set(re.findall(r"python -m ([\w.]+)", (ROOT / "Makefile").read_text(encoding="utf-8"))))


@pytest.mark.parametrize("module", MODULES)
def test_a_module_that_make_runs_has_a_part_that_runs(module: str) -> None:
    """Python says nothing of one that has none, and ends as if all were well."""
    found = find_spec(f"{module}.__main__") if is_package(module) else find_spec(module)
    assert found is not None
    assert found.origin is not None
    assert '\nif __name__ == "__main__":\n' in Path(found.origin).read_text(encoding="utf-8")


@pytest.mark.parametrize("module", MODULES)
def test_a_module_that_make_runs_explains_itself(module: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (told.returncode, "usage:" in told.stdout.lower()) == (0, True), told.stdout + told.stderr


def is_package(module: str) -> bool:
    found = find_spec(module)
    return found is not None and found.submodule_search_locations is not None

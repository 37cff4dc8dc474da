"""Both tethers: a server whose parent is gone already does not start: it would keep the store."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import hub.tether
import subscribers.local.tether


def tethered(module: ModuleType, parent: int, *words: str | Path) -> int:
    script = (sys.executable, "-I", "-S", str(module.__file__))
    return subprocess.run((*script, str(parent), *map(str, words)), check=False).returncode


@pytest.mark.parametrize("module", [hub.tether, subscribers.local.tether], ids=["hub", "agency"])
def test_a_program_starts_under_its_parent_alone(module: ModuleType, tmp_path: Path) -> None:
    made = tmp_path / "made"
    assert tethered(module, os.getppid(), "/bin/mkdir", made) == 1
    assert not made.exists()
    assert tethered(module, os.getpid(), "/bin/mkdir", made) == 0
    assert made.exists()

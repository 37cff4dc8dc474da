"""A log that cannot be written ends nothing: neither on a full disk nor when its reader has gone."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import structlog
from {package}.log import configure
configure("json")
log = structlog.get_logger()
for number in range(2_000):
    log.warning("once more", number=number)
try:
    raise LookupError
except LookupError:
    log.exception("and a long one")
print("went on")
"""


def run(package: str, errors: int) -> str:
    """What the program says on stdout."""
    command = [sys.executable, "-c", PROGRAM.format(package=package)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
    return done.stdout


@pytest.mark.parametrize("package", ["hub", "subscribers"])
def test_a_full_disk_ends_nothing(package: str) -> None:
    with Path("/dev/full").open("wb") as full:
        assert run(package, full.fileno()) == "went on\n"


@pytest.mark.parametrize("package", ["hub", "subscribers"])
def test_a_reader_that_has_gone_ends_nothing(package: str) -> None:
    command = [sys.executable, "-c", PROGRAM.format(package=package)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        assert running.stdout is not None
        running.stderr.close()
        assert running.stdout.read() == "went on\n"


@pytest.mark.parametrize("package", ["hub", "subscribers"])
def test_each_line_is_whole(package: str, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        assert run(package, file.fileno()) == "went on\n"
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 2_001
    assert all(each.startswith("{") and each.endswith("}") for each in lines)

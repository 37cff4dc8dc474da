"""axe, the accessibility checker: installed once under build/ from its lock, run within a page."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]
UNREACHABLE = ("ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "ENETUNREACH")
LOCKED = ROOT / "tests" / "integration" / "axe"
RUN = """async () => {
  const { violations } = await axe.run(document);
  return violations.map(each => [each.id, ...each.nodes.map(node => node.html + node.failureSummary)]);
}"""


@cache
def source() -> str:
    """The checker's script. Skips the test where npm is not installed or reaches no registry."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, so axe cannot be run")
    place = ROOT / "build" / "axe"
    place.mkdir(parents=True, exist_ok=True)
    done = place / "installed"
    lock = (LOCKED / "package-lock.json").read_text(encoding="utf-8")
    with FileLock(place / "lock"):
        if not done.exists() or done.read_text(encoding="utf-8") != lock:
            for file in LOCKED.iterdir():
                shutil.copy(file, place)
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            result = subprocess.run(
                command, cwd=place, capture_output=True, text=True, check=False, timeout=240
            )
            if result.returncode and any(word in result.stderr for word in UNREACHABLE):
                pytest.skip("the npm registry cannot be reached, so axe is not here")
            assert result.returncode == 0, result.stderr
            done.write_text(lock, encoding="utf-8")
    return (place / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


async def violations(page: Any) -> list[Any]:  # playwright's page
    """What axe finds wrong on the page, by its rules' names. It comes by the debugger, past the page's
    policy.
    """
    await page.evaluate(source())
    found: list[Any] = await page.evaluate(RUN)
    return found

"""What the running processes keep in memory, against the same programs that were loaded and do nothing."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.bench.measure import Result

_PROGRAMS: Final = {
    "hub": ("liaison-hub", "import hub.serve"),
    "node": ("liaison-agency", "import subscribers.node"),
}
_NOTE: Final = "a Python process that has imported it and does nothing"


async def measure(name: str) -> list[Result]:
    """`memory_<name>`, of a `hub` or a `node`: MiB resident, of those that this process has started the
    largest. Nothing where there is none, or no /proc.
    """
    program, imports = _PROGRAMS[name]
    sizes = [resident(pid) for pid, command in started() if program in command]
    if not sizes or not (floor := await _importing(imports)):
        return []
    return [Result(f"memory_{name}", "MiB", max(sizes), floor, floor / max(sizes), _NOTE)]


def started() -> Iterator[tuple[int, str]]:
    """Process id and command line of everything that descends from this process."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
            parents[int(path.name)] = int(fields[1]), (path / "cmdline").read_text().replace("\0", " ")
        except (OSError, IndexError):
            continue  # it has ended
    for pid, (above, command) in parents.items():
        ancestor = above
        while ancestor in parents and ancestor != os.getpid():
            ancestor = parents[ancestor][0]
        if ancestor == os.getpid():
            yield pid, command


def resident(pid: int) -> float:
    """MiB resident of a process; 0.0 when it is not known."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    kib = next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)
    return kib / 1024


async def _importing(imports: str) -> float:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"{imports}; print(flush=True); input()",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    if process.stdout:
        await process.stdout.readline()
    size = resident(process.pid)
    await process.communicate(b"\n")
    return size

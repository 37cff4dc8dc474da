"""The inputs that are kept: one file for each target, one input to a line, in base64."""

import base64
from hashlib import sha256
from pathlib import Path
from typing import Final

from tests.fuzz.target import ROOT, Target

KEPT: Final = ROOT / "tests/fuzz/corpus"
_BYTES_MAX: Final = 12_000
"""Of inputs kept for a target, before base64: the smallest are kept."""


def kept(name: str, folder: Path = KEPT) -> list[bytes]:
    """The inputs that are committed for a target."""
    path = folder / f"{name}.txt"
    return [base64.b64decode(line) for line in path.read_text("ascii").split()] if path.exists() else []


def unpack(target: Target, folder: Path) -> None:
    """Put the kept inputs and the seeds where libFuzzer reads and writes its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for data in (*kept(target.name), *target.seeds()):
        if len(data) <= target.longest:
            (folder / sha256(data).hexdigest()[:40]).write_bytes(data)


def keep(name: str, folder: Path) -> int:
    """Write what is to be committed: the inputs of a minimised folder, the smallest first. How many."""
    inputs = sorted({path.read_bytes() for path in folder.iterdir()}, key=lambda data: (len(data), data))
    chosen, room = [], _BYTES_MAX
    for data in inputs:
        room -= len(data)
        if room < 0:
            break
        chosen.append(base64.b64encode(data).decode())
    KEPT.mkdir(exist_ok=True)
    (KEPT / f"{name}.txt").write_text("\n".join(chosen) + "\n", "ascii")
    return len(chosen)

"""What each target has done so far, in a file that is committed.

`executions` are those since the parser's code last changed (`parser` is the fingerprint of that code),
`earlier` those before. A finding stays until the parser changes, which is what mending it does.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from tests.fuzz.target import ROOT, Target

COUNTS: Final = ROOT / "tests/fuzz/counts.json"
GOAL: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Count:
    """One target's record."""

    executions: int = 0
    earlier: int = 0
    findings: int = 0
    parser: str = ""
    last: str = ""

    @property
    def total(self) -> int:
        """With what was done before the parser last changed."""
        return self.executions + self.earlier

    def now(self, target: Target) -> "Count":
        """The record as it stands for the parser as it is now."""
        found = target.fingerprint()
        return self if found == self.parser else Count(0, self.total, 0, found, self.last)

    def grown(self, executions: int, findings: int, day: str) -> "Count":
        """After one more run."""
        return replace(
            self, executions=self.executions + executions, findings=self.findings + findings, last=day
        )


def read(path: Path = COUNTS) -> dict[str, Count]:
    """The records by the targets' names; none where there is no file yet."""
    if not path.exists():
        return {}
    return {name: Count(**fields) for name, fields in json.loads(path.read_text(encoding="utf-8")).items()}


def write(counts: dict[str, Count], path: Path = COUNTS) -> None:
    """All of them, whole or not at all."""
    shown = {name: asdict(counts[name]) for name in sorted(counts)}
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(shown, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)

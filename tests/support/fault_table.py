"""What the fault suite did and found, as a table for people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.history import Finding

_HEAD = "| fault | step | bulletins | acknowledged | verdict |\n| --- | --- | ---: | ---: | --- |\n"


@dataclass(frozen=True)
class Row:
    """One fault. `asked` bulletins while it lasted, of which `answered` were acknowledged."""

    fault: str
    step: str
    asked: int
    answered: int
    findings: Sequence[Finding]

    def __str__(self) -> str:
        said = "; ".join(f"**{each.breach}**: {each.bulletin} at {each.where}" for each in self.findings)
        return f"| {self.fault} | {self.step} | {self.asked} | {self.answered} | {said or 'clean'} |"


@dataclass
class Table:
    """Rows in the order in which they came about."""

    rows: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """One more; fails the test whose fault it is when something was found."""
        self.rows.append(row)
        assert not row.findings, str(row)

    def write(self, path: Path) -> None:
        """Everything, with a line that sums it up; nothing where there is nothing to tell."""
        if not self.rows:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        clean = sum(not each.findings for each in self.rows)
        asked, answered = sum(each.asked for each in self.rows), sum(each.answered for each in self.rows)
        counted = f"{len(self.rows)} faults, {clean} of them clean."
        bulletins = f"{asked} bulletins were asked for, {answered} acknowledged."
        lines = "".join(f"{each}\n" for each in self.rows)
        path.write_text(f"# Faults\n\n{counted} {bulletins}\n\n{_HEAD}{lines}", "utf-8")

"""What a run without a person ends with: its numbers, and the search for plaintext in what it left."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.demo import leaks


@dataclass(slots=True)
class Report:
    """What the run ends with; `problems` is empty when everything held. Latencies in milliseconds."""

    bulletins: int
    published: int = 0
    admitted: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    refused_by_nats: int = 0
    refused_at_node: dict[str, int] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)
    archived: dict[str, int] = field(default_factory=dict)
    local_subjects: int = 0
    chat_alerts: dict[str, int] = field(default_factory=dict)
    digests: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    searched: dict[str, int] = field(default_factory=dict)
    leaks: list[dict[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For `--json`: `ok` first."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return {"ok": not self.problems, **told}


def search(report: Report, base: Path, community: str, stem: str, markers: Sequence[str]) -> None:
    """Look for every marker in all that the hub left on disk, and in all that the agencies and bots did:
    their own files are encrypted, so nothing may be found there either.

    `community` is an id that the hub's streams must be found to hold, or the search would prove nothing.
    """
    hub = base / "hub"
    files = leaks.files_under(base)
    hub_files = leaks.files_under(hub, base / "logs" / "hub.log")
    report.searched = {
        "files": len(files),
        "hub_files": len(hub_files),
        "bytes": sum(each.stat().st_size for each in files),
        "markers": len(markers),
    }
    store = leaks.files_under(hub / "nats" / "store")
    if not leaks.holding(store, community.encode()):
        report.problems.append("search: the hub's streams cannot be read, so the search proves nothing")
    for leak in leaks.search_files(files, base, stem, markers):
        report.leaks.append({"file": leak.file, "form": leak.form, "marker": leak.marker})
    for file in sorted({each["file"] for each in report.leaks}):
        found = {each["marker"] for each in report.leaks if each["file"] == file}
        report.problems.append(f"plaintext in {file}: {len(found)} of {len(markers)} markers")

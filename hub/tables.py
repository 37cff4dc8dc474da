"""Lists for people: what `quarantine` prints in a terminal."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table


def print_quarantine(entries: list[dict[str, Any]]) -> None:
    """Refused submissions, newest first; `entries` as in the control service's `quarantine`."""
    table = Table("at", "agency", "code", "why", "bytes", "sha256")
    for each in entries:
        who = each["agency"] or each["publisher"]
        table.add_row(
            each["at"], who, each["code"], escape(each["message"]), str(each["size"]), each["sha256"][:16]
        )
    Console().print(table if entries else "nothing was refused")

"""Lists for people: what `quarantine`, `doctor` and `audit list` print in a terminal."""

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


def findings_table(found: list[dict[str, Any]]) -> Table:
    """What `doctor` found; `found` as in `hub.operating.doctor.Finding`."""
    table = Table("", "check", "how it stands", "what to do")
    for each in found:
        mark = "[green]ok[/]" if each["ok"] else f"[bold red]{each['code']}[/]"
        table.add_row(mark, each["check"], escape(each["message"]), escape(each["fix"]))
    return table


def audit_table(rows: list[dict[str, Any]]) -> Table:
    """Entries of the audit; `rows` as in `hub.operating.trail.Entry.row`."""
    table = Table("no.", "at", "hub", "who", "order", "about", "outcome", "detail")
    for each in rows:
        detail = {name: value for name, value in each["detail"].items() if name != "now"}
        said = ", ".join(f"{name} {value}" for name, value in detail.items())
        who = (escape(each["hub"]), escape(each["who"]), each["verb"], escape(each["object"]))
        table.add_row(str(each["number"]), each["at"], *who, each["outcome"], escape(said))
    return table

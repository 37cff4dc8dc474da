"""Lists for people: what `quarantine`, `doctor`, `audit list` and `status` print in a terminal."""

import os
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

_PIPED: Final = 240
"""Characters of a line that goes into a file or another program: nobody has to turn it."""
_NAMED: Final = 3


def console() -> Console:
    """Standard output for people."""
    found = Console()
    return found if found.is_terminal or "COLUMNS" in os.environ else Console(width=_PIPED)


def listing(*columns: str, whole: tuple[str, ...] = (), title: str | None = None) -> Table:
    """A table that cuts nothing off. Where a line is too narrow its cells are wrapped, those of the columns
    named in `whole` last: times and keys are there to be copied.
    """
    table = Table(box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in whole)
    return table


def print_quarantine(entries: list[dict[str, Any]]) -> None:
    """Refused submissions, newest first; `entries` as in the control service's `quarantine`."""
    table = listing("at", "agency", "code", "why", "bytes", "sha256", whole=("at", "code", "sha256"))
    for each in entries:
        who = each["agency"] or each["publisher"]
        table.add_row(
            each["at"], who, each["code"], escape(each["message"]), str(each["size"]), each["sha256"][:16]
        )
    console().print(table if entries else "nothing was refused")


def findings_table(found: list[dict[str, Any]]) -> Table:
    """What `doctor` found; `found` as in `hub.operating.doctor.Finding`."""
    table = listing("", "check", "how it stands", "what to do", whole=("", "check"))
    for each in found:
        mark = "[green]ok[/]" if each["ok"] else f"[bold red]{each['code']}[/]"
        table.add_row(mark, each["check"], escape(each["message"]), escape(each["fix"]))
    return table


def audit_table(rows: list[dict[str, Any]]) -> Table:
    """Entries of the audit; `rows` as in `hub.operating.trail.Entry.row`."""
    columns = ("no.", "at", "hub", "who", "order", "outcome", "about")
    table = listing(*columns, whole=("no.", "at", "order", "outcome"))
    for each in rows:
        said = [f"{name} {_plain(value)}" for name, value in each["detail"].items() if name != "now"]
        about = ", ".join([_short(each["object"]), *said] if each["object"] else said)
        who = (escape(each["hub"]), escape(each["who"]), each["verb"], each["outcome"], escape(about))
        table.add_row(str(each["number"]), each["at"], *who)
    return table


def _plain(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _short(about: str) -> str:
    """The first of many names: a hub that is set up names all its settings."""
    first, *rest = about.split(", ")
    shown = [first, *rest[: _NAMED - 1]]
    more = len(rest) + 1 - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")

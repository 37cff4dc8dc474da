"""What a person at the terminal sees meanwhile, on stderr; and the report as a table."""

import time
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console
from rich.table import Table

_SHOWN: Final = ("published", "admitted", "refused", "received", "archived", "local_subjects", "chat_alerts")


class Progress:
    """One line for each step, with a spinner in a terminal."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status("starting")
        self._begun = time.monotonic()
        self._step = ""

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()
        if kind is None:
            self._done()

    def say(self, step: str) -> None:
        """A step begins; the one before is done."""
        self._done()
        self._step = step
        self._status.update(f"{step} …")

    def _done(self) -> None:
        if self._step:
            passed = time.monotonic() - self._begun
            self._console.print(f"[dim]{passed:6.1f} s[/]  {self._step}")
        self._step = ""


def print_report(told: dict[str, Any]) -> None:
    """The report of a headless run for people."""
    rows = Table(box=None, show_header=False, pad_edge=False)
    for name in (*_SHOWN, "digests", "searched", "p50_ms", "p99_ms", "seconds"):
        value = told[name]
        shown = (
            ", ".join(f"{key} {number}" for key, number in value.items())
            if isinstance(value, dict)
            else value
        )
        rows.add_row(f"[dim]{name.replace('_', ' ')}[/]", str(shown))
    console = Console()
    console.print(rows)
    console.print("[bold green]everything held[/]" if told["ok"] else "[bold red]something did not hold[/]")

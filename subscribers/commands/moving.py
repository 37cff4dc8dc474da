"""For files that go with bulletins: `attachments`, `fetch`, and what `publish --attach` shows meanwhile."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from subscribers.commands.common import (
    COMMAND_LINE,
    As,
    AsJson,
    State,
    console,
    escape,
    node,
    run,
    show_json,
    table,
)

if TYPE_CHECKING:
    from rich.progress import TaskID

    from schemas.attachments import Attachment
    from subscribers.client_files import Progress as Told
    from subscribers.client_files import Step

_LINE_SECONDS: Final = 1.0
_KIBI: Final = 1024


def attachments(
    ref: Annotated[str, typer.Argument(help="Reference or id of the bulletin.")],
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """The files that go with a bulletin.

    Example: liaison-agency attachments FRA-2026-0042
    """

    async def work() -> "list[Attachment]":
        async with node(state, client) as agency:
            return (await agency.show(ref)).bulletin.attachments

    found = run(work(), as_json=as_json)
    if as_json:
        show_json(found)
    elif not found:
        console().print("None.")
    else:
        listed = table("Name", "Size", "Type", "SHA-256")
        for each in found:
            listed.add_row(escape(each.name), sized(each.size), each.media, each.sha256)
        console().print(listed)


def fetch(
    ref: Annotated[str, typer.Argument(help="Reference or id of the bulletin.")],
    name: Annotated[str | None, typer.Argument(help="Which file; all of them if none is named.")] = None,
    out: Annotated[Path, typer.Option(help="Into which directory.")] = Path(),
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Fetch the files of a bulletin: each is saved whole and checked, or not at all. What was cut off is gone
    on with; nothing is overwritten.

    Example: liaison-agency fetch FRA-2026-0042 map.pdf --out .
    """

    async def work() -> list[dict[str, str]]:
        async with node(state, client) as agency:
            there = [each.name for each in (await agency.show(ref)).bulletin.attachments]
            with shown(as_json=as_json) as progress:
                saved = [
                    await agency.files.fetch(ref, each, out, progress=progress)
                    for each in ([name] if name is not None else there)
                ]
        return [{"name": each.name, "path": str(each)} for each in saved]

    saved = run(work(), as_json=as_json)
    if as_json:
        show_json({"saved": saved})
    elif not saved:
        console().print("It has no attachments.")
    else:
        for each in saved:
            console().print(escape(each["path"]), soft_wrap=True)


@contextlib.contextmanager
def shown(*, as_json: bool) -> "Iterator[Told]":
    """Progress on stderr while the block lasts: a bar on a terminal, else a line of JSON now and then."""
    if as_json or not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[tuple[str, str], TaskID] = {}

        def told(name: str, step: "Step", done: int, total: int) -> None:
            task = tasks.get((name, step))
            if task is None:
                task = tasks[name, step] = bar.add_task(f"{step} {name}", total=total)
            bar.update(task, completed=done)

        yield told


def _lines() -> "Told":
    last: dict[tuple[str, str], float] = {}

    def told(name: str, step: "Step", done: int, total: int) -> None:
        now = time.monotonic()
        if done < total and now < last.get((name, step), 0.0) + _LINE_SECONDS:
            return
        last[name, step] = now
        line = {"attachment": name, "step": step, "done": done, "total": total}
        typer.echo(json.dumps(line, ensure_ascii=False), err=True)

    return told


def sized(size: int) -> str:
    """Bytes as people read them."""
    value, unit = float(size), "bytes"
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < _KIBI or unit == "GiB":
            break
        value /= _KIBI
    return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"

"""`liaison-demo`: the federation to watch in a browser, or to measure without one."""

import asyncio
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from hub.demo.wanted import Wanted
from hub.terminal import refusals

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode="rich",
    help="A whole federation on this machine, real in every part: watch bulletins leave as words, pass a hub "
    "that cannot read them, and arrive as words.",
)


@app.command(epilog="Examples: liaison-demo · liaison-demo --headless --bulletins 500 --json")
def demo(
    headless: Annotated[
        bool, typer.Option("--headless", help="Without a page: publish, count, search.")
    ] = False,
    bulletins: Annotated[int, typer.Option(min=1, max=100_000, help="How many; with --headless.")] = 100,
    rate: Annotated[
        float, typer.Option(min=1, max=1_000, help="Bulletins a second; with --headless.")
    ] = 100.0,
    seed: Annotated[int | None, typer.Option(help="For the same bulletins again; with --headless.")] = None,
    chat: Annotated[bool, typer.Option("--chat/--no-chat", help="Bots, officers; with --headless.")] = True,
    pace: Annotated[
        float, typer.Option(min=0.2, max=600, help="Seconds between two bulletins, more or less, to watch.")
    ] = 4.5,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Of the page; 0 takes a free one.")] = 0,
    keep: Annotated[
        Path | None, typer.Option(help="Use this new directory, and leave it there for a look.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Start a hub, three agencies, an international organisation and a chat; Ctrl-C ends everything.

    With TELEGRAM_TOKEN set, the bot of the first agency is on the real chat service.
    """
    with refusals(as_json=as_json):
        directory = _directory(keep)
        try:
            if headless:
                _headless(directory, Wanted(bulletins, rate, seed, chat), as_json=as_json)
            else:
                from hub.demo.live import Options, show

                show(directory, Options(pace, port, os.environ.get("TELEGRAM_TOKEN"), as_json))
        finally:
            if keep is None:
                shutil.rmtree(directory, ignore_errors=True)
            else:
                typer.echo(f"kept: {directory}", err=True)


def _headless(directory: Path, wanted: Wanted, *, as_json: bool) -> None:
    from hub.demo.headless import run
    from hub.demo.progress import Progress, print_report
    from hub.demo.running import interruptible

    with Progress() as progress:
        report = asyncio.run(interruptible(run(directory, wanted, progress.say)))
    if as_json:
        typer.echo(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        print_report(report.as_dict())
    if report.problems:
        for problem in report.problems:
            typer.echo(problem, err=True)
        raise typer.Exit(1)


def _directory(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="liaison-demo-"))
    keep.mkdir(mode=0o700, parents=True)
    return keep.absolute()


def main() -> None:
    """Run the command."""
    app()

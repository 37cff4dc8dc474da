"""`make cluster`: hubs and NATS servers that stand in for each other, to look at or to prove."""

import asyncio
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.demo.cluster import HUBS, ClusterWorld, Say
from hub.demo.processes import Processes
from hub.demo.progress import Progress
from hub.demo.running import interruptible
from hub.terminal import refusals

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False, rich_markup_mode="rich")


@app.command(epilog="Examples: make cluster · make cluster ARGS='--headless --bulletins 200'")
def cluster(
    headless: Annotated[
        bool, typer.Option("--headless", help="Publish, kill a hub and a server meanwhile, count, and end.")
    ] = False,
    bulletins: Annotated[int, typer.Option(min=4, max=100_000, help="How many; with --headless.")] = 100,
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="A second; with --headless.")] = 20.0,
    keep: Annotated[
        Path | None, typer.Option(help="Use this new directory, and leave it there for a look.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Start three NATS servers, two hubs and two agencies; Ctrl-C ends everything."""
    with refusals(as_json=as_json), _directory(keep) as directory:
        with Progress() as progress:
            work = _run(directory, progress.say, bulletins if headless else 0, rate, as_json=as_json)
            report = asyncio.run(interruptible(work))
        if report is not None:
            typer.echo(json.dumps(report) if as_json else _told(report))
            if report["problems"]:
                raise typer.Exit(1)


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="liaison-cluster-") as made:
            yield Path(made)
    else:
        keep.mkdir(mode=0o700, parents=True)
        yield keep.absolute()


def main() -> None:
    """Run the command."""
    app()


async def _run(
    directory: Path, say: Say, bulletins: int, rate: float, *, as_json: bool
) -> dict[str, Any] | None:
    async with Processes(directory, os.environ) as processes:
        world = ClusterWorld(directory, processes, say)
        await world.begin()
        if bulletins:
            return await world.prove(bulletins, rate)
        facts = await world.facts()
        typer.echo(json.dumps(facts) if as_json else _shown(facts))
        await asyncio.Event().wait()
    return None


def _shown(facts: dict[str, Any]) -> str:
    lines = ["servers    " + "  ".join(facts["servers"]), f"authority  {facts['ca']}"]
    lines += [f"hub        {name}: {state}" for name, state in facts["hubs"].items()]
    lines += [f"agency     {name}: {state}" for name, state in facts["agencies"].items()]
    lines += [f"duty       {duty}: {who}" for duty, who in facts["cluster"]["duties"].items()]
    lines += [f"leader     {stream}: {who}" for stream, who in facts["leaders"].items()]
    state, urls = facts["hubs"][HUBS[0]], ",".join(facts["servers"])
    given = f"LIAISON_HUB_NATS_CA={facts['ca']} LIAISON_HUB_NATS={urls}"
    return "\n".join([*lines, f"try        {given} liaison-hub status --state {state}", "Ctrl-C ends it"])


def _told(report: dict[str, Any]) -> str:
    said = [
        f"{report['bulletins']} published, received {report['received']}",
        "first bulletin everywhere after a kill: "
        + ", ".join(f"{what} {seconds} s" for what, seconds in report["first_after_s"].items()),
        "all once and in order" if report["ok"] else "\n".join(report["problems"]),
    ]
    return "\n".join(said)


if __name__ == "__main__":
    main()

"""What `liaison-hub` has for those who look after a running hub: `status`."""

from typing import Annotated

import typer

from hub.terminal import Json, State, ask_hub, refusals, settings_of, show


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(epilog="Example: liaison-hub status --once")(status)


def status(
    state: State = None,
    once: Annotated[
        bool, typer.Option("--once", help="Print it once; so it is where stdout is no terminal.")
    ] = False,
    every: Annotated[
        float, typer.Option("--every", min=0.2, max=3600, help="Seconds between two looks.")
    ] = 2.0,
    prometheus: Annotated[bool, typer.Option("--prometheus", help="As Prometheus text, once.")] = False,
    as_json: Json = False,
) -> None:
    """How the hub is: endpoints, streams, what waits, what was answered and refused, leases, the cluster.

    In a terminal it is a view that stays up to date until Ctrl-C. Exit 3 when the hub does not answer.
    """
    with refusals(as_json=as_json):
        if as_json:
            show(ask_hub(state, "status", {}), "", as_json=True)
        elif prometheus:
            from hub.operating.metrics import prometheus as text

            typer.echo(text(ask_hub(state, "status", {})), nl=False)
        else:
            from rich.console import Console

            from hub.operating import live

            console = Console()
            if once or not console.is_terminal:
                console.print(live.screen(ask_hub(state, "status", {})))
            else:
                live.follow(settings_of(state), console, every)

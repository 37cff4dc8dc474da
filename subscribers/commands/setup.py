"""For the one who sets a node up: `init`, `enrol`, `run`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from subscribers.commands.common import (
    COMMAND_LINE,
    AsJson,
    State,
    load_lean,
    refusals,
    run,
    settings_of,
    show_json,
)

if TYPE_CHECKING:
    from subscribers.settings import NodeSettings

_LATEST = 9_000_000_000_000
"""A time that an instant of four digits of year can tell (Unix milliseconds)."""


def init(
    agency: Annotated[str, typer.Option(help="The agency's id, a-z and hyphens: fr-dgx.")],
    name: Annotated[str, typer.Option(help="Its name, as people know it.")],
    code: Annotated[str, typer.Option(help="How its references begin: FRA gives FRA-2026-0042.")],
    state: State = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the enrolment request.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make this agency's keys and its enrolment request. Keys never leave the state directory.

    Example: liaison-agency init --agency fr-dgx --name "Direction X" --code FRA
    """
    with refusals(as_json=as_json):
        load_lean()
        from subscribers.exchange.registration import begin

        directory = settings_of(state).state
        keys, target = begin(directory, agency, name, code, COMMAND_LINE, out)
        if as_json:
            show_json({"agency": agency, "request": str(target), "fingerprint": keys.fingerprint()})
            return
        typer.echo(f"Keys made in {directory / 'keys'} (readable by you alone).")
        typer.echo(f"Enrolment request: {target}")
        typer.echo(f"Read this aloud to the secretariat over a line you trust:\n\n    {keys.fingerprint()}\n")
        typer.echo(
            "Next: send the request to the secretariat and the hub; then "
            "`liaison-agency enrol ADMISSION --root-fingerprint ...`."
        )


def enrol(
    admission: Annotated[
        Path,
        typer.Argument(
            help="The admission file that `liaison-hub admit` wrote.", exists=True, dir_okay=False
        ),
    ],
    root_fingerprint: Annotated[
        str, typer.Option(help="SHA-256 of root version 1, as the secretariat has told you.")
    ],
    keys_out: Annotated[
        Path | None,
        typer.Option(
            help="Behind an air gap: write the keys document here, for `export --document`, and stay offline."
        ),
    ] = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Check the root against its fingerprint, and bind this node's keys to its account at the hub.

    Safe to repeat. The fingerprint is what `liaison-root show` prints of the root; spaces and capitals do not
    matter.

    Example: liaison-agency enrol admission.json --root-fingerprint "3f2a ... 91c0"
    """
    with refusals(as_json=as_json):
        load_lean()
        from subscribers.exchange.joining import accept_admission, first_document, register
        from subscribers.log import configure

        settings = settings_of(state)
        configure(settings.log, "error")  # what goes wrong is told once, by the refusal
    run(accept_admission(settings, admission, root_fingerprint), as_json=as_json)
    if keys_out:
        with refusals(as_json=as_json):
            keys_out.write_bytes(run(first_document(settings), as_json=as_json))
        if as_json:
            show_json({"document": str(keys_out), "registered": False})
        else:
            typer.echo(f"Keys document: {keys_out}. Next: `liaison-agency run`, then `export --document`.")
        return
    endpoint, waits = run(register(settings), as_json=as_json)
    if as_json:
        show_json({"endpoint": endpoint, "registered": waits is None})
    elif waits is not None:
        from schemas.encoding import instant

        until = instant(min(waits, _LATEST))
        typer.echo(f"Admitted as {endpoint}. The new identity key counts from {until} on at the earliest.")
        typer.echo("Next: `liaison-agency run`; it takes up the key by itself, and then binds the others.")
    else:
        typer.echo(f"Enrolled as {endpoint}. Next: `liaison-agency run`.")


def run_node(
    state: State = None,
    jsonl: Annotated[
        Path | None, typer.Option(help="Append every bulletin to this file as a line of JSON.")
    ] = None,
    air_gap: Annotated[
        bool, typer.Option("--air-gap", help="No connection to the hub: see `export`, `import`, `courier`.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the node until it is stopped (SIGTERM or Ctrl-C). One line is printed when it is ready; logs go to
    stderr.

    Example: liaison-agency run --state agency --jsonl bulletins.jsonl
    """
    with refusals(as_json=as_json):
        load_lean()
        from subscribers.log import configure
        from subscribers.serving import serve

        settings = settings_of(state)
        if jsonl:
            settings = settings.model_copy(update={"jsonl": jsonl})
        if air_gap:
            settings = settings.model_copy(update={"air_gap": True})
        configure(settings.log, settings.log_level)
        serve(settings, lambda url, metrics: _ready(url, metrics, settings, as_json=as_json))


def _ready(url: str, metrics: str | None, settings: "NodeSettings", *, as_json: bool) -> None:
    if as_json:
        show_json({"event": "ready", "nats": url, "metrics": metrics, "state": str(settings.state)})
    else:
        typer.echo(f"ready {url}")

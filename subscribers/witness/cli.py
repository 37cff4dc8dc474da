"""`liaison-witness`: the commands of an organisation that vouches for the directory's heads."""

import asyncio
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from schemas.encoding import instant
from subscribers import coredump
from subscribers.commands.common import AsJson, load_lean, refusals, show_json

app = typer.Typer(
    name="liaison-witness",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A witness: follows the directory, and signs each head that follows from all it has seen before.",
    epilog="Exit codes: 0 done, 1 refused or something was refused, 2 wrong use, 3 hub unreachable.",
)
State = Annotated[Path, typer.Option(help="The witness's state directory.", envvar="LIAISON_WITNESS_STATE")]
Log = Annotated[Literal["auto", "json", "console"], typer.Option(help="Log format.")]
_STATE = Path("witness")
_LISTED = 20
_LATEST = 9_000_000_000_000
"""A time that an instant of four digits of year can tell (Unix milliseconds)."""


@app.command()
def init(
    name: Annotated[str, typer.Option(help="The name of this witness's key: no spaces, no plus sign.")],
    state: State = _STATE,
    out: Annotated[Path | None, typer.Option(help="Where to write the request.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make this witness's keys, and its request to the secretariat and the hub.

    Example: liaison-witness init --name example.org/liaison --state witness
    """
    with refusals(as_json=as_json):
        from schemas.encoding import to_base64
        from schemas.signing import fingerprint
        from subscribers.clock import now_ms
        from subscribers.witness.keys import WitnessKeys

        keys = WitnessKeys.create(state, name)
        target = out or state / "witness.request"
        target.write_bytes(keys.request(now_ms()))
        public = keys.witness.public
        if as_json:
            shown = {"witness": name, "key": to_base64(public), "request": str(target)}
            show_json({**shown, "fingerprint": fingerprint(public)})
            return
        typer.echo(f"Keys made in {state / 'keys'} (readable by you alone).\nRequest: {target}")
        typer.echo(f"Key, for the root: {to_base64(public)}")
        typer.echo(
            f"Read this aloud to the secretariat over a line you trust:\n\n    {fingerprint(public)}\n"
        )
        typer.echo("Next: send the request to the secretariat and the hub; then `liaison-witness enrol`.")


@app.command()
def enrol(
    admission: Annotated[Path, typer.Argument(help="What `liaison-hub admit-witness` wrote.", exists=True)],
    root_fingerprint: Annotated[
        str, typer.Option(help="SHA-256 of root version 1, as the secretariat has told you.")
    ],
    state: State = _STATE,
    as_json: AsJson = False,
) -> None:
    """Keep the admission, once its root is the one that you were told of. Safe to repeat.

    Example: liaison-witness enrol witness-admission.json --root-fingerprint "3f2a ... 91c0"
    """
    with refusals(as_json=as_json):
        load_lean()
        from subscribers.witness.keys import accept

        kept = accept(state, admission, root_fingerprint)
        if as_json:
            show_json({"witness": kept.witness, "endpoint": kept.endpoint})
        else:
            typer.echo(f"{kept.witness} is admitted as {kept.endpoint}. Next: `liaison-witness run`.")


@app.command()
def run(state: State = _STATE, log: Log = "auto", as_json: AsJson = False) -> None:
    """Follow the directory until stopped (SIGTERM or Ctrl-C). Never run two on one key, or an old copy.

    Example: liaison-witness run --state witness
    """
    with refusals(as_json=as_json):
        load_lean()
        from subscribers.log import configure
        from subscribers.witness.serving import serve

        configure(log, "info")

        def ready(name: str) -> None:
            if as_json:
                show_json({"event": "ready", "witness": name, "state": str(state)})
            else:
                typer.echo(f"ready {name}")

        serve(state, ready)


@app.command()
def status(state: State = _STATE, as_json: AsJson = False) -> None:
    """What this witness has seen, signed and refused. Exit 1 when it has refused anything.

    Example: liaison-witness status --json
    """
    with refusals(as_json=as_json):
        load_lean()
        from subscribers.witness.service import state_of

        facts = asyncio.run(state_of(state, _LISTED))
    if as_json:
        show_json(facts)
    else:
        _print(facts)
    raise typer.Exit(1 if facts["refused"] else 0)


def _print(facts: dict[str, Any]) -> None:
    running = "runs" if facts["running"] else "does not run"
    named = "named by the root" if facts["named"] else "not named by the root: nothing is cosigned"
    typer.echo(f"{facts['witness']} {running}, {named}; {facts['documents']} documents verified")
    if signed := facts["cosigned"]:
        typer.echo(f"cosigned {signed['size']} documents, {signed['root']}, at {instant(signed['at'])}")
    for each in facts["replacements"]:
        dispute = ", against its objection" if each["disputed"] else ""
        effective = instant(min(each["effective"], _LATEST))
        typer.echo(f"identity of {each['agency']} to be replaced from {effective} on{dispute}")
    if held := facts["held_until"]:
        until = instant(min(held, _LATEST))
        typer.echo(f"head held until {until}: an identity was replaced before its time")
    for each in facts["refused"]:
        typer.echo(f"refused {instant(each['at'])} {each['code']}: {each['message']}")


def main() -> None:
    """The console script."""
    coredump.forbid()
    app()

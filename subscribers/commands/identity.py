"""For who answers for the agency's identity key: `identity show|new|object|take-up`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import Code, OperationError
from subscribers.commands.common import (
    COMMAND_LINE,
    As,
    AsJson,
    State,
    console,
    escape,
    node,
    refusals,
    run,
    show_json,
)

if TYPE_CHECKING:
    from subscribers.keyring.identity_api import IdentityDocument, IdentityRequest, IdentityState

identity = typer.Typer(
    no_args_is_help=True,
    help="The agency's identity key: replace it when it is lost, stolen or old, or object to that.",
)

Out = Annotated[Path | None, typer.Option(help="Write the signed document here as well.", dir_okay=False)]


@identity.command("show")
def show(state: State = None, client: As = COMMAND_LINE, as_json: AsJson = False) -> None:
    """Our identity key's fingerprint, and every agency's whose key is to be replaced, with the time.

    Example: liaison-agency identity show
    """

    async def work() -> "list[IdentityState]":
        async with node(state, client) as agency:
            return await agency.identity()

    found = run(work(), as_json=as_json)
    if as_json:
        show_json(found)
        return
    for each in found:
        console().print(escape(sentence(each)), highlight=False)


@identity.command("new")
def new(
    out: Annotated[
        Path, typer.Option(help="Where to write the request for the secretariat.", dir_okay=False)
    ],
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Make a new identity key ready on the node's machine, and the request to let it replace the present one.

    When the secretariat has signed and the hub has it, this node goes over by itself: at once where it holds
    the present key too, else when the cool-down is over. Then make a new backup of the keys.

    Example: liaison-agency identity new --out new-identity.request
    """

    async def work() -> "IdentityRequest":
        async with node(state, client) as agency:
            return await agency.identity_new()

    made = run(work(), as_json=as_json)
    with refusals(as_json=as_json):
        _write(out, made.request)
    if as_json:
        show_json({"request": str(out), "fingerprint": made.fingerprint})
        return
    typer.echo(f"Request: {out}")
    typer.echo(f"Read this aloud to the secretariat over a line you trust:\n\n    {made.fingerprint}\n")
    typer.echo("Next: they run `liaison-root replace-identity`, and the hub's operator `liaison-hub submit`.")


@identity.command("object")
def object_(out: Out = None, state: State = None, client: As = COMMAND_LINE, as_json: AsJson = False) -> None:
    """Object to the replacement of our identity key that waits, because nobody here asked for it. It ends it.

    Example: liaison-agency identity object
    """

    async def work() -> "IdentityDocument":
        async with node(state, client) as agency:
            return await agency.identity_object()

    _told(run(work(), as_json=as_json), out, "Objected. Call the secretariat.", as_json=as_json)


@identity.command("take-up")
def take_up(out: Out = None, state: State = None, client: As = COMMAND_LINE, as_json: AsJson = False) -> None:
    """Take up our new identity key now; the node does it by itself when it may.

    Example: liaison-agency identity take-up
    """

    async def work() -> "IdentityDocument":
        async with node(state, client) as agency:
            return await agency.identity_take_up()

    said = "Our identity key is the new one. Make a new backup: `liaison-agency keys backup`."
    _told(run(work(), as_json=as_json), out, said, as_json=as_json)


def sentence(state: "IdentityState") -> str:
    """What there is to say of one agency's identity."""
    who = "Our identity" if state.own else f"The identity of {state.agency_name} ({state.agency})"
    said = f"{who}, read aloud: {state.fingerprint}"
    if state.effective:
        said += f"\n  to be replaced from {state.effective} on by: {state.next_fingerprint}"
        if state.own:
            said += "\n  if nobody here asked for that: liaison-agency identity object"
    return said + ("\n  in dispute: its present key has objected" if state.disputed else "")


def _told(made: "IdentityDocument", out: Path | None, said: str, *, as_json: bool) -> None:
    if out:
        with refusals(as_json=as_json):
            _write(out, made.document)
    if as_json:
        show_json({"agency": made.agency, "submitted": made.submitted, "out": str(out) if out else None})
    elif made.submitted:
        typer.echo(said)
    else:
        typer.echo(
            "Signed, but there is no connection to the hub: have its operator run `liaison-hub submit`."
        )


def _write(out: Path, text: str) -> None:
    try:
        out.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise OperationError(
            Code.BAD_REQUEST, f"cannot write {out}: {error.strerror}", "choose another place"
        ) from None

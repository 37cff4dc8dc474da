"""For a node without a network: parcels out and in, and the courier machine that carries them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from subscribers.commands.common import (
    COMMAND_LINE,
    As,
    AsJson,
    State,
    console,
    load_lean,
    node,
    refusals,
    run,
    settings_of,
    show_json,
)

if TYPE_CHECKING:
    from subscribers.airgap.courier import Exchanged

courier = typer.Typer(no_args_is_help=True, help="The machine that has a network and no key to read with.")

Directory = Annotated[Path, typer.Argument(help="The courier's directory.")]


def export(
    out: Annotated[Path, typer.Option(help="The parcel to write.")],
    document: Annotated[
        list[Path] | None, typer.Option(help="A signed document to hand in as well; may be given often.")
    ] = None,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Write everything that waits for the hub into a parcel, for removable media.

    Safe to repeat: what the hub has not answered is in each parcel, and the hub takes it once.

    Example: liaison-agency export --out /media/usb/out-000007.parcel
    """

    async def work() -> None:
        async with node(state, client) as agency:
            done = await agency.parcel_export(
                str(out.absolute()), [str(each.absolute()) for each in document or []]
            )
        if as_json:
            show_json(done)
        else:
            what = f"{done.submissions} submissions and {done.documents} documents"
            console().print(f"Parcel {done.number}: {what}, in {done.path}")

    run(work(), as_json=as_json)


def take(
    parcels: Annotated[list[Path], typer.Argument(help="Parcels of the courier, the oldest first.")],
    skip: Annotated[bool, typer.Option("--skip", help="Go on although a parcel is missing.")] = False,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Take in what the courier brought. A parcel that was taken in before changes nothing.

    Example: liaison-agency import /media/usb/in-*.parcel
    """

    async def work() -> None:
        async with node(state, client) as agency:
            done = [await agency.parcel_import(str(each.absolute()), skip=skip) for each in parcels]
        if as_json:
            show_json(done)
            return
        for each in done:
            console().print(
                f"Parcel {each.number}: {each.directory} of the directory, {each.traffic} messages"
            )
            if each.missing:
                console().print(f"  [red]passed over: parcels {', '.join(map(str, each.missing))}[/]")
            for code, count in each.refused.items():
                console().print(f"  [red]{count} of ours refused: {code}[/]")

    run(work(), as_json=as_json)


@courier.command("init")
def courier_init(
    directory: Directory,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Make a courier's directory from the node's: its admission and its transport credential, no other key.

    Example: liaison-agency courier init /media/usb/courier --state agency
    """
    with refusals(as_json=as_json):
        from subscribers.airgap.courier import prepare

        prepare(settings_of(state).state, directory)
        if as_json:
            show_json({"directory": str(directory)})
        else:
            typer.echo(
                f"Move {directory} to the courier machine; then `liaison-agency courier exchange` there."
            )


@courier.command("exchange")
def courier_exchange(
    directory: Directory,
    parcels: Annotated[list[Path] | None, typer.Argument(help="Parcels of the node.")] = None,
    wait: Annotated[float, typer.Option(min=0, max=600, help="Seconds to wait for the hub's answers.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Carry the node's parcels to the hub, and write what the hub has into a new one.

    Copy every parcel that it names back to the node: they stay until the node has taken them in.

    Example: liaison-agency courier exchange courier /media/usb/out-000007.parcel
    """
    with refusals(as_json=as_json):
        load_lean()
        from subscribers.airgap.courier import Courier, exchange
        from subscribers.log import configure

        configure("auto", "error")
        opened = Courier.read(directory)
    from rich.progress import Progress, TextColumn

    from subscribers.clock import now_ms

    column = TextColumn("{task.description}")
    with Progress(column, console=console(), disable=as_json, transient=True) as bar:
        shown = bar.add_task("connecting")

        def progress(what: str, count: int) -> None:
            bar.update(shown, description=f"{what}: {count}")

        done = run(exchange(opened, parcels or [], now_ms, wait, progress), as_json=as_json)
    _tell(done, as_json=as_json)


def _tell(done: "Exchanged", *, as_json: bool) -> None:
    if as_json:
        show_json(done)
        return
    console().print(
        f"{done.submitted} submitted, {done.answered} answered; {done.received} messages fetched."
    )
    console().print("Copy to the node: " + (", ".join(done.carry) or "nothing"))

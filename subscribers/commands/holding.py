"""Legal holds: `hold add`, `hold list`, `hold end`. On the node's own machine, while it runs or not."""

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from subscribers.commands.common import AsJson, State, console, refusals, settings_of, show_json, table

if TYPE_CHECKING:
    import apsw

    from subscribers.storage.retention import Hold

T = TypeVar("T")

hold = typer.Typer(no_args_is_help=True, help="Keep bulletins that the retention rules would purge.")


@hold.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The hold's name: a case number.")],
    reason: Annotated[str, typer.Option(help="Why, for whoever asks later.")],
    ref: Annotated[
        str | None, typer.Option(help="A bulletin, with what changed it and what answers it.")
    ] = None,
    words: Annotated[str | None, typer.Option(help="All with these words, also what comes later.")] = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Begin a hold, by a reference or by words.

    Example: liaison-agency hold add case-41 --ref FRA-2026-0042 --reason "court order 41/26"
    """
    with refusals(as_json=as_json):
        from subscribers.clock import now_ms
        from subscribers.storage.retention import Hold, place

        made = Hold(name, ref, words, reason, now_ms(), getpass.getuser(), None, None, None, 0)
        count = _within(state, lambda connection: place(connection, made))
    if as_json:
        show_json({"hold": name, "bulletins": count})
    else:
        typer.echo(f"{name} keeps {count} bulletins.")


@hold.command("list")
def listed(
    past: Annotated[bool, typer.Option("--all", help="Those that were ended, too.")] = False,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Which holds stand, why, and who placed them.

    Example: liaison-agency hold list --all
    """
    with refusals(as_json=as_json):
        from subscribers.storage.retention import holds

        found = _within(state, lambda connection: holds(connection, past=past))
    if as_json:
        show_json({"holds": [_shown(each) for each in found]})
        return
    rows = table("Hold", "Of", "Keeps", "Reason", "Placed", "Ended")
    for each in map(_shown, found):
        of = each["ref"] or f"words: {each['words']}"
        ended = f"{each['ended']} {each['ended_by']}: {each['ended_why']}" if each["ended"] else ""
        placed = f"{each['placed']} {each['placed_by']}"
        rows.add_row(str(each["name"]), str(of), str(each["bulletins"]), str(each["reason"]), placed, ended)
    console().print(rows)


@hold.command("end")
def end(
    name: Annotated[str, typer.Argument(help="The hold's name.")],
    reason: Annotated[str, typer.Option(help="Why it is over.")],
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """End a hold: what it kept goes by the rules again. That it was there stays written.

    Example: liaison-agency hold end case-41 --reason "closed on 3 May"
    """
    with refusals(as_json=as_json):
        from subscribers.clock import now_ms
        from subscribers.storage import retention

        who = getpass.getuser()
        _within(state, lambda connection: retention.end(connection, name, who, reason, now_ms()))
    if as_json:
        show_json({"hold": name})
    else:
        typer.echo(f"{name} has ended.")


def _within(state: Path | None, work: "Callable[[apsw.Connection], T]") -> T:
    """`work` in a transaction on the archive. LiaisonError as opening it raises."""
    import apsw

    from subscribers.exchange.enrolment import KEYS
    from subscribers.keys import Keyring
    from subscribers.recovery.copying import DATABASE, opened
    from subscribers.storage.lane import explain

    directory = settings_of(state).state
    key = bytes(Keyring.load(directory / KEYS).archive)
    try:
        with opened(directory / DATABASE, key) as connection:
            found: list[T] = []
            with connection:
                found.append(work(connection))
            return found[0]
    except apsw.Error as error:
        raise explain(error) or error from error


def _shown(one: "Hold") -> dict[str, str | int | None]:
    from schemas.encoding import instant

    times = {
        name: None if at is None else instant(at)
        for name, at in (("placed", one.placed), ("ended", one.ended))
    }
    return {**one._asdict(), **times}

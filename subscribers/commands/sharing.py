"""For officers who come late: `history`."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from subscribers.commands.common import COMMAND_LINE, As, AsJson, State, console, node, run, show_json, table

if TYPE_CHECKING:
    from subscribers.client import Agency
    from subscribers.records import HistoryEntry, HistoryReport

history = typer.Typer(
    no_args_is_help=True, help="What a community's members wrote before this agency joined."
)

_PAUSE = 0.5
_STATES = {
    "fetching": "being fetched from the hub",
    "checking": "being checked",
    "waiting": "waiting for keys",
    "done": "complete",
}


@history.command()
def request(
    community: Annotated[str, typer.Argument(help="Its short name or id.")],
    wait: Annotated[bool, typer.Option("--wait", help="Until everything that may be read has been.")] = False,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Ask for what later members may read of a community; again, for what is still missing.

    Each originator decides by the bulletin's own flag (`history: members`). What it kept for those who were
    there then stays unread. The node goes on by itself: it asks the originator for keys first, then others.

    Example: liaison-agency history request balkans --wait
    """

    async def work() -> "HistoryReport":
        async with node(state, client) as agency:
            report = await agency.history_request(community)
            return await _followed(agency, community) if wait else report

    _show(run(work(), as_json=as_json), as_json=as_json)


@history.command()
def status(state: State = None, client: As = COMMAND_LINE, as_json: AsJson = False) -> None:
    """How far the history of communities has come, and whose members this node gave old keys.

    Example: liaison-agency history status --json
    """

    async def work() -> "HistoryReport":
        async with node(state, client) as agency:
            return await agency.history()

    _show(run(work(), as_json=as_json), as_json=as_json)


async def _followed(agency: "Agency", community: str) -> "HistoryReport":
    import asyncio

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("history", total=None)
        while True:
            report = await agency.history()
            entry = next(each for each in report.wanted if community in {each.slug, each.community})
            if entry.state == "done":
                return report
            known, waits = entry.opened + entry.waiting, entry.state == "waiting"
            done, total = (entry.opened, known) if waits else (entry.fetched, entry.total)
            progress.update(task, description=_STATES[entry.state], completed=done, total=total)
            await asyncio.sleep(_PAUSE)


def _show(report: "HistoryReport", *, as_json: bool) -> None:
    if as_json:
        show_json(report)
        return
    rows = table(
        "community", "state", "read", "waiting for keys", "kept from later joiners", "missing frames"
    )
    for each in report.wanted:
        rows.add_row(*_cells(each))
    console.print(rows if report.wanted else "No history was asked for.")
    for given in report.given:
        where = escape(given.slug)
        console.print(f"Given to {given.agency} in {where}: keys of {given.epochs} epochs, last {given.last}")


def _cells(each: "HistoryEntry") -> list[str]:
    counts = (each.opened, each.waiting, each.withheld, each.missing)
    return [escape(each.slug), _STATES[each.state], *map(str, counts)]

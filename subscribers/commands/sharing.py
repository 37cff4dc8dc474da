"""For officers: `history` before they came, and `release` of bulletins to another community."""

from typing import TYPE_CHECKING, Annotated

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
    from subscribers.client import Agency
    from subscribers.records import HistoryEntry, HistoryReport, Published, ReleaseReport

history = typer.Typer(
    no_args_is_help=True, help="What a community's members wrote before this agency joined."
)

release = typer.Typer(no_args_is_help=True, help="Let bulletins go on to another community.")

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


Request = Annotated[str, typer.Argument(help="The reference of the request, as in `release list`.")]
Note = Annotated[str, typer.Option(help="A word to the other side; all of the community reads it.")]


@release.command()
def ask(
    ref: Annotated[str, typer.Argument(help="Reference (FRA-2026-0042) or id of the bulletin.")],
    community: Annotated[str, typer.Argument(help="Where it is to go: short name or id.")],
    note: Note = "",
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Ask a bulletin's originator to let it go on to another community, of which you are a member.

    Example: liaison-agency release ask FRA-2026-0042 border --note "Two of the cars were seen there."
    """

    async def work() -> "Published":
        async with node(state, client) as agency:
            return await agency.release_ask(ref, community, note)

    _said(run(work(), as_json=as_json), "Asked", as_json=as_json)


@release.command("list")
def listing(state: State = None, client: As = COMMAND_LINE, as_json: AsJson = False) -> None:
    """What was asked, by whom, for which bulletin; what its originator answered; what came here that way.

    Example: liaison-agency release list --json
    """

    async def work() -> "ReleaseReport":
        async with node(state, client) as agency:
            return await agency.releases()

    report = run(work(), as_json=as_json)
    if as_json:
        show_json(report)
        return
    rows = table("request", "by", "bulletin", "of", "from", "to", "state", "until", "to carry")
    for each in report.asked:
        where = escape(each.target_slug or each.target)
        said = "YOURS TO ANSWER" if each.yours_to_answer else each.state
        about = (each.request, each.carrier, each.ref, each.originator, escape(each.community), where)
        rows.add_row(*about, said, each.until or "", str(each.to_carry or ""))
    console().print(rows if report.asked else "Nobody has asked.")
    for come in report.here:
        where = f"in {escape(come.community)}, carried by {come.carrier}"
        console().print(f"{come.ref} {where}: by {come.originator}, which granted it {come.granted}")


@release.command()
def grant(
    request: Request,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it may be carried.")] = 30,
    note: Note = "",
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Let your bulletin go on as a request asks. Your agency signs it, and all of the community sees it.

    Example: liaison-agency release grant JPN-2026-0007 --days 14
    """

    async def work() -> "Published":
        async with node(state, client) as agency:
            return await agency.release_grant(request, days, note)

    _said(run(work(), as_json=as_json), "Granted", as_json=as_json)


@release.command()
def decline(
    request: Request,
    note: Note = "",
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Say no to a request.

    Example: liaison-agency release decline JPN-2026-0007 --note "The source is too near."
    """

    async def work() -> "Published":
        async with node(state, client) as agency:
            return await agency.release_decline(request, note)

    _said(run(work(), as_json=as_json), "Declined", as_json=as_json)


@release.command()
def carry(request: Request, state: State = None, client: As = COMMAND_LINE, as_json: AsJson = False) -> None:
    """Publish in the other community what your request was granted; again, what its originator said since.

    Example: liaison-agency release carry JPN-2026-0007
    """

    async def work() -> "list[Published]":
        async with node(state, client) as agency:
            return await agency.release_carry(request)

    done = run(work(), as_json=as_json)
    if as_json:
        show_json(done)
    elif not done:
        console().print("Everything has been carried.")
    else:
        for each in done:
            console().print(f"Carried: {each.ref} ({each.state})")


def _said(published: "Published", word: str, *, as_json: bool) -> None:
    if as_json:
        show_json(published)
    else:
        console().print(f"{word}: {published.ref} ({published.state})")


async def _followed(agency: "Agency", community: str) -> "HistoryReport":
    import asyncio

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console(), transient=True) as progress:
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
    console().print(rows if report.wanted else "No history was asked for.")
    for given in report.given:
        where = escape(given.slug)
        console().print(
            f"Given to {given.agency} in {where}: keys of {given.epochs} epochs, last {given.last}"
        )


def _cells(each: "HistoryEntry") -> list[str]:
    counts = (each.opened, each.waiting, each.withheld, each.missing)
    return [escape(each.slug), _STATES[each.state], *map(str, counts)]

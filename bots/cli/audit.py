"""`liaison-bot audit` and `ceiling`: what was seen and done, and how much a chat may see."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bots.cli.tools import JsonOption, StateOption, given, print_json, refusing, wait
from schemas.errors import Code, OperationError

if TYPE_CHECKING:
    from bots.officers.audit import Entry
    from bots.state import State


def audit(
    officer: Annotated[str, typer.Option(help="Only what this officer saw and did.")] = "",
    about: Annotated[str, typer.Option(help="Only what is about this reference or name.")] = "",
    since: Annotated[str, typer.Option(help="Only from this day on (UTC), such as 2026-11-01.")] = "",
    as_csv_file: Annotated[bool, typer.Option("--csv", help="For a spreadsheet.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Check that the chain is whole.")] = False,
    state: StateOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object on a line for each entry.")] = False,
) -> None:
    """Who saw and did what, oldest first. `--verify` ends with exit code 1 when something was changed."""

    async def work() -> None:
        from bots.settings import load
        from bots.state import State
        from bots.state.audit import Wanted

        settings = load(**given(state=state))
        wanted = Wanted(officer, about, _day(since))
        async with await State.open(settings.state) as opened:
            if verify:
                await _verify(opened, as_json=as_json)
                return
            last, first = 0, True
            while chunk := await opened.audit.all(wanted, last):
                _print(chunk, as_csv_file=as_csv_file, as_json=as_json, first=first)
                last, first = chunk[-1].number, False

    refusing(lambda: wait(work()))


def ceiling(
    restore: Annotated[bool, typer.Option("--restore", help="Forget what was lowered in chat.")] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """The release ceiling as it stands. An administrator can lower it in chat; it rises only here, up to what
    the settings say.
    """

    async def work() -> None:
        from bots.clock import SystemClock
        from bots.officers.audit import MACHINE, Act
        from bots.officers.limit import Limit
        from bots.settings import load
        from bots.state import State

        settings = load(**given(state=state))
        async with await State.open(settings.state) as opened:
            limit = Limit(settings.release_ceiling(), opened.memory)
            if restore:
                await limit.restore()
                act = Act(None, "", MACHINE, "ceiling restore", settings.ceiling.value)
                await opened.audit.write([act], SystemClock().now())
            await limit.refresh()
        told = {
            "full": limit.ceiling.full.value,
            "stub": limit.ceiling.stub.value,
            "settings_full": settings.ceiling.value,
            "settings_stub": settings.stub_ceiling.value,
        }
        if as_json:
            print_json(told)
            return
        for key, value in told.items():
            typer.echo(f"{key:<14} {value}")

    refusing(lambda: wait(work()))


def _print(chunk: "list[Entry]", *, as_csv_file: bool, as_json: bool, first: bool) -> None:
    if as_csv_file:
        from bots.officers.audit import as_csv

        lines = list(as_csv(chunk))
        typer.echo("".join(lines if first else lines[1:]), nl=False)
        return
    for entry in chunk:
        row = entry.row()
        if as_json:
            typer.echo(json.dumps(row, ensure_ascii=False))
        else:
            row["name"] = row["name"] or "-"
            line = "{number:>6}  {at}  {name:<20} {door:<9} {verb:<16} {object:<16} {outcome}"
            typer.echo(line.format(**row))


async def _verify(opened: "State", *, as_json: bool) -> None:
    broken = await opened.audit.verify()
    if broken is not None:
        raise OperationError(
            Code.STORE_CORRUPT,
            f"the audit was changed: entry {broken} does not follow from the one before",
            "compare it with an export or a backup from before",
        )
    number, digest = await opened.audit.head()
    if as_json:
        print_json({"whole": True, "entries": number, "digest": digest.hex()})
    else:
        typer.echo(f"Whole, up to entry {number}: {digest.hex()}")
        typer.echo("Note the digest elsewhere: nobody can then cut off or write anew what is before it.")


def _day(text: str) -> float:
    if not text:
        return 0.0
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise OperationError(Code.BAD_REQUEST, "not a day", "write it as 2026-11-01") from None

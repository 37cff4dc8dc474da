"""For exercises: `exercise check`, `run`, `report`."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from schemas.errors import Code, OperationError
from subscribers.commands.common import (
    COMMAND_LINE,
    REFUSED,
    As,
    AsJson,
    State,
    console,
    escape,
    node,
    refusals,
    run,
    show_json,
    table,
)

if TYPE_CHECKING:
    from subscribers.exercise.log import Outcome
    from subscribers.exercise.report import Report
    from subscribers.exercise.scenario import Inject, Scenario

exercise = typer.Typer(
    no_args_is_help=True, help="Play a scenario among agencies, apart from everything real; report on it."
)

File = Annotated[Path, typer.Argument(help="The scenario, YAML: docs/exercises.md.")]
_REPLIES: Final = 100


@exercise.command()
def check(scenario: File, as_json: AsJson = False) -> None:
    """Read a scenario and show what would go out when. Asks nobody, sends nothing.

    Example: liaison-agency exercise check north-gate.yaml
    """
    with refusals(as_json=as_json):
        _, read = _read(scenario)
    if as_json:
        rows = [{"inject": each.id, "at": each.at, "by": each.by} for each in read.injects]
        show_json({"title": read.title, "community": read.community, "injects": rows})
        return
    shown = table("At", "Inject", "By", "Kind", "Severity", "Title")
    for each in read.injects:
        fields = (each.fields.get(name, "") for name in ("kind", "severity", "title"))
        shown.add_row(_clock(each.at), each.id, each.by or "whoever runs it", *map(escape, map(str, fields)))
    console().print(f"[black on yellow]EXERCISE[/] {escape(read.title)} in {read.community}")
    console().print(shown)


@exercise.command("run")
def play(
    scenario: File,
    speed: Annotated[
        float, typer.Option(min=0.01, max=100_000, help="How many times faster than the scenario says.")
    ] = 1.0,
    log: Annotated[
        Path | None, typer.Option(help="The run's log; beside the scenario if you do not say.")
    ] = None,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Send this agency's injects at their times. Stopped and begun again, it goes on where it was, and sends
    nothing twice. Each agency that plays runs the same scenario.

    Example: liaison-agency exercise run north-gate.yaml --speed 60
    """
    with refusals(as_json=as_json):
        data, read = _read(scenario)

    def tell(inject: "Inject", outcome: "Outcome") -> None:
        if as_json:
            show_json({name: getattr(outcome, name) for name in outcome.__dataclass_fields__})
        else:
            said = outcome.ref if outcome.state == "sent" else f"[red]{outcome.state}[/] {outcome.code}"
            console().print(f"[black on yellow]EXERCISE[/] {_clock(inject.at)} {inject.id}: {said}")

    async def work() -> bool:
        from subscribers.clock import now_ms
        from subscribers.exercise.log import Begun, RunLog
        from subscribers.exercise.playing import Player, arena

        async with node(state, client) as agency:
            place, me = await arena(agency, read.community), (await agency.status()).agency
            path = log or scenario.with_name(f"{scenario.stem}.{me}.run.jsonl")
            digest = hashlib.sha256(data).hexdigest()
            written = RunLog.begin(path, Begun(digest, read.title, place.slug, me, now_ms(), speed))
            return await Player(agency, read, written, now_ms, tell=tell).play()

    if not run(work(), as_json=as_json):
        raise typer.Exit(REFUSED)


@exercise.command()
def report(
    logs: Annotated[list[Path], typer.Argument(help="The logs of all who played.")],
    out: Annotated[Path | None, typer.Option(help="Write it there, as Markdown.")] = None,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """The after-action report: what went out, who acknowledged and answered it, and how soon, as far as this
    agency may know it.

    Example: liaison-agency exercise report north-gate.*.run.jsonl --out report.md
    """

    async def work() -> "Report":
        from subscribers.exercise.log import read_run
        from subscribers.exercise.playing import arena
        from subscribers.exercise.report import compose

        runs = [read_run(each) for each in logs]
        if len({(each.begun.scenario, each.begun.community) for each in runs}) > 1:
            message = "these are logs of different exercises"
            raise OperationError(Code.BAD_DOCUMENT, message, "report on one at a time")
        async with node(state, client) as agency:
            place = await arena(agency, runs[0].begun.community)
            ids = [each for one in runs for each in one.ids.values()]
            records = {each: (await agency.show(each), await agency.replies(each, _REPLIES)) for each in ids}
            return compose(runs, place.members, records)

    made = run(work(), as_json=as_json)
    if as_json:
        show_json(made)
        return
    from subscribers.exercise.report import markdown

    if out is None:
        typer.echo(markdown(made))
    else:
        out.write_text(markdown(made), "utf-8")
        console().print(f"{out}: {len(made.injects)} injects, {len(made.agencies)} agencies")


def _read(path: Path) -> "tuple[bytes, Scenario]":
    from subscribers.exercise.scenario import SCENARIO_MAX, read_scenario

    def beside(name: str) -> bytes:
        return _bytes(path.with_name(name), SCENARIO_MAX)

    data = _bytes(path, SCENARIO_MAX)
    return data, read_scenario(data, beside)


def _bytes(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise OperationError(Code.NOT_FOUND, message, "name a file that is there") from None


def _clock(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"

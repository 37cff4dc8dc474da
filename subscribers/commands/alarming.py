"""For operators and officers on duty: `alarms`."""

from typing import TYPE_CHECKING, Annotated

import typer

from subscribers.commands.common import COMMAND_LINE, As, AsJson, State, console, escape, node, run, show_json

if TYPE_CHECKING:
    from subscribers.api import AlarmEntry


def alarms(
    ack: Annotated[
        int | None, typer.Option("--ack", min=1, metavar="N", help="Say that somebody has seen to this one.")
    ] = None,
    past: Annotated[bool, typer.Option("--all", help="Those that are over or acknowledged, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 50,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """What the hub, an agency or somebody between did that honest ones do not: who, to whom, what to do.

    Example: liaison-agency alarms --ack 7
    """

    async def work() -> "list[AlarmEntry] | AlarmEntry":
        async with node(state, client) as agency:
            return await (agency.alarm_ack(ack) if ack else agency.alarms(limit, past=past))

    found = run(work(), as_json=as_json)
    if as_json:
        show_json(found)
    elif not isinstance(found, list):
        console().print(f"Alarm {found.number} is acknowledged.")
    elif found:
        for each in found:
            _print(each)
    else:
        console().print("No alarms.")


def _print(alarm: "AlarmEntry") -> None:
    where = " in ".join(each for each in (alarm.agency, alarm.community_slug or alarm.community) if each)
    over = " [dim](over)[/]" if alarm.ended else " [dim](acknowledged)[/]" if alarm.acked else ""
    times = f"{alarm.times} times, {alarm.first} to {alarm.last}" if alarm.times > 1 else alarm.first
    console().print(f"[bold red]{alarm.number:>4}  {alarm.name}[/]  {escape(where or 'hub')}  {times}{over}")
    console().print(f"      {alarm.what} {escape(alarm.detail)}")
    console().print(f"      → {escape(alarm.do)}")

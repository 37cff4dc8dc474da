"""`compliance`: who has applied an amendment or retraction of this agency, by what they say."""

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
    from subscribers.records import Compliance, MemberCompliance

_SAID = {
    "applied": "[green]applied[/]",
    "failed": "[red]received, not applied[/]",
    "waiting": "[yellow]not heard yet[/]",
    "read_only": "may only read, cannot report",
    "left": "left before it reported",
}


def compliance(
    ref: Annotated[str, typer.Argument(help="The amendment or retraction, or the bulletin that it changes.")],
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Who has applied an amendment or retraction of ours, of all who were members when it was made. What
    stands here is what each agency says of itself.

    Example: liaison-agency compliance FRA-2026-0042
    """

    async def work() -> "list[Compliance]":
        async with node(state, client) as agency:
            return await agency.compliance(ref)

    found = run(work(), as_json=as_json)
    if as_json:
        show_json(found)
        return
    for each in found:
        console().print(
            f"[bold]{each.ref}[/]  {each.kind} of {each.issued}, {escape(each.community_slug)}: "
            f"{each.applied} of {len(each.members)} have applied it, {each.waiting} are waited for"
        )
        rows = table("Agency", "", "Received", "Applied", "Reported", "Archive, local, sinks")
        for member in each.members:
            rows.add_row(*_row(member))
        console().print(rows)


def _row(member: "MemberCompliance") -> tuple[str, ...]:
    done = ", ".join(each for each in (member.archive, member.local, member.sinks) if each)
    times = (each or "" for each in (member.received, member.applied, member.reported))
    return (f"{escape(member.agency_name)} ({member.agency})", _SAID[member.state], *times, done)

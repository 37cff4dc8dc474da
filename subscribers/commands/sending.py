"""For whoever published something: `outbox`."""

from typing import TYPE_CHECKING, Annotated

import typer

from subscribers.commands.common import (
    COMMAND_LINE,
    As,
    AsJson,
    State,
    console,
    node,
    run,
    show_json,
    table,
)

if TYPE_CHECKING:
    from subscribers.api import OutboxEntry


def outbox(
    ref: Annotated[
        str | None, typer.Argument(help="One of them: its text, ready to be published again.")
    ] = None,
    drop: Annotated[bool, typer.Option("--drop", help="Forget this one, which was refused.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 50,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """What you published and others do not have: it waits for the hub, or was refused and why.

    Examples: liaison-agency outbox
    liaison-agency outbox FRA-2026-0042 > again.json && liaison-agency publish --community balkans again.json
    liaison-agency outbox FRA-2026-0042 --drop
    """
    if drop and ref is None:
        raise typer.BadParameter("give the reference of the one to drop")

    async def work() -> None:
        async with node(state, client) as agency:
            if ref is None:
                _list(await agency.outbox(limit), as_json=as_json)
            elif drop:
                await agency.outbox_drop(ref)
                if not as_json:
                    console().print(f"{ref} is forgotten.")
            else:
                draft = await agency.outbox_draft(ref)
                typer.echo(draft.model_dump_json(exclude_none=True, exclude_defaults=True, indent=2))

    run(work(), as_json=as_json)


def _list(found: "list[OutboxEntry]", *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    rows = table("Reference", "Community", "State", "Code")
    for each in found:
        shade = "[red]" if each.state == "refused" else ""
        rows.add_row(each.ref, each.community_slug or each.community, f"{shade}{each.state}", each.code or "")
    console().print(rows if found else "Nothing waits, and nothing was refused.")

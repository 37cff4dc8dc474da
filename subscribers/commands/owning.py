"""For owners and administrators: `community`, `client`, `status`, `quarantine`, `doctor`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from schemas.errors import Code, LiaisonError
from schemas.vocabulary import Realm, Tlp
from subscribers.commands import agreeing
from subscribers.commands.agreeing import After, span_of, written
from subscribers.commands.common import (
    COMMAND_LINE,
    REFUSED,
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
from subscribers.service.roles import Role

if TYPE_CHECKING:
    from subscribers.client import Agency
    from subscribers.records import Community, Proposal

_PLAIN: Final = {"True": "yes", "False": "no", "None": "-"}
community = typer.Typer(no_args_is_help=True, help="Communities that this agency is in, or owns.")
clients = typer.Typer(
    no_args_is_help=True,
    help="The node's local clients: the bot, commands, other systems. Each has its own key.",
)


@community.command("create")
def create(
    slug: Annotated[str, typer.Argument(help="Short name for subjects and commands: a-z, 0-9, hyphens.")],
    title: Annotated[str, typer.Option(help="What people call it. The hub never learns it.")],
    exercise: Annotated[bool, typer.Option("--exercise", help="For exercise bulletins only.")] = False,
    rules: Annotated[str, typer.Option(help="What members have agreed to.")] = "",
    owner: Annotated[
        list[str] | None, typer.Option(help="Another agency that owns it; may be given more than once.")
    ] = None,
    threshold: Annotated[
        int, typer.Option(min=1, max=16, help="How many owners must sign it, and each change in it.")
    ] = 1,
    out: Annotated[
        Path | None, typer.Option(help="With a threshold above 1: where the proposal goes.")
    ] = None,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Found a community that this agency owns: at once, or with the signatures of other owners.

    Example: liaison-agency community create balkans --title "Balkan route"

    Example: liaison-agency community create cell --title "Cell" --owner kz-cab --threshold 2 --out cell.dsse
    """
    realm = Realm.EXERCISE if exercise else Realm.LIVE
    if (threshold > 1) != (out is not None):
        raise typer.BadParameter("--out goes with a --threshold above 1")
    if out is not None:

        async def begin() -> "Proposal":
            async with node(state, client) as agency:
                return await agency.community_found(
                    slug, title, realm=realm, rules=rules, owners=owner or (), threshold=threshold
                )

        written(run(begin(), as_json=as_json), out, as_json=as_json)
        return

    async def work() -> "Community":
        async with node(state, client) as agency:
            return await agency.community_create(slug, title, realm=realm, rules=rules, owners=owner or ())

    _show(run(work(), as_json=as_json), as_json=as_json)


@community.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The community (short name or id).")],
    agency_ids: Annotated[list[str], typer.Argument(metavar="AGENCY...", help="The agencies' ids.")],
    reader: Annotated[bool, typer.Option("--reader", help="May read, not publish.")] = False,
    after: After = None,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Let agencies in. They read what is published from the time on at which this takes effect.

    Of several, none is let in when the directory does not know one of them; who is in already is passed over.

    Example: liaison-agency community add balkans ch-fedpol
    """
    role: Literal["member", "reader"] = "reader" if reader else "member"
    wanted = list(dict.fromkeys(agency_ids))

    async def work() -> "tuple[Community, list[str]]":
        span = span_of(after)
        async with node(state, client) as agency:
            if len(wanted) > 1:
                await _check_known(agency, wanted)
            found, let_in = None, list[str]()
            for each in wanted:
                try:
                    found = await agency.community_add(name, each, role, span)
                    let_in.append(each)
                except LiaisonError as refusal:
                    if refusal.code is Code.ALREADY_KNOWN and len(wanted) > 1:
                        continue
                    done = f"; {', '.join(let_in)} was let in before that" if let_in else ""
                    raise LiaisonError(refusal.code, refusal.message + done, refusal.fix) from None
        if found is None:
            raise LiaisonError(
                Code.ALREADY_KNOWN, f"{', '.join(wanted)} are already in", "nothing is left to do"
            )
        return found, let_in

    found, let_in = run(work(), as_json=as_json)
    _show(found, as_json=as_json)
    if not as_json and (passed := [each for each in wanted if each not in let_in]):
        console().print(f"Let in: {', '.join(let_in)}. Already in: {', '.join(passed)}.")


async def _check_known(link: "Agency", wanted: list[str]) -> None:
    """That the directory has each of them, before the first is let in. LiaisonError `unknown_agency`."""
    from schemas.documents import Agency as AgencyDocument
    from schemas.documents import parse_document
    from subscribers.commands.directory import whole_directory
    from subscribers.owning.communities import nobody

    items, _ = await whole_directory(link)
    documents = [parse_document(each.data.encode()).document for each in items if not each.membership]
    known = {each.id for each in documents if isinstance(each, AgencyDocument)}
    if unknown := [each for each in wanted if each not in known]:
        raise nobody(known, *unknown)


@community.command("remove")
def remove(
    name: Annotated[str, typer.Argument(help="The community (short name or id).")],
    agency_id: Annotated[str, typer.Argument(metavar="AGENCY", help="The agency's id.")],
    after: After = None,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Put an agency out. It can read nothing that members publish once they have seen this.

    Example: liaison-agency community remove balkans ch-fedpol
    """

    async def work() -> "Community":
        async with node(state, client) as agency:
            return await agency.community_remove(name, agency_id, span_of(after))

    _show(run(work(), as_json=as_json), as_json=as_json)


@community.command("list")
def list_communities(state: State = None, client: As = COMMAND_LINE, as_json: AsJson = False) -> None:
    """The communities that this agency is in."""

    async def work() -> "list[Community]":
        async with node(state, client) as agency:
            return await agency.communities()

    found = run(work(), as_json=as_json)
    if as_json:
        show_json(found)
        return
    rows = table("Short name", "Title", "Realm", "Role", "Members")
    for each in found:
        rows.add_row(
            each.slug,
            escape(each.title),
            each.realm,
            "owner" if each.owner else each.role,
            ", ".join(each.members),
        )
    console().print(rows)


community.command()(agreeing.propose)
community.command()(agreeing.sign)
community.command()(agreeing.submit)
community.command()(agreeing.log)


@clients.command("add")
def add_client(
    name: Annotated[str, typer.Argument(help="The client's name: a-z, 0-9, hyphens.")],
    role: Annotated[Role, typer.Option(help="What it may ask.")] = Role.READER,
    ceiling: Annotated[Tlp, typer.Option(help="The highest marking that it is given.")] = Tlp.AMBER,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Make a key for a local client. The seed file is readable by this user alone.

    Example: liaison-agency client add siem --role reader --ceiling TLP:AMBER
    """

    async def work() -> None:
        async with node(state, client) as agency:
            added = await agency.client_add(name, role, ceiling)
            if as_json:
                show_json(added)
            else:
                console().print(f"{name}: {added.seed_file}")

    run(work(), as_json=as_json)


@clients.command("remove")
def remove_client(
    name: Annotated[str, typer.Argument(help="The client's name.")],
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Cut a client off now, and forget its key."""

    async def work() -> None:
        async with node(state, client) as agency:
            await agency.client_remove(name)

    run(work(), as_json=as_json)
    if not as_json:
        console().print(f"{name} is cut off.")


@clients.command("list")
def list_clients(state: State = None, client: As = COMMAND_LINE, as_json: AsJson = False) -> None:
    """The node's clients, with role and ceiling."""

    async def work() -> None:
        async with node(state, client) as agency:
            found = await agency.clients()
        if as_json:
            show_json(found)
            return
        rows = table("Client", "Role", "Ceiling")
        for each in found:
            rows.add_row(each.name, each.role, each.ceiling)
        console().print(rows)

    run(work(), as_json=as_json)


def status(state: State = None, client: As = COMMAND_LINE, as_json: AsJson = False) -> None:
    """How the node is doing: connection, outbox, archive, quarantine."""

    async def work() -> None:
        async with node(state, client) as agency:
            found = await agency.status()
        if as_json:
            show_json(found)
            return
        rows = table("", "")
        rows.show_header = False
        for name, value in found.model_dump(mode="json").items():
            rows.add_row(name.replace("_", " "), _PLAIN.get(str(value), str(value)))
        console().print(rows)

    run(work(), as_json=as_json)


def quarantine(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 50,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """What this node refused, and why; never what it holds. For others: `evidence export --quarantine`."""

    async def work() -> None:
        async with node(state, client) as agency:
            found = await agency.quarantine(limit)
        if as_json:
            show_json(found)
            return
        rows = table("Number", "When", "Code", "From", "What is wrong")
        for each in found:
            rows.add_row(str(each.number), each.when, each.code, each.agency or "?", escape(each.message))
        console().print(rows if found else "Nothing was refused.")

    run(work(), as_json=as_json)


def doctor(state: State = None, client: As = COMMAND_LINE, as_json: AsJson = False) -> None:
    """What is wrong, and the fix: clock, root, keys, connection, backlog, disk. Exit 1 when something is."""

    async def work() -> bool:
        async with node(state, client) as agency:
            findings = await agency.doctor()
        if as_json:
            show_json(findings)
        else:
            for each in findings:
                sign = "[green]ok  [/]" if each.ok else "[red]BAD [/]"
                console().print(f"{sign} {each.check:12} {escape(each.message)}")
                if each.fix:
                    console().print(f"                  → {escape(each.fix)}")
        return all(each.ok for each in findings)

    if not run(work(), as_json=as_json):
        raise typer.Exit(REFUSED)


def _show(found: "Community", *, as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        console().print(
            f"[bold]{found.slug}[/] {escape(found.title)} ({found.id})\nMembers: {', '.join(found.members)}"
        )

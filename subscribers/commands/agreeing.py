"""For several owners together: `community propose`, `sign`, `submit`; and for every member: `community log`,
`notices`.
"""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from schemas.errors import Code, OperationError
from schemas.limits import DOCUMENT_MAX
from subscribers.commands.common import (
    COMMAND_LINE,
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
    from subscribers.records import MembershipChange, Notice, Proposal

After = Annotated[
    str | None,
    typer.Option(help="When it takes effect, counted from now: 90m, 24h, 2d. Without: as soon as it may."),
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The proposal.")]
_SENTENCES: Final = {
    "add": "Let {who} into {where} as a {role}, effective {effective}.",
    "remove": "Put {who} out of {where}, effective {effective}.",
    "found": "Found the {realm} community {where}.",
}


class Op(StrEnum):
    """What may be proposed."""

    ADD = "add"
    REMOVE = "remove"


def propose(
    op: Annotated[Op, typer.Argument(help="What is to be done.")],
    name: Annotated[str, typer.Argument(metavar="COMMUNITY", help="The community (short name or id).")],
    agency_id: Annotated[str, typer.Argument(metavar="AGENCY", help="The agency's id.")],
    out: Annotated[Path, typer.Option(help="Where the proposal goes.")],
    reader: Annotated[bool, typer.Option("--reader", help="May read, not publish.")] = False,
    after: After = None,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Begin a change that other owners must sign: a file with this agency's signature, for them.

    The signatures must be together by the time at which it takes effect, 24 hours from now without --after.

    Example: liaison-agency community propose add cell ch-fedpol --after 48h --out add-ch.dsse
    """

    async def work() -> "Proposal":
        span = span_of(after)
        async with node(state, client) as agency:
            return await agency.community_propose(
                name, op.value, agency_id, "reader" if reader else "member", span
            )

    written(run(work(), as_json=as_json), out, as_json=as_json)


def sign(
    file: File,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Show what a proposal says and who has signed it; sign it too, into the same file.

    Example: liaison-agency community sign add-ch.dsse
    """

    async def look() -> "Proposal":
        async with node(state, client) as agency:
            return await agency.community_proposal(_read(file))

    async def work(seen: "Proposal") -> "Proposal":
        async with node(state, client) as agency:
            return await agency.community_sign(seen.file)

    seen = run(look(), as_json=as_json)
    if not as_json:
        _show(seen)
    if not yes:
        typer.confirm("Sign this?", abort=True, err=True)
    written(run(work(seen), as_json=as_json), file, as_json=as_json)


def submit(
    file: File,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Hand in a proposal that enough owners have signed. Any owner may; the members are told.

    Example: liaison-agency community submit add-ch.dsse
    """

    async def work() -> "Proposal":
        async with node(state, client) as agency:
            return await agency.community_submit(_read(file))

    told = run(work(), as_json=as_json)
    if as_json:
        show_json(told)
    else:
        _show(told)
        console().print("It is in the log.")


def log(
    name: Annotated[str, typer.Argument(metavar="COMMUNITY", help="The community (short name or id).")],
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Every change in a community: who, by which owners' signatures, from when on.

    Example: liaison-agency community log balkans
    """

    async def work() -> "list[MembershipChange]":
        async with node(state, client) as agency:
            return await agency.community_log(name)

    found = run(work(), as_json=as_json)
    if as_json:
        show_json(found)
        return
    rows = table("#", "What", "Agency", "As", "Effective", "Signed by")
    for each in found:
        role = each.role if each.op == "add" else ""
        what = "added" if each.op == "add" else "removed"
        rows.add_row(str(each.index), what, each.agency, role, each.effective, ", ".join(each.by))
    console().print(rows)


def notices(
    after: Annotated[int | None, typer.Option(min=0, help="Those after this number, oldest first.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 50,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """What changed in the directory that concerns this agency: memberships, keys, identities, the root.

    Example: liaison-agency notices
    """

    async def work() -> "list[Notice]":
        async with node(state, client) as agency:
            return await agency.notices(after, limit)

    found = run(work(), as_json=as_json)
    if as_json:
        show_json(found)
        return
    rows = table("#", "When", "What")
    for each in found:
        rows.add_row(str(each.number), each.at, escape(sentence(each)))
    console().print(rows if found else "Nothing has changed.")


def span_of(after: str | None) -> int | None:
    """`--after` in milliseconds. OperationError `bad_request`."""
    from subscribers.owning.communities import parse_span

    return None if after is None else parse_span(after)


def sentence(notice: "Notice") -> str:
    """A notice in words."""
    who = f"{notice.agency_name} ({notice.agency})"
    signed = f"by {', '.join(notice.by)}, effective {notice.effective}"
    match notice.kind:
        case "membership" if notice.op == "add":
            return f"{who} was added to {notice.slug} as a {notice.role} {signed}"
        case "membership":
            return f"{who} was removed from {notice.slug} {signed}"
        case "community":
            named = ", ".join(notice.by)
            return f"{notice.slug} was founded; {notice.threshold} of its owners must sign: {named}"
        case "keys":
            return f"{who} entered new keys (version {notice.version})"
        case "revoked":
            return f"{who} revoked a key"
        case "replacing":
            against = ", ALTHOUGH IT OBJECTS" if notice.disputed else ""
            return (
                f"the secretariat will REPLACE THE IDENTITY KEY of {who}, effective {notice.effective}"
                f"{against}; ask the agency by another way. It reads aloud: {notice.fingerprint}"
            )
        case "objected":
            return f"{who} OBJECTS to the replacement of its identity key, which is stopped"
        case "withdrawn":
            return f"the secretariat will not replace the identity key of {who} after all"
        case "identity":
            spoken = notice.fingerprint
            return f"{who} has ANOTHER IDENTITY KEY; ask by another way. It reads aloud: {spoken}"
        case "agency":
            return f"{who} has a new entry (version {notice.version})"
        case "root":
            return f"the secretariat's root is version {notice.version}"


def written(proposal: "Proposal", out: Path, *, as_json: bool) -> None:
    """Write a proposal's file, and show what it says."""
    with refusals(as_json=as_json):
        try:
            out.write_text(proposal.file, encoding="utf-8", newline="")
        except OSError as error:
            raise OperationError(
                Code.BAD_REQUEST, f"cannot write {out}: {error.strerror}", "choose another place"
            ) from None
    if as_json:
        show_json(proposal)
        return
    _show(proposal)
    if proposal.lacking:
        others = ", ".join(proposal.may_sign)
        console().print(f"Now {proposal.lacking} more of {others}: liaison-agency community sign {out}")
    else:
        console().print(f"Now any owner: liaison-agency community submit {out}")


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(DOCUMENT_MAX + 1).decode("utf-8")
    except OSError as error:
        raise OperationError(
            Code.NOT_FOUND, f"cannot read {file}: {error.strerror}", "give the file that you were sent"
        ) from None
    except UnicodeDecodeError:
        raise OperationError(
            Code.BAD_ENCODING, f"{file} is no proposal", "give the file that you were sent"
        ) from None


def _show(proposal: "Proposal") -> None:
    where = f"{proposal.slug} ({proposal.community})" if proposal.slug else proposal.community
    text = _SENTENCES[proposal.what].format(
        who=f"{proposal.agency_name} ({proposal.agency})",
        where=where,
        role=proposal.role,
        effective=proposal.effective,
        realm=proposal.realm,
    )
    console().print(f"[bold]{escape(text)}[/]")
    console().print(f"Owners: {', '.join(proposal.owners)}; {proposal.threshold} must sign.")
    console().print(f"Signed by: {', '.join(proposal.signed)}")

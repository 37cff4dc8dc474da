"""For whoever wants to verify: `directory export`, and `verify-directory`, which needs no node and no hub."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import Code, LiaisonError, OperationError, about
from schemas.limits import EXPORT_MAX
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
)

if TYPE_CHECKING:
    from schemas.merkle import Head
    from subscribers.api import DirectoryItem
    from subscribers.client import Agency

directory = typer.Typer(no_args_is_help=True, help="Who is who, as a log that anybody can verify.")

Since = Annotated[
    list[Path] | None,
    typer.Option("--since", help="An older file or checkpoint that the log must continue; repeatable."),
]


async def whole_directory(
    link: "Agency", *, memberships: bool = False
) -> "tuple[list[DirectoryItem], str | None]":
    """The directory as the node has it, and its newest checkpoint."""
    page = await link.directory(memberships=memberships)
    items = page.items
    while page.next is not None:
        page = await link.directory(page.next, memberships=memberships)
        items += page.items
    # The checkpoint of the last page: all that it is of is in the pages before.
    return items, page.note


@directory.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Where it goes.")],
    agency: Annotated[
        str | None,
        typer.Option("--agency", help="Only this agency's documents, with proofs: for a light client."),
    ] = None,
    since: Annotated[
        Path | None, typer.Option("--since", help="With --agency: prove that it continues this older file.")
    ] = None,
    memberships: Annotated[
        bool, typer.Option("--memberships", help="The logs of this agency's communities as well.")
    ] = False,
    state: State = None,
    client: As = COMMAND_LINE,
    json: AsJson = False,
) -> None:
    """Write the directory and its newest checkpoint into one file that anybody can verify.

    Examples: liaison-agency directory export directory.json

    liaison-agency directory export fra.json --agency fra
    """
    from schemas.exports import Export, heads_of, prove

    async def work() -> Export:
        async with node(state, client) as link:
            items, note = await whole_directory(link, memberships=memberships)
        return Export(
            documents=[each.data for each in items if not each.membership],
            memberships=[each.data for each in items if each.membership],
            note=note,
        )

    with refusals(as_json=json):
        if (agency is None and since is not None) or (agency is not None and memberships):
            raise LiaisonError(
                Code.BAD_REQUEST,
                "these options do not go together",
                "give --since with --agency, and --memberships without",
            )
        whole = run(work(), as_json=json)
        old = None if since is None else heads_of(_read(since))[0].size
        data = (whole if agency is None else prove(whole, agency, old)).to_bytes()
        _write(file, data)
        count, pointed = len(whole.documents), whole.note is not None
        if json:
            show_json({"file": str(file), "documents": count, "checkpoint": pointed})
            return
        word = "with the newest checkpoint" if pointed else "without a checkpoint: the hub has given none yet"
        console().print(f"{escape(str(file))} written, from {count} documents, {word}")


def verify_directory(
    file: Annotated[Path, typer.Argument(help="A file that `directory export` wrote.")],
    told: Annotated[
        str,
        typer.Option("--root-fingerprint", help="The root's fingerprint, from another source."),
    ],
    agency: Annotated[
        str | None,
        typer.Option("--agency", help="Show this agency, and proofs of its documents."),
    ] = None,
    since: Since = None,
    at: Annotated[
        str | None, typer.Option("--at", help="Judge freshness at this time: 2026-01-31T08:30:00Z.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Verify an exported directory from the file alone: no node, no hub, no network.

    Example: liaison-agency verify-directory directory.json --root-fingerprint 1e017946... --since old.json
    """
    from schemas.encoding import from_instant
    from schemas.exports import Export, heads_of, parse_file, prove
    from schemas.fingerprint import typed_fingerprint
    from subscribers.directory.verification import agency_lines, as_json, proof_lines, report

    with refusals(as_json=json):
        fingerprint = typed_fingerprint(told)
        now = time.time_ns() // 1_000_000 if at is None else from_instant(at)
        content = _read(file)
        with about(file):
            found = parse_file(content)
        # A proof file shows the way from one older head; a whole log shows it from every one.
        most = None if isinstance(found, Export) else 1
        heads: list[Head] = []
        for each in since or ():
            content = _read(each)
            with about(each):
                heads += heads_of(content)[:most]
        verdict = report(found, fingerprint, now, heads)
        shown: list[str] = []
        proof = None
        if agency is not None and verdict.directory is not None:
            proof = prove(found, agency) if isinstance(found, Export) else found
            shown = [*agency_lines(verdict.directory, agency), *proof_lines(proof)]
    if json:
        proven = {} if proof is None else {"agency": agency, "proof": proof.model_dump(mode="json")}
        show_json({**as_json(verdict), **proven})
    else:
        for line in verdict.lines:
            mark = "[green]ok    [/green]" if line.ok else "[bold red]failed[/bold red]"
            code = f"{line.code}: " if line.code else ""
            console().print(f"{mark}  {line.check:<12}{code}{escape(line.said)}")
        for text in shown:
            console().print(escape(text), soft_wrap=True)
        console().print("[green]verified[/green]" if verdict.ok else "[bold red]NOT VERIFIED[/bold red]")
    if not verdict.ok:
        raise typer.Exit(REFUSED)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(EXPORT_MAX + 1)
    except OSError as error:
        raise OperationError(
            Code.NOT_FOUND, f"{path} cannot be read: {error.strerror}", "check the path"
        ) from None
    return data


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise OperationError(
            Code.BAD_REQUEST, f"{path} cannot be written: {error.strerror}", "choose another place"
        ) from None

"""For the one who has to show it to others: `evidence export`."""

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import Code, OperationError
from subscribers.commands.common import (
    COMMAND_LINE,
    As,
    AsJson,
    State,
    console,
    node,
    refusals,
    run,
    show_json,
)

if TYPE_CHECKING:
    from schemas.evidence import Evidence

evidence = typer.Typer(
    no_args_is_help=True, help="Files that prove to a third party what an agency has signed."
)


@evidence.command("export")
def export(
    ref: Annotated[str | None, typer.Argument(help="Reference (FRA-2026-0042) or id of a bulletin.")] = None,
    quarantine: Annotated[
        int | None,
        typer.Option(
            help="Instead: the number of a refused frame, see `quarantine`. A fork shows both frames."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The file to write.", show_default="REF.evidence.json")
    ] = None,
    without_text: Annotated[
        bool, typer.Option("--without-text", help="Show that it was signed, not what it says.")
    ] = False,
    without_membership: Annotated[
        bool, typer.Option("--without-membership", help="Do not show who owns the community and is in it.")
    ] = False,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Write a file that `liaison-verify` checks alone, offline: who signed a bulletin, and that this is its
    text.

    The file holds the bulletin's text (unless --without-text) and, to show that its publisher was a member,
    the community's owners and members (unless --without-membership): whoever reads the file reads these.

    Example: liaison-agency evidence export FRA-2026-0042 --out court.json
    """

    async def work() -> "Evidence":
        async with node(state, client) as agency:
            if ref is not None:
                return await agency.evidence(ref, text=not without_text, membership=not without_membership)
            return await agency.evidence_refused(quarantine or 0, membership=not without_membership)

    if (ref is None) == (quarantine is None):
        raise typer.BadParameter("give either a bulletin or --quarantine NUMBER")
    from schemas.evidence import parse_evidence
    from schemas.proof import check

    made = run(work(), as_json=as_json)
    data = made.to_bytes()
    target = out or Path(f"{ref or f'quarantine-{quarantine}'}.evidence.json")
    with refusals(as_json=as_json):
        _write(target, data)
    pinned = sha256(made.documents[0].document.to_bytes()).digest()
    report = check(parse_evidence(data), pinned)
    if as_json:
        show_json({"file": str(target), "bytes": len(data), "root": pinned.hex(), "proved": report.proved})
        return
    console().print(f"{target}: {len(data)} bytes. A third party checks it with", markup=False)
    console().print(
        f"  liaison-verify {target} --root-fingerprint {pinned.hex()}", markup=False, soft_wrap=True
    )
    console().print("and should have that fingerprint from the secretariat, not from you.")
    for each in report.findings:
        if each.status != "proved":
            console().print(f"Note: {each.text}", markup=False)


def _write(target: Path, data: bytes) -> None:
    """0600: the file may hold a bulletin's text. Never over another file."""
    try:
        target.touch(mode=0o600, exist_ok=False)
        target.write_bytes(data)
    except OSError as error:
        raise OperationError(
            Code.BAD_REQUEST, f"cannot write {target}: {error.strerror}", "name another file with --out"
        ) from None

"""For whoever keeps the node's state safe: `backup`, `restore`, `salvage`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from subscribers.commands.common import AsJson, State, refusals, settings_of, show_json

if TYPE_CHECKING:
    from subscribers.recovery.copying import Told

PassphraseFile = Annotated[
    Path,
    typer.Option(
        "--passphrase-file", help="A file (0600) whose first line is the passphrase. Keep it elsewhere too."
    ),
]


_NEXT = """\
Next, when the old machine is off for good:
  liaison-agency run --state {state}
  liaison-agency doctor --state {state}       # until `copy` is ok: what came after the backup has been read
  liaison-agency keys rotate --state {state}  # then make a new backup
If the hub was lost and restored from a backup as well, do none of that, and publish nothing from here:
others may have bulletins of yours that neither of you has, and would refuse the next ones. First read
"If the hub came back from a backup too" in the agency guide, Drill: the disk is lost."""


def backup(
    out: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="The new file, or a directory for it.")],
    passphrase_file: PassphraseFile,
    verify: Annotated[
        bool, typer.Option("--verify", help="Make none: read this one to its end, and check all of it.")
    ] = False,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Back the node up, while it runs: archive, outbox, directory and keys, encrypted under a passphrase.

    It is read back when it is written. Copy the file to another machine, and the passphrase to a third place.

    Example: liaison-agency backup /mnt/backups --passphrase-file backup.pass
    """
    with refusals(as_json=as_json):
        from subscribers.clock import now_ms
        from subscribers.recovery import copying

        secret, now = copying.read_passphrase(passphrase_file), now_ms()
        if verify:
            path = out
        else:
            path = copying.target(out, "node", now)
            copying.make(settings_of(state).state, path, secret, now)
        told = copying.verify(path, secret)
    if as_json:
        show_json({"file": str(path), **told.shown()})
        return
    typer.echo(f"{path}: whole, {_words(told)}.")


def restore(
    file: Annotated[Path, typer.Argument(help="What `backup` wrote.", exists=True, dir_okay=False)],
    passphrase_file: PassphraseFile,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Make the node's state directory of a backup. Never while the backed-up node still runs anywhere.

    Next `liaison-agency run`: it has the hub give again what came after the backup, its own bulletins
    included, and publishes nothing before it has read that. But if the hub was lost and restored as well,
    publish nothing: see the agency guide, Drill: the disk is lost.

    Example: liaison-agency restore node.backup --passphrase-file backup.pass --state agency
    """
    with refusals(as_json=as_json):
        from subscribers.recovery import copying

        directory = settings_of(state).state
        told = copying.restore(file, copying.read_passphrase(passphrase_file), directory)
    if as_json:
        show_json({"state": str(directory), **told.shown()})
        return
    typer.echo(f"{directory}: {_words(told)}.")
    typer.echo(_NEXT.format(state=directory))


def salvage(
    from_nothing: Annotated[
        bool,
        typer.Option(
            "--from-nothing",
            help="If nothing can be read: begin empty. What waited in the outbox is lost.",
        ),
    ] = False,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Mend a damaged archive: copy what can be read into a new file, and have the hub give the rest again.

    Stop the node first. The damaged file is kept aside. References of your own that are in neither are named:
    if the hub had them, they come back by themselves. A backup of the same day loses less.

    Example: liaison-agency salvage --state agency
    """
    with refusals(as_json=as_json):
        from subscribers.clock import now_ms
        from subscribers.recovery import salvage as mending

        found = mending.salvage(settings_of(state).state, now_ms(), from_nothing=from_nothing)
    if as_json:
        show_json(found._asdict())
        return
    typer.echo(
        f"{found.rows} rows, {found.bulletins} bulletins; damaged: {', '.join(found.damaged) or 'nothing'}."
    )
    if found.lost:
        typer.echo(f"Not here, and perhaps at the hub: {', '.join(found.lost)}.")
    typer.echo(f"The damaged file: {found.aside}. Next: `liaison-agency run` and `doctor`.")


def _words(told: "Told") -> str:
    from schemas.encoding import instant

    return f"{told.agency} as of {instant(told.made)}, {told.bulletins} bulletins, {told.files} files"

"""`liaison-hub backup`, `restore` and `refill`: the hub's state in a file, and back from it."""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.terminal import Json, State, read_file, refusals, settings_of, show

if TYPE_CHECKING:
    from hub.recovery.copies import Told
    from hub.settings import HubSettings

PassphraseFile = Annotated[
    Path,
    typer.Option(
        "--passphrase-file", help="A file (0600) whose first line is the passphrase. Keep it elsewhere too."
    ),
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(epilog="Example: liaison-hub backup /mnt/backups --passphrase-file backup.pass")(backup)
    app.command(epilog="Example: liaison-hub restore hub.backup --passphrase-file backup.pass --state HUB")(
        restore
    )
    app.command(epilog="Example: liaison-hub refill fra-directory.json --state HUB")(refill)


def backup(
    out: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="The new file, or a directory for it.")],
    passphrase_file: PassphraseFile,
    verify: Annotated[
        bool, typer.Option("--verify", help="Make none: read this one to its end, and check all of it.")
    ] = False,
    chunks: Annotated[
        bool, typer.Option("--chunks/--no-chunks", help="With the ciphertext of attachments, or without.")
    ] = True,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Back the running hub up: streams, accounts and keys, encrypted under a passphrase.

    It is read back when it is written. Copy the file to another machine, and the passphrase to a third
    place.
    """
    with refusals(as_json=as_json):
        from hub.recovery import copies

        settings, secret, now = settings_of(state), copies.read_passphrase(passphrase_file), _now()
        path = out
        if not verify:
            path = copies.target(out, now)
            asyncio.run(copies.make(settings, path, secret, now, chunks=chunks))
        told = copies.verify(path, secret)
        show({"file": str(path), **told.shown()}, f"{path}: whole, {_words(told)}", as_json=as_json)


def restore(
    file: Annotated[Path, typer.Argument(help="What `backup` wrote.", exists=True, dir_okay=False)],
    passphrase_file: PassphraseFile,
    state: State = None,
    nats: Annotated[
        str | None,
        typer.Option("--nats", help="Put the streams into this NATS server, not into an embedded one."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the hub's directory and its streams of a backup. Never beside the hub that was backed up.

    Next `liaison-hub serve`, on loopback first, and while it runs `liaison-hub refill` with a directory that
    an agency has exported. Then serve where the agencies look for it: their nodes see that the hub came from
    a copy, and send again what it may have lost.
    """
    with refusals(as_json=as_json):
        from hub import log
        from hub.recovery import copies

        settings = settings_of(state)
        if nats is not None:
            settings = settings.model_copy(update={"nats": nats})
        secret = copies.read_passphrase(passphrase_file)
        log.configure(settings.log, "warning")  # stdout is for the answer
        told = asyncio.run(copies.restore(settings, file, secret, _now()))
        text = f"{settings.state}: {_words(told)}\n{next_steps(settings)}"
        show({"state": str(settings.state), **told.shown()}, text, as_json=as_json)


def refill(
    exported: Annotated[
        list[Path],
        typer.Argument(help="What agencies wrote by `liaison-agency directory export --memberships`."),
    ],
    state: State = None,
    as_json: Json = False,
) -> None:
    """Hand the running hub the directory documents and membership entries that it lost, in their order.

    Each is signed by its own makers, and checked as when it first came. What is there already stays.
    """
    with refusals(as_json=as_json):
        from hub.recovery import refilling
        from schemas.limits import EXPORT_MAX

        found = refilling.refill(settings_of(state), {each: read_file(each, EXPORT_MAX) for each in exported})
        text = f"{found.offered} handed in; the directory had {found.before}, and has {found.after}"
        for refusal in found.refused:
            text += f"\nrefused: {refusal}"
        show(found._asdict(), text, as_json=as_json)


def _now() -> int:
    return time.time_ns() // 1_000_000


def next_steps(settings: "HubSettings") -> str:
    """What an operator does with a restored hub, as commands in their order."""
    at = f"--state {settings.state}"
    serve = f"{at} --host 127.0.0.1 --port 4333" if settings.nats is None else f"{at} --nats {settings.nats}"
    return "\n".join(
        (
            "next, when the old hub is off for good:",
            f"  liaison-hub serve {serve}",
            "    where no agency looks for it yet; and while it runs:",
            f"  liaison-hub refill EXPORT {at}",
            "    which an agency wrote by `liaison-agency directory export EXPORT --memberships`",
            f"  liaison-hub suspend ENDPOINT {at}",
            "    for each that was suspended since the backup",
            "then serve where the agencies look for it, and make a new backup at once.",
            "What does not come back is in the operator guide: Back up and restore.",
        )
    )


def _words(told: "Told") -> str:
    from schemas.encoding import instant

    streams = ", ".join(f"{name} {count}" for name, count in told.messages.items())
    return f"as of {instant(told.made)}; messages: {streams}"

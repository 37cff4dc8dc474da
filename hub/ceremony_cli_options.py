"""Options and steps that the ceremonies of `liaison-root` share."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.terminal import read_file
from schemas.limits import DOCUMENT_MAX

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, for machines.")]
Keys = Annotated[
    list[Path], typer.Option("--key", help="A private key file; give it once for each key holder present.")
]
Out = Annotated[Path, typer.Option("--out", help="Where the signed document goes.")]
RootFile = Annotated[
    Path | None, typer.Option("--root", help="The root document; without it, root.dsse beside the first key.")
]
Ask = Annotated[
    bool, typer.Option("--passphrase", help="Ask for the passphrase that protects the key files.")
]
PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", help="Read that passphrase from a file (its first line).")
]

CoolDown = Annotated[
    str | None,
    typer.Option(
        "--cool-down",
        help="How long an agency can object before its identity key is replaced: 72h, 7d. Never shortened.",
    ),
]
Witnesses = Annotated[
    list[str] | None,
    typer.Option("--witness", help="NAME=KEY of somebody who witnesses the directory's head; repeatable."),
]


def now() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def passphrase(file: Path | None, *, ask: bool, confirm: bool = False) -> bytes | None:
    """What protects the key files: from a file, asked for, or nothing."""
    if file is not None:
        return read_file(file, 4096).split(b"\n", 1)[0].rstrip(b"\r") or None
    if not ask:
        return None
    return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)).encode()


def load(paths: list[Path], passphrase: bytes | None) -> list[Any]:
    """The keys in these files. OperationError as `CeremonyKey.load`."""
    from hub.ceremony import CeremonyKey

    return [CeremonyKey.load(path, passphrase) for path in paths]


def root_bytes(root: Path | None, keys: list[Path]) -> bytes:
    """The root document that is named, or that lies beside the first key."""
    return read_file(root or keys[0].parent / "root.dsse", DOCUMENT_MAX)


def more(missing: int) -> str:
    """What to say of signatures that are still needed."""
    return (
        f"\nneeds {missing} more signature{'s' * (missing > 1)}: liaison-root countersign" if missing else ""
    )

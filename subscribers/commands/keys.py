"""For who looks after an agency's keys: `keys list|rotate|revoke|backup|restore`, `recover`, `readers`."""

from collections.abc import Sequence
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
    escape,
    node,
    refusals,
    run,
    settings_of,
    show_json,
    table,
)

if TYPE_CHECKING:
    from subscribers.keyring.key_life import KeyInfo, Reader

keys = typer.Typer(
    no_args_is_help=True, help="The agency's own keys: their age, rotation, revocation and backup."
)

_WORDS = {
    "no_keys": "has no node with keys",
    "revoked": "its key is revoked",
    "unusable_key": "its key cannot be encrypted to",
    "old_keys": "its key is old by its own date",
    "never_seen": "has never published anything that reached us",
}

Passphrase = Annotated[
    Path | None,
    typer.Option(help="A file whose first line is the passphrase; asked for when left out.", dir_okay=False),
]


@keys.command("list")
def list_keys(state: State = None, client: As = COMMAND_LINE, as_json: AsJson = False) -> None:
    """The agency's keys by their ids: age, state, and when the next step is due. Never the keys themselves.

    Example: liaison-agency keys list
    """

    async def work() -> "list[KeyInfo]":
        async with node(state, client) as agency:
            return await agency.keys()

    _show(run(work(), as_json=as_json), as_json=as_json)


@keys.command("rotate")
def rotate(
    signing: Annotated[
        bool, typer.Option("--signing", help="Keep the encryption key; replace only the one that signs.")
    ] = False,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Make new keys for the running node, have them in the directory, and go over to them.

    Both keys are replaced: a `keys` document always binds a new signing key. The old encryption key stays for
    the overlap, for what is on its way. If this is interrupted, the node finishes it by itself.

    Example: liaison-agency keys rotate
    """

    async def work() -> "list[KeyInfo]":
        async with node(state, client) as agency:
            return await agency.key_rotate(encryption=not signing)

    _show(run(work(), as_json=as_json), as_json=as_json)


@keys.command("revoke")
def revoke(
    kid: Annotated[str, typer.Argument(help="The signing key's id, from `keys list`.")],
    reason: Annotated[str, typer.Option(help="For this node's log.")] = "",
    rotate: Annotated[
        bool, typer.Option("--rotate", help="For the key that signs now: replace it first.")
    ] = False,
    stop: Annotated[
        bool, typer.Option("--and-stop", help="For the key that signs now: publish nothing more.")
    ] = False,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Have everything that a signing key has signed, and was not read yet, refused everywhere from now on.

    Example: liaison-agency keys revoke f342f93c9f63d778f9e97990067066d5 --reason "laptop lost" --rotate
    """

    async def work() -> "list[KeyInfo]":
        async with node(state, client) as agency:
            return await agency.key_revoke(kid, reason, rotate=rotate, stop=stop)

    _show(run(work(), as_json=as_json), as_json=as_json)


def recover(
    all_endpoints: Annotated[
        bool, typer.Option("--all-endpoints", help="Revoke the keys of this agency's other nodes as well.")
    ] = False,
    reason: Annotated[str, typer.Option(help="For this node's log.")] = "recovery",
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """After a theft: new keys, every earlier signing key revoked. The node must run, on a machine of yours.

    Nothing is published under an old epoch again: each community's next bulletin begins a new one. Safe to
    repeat. What is left to do by the hub's operator is printed at the end.

    Example: liaison-agency recover --reason "state directory copied"
    """

    async def work() -> "tuple[list[KeyInfo], str]":
        async with node(state, client) as agency:
            found = await agency.key_rotate()
            ours = (await agency.status()).endpoint
            old = [
                each.kid
                for each in found
                if each.use == "signing" and each.state != "revoked"
                if (each.endpoint != ours and all_endpoints)
                or (each.endpoint == ours and each.state != "current")
            ]
            for kid in old:
                found = await agency.key_revoke(kid, reason)
            return found, ours

    found, ours = run(work(), as_json=as_json)
    _show(found, as_json=as_json)
    if not as_json:
        others = sorted({each.endpoint for each in found} - {ours}) if all_endpoints else []
        console().print("\n" + after_recovery(ours, others, all_endpoints=all_endpoints), soft_wrap=True)


def after_recovery(ours: str, others: "Sequence[str]", *, all_endpoints: bool) -> str:
    """What is left to do after `recover` on the endpoint `ours`. With `all_endpoints` it is the others that
    were lost, as on a new machine; else it is this one's state that was copied.
    """
    suspend = "  the hub's operator: liaison-hub suspend "
    if not all_endpoints:
        told = [
            "Whoever has a copy of this machine's state also has its account at the hub. Next:",
            suspend + ours,
            "  you: `liaison-agency keys restore` from the backup into a new state directory,",
            "  then have its enrolment request admitted. See the agency guide, Keys.",
        ]
        return "\n".join(told)
    told = [
        "A lost machine keeps its account at the hub until it is suspended. Next, if that is not done yet:"
    ]
    told += [suspend + each for each in others]
    told = told if others else ["You have no other endpoint."]
    told += [f"Not {ours}: that is this machine. If its own state was copied too:"]
    told += ["  `liaison-agency recover` without --all-endpoints says what to do."]
    return "\n".join(told)


def readers(
    name: Annotated[str, typer.Argument(metavar="COMMUNITY", help="The community (short name or id).")],
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Who can read what is published in a community, and who cannot: those first.

    Example: liaison-agency readers balkans
    """

    async def work() -> "list[Reader]":
        async with node(state, client) as agency:
            return await agency.readers(name)

    found = run(work(), as_json=as_json)
    if as_json:
        show_json(found)
        return
    rows = table("Agency", "Role", "Can read", "What is odd")
    for each in found:
        sign = "[green]yes[/]" if each.can_read else "[red]NO[/]"
        rows.add_row(each.agency, each.role, sign, "; ".join(_WORDS[word] for word in each.problems))
    console().print(rows)


@keys.command("backup")
def backup(
    out: Annotated[Path, typer.Option(help="The file to write: encrypted, of no use without the shares.")],
    shares: Annotated[
        str, typer.Option(help="How many shares are needed, of how many: 3-of-5.", metavar="M-of-N")
    ] = "3-of-5",
    passphrase_file: Passphrase = None,
    shares_dir: Annotated[
        Path | None, typer.Option(help="Write each share to a file here (0600) instead of showing them.")
    ] = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Encrypt the agency's keys into a file whose key is split into shares for paper.

    The file and M shares, with the passphrase, give the keys back. The archive's content is not in it.

    Example: liaison-agency keys backup --out keys.backup --shares 3-of-5
    """
    with refusals(as_json=as_json):
        from subscribers.clock import now_ms
        from subscribers.keyring import backup as backups
        from subscribers.private_files import write_private_directory

        threshold, count = backups.parse_shares(shares)
        secret = _passphrase(passphrase_file, confirm=True)
        made = backups.make(settings_of(state).state, threshold, count, secret, now=now_ms())
        sheets = [backups.sheet(made, number) for number in range(1, count + 1)]
        if shares_dir:
            names = {f"share-{number}.txt": text.encode() for number, text in enumerate(sheets, 1)}
            write_private_directory(shares_dir, names)
        backups.write_file(out, made.data)
    if as_json:
        where = None if shares_dir is None else str(shares_dir)
        show_json({"file": str(out), "threshold": threshold, "count": count, "shares": where})
        return
    if shares_dir:
        typer.echo(f"{count} shares in {shares_dir}: print each, give it to its holder, destroy the file.")
    else:
        typer.echo("\n\f\n".join(sheets))
    typer.echo(f"{out}: worth nothing without {threshold} of the {count} shares. Keep it apart from them.")


@keys.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="The backup file.", exists=True, dir_okay=False)],
    share: Annotated[
        list[Path] | None,
        typer.Option(help="A file with a share; once for each. Asked for when left out.", dir_okay=False),
    ] = None,
    passphrase_file: Passphrase = None,
    same: Annotated[
        bool,
        typer.Option("--same", help="All keys as they were: only for a state directory that survived."),
    ] = False,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild the keys in an empty state directory, and write an enrolment request for a new account.

    The identity is the old one; the keys of the lost machine are replaced, since none may serve two accounts.
    Next: `liaison-hub admit`, `liaison-agency enrol`, then `liaison-agency recover --all-endpoints`.

    Example: liaison-agency keys restore keys.backup --share a.txt --share b.txt --share c.txt --state new
    """
    with refusals(as_json=as_json):
        from subscribers.exchange.registration import rebuild
        from subscribers.keyring import backup as backups

        words = (
            [each.read_text("utf-8") for each in share] if share else _asked_shares(backups.read_file(file))
        )
        secret = _passphrase(passphrase_file, confirm=False)
        content = backups.open_backup(backups.read_file(file), words, secret)
        directory = settings_of(state).state
        request = rebuild(directory, content, COMMAND_LINE, same=same)
    if as_json:
        show_json({"state": str(directory), "request": None if request is None else str(request)})
    elif request:
        typer.echo(f"Keys in {directory / 'keys'}. Send {request} to the hub's operator, to be admitted.")
    else:
        typer.echo(f"Keys in {directory / 'keys'}, as they were.")


def _asked_shares(data: bytes) -> list[str]:
    from subscribers.keyring import backup as backups

    needed = backups.threshold_of(data)
    return [typer.prompt(f"Share {number} of {needed}", hide_input=True) for number in range(1, needed + 1)]


def _passphrase(file: Path | None, *, confirm: bool) -> str:
    if file is None:
        asked: str = typer.prompt(
            "Passphrase", hide_input=True, confirmation_prompt=confirm, default="", show_default=False
        )
        return asked
    try:
        return file.read_text("utf-8").split("\n", 1)[0]
    except (OSError, UnicodeDecodeError):
        fix = "name a text file that this user may read"
        raise OperationError(Code.BAD_SETTINGS, f"{file} holds no passphrase", fix) from None


def _show(found: "Sequence[KeyInfo]", *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    rows = table("Key", "Use", "State", "Made", "Due")
    for each in found:
        # Days alone, so that the ids stay whole in a terminal of 80 columns: they are what is copied.
        rows.add_row(each.kid, each.use, each.state, each.made[:10], escape((each.until or "")[:10]))
    console().print(rows)

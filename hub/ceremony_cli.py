"""`liaison-root`: the secretariat's offline ceremonies. No command here opens a connection."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer

from hub import coredump, replacing_cli
from hub.ceremony_cli_options import (
    Ask,
    CoolDown,
    Json,
    Keys,
    Out,
    PassphraseFile,
    RootFile,
    Witnesses,
    load,
    more,
    now,
    passphrase,
    root_bytes,
)
from hub.terminal import read_file, refusals, show, write_file
from schemas.limits import DOCUMENT_MAX

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="The secretariat's ceremonies, on an offline machine: who is in the directory, by m of n holders.",
    epilog="Start: [bold]liaison-root create SEC --keys 2-of-3 --registrar 1-of-2[/bold]",
)


def main() -> None:
    """Run the command."""
    coredump.forbid()
    app()


@app.command(epilog="Example: liaison-root create SEC --keys 2-of-3 --registrar 1-of-2 --passphrase")
def create(
    directory: Annotated[
        Path, typer.Argument(help="A new directory for the root document and the key files.")
    ],
    keys: Annotated[
        str, typer.Option("--keys", help="How many root keys, and how many must sign: m-of-n.")
    ] = "2-of-3",
    registrar: Annotated[
        str, typer.Option("--registrar", help="The same for registrar keys, which sign agencies and the hub.")
    ] = "1-of-2",
    witnesses: Witnesses = None,
    quorum: Annotated[int, typer.Option("--quorum", min=0, help="How many witnesses a head needs.")] = 0,
    freshness: Annotated[
        str, typer.Option("--freshness", help="How long their word on a head holds: 30m, 24h, 7d.")
    ] = "24h",
    cool_down: CoolDown = None,
    ask: Ask = False,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Make a root of trust: version 1 of the root document and a private key file for each holder.

    Hand each key file to its holder, then delete it here. Publish the fingerprint where agencies can check
    it.
    """
    with refusals(as_json=as_json):
        from hub.ceremony import NewRoles, Share, create_root
        from hub.watch import Watch

        watch = Watch.parse(witnesses or [], quorum, freshness, cool_down)
        roots, registrars = Share.parse(keys), Share.parse(registrar)
        fresh = NewRoles.generate(roots, registrars)
        envelope = create_root(fresh, roots, registrars, watch, now())
        paths = fresh.save(directory, passphrase(passphrase_file, ask=ask, confirm=True))
        _finish(directory / "root.dsse", envelope.to_bytes(), paths, as_json=as_json)


@app.command(
    epilog="Example: liaison-root rotate SEC/root.dsse --key a.key --key b.key --keys 3-of-5 --out SEC2"
)
def rotate(
    root: Annotated[Path, typer.Argument(help="The root document in force.")],
    signing: Keys,
    out: Annotated[
        Path, typer.Option("--out", help="A new directory for the next root document and its new keys.")
    ],
    keys: Annotated[str | None, typer.Option("--keys", help="New root keys: m-of-n.")] = None,
    registrar: Annotated[str | None, typer.Option("--registrar", help="New registrar keys: m-of-n.")] = None,
    witnesses: Witnesses = None,
    quorum: Annotated[
        int | None, typer.Option("--quorum", min=0, help="A new quorum; 0 for witnesses that do not count.")
    ] = None,
    freshness: Annotated[
        str | None, typer.Option("--freshness", help="How long a head holds: 30m, 24h, 7d.")
    ] = None,
    cool_down: CoolDown = None,
    ask: Ask = False,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Replace keys or witnesses: the next version of the root, signed by the old threshold and the new.

    What is not given stays; [bold]--witness[/bold] names all the witnesses there shall be.
    Other holders of old keys add theirs with [bold]countersign[/bold]; then [bold]liaison-hub submit[/bold]
    publishes it.
    """
    with refusals(as_json=as_json):
        from hub.ceremony import NewRoles, Share, check_holds, read_root, rotate_root, still_needed
        from hub.watch import next_watch
        from schemas.errors import Code, FormatError

        if all(each is None for each in (keys, registrar, witnesses, quorum, freshness, cool_down)):
            fix = "give --keys, --registrar, --witness, --quorum, --freshness or --cool-down"
            raise FormatError(Code.BAD_REQUEST, "nothing to rotate", fix)
        current = read_root(read_file(root, DOCUMENT_MAX))
        watch = next_watch(current, witnesses, quorum, freshness, cool_down)
        secret = passphrase(passphrase_file, ask=ask)
        signers = load(signing, secret)
        check_holds(current.root, signers, "root")
        shares = (Share.parse(keys) if keys else None, Share.parse(registrar) if registrar else None)
        fresh = NewRoles.generate(*shares)
        envelope = rotate_root(current, fresh, *shares, watch, signers, now())
        paths = fresh.save(out, secret)
        _finish(
            out / "root.dsse",
            envelope.to_bytes(),
            paths,
            as_json=as_json,
            missing=still_needed(envelope, current.root),
        )


@app.command(
    "sign-agency",
    epilog="Example: liaison-root sign-agency fra.request --key SEC/registrar-1.key --out fra.dsse",
)
def sign_agency(
    request: Annotated[Path, typer.Argument(help="The enrolment request that the agency sent.")],
    signing: Keys,
    out: Out,
    root: RootFile = None,
    version: Annotated[
        int, typer.Option("--version", min=1, help="2 and on when the agency's name or code changes.")
    ] = 1,
    ask: Ask = False,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Sign who an agency is. First call it, and compare what it reads aloud with [bold]show[/bold].

    The request is shown by `liaison-root show enrolment.dsse`; its identity is what the agency reads aloud.
    """
    with refusals(as_json=as_json):
        from hub import ceremony
        from schemas.encoding import from_base64
        from schemas.signing import KEY_SIZE, fingerprint

        role = ceremony.read_root(root_bytes(root, signing)).registrar
        signers = load(signing, passphrase(passphrase_file, ask=ask))
        ceremony.check_holds(role, signers, "registrar")
        asked, envelope = ceremony.sign_agency(read_file(request, DOCUMENT_MAX), version, signers, now())
        write_file(out, envelope.to_bytes())
        missing = ceremony.still_needed(envelope, role)
        spoken = fingerprint(from_base64(asked.identity, KEY_SIZE))
        result = {
            "agency": asked.id,
            "name": asked.name,
            "code": asked.code,
            "fingerprint": spoken,
            "out": str(out),
            "missing": missing,
        }
        text = (
            f"{asked.name} ({asked.id}, {asked.code})\nidentity, as the agency reads it aloud\n  {spoken}\n"
            f"written {out}{more(missing)}"
        )
        show(result, text, as_json=as_json)


@app.command(
    "sign-hub",
    epilog="Example: liaison-root sign-hub hub-request.dsse --key SEC/registrar-1.key --out hub.dsse",
)
def sign_hub(
    request: Annotated[Path, typer.Argument(help="The hub-request.dsse that `liaison-hub init` made.")],
    signing: Keys,
    out: Out,
    root: RootFile = None,
    ask: Ask = False,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Sign the hub's receipt key."""
    with refusals(as_json=as_json):
        from hub import ceremony

        role = ceremony.read_root(root_bytes(root, signing)).registrar
        signers = load(signing, passphrase(passphrase_file, ask=ask))
        ceremony.check_holds(role, signers, "registrar")
        hub, envelope = ceremony.sign_hub(read_file(request, DOCUMENT_MAX), signers)
        write_file(out, envelope.to_bytes())
        missing = ceremony.still_needed(envelope, role)
        result = {"hub": hub.name, "out": str(out), "missing": missing}
        show(result, f"{hub.name}\nwritten {out}{more(missing)}", as_json=as_json)


app.command("replace-identity", epilog=replacing_cli.REPLACE)(replacing_cli.replace_identity)
app.command("withdraw-identity", epilog=replacing_cli.WITHDRAW)(replacing_cli.withdraw_identity)


@app.command(epilog="Example: liaison-root countersign SEC2/root.dsse --key root-3.key")
def countersign(
    document: Annotated[Path, typer.Argument(help="A signed document that needs more signatures.")],
    signing: Keys,
    out: Annotated[Path | None, typer.Option("--out", help="Where it goes; without it, in place.")] = None,
    ask: Ask = False,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Add a key holder's signature to a document. Look at it first with [bold]show[/bold]."""
    with refusals(as_json=as_json):
        from hub import ceremony

        data = read_file(document, DOCUMENT_MAX)
        envelope = ceremony.countersign(data, load(signing, passphrase(passphrase_file, ask=ask)))
        target = out or document
        write_file(target, envelope.to_bytes())
        result = {"out": str(target), "signatures": len(envelope.signatures)}
        show(result, f"written {target}, with {len(envelope.signatures)} signatures", as_json=as_json)


@app.command("show", epilog="Example: liaison-root show SEC/root.dsse")
def show_file(
    document: Annotated[Path, typer.Argument(help="A document, a request, or an admission file.")],
    as_json: Json = False,
) -> None:
    """Say what a file says, who signed it, and its fingerprint to read aloud or to compare."""
    with refusals(as_json=as_json):
        from hub.ceremony import describe
        from schemas.encoding import from_base64, parse_json
        from schemas.signing import KEY_SIZE, fingerprint

        data = read_file(document, 4 * DOCUMENT_MAX)
        if b'"user_jwt"' in data:  # an admission file: what counts in it is the root that it pins
            data = from_base64(parse_json(data, 4 * DOCUMENT_MAX).get("root"), DOCUMENT_MAX)
        result: dict[str, Any] = {"fingerprint": sha256(data).hexdigest(), **describe(data)}
        said = json.dumps(result["document"], indent=2, ensure_ascii=False)
        keys = "\n".join(f"  {kid}" for kid in result["signed_by"])
        named = f"fingerprint\n{_aloud(result['fingerprint'])}"
        if identity := result["document"].get(
            "identity"
        ):  # what an agency reads aloud is its key, not a file
            result["identity"] = fingerprint(from_base64(identity, KEY_SIZE))
            named = f"identity, to compare with what the agency reads aloud\n  {result['identity']}"
        show(result, f"{said}\nsigned by keys\n{keys}\n{named}", as_json=as_json)


def _finish(path: Path, data: bytes, keys: list[Path], *, as_json: bool, missing: int = 0) -> None:
    write_file(path, data)
    fingerprint = sha256(data).hexdigest()
    result = {
        "root": str(path),
        "fingerprint": fingerprint,
        "keys": [str(key) for key in keys],
        "missing": missing,
    }
    written = "\n".join(f"  {key}" for key in keys)
    text = (
        f"root document {path}\nkey files (give each to its holder, then delete it here)\n{written}\n"
        f"fingerprint to read aloud\n{_aloud(fingerprint)}{more(missing)}"
    )
    show(result, text, as_json=as_json)


def _aloud(fingerprint: str) -> str:
    groups = [fingerprint[at : at + 8] for at in range(0, len(fingerprint), 8)]
    return f"  {' '.join(groups[:4])}\n  {' '.join(groups[4:])}"

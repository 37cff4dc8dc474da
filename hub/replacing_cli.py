"""Commands of `liaison-root` about agencies' identity keys."""

from pathlib import Path
from typing import Annotated, Final

import typer

from hub.ceremony_cli_options import (
    Ask,
    Json,
    Keys,
    Out,
    PassphraseFile,
    RootFile,
    load,
    more,
    now,
    passphrase,
    root_bytes,
)
from hub.terminal import read_file, refusals, show, write_file
from schemas.limits import DOCUMENT_MAX

REPLACE: Final = (
    "Example: liaison-root replace-identity fra.request --key SEC/registrar-1.key --out replace.dsse"
)
WITHDRAW: Final = (
    "Example: liaison-root withdraw-identity replace.dsse --key SEC/registrar-1.key --out withdraw.dsse"
)


def replace_identity(
    request: Annotated[Path, typer.Argument(help="The request that the agency made with its new key.")],
    signing: Keys,
    out: Out,
    root: RootFile = None,
    disputed: Annotated[
        bool,
        typer.Option("--disputed", help="The agency's present key has objected: root keys sign as well."),
    ] = False,
    spare: Annotated[
        str, typer.Option("--within", help="How long signatures and submission may still take: 24h.")
    ] = "24h",
    ask: Ask = False,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Say that an agency's lost or stolen identity key is to be replaced, after the cool-down.

    First call the agency, and somebody there whom you know: the new key is whose fingerprint they read aloud.
    Everybody is told, and the present key can object. Then [bold]liaison-hub submit[/bold] begins it.
    """
    with refusals(as_json=as_json):
        from hub import ceremony
        from hub.replacing import replacement
        from hub.watch import span
        from schemas.encoding import from_base64, instant
        from schemas.signing import KEY_SIZE, fingerprint

        current = ceremony.read_root(root_bytes(root, signing))
        roles = [current.registrar, current.root] if disputed else [current.registrar]
        asked = ceremony.read_request(read_file(request, DOCUMENT_MAX))
        signers = load(signing, passphrase(passphrase_file, ask=ask))
        ceremony.check_holds_any(roles, signers, "registrar or root" if disputed else "registrar")
        document, envelope = replacement(asked, current, signers, span(spare), now(), disputed=disputed)
        write_file(out, envelope.to_bytes())
        missing = sum(ceremony.still_needed(envelope, role) for role in roles)
        spoken = fingerprint(from_base64(asked.identity, KEY_SIZE))
        effective = instant(document.nbf)
        result = {
            "agency": asked.id,
            "fingerprint": spoken,
            "effective": effective,
            "out": str(out),
            "missing": missing,
        }
        text = (
            f"{asked.name} ({asked.id}, {asked.code})\n"
            f"new identity, as the agency reads it aloud\n  {spoken}\n"
            f"takes effect from {effective}\nwritten {out}{more(missing)}"
        )
        show(result, text, as_json=as_json)


def withdraw_identity(
    replace: Annotated[Path, typer.Argument(help="The replacement that waits.")],
    signing: Keys,
    out: Out,
    root: RootFile = None,
    ask: Ask = False,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Take back a replacement that waits: a wrong request, or a new key that was lost as well."""
    with refusals(as_json=as_json):
        from hub import ceremony
        from hub.replacing import withdrawal

        role = ceremony.read_root(root_bytes(root, signing)).registrar
        signers = load(signing, passphrase(passphrase_file, ask=ask))
        ceremony.check_holds(role, signers, "registrar")
        said, envelope = withdrawal(read_file(replace, DOCUMENT_MAX), signers, now())
        write_file(out, envelope.to_bytes())
        missing = ceremony.still_needed(envelope, role)
        result = {"agency": said.agency, "out": str(out), "missing": missing}
        show(result, f"{said.agency}\nwritten {out}{more(missing)}", as_json=as_json)

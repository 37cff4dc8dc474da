"""`liaison-verify`: what an evidence file proves. Offline, with nothing but the file and the root's
fingerprint: no network, no state, no secret, and no other module of an agency's side.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from schemas.errors import Code, FormatError, LiaisonError
from schemas.evidence import Opened, parse_evidence
from schemas.fingerprint import typed_fingerprint
from schemas.limits import EVIDENCE_MAX
from schemas.proof import Finding, Report, check

NOT_PROVED: Final = 1
BAD_FILE: Final = 2
_SIGNS: Final = {
    "proved": "PROVED",
    "failed": "NOT PROVED",
    "not_shown": "not shown",
    "not_checked": "not checked",
}
_NAMES: Final = {
    "text": "Text",
    "contradiction": "Contradiction",
    "signature": "Signature",
    "key": "Whose key",
    "revocation": "Revocation",
    "agency": "Who it is",
    "root": "Root of trust",
    "log": "Directory",
    "head": "Its state",
    "membership": "Membership",
    "receipt": "Receipt",
}

app = typer.Typer(
    name="liaison-verify",
    pretty_exceptions_enable=False,
    help="Check an evidence file offline: who signed a bulletin, and what follows from that.",
    epilog="Exit codes: 0 proved, 1 not proved, 2 not an evidence file or wrong use.",
)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The file that `liaison-agency evidence export` wrote.")],
    root_fingerprint: Annotated[
        str,
        typer.Option(
            help="The root's SHA-256, 64 hexadecimal digits, from somebody you trust: not from the file."
        ),
    ],
    show_text: Annotated[
        bool, typer.Option("--show-text", help="Print the bulletin's text as well.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Check an evidence file offline: who signed a bulletin, and what follows from that.

    Example: liaison-verify FRA-2026-0042.evidence.json --root-fingerprint 7bb7c227...
    """
    try:
        pinned = typed_fingerprint(root_fingerprint)
        opened = parse_evidence(_read(file))
    except LiaisonError as error:
        typer.echo(json.dumps(error.as_dict()) if as_json else str(error), err=True)
        raise typer.Exit(BAD_FILE) from None
    report = check(opened, pinned)
    text = opened.evidence.content.payload if opened.evidence.content and show_text else None
    typer.echo(json.dumps(_as_dict(report, opened), ensure_ascii=False) if as_json else _told(report, text))
    if not report.proved:
        raise typer.Exit(NOT_PROVED)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as handle:
            return handle.read(EVIDENCE_MAX + 1)
    except OSError as error:
        raise FormatError(
            Code.NOT_FOUND, f"cannot read {file}: {error.strerror}", "check the file's name"
        ) from None


def _as_dict(report: Report, opened: Opened) -> dict[str, Any]:
    header = opened.statements[-1].header
    return {
        "proved": report.proved,
        "type": opened.evidence.type,
        "bulletin": header.id,
        "endpoint": header.pub,
        "community": header.com,
        "claimed_at": header.iat,
        "findings": [each._asdict() for each in report.findings],
        "not_proved": list(report.limits),
    }


def _told(report: Report, text: str | None) -> str:
    lines = ["PROVED." if report.proved else "NOT PROVED. Do not rely on this file.", ""]
    lines += [_line(each) for each in report.findings]
    lines += ["", "What this file does not prove:", *(f"  - {each}" for each in report.limits)]
    if text is not None:
        lines += [
            "",
            "The text, as it was signed:",
            json.dumps(json.loads(text), indent=2, ensure_ascii=False),
        ]
    return "\n".join(lines)


def _line(finding: Finding) -> str:
    code = f" [{finding.code}]" if finding.code else ""
    return f"{_SIGNS[finding.status]:<12} {_NAMES[finding.check]:<14} {finding.text}{code}"


def main() -> None:
    """The console script."""
    app()

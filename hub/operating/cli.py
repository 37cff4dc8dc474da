"""What `liaison-hub` has for those who look after a running hub: `status`, `doctor`, `audit`."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.terminal import (
    EXIT_REFUSED,
    EXIT_UNREACHABLE,
    Json,
    State,
    ask_hub,
    refusals,
    settings_of,
    show,
    write_file,
)

if TYPE_CHECKING:  # it takes a moment to load, and --help does not need it
    from hub.operating.doctor import Finding
    from hub.operating.trail import Check

audit = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Who ordered what of this hub, and what came of it: a chain in which every change shows.",
)
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="NUMBER:DIGEST", help="Go on behind an entry that was noted elsewhere."),
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(epilog="Example: liaison-hub status --once")(status)
    app.command(epilog="Example: liaison-hub doctor --json")(doctor)
    app.add_typer(audit, name="audit")


def status(
    state: State = None,
    once: Annotated[
        bool, typer.Option("--once", help="Print it once; so it is where stdout is no terminal.")
    ] = False,
    every: Annotated[
        float, typer.Option("--every", min=0.2, max=3600, help="Seconds between two looks.")
    ] = 2.0,
    prometheus: Annotated[bool, typer.Option("--prometheus", help="As Prometheus text, once.")] = False,
    as_json: Json = False,
) -> None:
    """How the hub is: endpoints, streams, what waits, what was answered and refused, leases, the cluster.

    In a terminal it is a view that stays up to date until Ctrl-C. Exit 3 when the hub does not answer.
    """
    with refusals(as_json=as_json):
        if as_json:
            show(ask_hub(state, "status", {}), "", as_json=True)
        elif prometheus:
            from hub.operating.metrics import prometheus as text

            typer.echo(text(ask_hub(state, "status", {})), nl=False)
        else:
            from hub.operating import live
            from hub.tables import console

            screen = console()
            if once or not screen.is_terminal:
                screen.print(live.screen(ask_hub(state, "status", {})))
            else:
                live.follow(settings_of(state), screen, every)


def doctor(state: State = None, as_json: Json = False) -> None:
    """What is wrong with this hub and what to do: files, keys, clocks, streams, accounts, leases, the audit.

    Exit 1 when something is wrong, 3 when that is that no hub answers.
    """
    with refusals(as_json=as_json):
        settings = settings_of(state)
        from hub.operating import doctor as judging
        from hub.operating.machine import look
        from hub.operating.trail import Check
        from schemas.errors import Code, LiaisonError

        found = look(settings)
        try:
            exam = ask_hub(state, "examine", {})
            found += judging.judge(exam, settings.limits, time.time_ns() // 1_000_000)
            check = Check()
            check.follow(_entries(state, 0))
            found.append(judging.well("audit", f"{check.number} entries hold"))
        except LiaisonError as error:
            found.append(judging.refused("audit" if error.code is Code.STORE_CORRUPT else "running", error))
        _tell(found, as_json=as_json)


def _tell(found: "list[Finding]", *, as_json: bool) -> None:
    wrong = [each for each in found if not each.ok]
    if as_json:
        show({"ok": not wrong, "findings": [each.as_dict() for each in found]}, "", as_json=True)
    else:
        from hub.tables import console, findings_table

        console().print(findings_table([each.as_dict() for each in found]))
    if wrong:
        away = any(each.code == "hub_unreachable" and each.check == "running" for each in wrong)
        raise typer.Exit(EXIT_UNREACHABLE if away else EXIT_REFUSED)


@audit.command("list", epilog="Example: liaison-hub audit list --limit 20")
def listed(
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="The last so many.")] = 50,
    state: State = None,
    as_json: Json = False,
) -> None:
    """The last entries, oldest first. Not checked: `verify` does that."""
    with refusals(as_json=as_json):
        from hub.tables import audit_table, console

        rows = [json.loads(each) for each in _entries(state, 0)][-limit:]
        if as_json:
            show({"entries": rows}, "", as_json=True)
        else:
            console().print(audit_table(rows))


@audit.command(epilog="Example: liaison-hub audit export audit.jsonl")
def export(
    out: Annotated[Path, typer.Argument(help="Where the entries go, one JSON object a line.")],
    state: State = None,
    as_json: Json = False,
) -> None:
    """Write the whole audit to a file, checked. Keep it, or its last digest, where the hub's machine
    cannot write.
    """
    with refusals(as_json=as_json):
        from hub.operating.trail import Check

        check, lines = Check(), list(_entries(state, 0))
        write_file(out, b"".join(each + b"\n" for each in lines))
        check.follow(lines)
        _holds(check, as_json=as_json)


@audit.command(epilog="Example: liaison-hub audit verify --since 1200:9f2c...")
def verify(
    file: Annotated[
        Path | None, typer.Argument(help="An exported audit; without it, that of the running hub.")
    ] = None,
    since: Since = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """See that no entry was changed, dropped or moved. Exit 1 when one was, and it is named.

    A chain whose end was cut off holds: compare the last number and digest with what was noted before
    (`--since`).
    """
    with refusals(as_json=as_json):
        check = _noted(since)
        before = max(check.number - 1, 0)
        lines = _entries(state, before) if file is None else iter(_lines(file)[before:])
        if check.number:
            _see(check, next(lines, None))
        check.follow(lines)
        _holds(check, as_json=as_json)


def _holds(check: "Check", *, as_json: bool) -> None:
    noted = f"{check.number}:{check.digest.hex()}"
    text = f"{check.number} entries hold; note this elsewhere for `verify --since`:\n{noted}"
    show({"entries": check.number, "digest": check.digest.hex(), "since": noted}, text, as_json=as_json)


def _noted(since: str | None) -> "Check":
    from hub.operating.trail import Check
    from schemas.encoding import from_hex
    from schemas.errors import Code, FormatError

    if since is None:
        return Check()
    number, _, digest = since.partition(":")
    if not number.isdecimal():
        raise FormatError(
            Code.BAD_REQUEST, f"{since!r} is no entry", "give NUMBER:DIGEST as `verify` printed it"
        )
    return Check(int(number), from_hex(digest, 32))


def _see(check: "Check", found: bytes | None) -> None:
    """That the entry which was noted is there: a cut-off end shows here, or another chain."""
    from hub.operating.trail import parse
    from schemas.errors import Code, OperationError

    if found is None or parse(found).digest != check.digest:
        raise OperationError(
            Code.STORE_CORRUPT,
            f"the audit does not hold: entry {check.number} is not the one that was noted",
            "keep the NATS store as it is, compare it with an export, and ask who had access to the machine",
        )


def _entries(state: Path | None, after: int) -> Iterator[bytes]:
    """From the running hub, page by page."""
    while True:
        page: list[str] = ask_hub(state, "audit", {"after": after})["entries"]
        if not page:
            return
        yield from (each.encode() for each in page)
        after += len(page)


def _lines(file: Path) -> list[bytes]:
    from schemas.errors import Code, OperationError

    try:
        return file.read_bytes().splitlines()
    except OSError as failure:
        raise OperationError(
            Code.NOT_FOUND, f"{file} cannot be read: {failure.strerror}", "check the path"
        ) from None

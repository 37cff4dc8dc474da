"""For the one who reads: `tail`, `latest`, `search`, `show`, `replies`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from schemas.vocabulary import Kind, Language, Severity
from subscribers.commands.common import (
    COMMAND_LINE,
    As,
    AsJson,
    State,
    console,
    escape,
    node,
    run,
    show_json,
    table,
)
from subscribers.commands.moving import sized

if TYPE_CHECKING:
    from schemas.bulletin import Release
    from subscribers.records import Filters, Page, Record

_COLOURS = {
    Severity.FLASH: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.ELEVATED: "yellow",
    Severity.LOW: "cyan",
}

Kinds = Annotated[
    list[Kind] | None, typer.Option("--kind", help="Only these kinds; may be given more than once.")
]
Communities = Annotated[
    list[str] | None, typer.Option("--community", help="Only these communities (short name or id).")
]
Regions = Annotated[list[str] | None, typer.Option("--region", help="Only these regions (ISO 3166).")]
Tactics = Annotated[
    list[str] | None, typer.Option("--tactic", help="Only with this technique or its parts (T1566).")
]
Subjects = Annotated[
    list[str] | None, typer.Option("--subject", help="Only about this subject: QDi.001, or the whole name.")
]
Events = Annotated[
    list[str] | None, typer.Option("--event", help="Only about this event, by its whole name.")
]
AtLeast = Annotated[Severity, typer.Option("--severity", help="Of this severity or worse.")]
Limit = Annotated[int, typer.Option(min=1, max=100, help="How many.")]


def tail(
    kind: Kinds = None,
    community: Communities = None,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Show bulletins as they come, each once. Goes on where the same client stopped; Ctrl-C ends it.

    Example: liaison-agency tail --kind threat --kind tactic
    """

    async def work() -> None:
        async with node(state, client) as agency:
            async for delivery in agency.bulletins(
                kinds=set(kind) if kind else None, communities=set(community) if community else None
            ):
                if as_json:
                    show_json(delivery.record)
                else:
                    console().print(one_line(delivery.record))
                await delivery.ack()

    run(work(), as_json=as_json)


def latest(
    kind: Kinds = None,
    community: Communities = None,
    region: Regions = None,
    tactic: Tactics = None,
    subject: Subjects = None,
    event: Events = None,
    severity: AtLeast = Severity.INFO,
    limit: Limit = 10,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """The newest bulletins.

    Example: liaison-agency latest --severity high --region FR
    """
    filters = _filters(severity, kind, community, region, tactic, subject, event)

    async def work() -> "Page":
        async with node(state, client) as agency:
            return await agency.latest(filters, limit)

    _show_page(run(work(), as_json=as_json), as_json=as_json)


def search(
    words: Annotated[
        list[str], typer.Argument(help='Words to find, in any of the six languages; "quoted" for a phrase.')
    ],
    kind: Kinds = None,
    community: Communities = None,
    region: Regions = None,
    tactic: Tactics = None,
    subject: Subjects = None,
    event: Events = None,
    severity: AtLeast = Severity.INFO,
    limit: Limit = 10,
    ranked: Annotated[bool, typer.Option("--ranked", help="Best match first, not newest first.")] = False,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Search the archive: titles, texts, translations, names.

    Example: liaison-agency search طائرات مسيرة
    """
    filters = _filters(severity, kind, community, region, tactic, subject, event)

    async def work() -> "Page":
        async with node(state, client) as agency:
            return await agency.search(" ".join(words), filters=filters, limit=limit, ranked=ranked)

    _show_page(run(work(), as_json=as_json), as_json=as_json)


def show(
    ref: Annotated[str, typer.Argument(help="Reference (FRA-2026-0042) or id.")],
    language: Annotated[
        Language | None, typer.Option(help="Show the text in this language if it has it.")
    ] = None,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """One bulletin in full: who says it, how sure, whom it may be told, and what was answered to it.

    Example: liaison-agency show FRA-2026-0042 --language ar
    """

    async def work() -> "tuple[Record, list[Record]]":
        async with node(state, client) as agency:
            return await agency.show(ref), [] if as_json else await agency.replies(ref)

    record, answered = run(work(), as_json=as_json)
    if as_json:
        show_json(record)
    else:
        _print_record(record, language or record.bulletin.language)
        _print_replies(answered)


def replies(
    ref: Annotated[str, typer.Argument(help="Reference (FRA-2026-0042) or id.")],
    limit: Limit = 50,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """What was answered to a bulletin, newest first; what was sealed to this agency alone as well.

    Example: liaison-agency replies FRA-2026-0042
    """

    async def work() -> "list[Record]":
        async with node(state, client) as agency:
            return await agency.replies(ref, limit)

    answered = run(work(), as_json=as_json)
    if as_json:
        show_json(answered)
    elif not answered:
        console().print("Nothing was answered to it.")
    else:
        _print_replies(answered)


def _filters(severity: Severity, *sets: Sequence[str] | None) -> "Filters":
    """The sets: kinds, communities, regions, tactics, subjects, events."""
    from subscribers.records import Filters

    kinds, communities, regions, tactics, subjects, events = (frozenset(each or ()) for each in sets)
    return Filters(
        kinds=frozenset(map(Kind, kinds)),
        communities=communities,
        regions=regions,
        tactics=tactics,
        subjects=subjects,
        events=events,
        severity_at_least=severity,
    )


def _show_page(page: "Page", *, as_json: bool) -> None:
    if as_json:
        show_json(page)
    elif not page.items:
        console().print("Nothing found.")
    else:
        for record in page.items:
            console().print(one_line(record))


def _review(record: "Record") -> str:
    law = record.bulletin.personal
    when = law.review if law else ""
    return f"{when}: past, not found by its words any more" if "review_due" in record.flags else when


def one_line(record: "Record") -> str:
    """A bulletin in a list: two lines of markup for the console."""
    bulletin = record.bulletin
    colour = _COLOURS.get(bulletin.severity, "dim")
    state = "" if record.state == "current" else f" [red]{record.state}[/]"
    exercise = " [black on yellow]EXERCISE[/]" if bulletin.exercise else ""
    private = " [reverse]PRIVATE[/]" if "private" in record.flags else ""
    private += " [yellow]review due[/]" if "review_due" in record.flags else ""
    return (
        f"[{colour}]{bulletin.severity.upper():8}[/] {bulletin.ref}  {bulletin.kind:12} "
        f"[bold]{escape(bulletin.title)}[/]{exercise}{private}{state}\n"
        f"         {escape(record.agency_name)} · {record.community_slug} · {bulletin.issued} · "
        f"[magenta]{escape(bulletin.tlp)}[/]"
    )


def _print_record(record: "Record", language: Language) -> None:
    from rich.panel import Panel

    bulletin = record.bulletin
    text = bulletin.text_in(language)
    facts = table("", "")
    facts.show_header = False
    for name, value in _facts(record):
        facts.add_row(f"[dim]{name}[/]", escape(str(value)))
    body = "\n\n".join(escape(part) for part in (text.summary, text.body) if part)
    if text.language is not bulletin.language:
        standing = "Official" if text.official else "Unofficial"
        body = f"[dim]{standing} translation from {bulletin.language}[/]\n\n{body}"
    console().print(
        Panel(
            body or "[dim]No text.[/]", title=f"[bold]{escape(text.title)}[/]", subtitle=escape(bulletin.tlp)
        )
    )
    console().print(facts)


def _print_replies(answered: "list[Record]") -> None:
    for record in answered:
        console().print(one_line(record))
        if record.bulletin.body:
            console().print(f"         {escape(record.bulletin.body)}")


def _original(release: "Release") -> str:
    """The reference under which its originator published what was carried here. The node verified it, and
    shows it without the seals of its files.
    """
    from schemas.bulletin import Bulletin

    return Bulletin.model_validate_json(release.payload).ref


def _facts(record: "Record") -> list[tuple[str, Any]]:
    bulletin = record.bulletin
    grading = (
        bulletin.grading
        and f"{bulletin.grading.reliability}{bulletin.grading.credibility} ({bulletin.grading.system})"
    )
    facts = [
        ("Reference", f"{bulletin.ref}  ({bulletin.id})"),
        ("State", record.state if not record.replaced_by else f"{record.state} by {record.replaced_by}"),
        ("From", f"{record.agency_name} ({record.agency}), to {record.community_title}"),
        ("Released by", bulletin.release and f"its originator, as {_original(bulletin.release)}"),
        ("Kind", f"{bulletin.kind}, {bulletin.severity}"),
        (
            "May be told",
            ", ".join([bulletin.tlp, *([bulletin.pap] if bulletin.pap else []), *bulletin.caveats]),
        ),
        ("Source", grading),
        ("Likelihood", bulletin.likelihood),
        ("Issued", f"{bulletin.issued}, received {record.received}"),
        (
            "Valid",
            f"{bulletin.valid_from or ''} to {bulletin.valid_until or ''}"
            if bulletin.valid_from or bulletin.valid_until
            else None,
        ),
        ("Regions", ", ".join(bulletin.regions)),
        ("Event", bulletin.event and f"{bulletin.event.name} {bulletin.event.venue or ''}"),
        ("Channel", bulletin.channel and f"{bulletin.channel.address}: {bulletin.channel.state}"),
        ("Tactics", ", ".join(f"{each.id} {each.name or ''}".strip() for each in bulletin.tactics)),
        ("Subjects", "; ".join(f"{each.name} {each.reference or ''}".strip() for each in bulletin.subjects)),
        ("Legal basis", bulletin.personal and bulletin.personal.legal_basis),
        ("Review", bulletin.personal and _review(record)),
        ("Corrections", bulletin.personal and bulletin.personal.correction),
        ("Indicators", "; ".join(each.pattern for each in bulletin.indicators)),
        ("Attachments", ", ".join(f"{each.name} ({sized(each.size)})" for each in bulletin.attachments)),
        ("Languages", ", ".join([bulletin.language, *(each.language for each in bulletin.translations)])),
        ("Links", ", ".join(f"{each.relation} {each.id}" for each in bulletin.links)),
    ]
    return [(name, value) for name, value in facts if value]

"""For the one who writes: `publish`, `ack`, `sight`, `digest`."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from schemas.errors import Code, DraftError, LiaisonError
from schemas.limits import PAYLOAD_MAX
from schemas.vocabulary import History, Kind, Language, Severity, Tlp
from subscribers.commands.common import (
    COMMAND_LINE,
    REFUSED,
    As,
    AsJson,
    State,
    console,
    node,
    refusals,
    run,
    show_json,
)
from subscribers.commands.moving import shown

if TYPE_CHECKING:
    from schemas.bulletin import Draft
    from subscribers.records import Published

LINES_AT_ONCE: Final = 64
"""How many lines of `publish-lines` are under way at the same time."""
LINE_MAX: Final = 2 * PAYLOAD_MAX

Private = Annotated[
    bool,
    typer.Option(
        "--private", help="For the originator alone. That something was sent, and when, stays visible."
    ),
]


def publish(
    community: Annotated[str, typer.Option(help="To which community (short name or id).")],
    file: Annotated[
        Path | None, typer.Argument(help="JSON or Markdown draft; `-` reads standard input.", allow_dash=True)
    ] = None,
    kind: Annotated[Kind | None, typer.Option(help="What it is.")] = None,
    title: Annotated[str | None, typer.Option(help="One line.")] = None,
    body: Annotated[str | None, typer.Option(help="The text.")] = None,
    summary: Annotated[str | None, typer.Option(help="A few sentences.")] = None,
    language: Annotated[Language | None, typer.Option(help="The language of the text.")] = None,
    severity: Annotated[Severity | None, typer.Option(help="How bad.")] = None,
    tlp: Annotated[Tlp | None, typer.Option(help="Whom it may be told. There is no default.")] = None,
    history: Annotated[History | None, typer.Option(help="Whether later members may be given it.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="ISO 3166; may be given more than once.")] = None,
    attach: Annotated[
        list[Path] | None,
        typer.Option(help="A file to go with it, up to 2 GiB; may be given more than once."),
    ] = None,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Publish a bulletin, from options, from a JSON or Markdown file, or from standard input. Options win
    over the file.

    With --attach the bulletin goes out once the hub has every file; the same command again goes on where one
    was cut off.

    Examples: liaison-agency publish --community balkans draft.md

    liaison-agency publish --community balkans --kind threat --severity high --tlp TLP:AMBER --language en
    --title "..." --body "..."

    liaison-agency publish --community balkans draft.md --attach map.pdf --attach video.mp4
    """
    given = {
        "kind": kind,
        "title": title,
        "body": body,
        "summary": summary,
        "language": language,
        "severity": severity,
        "tlp": tlp,
        "history": history,
        "regions": region,
    }
    from schemas.bulletin import parse_draft
    from subscribers.writing.once import split

    with refusals(as_json=as_json):
        fields, once = split(_fields(file))
        draft = parse_draft(fields | {name: value for name, value in given.items() if value is not None})

    async def work(draft: "Draft") -> "Published":
        async with node(state, client) as agency:
            with shown(as_json=as_json) as progress:
                uploads = [await agency.files.attach(each, progress=progress) for each in attach or ()]
            return await agency.publish(draft, community, [each.id for each in uploads], once=once)

    _report(run(work(draft), as_json=as_json), as_json=as_json)


def publish_lines(state: State = None, client: As = COMMAND_LINE) -> None:
    """Publish many: one JSON object a line on standard input, `{"community": ..., "draft": {...}}`; one line
    of JSON for each on standard output as it is settled, with the line's `n`. Exit 1 when any was refused. A
    draft with `once` (a UUIDv7 of its own) goes out once, however often it is given.

    Example: liaison-agency publish-lines < drafts.jsonl
    """
    if run(_publish_lines(state, client)):
        raise typer.Exit(REFUSED)


async def _publish_lines(state: Path | None, client: str) -> int:
    refused = 0
    free = asyncio.Semaphore(LINES_AT_ONCE)
    async with node(state, client) as agency, asyncio.TaskGroup() as group:

        async def one(number: int, line: bytes) -> None:
            nonlocal refused
            try:
                draft, community, once = _line_of(line)
                published = await agency.publish(draft, community, once=once)
                show_json({"n": number, **published.model_dump(mode="json")})
                refused += published.state == "refused"
            except LiaisonError as error:
                show_json({"n": number, "state": "refused", **error.as_dict()})
                refused += 1
            finally:
                free.release()

        number = 0
        async for line in _lines():
            if line.strip():
                await free.acquire()
                group.create_task(one(number, line))
                number += 1
    return refused


def _line_of(line: bytes) -> "tuple[Draft, str, str | None]":
    from schemas.bulletin import parse_draft
    from schemas.encoding import parse_json
    from subscribers.writing.once import split

    fields = parse_json(line.strip(), LINE_MAX)
    draft, community = fields.get("draft"), fields.get("community")
    if (
        fields.keys() != {"draft", "community"}
        or not isinstance(draft, dict)
        or not isinstance(community, str)
    ):
        raise DraftError(
            Code.BAD_DRAFT,
            "the line does not hold exactly a community and a draft",
            "see `publish-lines --help`",
        )
    draft, once = split(draft)
    return parse_draft(draft), community, once


async def _lines() -> AsyncIterator[bytes]:
    """The lines of standard input as they come: a pipe without a thread that would outlive the command, a
    file as it is.
    """
    if stat.S_ISREG(os.fstat(sys.stdin.fileno()).st_mode):
        for line in sys.stdin.buffer:
            yield line
        return
    reader = asyncio.StreamReader(limit=2 * LINE_MAX)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        while line := await reader.readline():
            yield line
    except ValueError:
        raise DraftError(
            Code.TOO_LARGE, f"a line is longer than {2 * LINE_MAX} bytes", "shorten it"
        ) from None


def acknowledge(
    ref: Annotated[str, typer.Argument(help="Reference or id of the bulletin.")],
    note: Annotated[str, typer.Option(help="A word to go with it.")] = "",
    private: Private = False,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Tell the community, or the originator alone, that this agency has read a bulletin.

    Example: liaison-agency ack FRA-2026-0042 --note "Passed to border police" --private
    """

    async def work() -> "Published":
        async with node(state, client) as agency:
            return await agency.acknowledge(ref, note, private=private)

    _report(run(work(), as_json=as_json), as_json=as_json)


def sight(
    ref: Annotated[str, typer.Argument(help="Reference or id of the bulletin.")],
    note: Annotated[str, typer.Option(help="What was seen.")] = "",
    region: Annotated[
        list[str] | None, typer.Option(help="Where (ISO 3166); may be given more than once.")
    ] = None,
    seen: Annotated[str | None, typer.Option(help="When, as 2026-11-22T06:00:00Z.")] = None,
    private: Private = False,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Tell the community, or the originator alone, that this agency has seen what a bulletin speaks of.

    Example: liaison-agency sight FRA-2026-0042 --region KZ-ALA --seen 2026-11-22T06:00:00Z --private
    """

    async def work() -> "Published":
        async with node(state, client) as agency:
            return await agency.sight(ref, note, regions=region or (), seen=seen, private=private)

    _report(run(work(), as_json=as_json), as_json=as_json)


def digest(
    community: Annotated[str, typer.Option(help="Of which community (short name or id).")],
    period: Annotated[
        str, typer.Option(help="hour, day, week (the last that has ended), 2026-11-22, 2026-W47, or FROM/TO.")
    ] = "day",
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Compose and publish a community's digest. Once a period: asked again, it answers with the one that
    there is.

    Example: liaison-agency digest --community balkans --period week
    """

    async def work() -> "Published":
        async with node(state, client) as agency:
            return await agency.digest(community, period)

    _report(run(work(), as_json=as_json), as_json=as_json)


def _fields(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise DraftError(
            Code.BAD_DRAFT, f"{file} cannot be read: {error.strerror}", "check the path"
        ) from None
    from subscribers.writing.draft_files import read_draft

    return read_draft(data)


def _report(published: "Published", *, as_json: bool) -> None:
    if as_json:
        show_json(published)
    else:
        said = {
            "queued": "on disk; it goes out when the hub answers",
            "admitted": "admitted by the hub",
            "refused": f"refused by the hub: {published.code}",
        }
        console().print(f"[bold]{published.ref}[/]  {said[published.state]}")
        if published.unreadable:
            who = ", ".join(published.unreadable)
            console().print(f"[yellow]cannot read it:[/] {who}; see `liaison-agency readers`", soft_wrap=True)
    if published.state == "refused":
        raise typer.Exit(REFUSED)

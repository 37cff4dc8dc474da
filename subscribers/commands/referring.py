"""To look things up: in public lists, with what this agency's archive has of them (`tactic`, `subject`,
`un-list`), and bulletins like one (`like`). The lists are on this machine: they are read without the node.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from schemas.errors import Code, LiaisonError, OperationError
from subscribers.commands.common import (
    COMMAND_LINE,
    As,
    AsJson,
    State,
    console,
    node,
    refusals,
    run,
    settings_of,
    show_json,
)
from subscribers.commands.reading import Limit
from subscribers.commands.referring_shown import (
    print_changes,
    print_entry,
    print_found,
    print_hits,
    print_like,
    print_list,
    print_seen,
    print_technique,
)

if TYPE_CHECKING:
    from subscribers.records import Page, Record
    from subscribers.reference.names import Hit
    from subscribers.reference.shelf import Loaded, Shelf
    from subscribers.reference.un_list import UnList

SEEN: Final = 5

un_list = typer.Typer(
    no_args_is_help=True, help="The UN Security Council Consolidated List that `subject` looks names up in."
)


def tactic(
    asked: Annotated[list[str], typer.Argument(metavar="T1566|NAME", help="Number, name or part of a name.")],
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """A technique of ATT&CK or DISARM: what it is, what helps against it, and what was seen of it here.

    Example: liaison-agency tactic T1566

    Example: liaison-agency tactic flood information
    """
    from subscribers.reference.tactics import Match, techniques

    with refusals(as_json=as_json):
        known, text = techniques(), " ".join(asked)
        found = known.look_up(text)
        near = None if found else known.near_number(text)
        if near is not None:
            close = ", ".join(f"{each.id} {each.name}" for each in near)
            fix = f"near it are {close}" if near else "look for it by its name"
            raise OperationError(Code.NOT_FOUND, f"no technique has the number {text.strip()}", fix)
    one = found and (found[0].match is Match.NUMBER or len(found) == 1)
    seen = _seen({"tactics": frozenset({found[0].technique.id})}, state, client) if one else None
    if as_json:
        show_json({"found": [dataclasses.asdict(each) for each in found], "seen": _page(seen)})
    elif not found:
        console().print("No technique of ATT&CK or DISARM is called that.")
    elif one:
        print_technique(found[0].technique)
        print_seen(seen)
    else:
        print_found(found)


def subject(
    asked: Annotated[
        list[str], typer.Argument(metavar="QDi.001|NAME", help="Reference, or name in any script.")
    ],
    born: Annotated[int | None, typer.Option(min=1850, max=2100, help="Year of birth, to compare.")] = None,
    nationality: Annotated[str | None, typer.Option(help="Nationality in English, to compare.")] = None,
    limit: Limit = 10,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """Who on the UN Consolidated List may be meant by a name, with the reason and a score from 0 to 100; or
    an entry by its reference, with what was seen of it here.

    Example: liaison-agency subject QDi.001

    Example: liaison-agency subject "Mohammed Abdulrahman" --born 1967 --nationality Utopia
    """
    from subscribers.reference.names import NameIndex
    from subscribers.reference.un_xml import REFERENCE

    text = " ".join(asked)
    with refusals(as_json=as_json):
        held = _shelf(state).load().un_list
        entry = held.get(text)
        if entry is None and REFERENCE.match(text.strip()):
            raise OperationError(
                Code.NOT_FOUND, f"{text.strip()} is not on the list of {held.date}", "look for the name"
            )
        hits = [] if entry else NameIndex(held).look_up(text, born=born, nationality=nationality)
    if entry is None:
        _show_hits(held, hits, limit, as_json=as_json)
        return
    about = frozenset(filter(None, (entry.reference, entry.name, entry.original)))
    seen = _seen({"subjects": about}, state, client)
    if as_json:
        listed = {"list": held.generated, "entry": dataclasses.asdict(entry), "seen": _page(seen)}
        show_json(listed)
    else:
        print_list(held)
        print_entry(entry)
        print_seen(seen)


def like(
    ref: Annotated[str, typer.Argument(help="Reference (FRA-2026-0042) or id.")],
    limit: Annotated[int, typer.Option(min=1, max=25, help="How many.")] = 5,
    state: State = None,
    client: As = COMMAND_LINE,
    as_json: AsJson = False,
) -> None:
    """The bulletins that have most words in common with one, the most alike first.

    Example: liaison-agency like FRA-2026-0042
    """

    async def work() -> "list[Record]":
        async with node(state, client) as agency:
            return await agency.like(ref, limit=limit)

    found = run(work(), as_json=as_json)
    if as_json:
        show_json(found)
    else:
        print_like(found)


@un_list.command("load")
def load(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The list's XML, as the UN gives it.")
    ],
    older: Annotated[
        bool, typer.Option("--older", help="Take it even if it is older than the one in use.")
    ] = False,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Use this edition of the list from now on, and show what it changes against the one before.

    Example: liaison-agency un-list load consolidated.xml
    """
    from subscribers.reference.un_xml import LIST_BYTES_MAX

    with refusals(as_json=as_json):
        with file.open("rb") as opened:
            data = opened.read(LIST_BYTES_MAX + 1)
        loaded = _shelf(state).take(data, older=older)
    _show_loaded(loaded, as_json=as_json)


@un_list.command("show")
def show(state: State = None, as_json: AsJson = False) -> None:
    """The edition in use: its date, how many it names, and what it changed against the one before.

    Example: liaison-agency un-list show
    """
    with refusals(as_json=as_json):
        loaded = _shelf(state).load()
    _show_loaded(loaded, as_json=as_json)


def _shelf(state: Path | None) -> "Shelf":
    from subscribers.reference.shelf import Shelf

    return Shelf(settings_of(state).state)


def _seen(fields: Mapping[str, frozenset[str]], state: Path | None, client: str) -> "Page | LiaisonError":
    """The newest bulletins about it, or why the node does not say: the list is worth showing without them."""
    from subscribers.records import Filters

    async def work() -> "Page | LiaisonError":
        try:
            async with node(state, client) as agency:
                return await agency.latest(Filters.model_validate(fields), SEEN)
        except LiaisonError as error:
            return error

    return run(work())


def _page(seen: "Page | LiaisonError | None") -> list[Any] | None:
    """For JSON; null where the node was not asked or did not answer."""
    if seen is None or isinstance(seen, LiaisonError):
        return None
    return [each.model_dump(mode="json") for each in seen.items]


def _show_hits(held: "UnList", hits: "list[Hit]", limit: int, *, as_json: bool) -> None:
    from subscribers.reference.reasons import reasons

    if as_json:
        shown = [
            {
                "reference": hit.entry.reference,
                "name": hit.entry.name,
                "score": hit.score,
                "reasons": reasons(hit),
                "matched": hit.name,
                "born": [each.text for each in hit.entry.born],
                "nationalities": list(hit.entry.nationalities),
            }
            for hit in hits[:limit]
        ]
        show_json({"list": held.generated, "total": len(hits), "possible": shown})
        return
    print_list(held)
    print_hits(hits, limit)


def _show_loaded(loaded: "Loaded", *, as_json: bool) -> None:
    held, changes = loaded.un_list, loaded.changes
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "generated": held.generated,
                    "individuals": held.individuals,
                    "entities": len(held.entries) - held.individuals,
                    "changes": None if changes is None else dataclasses.asdict(changes),
                },
                ensure_ascii=False,
            )
        )
        return
    print_list(held)
    if changes is not None:
        print_changes(changes)

"""Techniques, list entries and their changes as the commands print them."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from schemas.errors import LiaisonError
from subscribers.commands.common import console, escape, table
from subscribers.commands.reading import one_line

if TYPE_CHECKING:
    from subscribers.records import Page, Record
    from subscribers.reference.names import Hit
    from subscribers.reference.tactics import Found, Technique
    from subscribers.reference.un_list import Entry, ListChanges, UnList

_OLD_DAYS: Final = 30
_NOTE: Final = (
    "Possible matches only. A name is not an identification: compare birth, nationality and documents, and "
    "ask who listed it."
)
_CHANGED_SHOWN: Final = 20


def print_seen(seen: "Page | LiaisonError | None") -> None:
    """What the archive has of it, or why that is not known."""
    if seen is None:
        return
    if isinstance(seen, LiaisonError):
        console().print(f"[dim]What was seen of it here is not known now: {escape(str(seen))}[/]")
    elif not seen.items:
        console().print("Nothing was seen of it here.")
    else:
        more = " (the newest; `latest` with the same filter shows more)" if seen.cursor else ""
        console().print(f"[bold]Seen here[/]{more}")
        for record in seen.items:
            console().print(one_line(record))


def _facts(*facts: tuple[str, str]) -> None:
    shown = table("", "")
    shown.show_header = False
    for name, value in facts:
        if value:
            shown.add_row(f"[dim]{name}[/]", escape(value))
    console().print(shown)


def print_like(found: "list[Record]") -> None:
    """Bulletins like one."""
    for record in found:
        console().print(one_line(record))
    if not found:
        console().print("Nothing here is much like it.")


def print_technique(technique: "Technique") -> None:
    """One technique in full."""
    state = " [red]no longer in use[/]" if technique.withdrawn else ""
    console().print(f"[bold]{technique.id} {escape(technique.name)}[/]{state}\n{escape(technique.summary)}")
    _facts(
        ("Taxonomy", technique.taxonomy),
        ("Replaced by", technique.replaced_by),
        ("To what end", ", ".join(technique.phases)),
        ("Part of", technique.parent),
        ("Parts", ", ".join(technique.parts)),
        ("Platforms", ", ".join(technique.platforms)),
        ("Against it", "; ".join(f"{each.id} {each.name}" for each in technique.countermeasures)),
        ("More", technique.url),
    )


def print_found(found: "list[Found]") -> None:
    """Techniques to choose from."""
    from subscribers.reference.reasons import MATCH

    shown = table("number", "name", "to what end", "score", "why")
    for each in found:
        one = each.technique
        name = f"[dim]{escape(one.name)} (no longer in use)[/]" if one.withdrawn else escape(one.name)
        shown.add_row(one.id, name, ", ".join(one.phases), str(each.score), MATCH[each.match])
    console().print(shown)


def print_list(held: "UnList") -> None:
    """Which edition of the list this is."""
    groups = len(held.entries) - held.individuals
    age = (datetime.now(UTC).date() - date.fromisoformat(held.date)).days
    old = f" [red]{age} days old: load a newer one.[/]" if age > _OLD_DAYS else ""
    console().print(
        f"UN Consolidated List of [bold]{held.date}[/]: {held.individuals} persons, {groups} groups.{old}"
    )


def print_entry(entry: "Entry") -> None:
    """One entry in full."""
    console().print(f"[bold]{entry.reference} {escape(entry.name)}[/] {escape(entry.original)}")
    _facts(
        ("Kind", entry.kind),
        ("Also called", "; ".join(f"{each.name} ({each.quality or 'a.k.a.'})" for each in entry.aliases)),
        ("Born", "; ".join(each.text for each in entry.born)),
        ("Nationality", ", ".join(entry.nationalities)),
        ("Listed", f"{entry.listed}, {entry.programme}"),
        ("Last changed", entry.updated),
        ("The list says", entry.note),
    )


def print_changes(changes: "ListChanges") -> None:
    """What the edition changed."""
    if changes.none:
        console().print(f"The same as the list of {changes.before[:10]}.")
        return
    counts = f"{len(changes.added)} added, {len(changes.removed)} removed, {len(changes.changed)} changed"
    console().print(f"Against the list of {changes.before[:10]}: {counts}.")
    lines = [f"[green]+[/] {each.reference} {escape(each.name)}" for each in changes.added]
    lines += [f"[red]-[/] {each.reference} {escape(each.name)}" for each in changes.removed]
    lines += [
        f"[yellow]~[/] {each.reference} {escape(each.name)}: {', '.join(one.field for one in each.fields)}"
        for each in changes.changed
    ]
    for line in lines[:_CHANGED_SHOWN]:
        console().print(line)
    if len(lines) > _CHANGED_SHOWN:
        console().print(f"{len(lines) - _CHANGED_SHOWN} more: --json shows all, field by field.")


def print_hits(hits: "list[Hit]", limit: int) -> None:
    """Who may be meant, each with the score and the reasons, and what that is worth."""
    from subscribers.reference.reasons import reasons

    if not hits:
        console().print(
            "No name on the list is like this one. That clears nobody: lists lag, and names vary."
        )
        return
    for hit in hits[:limit]:
        born = "; ".join(each.text for each in hit.entry.born)
        about = ", ".join(filter(None, (hit.entry.kind, born and f"born {born}", *hit.entry.nationalities)))
        name = f"[bold]{escape(hit.entry.name)}[/]"
        console().print(f"[bold]{hit.score:>3}[/]  {hit.entry.reference}  {name}  {escape(about)}")
        console().print(f"     [dim]{escape('; '.join(reasons(hit)))}[/]")
    if len(hits) > limit:
        console().print(f"{len(hits) - limit} more: see them with --limit, or give more of the name.")
    console().print(f"[yellow]{_NOTE}[/]")

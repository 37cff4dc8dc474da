"""One list from several searches: bulletins that answer to any of them, each once, newest first."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from subscribers.records import Page, Record

REACH: Final = 100
"""So far back every search is read: what a node answers at once. The list ends there."""
Search = Callable[[str, int], Awaitable[Page]]
"""Asks for the newest bulletins with some words, so many at most."""


async def any_of(search: Search, sought: Sequence[str], limit: int, cursor: str | None) -> Page:
    """The newest of what each of `sought` finds; `cursor` is how many came before. How many there are in all
    is known where none is left out.
    """
    first = int(cursor or 0)
    if first >= REACH:
        return Page(items=[])
    pages = [await search(each, min(first + limit + 1, REACH)) for each in sought]
    found = {each.bulletin.id: each for page in pages for each in page.items}
    newest = sorted(found.values(), key=_received, reverse=True)
    left = any(page.cursor for page in pages)
    more = left or len(newest) > first + limit
    return Page(
        items=newest[first : first + limit],
        cursor=str(first + limit) if more else None,
        total=None if left else len(newest),
    )


def _received(record: Record) -> str:
    return record.received

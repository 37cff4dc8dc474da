"""The directory as the node keeps it, by parts that fit into one answer each."""

from typing import Final

from subscribers.api import DirectoryItem, DirectoryPage
from subscribers.storage.ledger import Ledger

ITEMS_MAX: Final = 200
"""Documents in one answer: at most 6.6 MB, escapes included."""


async def page(ledger: Ledger, after: int, *, memberships: bool) -> DirectoryPage:
    """What was taken in after the number `after`, in that order, with the newest checkpoint."""
    # What is there when this is asked covers the checkpoint that is kept now: so the checkpoint comes first.
    kept = ledger.vouched.kept
    rows = await ledger.store.query(
        "SELECT number, membership, data FROM directory WHERE number > ? AND membership <= ?"
        " ORDER BY number LIMIT ?",
        (after, int(memberships), ITEMS_MAX),
    )
    return DirectoryPage(
        items=[DirectoryItem(membership=bool(each[1]), data=each[2].decode()) for each in rows],
        next=rows[-1][0] if len(rows) == ITEMS_MAX else None,
        note=kept.note.to_bytes().decode() if kept else None,
    )

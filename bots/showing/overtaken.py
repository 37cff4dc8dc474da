"""Bulletins under the marking that they have by now: an amendment may raise that of what it amends, and what
was shown before is withheld then, wherever it is asked for.
"""

from collections.abc import Awaitable, Callable, Iterable

from bots.ports import NodeClient
from schemas.errors import Code, LiaisonError
from subscribers.records import Record

Find = Callable[[str], Awaitable[Record | None]]
"""A bulletin by its id; None for one that is not held."""


def marked_anew(record: Record, after: Record | None) -> Record:
    """`record` under the marking of its amendment, if that is higher; an amendment lowers nothing here."""
    if after is None or after.bulletin.tlp.rank <= record.bulletin.tlp.rank:
        return record
    raised = record.bulletin.model_copy(update={"tlp": after.bulletin.tlp})
    return record.model_copy(update={"bulletin": raised})


async def successor(record: Record, find: Find) -> Record | None:
    """What amended it last."""
    return await find(record.replaced_by) if record.state == "amended" and record.replaced_by else None


async def as_marked_now(records: Iterable[Record], find: Find) -> list[Record]:
    """The same bulletins under the markings that they have by now."""
    return [marked_anew(each, await successor(each, find)) for each in records]


def at(node: NodeClient) -> Find:
    """Finds at the node."""

    async def find(key: str) -> Record | None:
        try:
            return await node.show(key)
        except LiaisonError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            return None

    return find

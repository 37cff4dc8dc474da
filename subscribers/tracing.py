"""Traces of what a node and a bot do with bulletins, where the agency has switched them on (decision 0053).
Where not, each of these costs one look at that.

Times are this machine's, Unix milliseconds.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import structlog

from schemas.errors import Code, FormatError, OperationError
from schemas.frame import BULLETIN, parse_frame
from schemas.traces import Stage, Way
from subscribers.clock import now_ms
from subscribers.records import Record

if TYPE_CHECKING:
    from subscribers.collector import Collector
    from subscribers.exchange.batch import Piece
    from subscribers.storage.archive_rows import NewRecord

log = structlog.get_logger(__name__)

_END_SECONDS: Final = 5.0
_OPEN_MAX: Final = 4096


class _Switch:
    """Off while there is no collector. One for a process, like its log."""

    collector: "Collector | None" = None
    ratio = 1.0
    open: Final[dict[str, None]] = {}
    """Own bulletins that wait for their receipt, oldest first: of those of an earlier run nothing is told."""


@asynccontextmanager
async def exporting(
    url: str | None, ratio: float, service: str, patience: float = _END_SECONDS
) -> AsyncIterator[None]:
    """Send the share `ratio` of all traces to the collector at `url` while the block is entered, and what is
    left after it, for at most `patience` seconds; None: do nothing. OperationError `bad_settings`.
    """
    if url is None:
        yield
        return
    try:
        from subscribers.collector import Collector
    except ImportError:
        raise OperationError(
            Code.BAD_SETTINGS,
            "traces are switched on, and OpenTelemetry is not installed",
            "install Liaison with its extra `traces`, or unset TRACES_URL",
        ) from None
    collector = Collector(url, service)
    _Switch.collector, _Switch.ratio = collector, ratio
    log.info("traces are sent", ratio=ratio)
    try:
        yield
    finally:
        _Switch.collector = None
        _Switch.open.clear()
        await collector.close(patience)


def waiting() -> Collection[str]:
    """Our own bulletins whose receipt will be told of."""
    return _Switch.open


def begin() -> int | None:
    """Now, for who will say later what was done from here on; None while nobody wants to know."""
    return None if _Switch.collector is None else now_ms()


def note(
    stage: Stage,
    bulletin: str,
    begun: int | None,
    ended: int | None = None,
    number: int = 0,
    **facts: str | int,
) -> None:
    """A stage of a bulletin's way, which began at `begun` (`begin`) and ended now, or at `ended`."""
    collector = _Switch.collector
    if collector is None or begun is None:
        return
    way = Way(bulletin, collector.place)
    if way.sampled(_Switch.ratio):
        end = now_ms() if ended is None else ended
        collector.take(way.span(stage, begun, end, facts, number))


def journaled(bulletin: str, begun: int | None) -> None:
    """A bulletin of our own is sealed, and on disk."""
    if begun is not None:
        note(Stage.JOURNALED, bulletin, begun)
        _Switch.open[bulletin] = None
        if len(_Switch.open) > _OPEN_MAX:
            del _Switch.open[next(iter(_Switch.open))]


def sending(stored: "asyncio.Task[None]", raw: bytes) -> None:
    """A submission of ours is on its way to the intake; `stored` ends when it is there."""
    if (begun := begin()) is None:
        return

    def there(task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is None:
            note(Stage.SENT, header.id, begun, bytes=len(raw))

    with suppress(FormatError):  # wraps are no frames
        if (header := parse_frame(raw).header).k == BULLETIN:
            stored.add_done_callback(there)


def settled(bulletin: str, code: str) -> None:
    """The hub has answered for something of ours: of a bulletin, all is told."""
    if bulletin in _Switch.open:
        del _Switch.open[bulletin]
        note(Stage.BULLETIN, bulletin, Way(bulletin).begun, code=code)


def committed(records: "Iterable[tuple[NewRecord, Piece]]", begun: int | None) -> None:
    """Bulletins that came at `begun`, each in its frame, are in the archive."""
    for record, piece in records if begun is not None else ():
        bulletin, opened = record.bulletin.id, record.received
        note(Stage.RECEIVED, bulletin, begun, bytes=len(piece.data), sequence=piece.sequence)
        note(Stage.OPENED, bulletin, begun, opened)
        note(Stage.COMMITTED, bulletin, opened)


def republished(records: Iterable[Record], begun: int | None) -> None:
    """The agency's own systems have these; they have been given them since `begun`."""
    for each in records if begun is not None else ():
        note(Stage.REPUBLISHED, each.bulletin.id, begun)

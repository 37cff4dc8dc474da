"""Traces of what the hub does with bulletins, where the operator has switched them on (decision 0053). Where
not, a batch costs one look at that.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import structlog

from hub.settlement import Judged
from schemas.errors import Code, OperationError
from schemas.frame import BULLETIN
from schemas.receipts import ADMITTED
from schemas.traces import Span, Stage, Way

if TYPE_CHECKING:
    from hub.collector import Collector

_log = structlog.get_logger(__name__)

_SERVICE: Final = "liaison-hub"
_END_SECONDS: Final = 5.0


class _Switch:
    """Off while there is no collector. One for a process, like its log."""

    collector: "Collector | None" = None
    ratio = 1.0


@asynccontextmanager
async def exporting(url: str | None, ratio: float, patience: float = _END_SECONDS) -> AsyncIterator[None]:
    """Send the share `ratio` of all traces to the collector at `url` while the block is entered, and what is
    left after it, for at most `patience` seconds; None: do nothing. OperationError `bad_settings`.
    """
    if url is None:
        yield
        return
    try:
        from hub.collector import Collector
    except ImportError:
        raise OperationError(
            Code.BAD_SETTINGS,
            "traces are switched on, and OpenTelemetry is not installed",
            "install Liaison with its extra `traces`, or unset traces_url",
        ) from None
    collector = Collector(url, _SERVICE)
    _Switch.collector, _Switch.ratio = collector, ratio
    _log.info("traces are sent", ratio=ratio)
    try:
        yield
    finally:
        _Switch.collector = None
        await collector.close(patience)


def notes() -> list[Judged] | None:
    """Where to note what is judged, for `stored`; None while nobody wants to know."""
    return None if _Switch.collector is None else []


def stored(judged: Iterable[Judged] | None, now: int) -> None:
    """These are answered, and what was admitted of them is written, at `now` (Unix ms)."""
    collector = _Switch.collector
    if judged is None or collector is None:
        return
    for each in judged:
        for span in spans(each, now, collector.place, _Switch.ratio):
            collector.take(span)


def spans(judged: Judged, now: int, place: bytes, ratio: float) -> list[Span]:
    """What is told of one submission; nothing of what is no bulletin, or not among the share. Pure."""
    opened = judged.submission.opened
    if opened is None or opened.frame.header.k != BULLETIN:
        return []
    way = Way(opened.frame.header.id, place)
    if not way.sampled(ratio):
        return []
    mark, size = judged.submission.mark, len(opened.frame.raw)
    came = mark.time // 1000
    found = [
        way.span(Stage.INTAKE, came, now, {"sequence": mark.sequence, "bytes": size}),
        way.span(Stage.ADMISSION, came, judged.at, {"code": judged.code}),
    ]
    if judged.code == ADMITTED:
        found.append(way.span(Stage.STORED, judged.at, now, {}))
    return found

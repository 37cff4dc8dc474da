"""Logs: fixed event strings with key-values, JSON in production, colours in a terminal. Always on stderr.

No frame, no key and no text of anybody goes into a log line: callers pass ids, codes, counts and sizes.
"""

import contextlib
import logging
import sys
from typing import Literal, TextIO, cast

import structlog


class _Unfailing:
    """A stream that takes what it can: whoever has something to say goes on, though the disk that the lines
    go to is full, or nobody reads them any more.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """The text, or none of it."""
        with contextlib.suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        """What is still to be written, if that can be."""
        with contextlib.suppress(OSError):
            self._stream.flush()


def configure(style: Literal["auto", "json", "console"] = "auto", level: str = "info") -> None:
    """Set structlog up for this process. `auto` is colours when stderr is a terminal, else JSON."""
    pretty = style == "console" or (style == "auto" and sys.stderr.isatty())
    renderer = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if pretty
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Unfailing(sys.stderr))),
        cache_logger_on_first_use=False,
    )

"""Logs: fixed event strings with key-values, JSON in production, colours in a terminal. Always on stderr.

No frame, no key and no text of anybody goes into a log line: callers pass ids, codes, counts and sizes.
"""

import logging
import sys
from typing import Literal

import structlog


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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )

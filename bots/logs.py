"""Logs as in the rest of the agency's side, and quiet libraries."""

import logging
import sys
from typing import Literal

from schemas.errors import LiaisonError
from subscribers import log


def configure(style: Literal["auto", "json", "console"], level: str) -> None:
    """Set up logging, on stderr: stdout belongs to what was asked for.

    The libraries put whole requests and updates into their messages, which hold what officers wrote: they
    are silent, and what they would tell is told by us without the texts.
    """
    log.configure(style, level)
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr, force=True)


def known(error: BaseException) -> LiaisonError | None:
    """The refusal in an error or in a group of errors, if there is one."""
    if isinstance(error, LiaisonError):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next((found for each in error.exceptions if (found := known(each))), None)
    return None

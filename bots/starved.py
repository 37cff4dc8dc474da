"""A full disk does not end the bot: it begins again until there is room.

It stops as a kill would stop it, so that nothing is lost, and nothing is answered that was not kept.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from bots.clock import Clock
from schemas.errors import Code, OperationError

PAUSE_SECONDS: Final = 2.0

_log = structlog.get_logger()


async def outlasted(work: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Do the work, again after each time that it ended for want of room alone. Raises whatever else ends
    it.
    """
    while True:
        try:
            return await work()
        except (OperationError, ExceptionGroup) as error:
            if not _for_want_of_room(error):
                raise
        _log.warning("no room on the disk: the bot begins again", seconds=PAUSE_SECONDS)
        await clock.sleep(PAUSE_SECONDS)


def _for_want_of_room(error: Exception) -> bool:
    if isinstance(error, ExceptionGroup):
        return all(map(_for_want_of_room, error.exceptions))
    return isinstance(error, OperationError) and error.code is Code.DISK_FULL

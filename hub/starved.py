"""A nats-server whose disk was full.

A block of a stream that it once could not write it refuses for good, and everything behind it: whoever frees
the disk finds a server that answers nothing. So it is ended when there is room again, and its supervisor
starts it anew on what is on the disk.
"""

import asyncio
import contextlib
import shutil
from asyncio.subprocess import Process
from pathlib import Path
from typing import Final

import structlog

_log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 1.0
_STARVED: Final = 16 * 1024 * 1024
"""Bytes free below which a write may have failed: more than a batch has."""
_ROOM: Final = 4 * _STARVED


async def until_ended(process: Process, directory: Path) -> int:
    """The exit status of a server with its files in `directory`, which is ended when its disk was full and is
    no longer.
    """
    starved = False
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                return await process.wait()
        with contextlib.suppress(OSError):  # a disk that does not even tell
            free = shutil.disk_usage(directory).free
            starved = starved or free < _STARVED
            if starved and free >= _ROOM:
                _log.warning("the nats server's disk was full; it is started anew", free=free)
                starved = False
                process.terminate()

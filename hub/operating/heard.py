"""When endpoints were last answered, whichever hub of a cluster did it: from their newest receipt in
TRAFFIC.
"""

import asyncio
from collections.abc import Collection
from typing import Final

from nats.aio.client import Client

from hub.grants import TRAFFIC
from hub.jetstream import ABSENT, JetStreamRefused, api
from schemas.encoding import from_instant
from schemas.subjects import receipts_for

_AT_ONCE: Final = 16
_SECONDS: Final = len("2026-01-31T08:30:00")


async def last_answered(nc: Client, publics: Collection[str]) -> dict[str, int]:
    """Unix ms by endpoint; those that have no receipt are left out. Raises as `api`."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(public: str) -> int:
        async with gate:
            try:
                found = await api(nc, f"STREAM.MSG.GET.{TRAFFIC}", {"last_by_subj": receipts_for(public)})
            except JetStreamRefused as refused:
                if refused.reason not in ABSENT:
                    raise
                return 0
        return from_instant(found["message"]["time"][:_SECONDS] + "Z")

    times = await asyncio.gather(*map(one, publics))
    return {public: at for public, at in zip(publics, times, strict=True) if at}

"""Work that is cancelled while the disk has its commit, as by a lost connection."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from subscribers.storage.store import Store


async def cut_short(store: Store, work: Coroutine[Any, Any, object]) -> None:
    """Run `work` and cancel it within its first commit, which goes through all the same."""
    loop, tasks = asyncio.get_running_loop(), list[asyncio.Task[object]]()

    def cut() -> bool:
        for each in tasks:
            loop.call_soon_threadsafe(each.cancel)
        return False

    await store.transact(lambda connection: connection.set_commit_hook(cut))
    tasks.append(asyncio.create_task(work))
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    await store.transact(lambda connection: connection.set_commit_hook(None))

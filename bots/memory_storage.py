"""aiogram's conversation storage over the bot's database: half-made menus survive a restart."""

from collections.abc import Mapping
from typing import Any

from aiogram.fsm.state import State as FsmState
from aiogram.fsm.storage.base import BaseStorage, StateType, StorageKey

from bots.state.memory import Memory


class MemoryStorage(BaseStorage):
    """`BaseStorage` over `bots.state.memory.Memory`."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        """See `BaseStorage`."""
        await self._memory.set_state(_key(key), state.state if isinstance(state, FsmState) else state)

    async def get_state(self, key: StorageKey) -> str | None:
        """See `BaseStorage`."""
        return await self._memory.state(_key(key))

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        """See `BaseStorage`."""
        await self._memory.set_data(_key(key), data)

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """See `BaseStorage`."""
        return await self._memory.data(_key(key))

    async def close(self) -> None:
        """The database is closed by whoever opened it."""


def _key(key: StorageKey) -> str:
    return f"fsm:{key.bot_id}:{key.chat_id}:{key.user_id}:{key.destiny}"

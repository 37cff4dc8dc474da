"""Where a conversation stands: half-made menus survive a restart."""

import json
from collections.abc import Mapping
from typing import Any

from subscribers.storage.store import Store


class Memory:
    """A state name and a JSON object for each conversation key."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def state(self, key: str) -> str | None:
        """The state's name."""
        rows = await self._store.query("SELECT state FROM memory WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    async def set_state(self, key: str, state: str | None) -> None:
        """Change the state, keep the data."""
        async with self._store.write() as tx:
            await tx.execute(
                "INSERT INTO memory (key, state) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET state = excluded.state",
                (key, state),
            )

    async def data(self, key: str) -> dict[str, Any]:
        """The data; empty when there is none."""
        rows = await self._store.query("SELECT data FROM memory WHERE key = ?", (key,))
        return dict(json.loads(rows[0][0])) if rows else {}

    async def set_data(self, key: str, data: Mapping[str, Any]) -> None:
        """Replace the data, keep the state."""
        async with self._store.write() as tx:
            await tx.execute(
                "INSERT INTO memory (key, data) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET data = excluded.data",
                (key, json.dumps(dict(data))),
            )

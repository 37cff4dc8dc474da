"""Who is told when all that a chat showed has been taken back: kept until it is done, also over restarts."""

import json
from dataclasses import astuple, dataclass
from typing import Final

from subscribers.storage.store import Store

_KEY: Final = "parting:"


@dataclass(frozen=True, slots=True)
class Parting:
    """The chat of `name`, who was shut out by the officer `by` at `at` (Unix seconds); `missed` messages
    could not be taken back. `of` is the number of who was shut out, 0 where it was not noted; `stay` are
    the officer's own messages that are too old to be, and `enrolled` is when that phone was (Unix seconds), 0
    where it was not noted.
    """

    chat: int
    by: int
    name: str
    at: float
    missed: int = 0
    of: int = 0
    stay: int = 0
    enrolled: float = 0.0


class Partings:
    """Rows of the table of memories."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def begin(self, parting: Parting) -> None:
        """From now on, until `end`."""
        fields = [*astuple(parting)[1:]]
        async with self._store.write() as tx:
            await tx.execute(
                "INSERT INTO memory (key, data) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET data = excluded.data",
                (f"{_KEY}{parting.chat}", json.dumps(fields)),
            )

    async def missed(self, chat: int, number: int) -> None:
        """So many of its messages could not be taken back."""
        async with self._store.write() as tx:
            await tx.execute(
                "UPDATE memory SET data = json_set(data, '$[3]', json_extract(data, '$[3]') + ?)"
                " WHERE key = ?",
                (number, f"{_KEY}{chat}"),
            )

    async def done(self) -> list[Parting]:
        """Those with nothing left to take back."""
        rows = await self._store.query(
            "SELECT key, data FROM memory WHERE key GLOB ? AND NOT EXISTS"
            " (SELECT 1 FROM farewells WHERE chat = CAST(substr(key, ?) AS INTEGER))",
            (f"{_KEY}*", len(_KEY) + 1),
        )
        return [Parting(int(key.removeprefix(_KEY)), *json.loads(data)) for key, data in rows]

    async def end(self, chat: int) -> None:
        """It was told of."""
        async with self._store.write() as tx:
            await tx.execute("DELETE FROM memory WHERE key = ?", (f"{_KEY}{chat}",))

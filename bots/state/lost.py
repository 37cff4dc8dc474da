"""Phones that were shut out: when."""

from subscribers.storage.store import Store


class Lost:
    """What is asked about them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def shut_out_at(self, name: str) -> float | None:
        """When a phone of the officer of that name was last shut out, in chat or by command (Unix seconds);
        None when that never was, or is kept no longer.
        """
        rows = await self._store.query(
            "SELECT max(at) FROM audit WHERE object = ? AND object != ''"
            " AND (outcome = 'shut_out' OR verb = 'officer lost')",
            (name,),
        )
        return rows[0][0] / 1000 if rows[0][0] is not None else None

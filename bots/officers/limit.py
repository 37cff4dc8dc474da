"""Lowering the release ceiling in chat.

It takes effect at once and outlives restarts. Nothing in chat raises it again, for a phone may be stolen:
that is done on the agency's machine (`liaison-bot ceiling --restore`), up to what the settings say.
"""

from dataclasses import replace
from typing import Final

from bots.showing.release import Ceiling
from bots.state.memory import Memory
from schemas.vocabulary import Tlp

_KEY: Final = "ceiling"


def lowest(settings: Tlp, lowered: str | None) -> Tlp:
    """The highest marking that is shown in full: the settings', or what it was lowered to. Pure."""
    if lowered is None or lowered not in set(Tlp) or Tlp(lowered).rank >= settings.rank:
        return settings
    return Tlp(lowered)


class Limit:
    """Holds the shared `ceiling` to what the settings said and what was lowered since."""

    def __init__(self, ceiling: Ceiling, memory: Memory) -> None:
        self.ceiling = ceiling
        self.settings = replace(ceiling)
        self._memory = memory

    async def refresh(self) -> None:
        """Take up what the database says now: another process may have changed it."""
        lowered = (await self._memory.data(_KEY)).get("full")
        self.ceiling.full = lowest(self.settings.full, lowered)

    async def lower(self, full: Tlp) -> bool:
        """Show nothing above `full` in full from now on; whether that is lower than before. Nothing is
        raised.
        """
        await self.refresh()
        if full.rank >= self.ceiling.full.rank:
            return False
        await self._memory.set_data(_KEY, {"full": full.value})
        await self.refresh()
        return True

    async def restore(self) -> None:
        """What was lowered is forgotten."""
        await self._memory.set_data(_KEY, {})
        await self.refresh()

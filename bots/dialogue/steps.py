"""Where an officer's conversation stands: half-made menus survive a restart."""

from dataclasses import dataclass
from typing import Any

from bots.state.memory import Memory
from bots.state.officers import Officer


@dataclass(frozen=True, slots=True)
class Steps:
    """One officer's conversation: the name of its state, and what has been chosen so far."""

    memory: Memory
    officer: Officer

    async def at(self) -> str | None:
        """The state; None outside a conversation."""
        return await self.memory.state(self._key)

    async def go(self, state: str) -> None:
        """Change the state; what was chosen stays."""
        await self.memory.set_state(self._key, state)

    async def data(self) -> dict[str, Any]:
        """What was chosen; JSON values."""
        return await self.memory.data(self._key)

    async def keep(self, **chosen: Any) -> None:  # noqa: ANN401 - any JSON value
        """Add to what was chosen."""
        await self.memory.set_data(self._key, {**await self.data(), **chosen})

    async def aside(self, state: str) -> None:
        """Ask something in between; `back` leads to where the conversation stood."""
        at, before = await self.at(), (await self.data()).get("aside", [])
        if at != state and (not before or before[-1] != at):
            await self.keep(aside=[*before, at])
        await self.go(state)

    async def back(self) -> None:
        """What was asked in between is done with: where the conversation stood, or its end."""
        before = (await self.data()).get("aside", [])
        if not before or before[-1] is None:
            await self.end()
            return
        await self.keep(aside=before[:-1])
        await self.go(before[-1])

    async def end(self) -> None:
        """The conversation is over, and what was chosen in it forgotten."""
        await self.memory.set_state(self._key, None)
        await self.memory.set_data(self._key, {})

    @property
    def _key(self) -> str:
        return f"steps:{self.officer.id}"

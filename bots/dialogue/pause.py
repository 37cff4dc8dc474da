"""For how long plain words are not looked for, after somebody began what may not be in the chat: they may go
on and type it. Kept is a time, and nothing that was typed.
"""

from typing import Final

from bots.state.memory import Memory
from bots.state.officers import Officer

PAUSE_SECONDS: Final = 600.0


async def begin(memory: Memory, officer: Officer, now: float) -> None:
    """From `now` (Unix seconds) on."""
    await memory.set_data(_key(officer), {"until": now + PAUSE_SECONDS})


async def end_of(memory: Memory, officer: Officer, now: float) -> float | None:
    """When it ends (Unix seconds); None when there is none at `now`. A clock that was turned back makes none
    longer.
    """
    until = float((await memory.data(_key(officer))).get("until", 0.0))
    return until if now < until <= now + PAUSE_SECONDS else None


def _key(officer: Officer) -> str:
    return f"pause:{officer.id}"

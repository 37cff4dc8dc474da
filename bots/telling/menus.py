"""Each officer's menu of commands follows their role and language, however these were given: in chat, by a
command on the agency's machine, or while the bot was not running.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from bots.clock import Clock
from bots.officers.roles import Role
from bots.state import State
from bots.state.officers import Officer
from schemas.vocabulary import Language

LOOK: Final = 5.0
"""Seconds between two looks: another process may have changed a role."""
Shown = tuple[int | None, Role, Language]


class Menus:
    """`run` until cancelled. `announce` gives an officer's chat its menu: whether it has arrived, or never
    will.
    """

    def __init__(self, state: State, clock: Clock, announce: Callable[[Officer], Awaitable[bool]]) -> None:
        self._state = state
        self._clock = clock
        self._announce = announce
        self._shown: dict[int, Shown] = {}

    async def run(self) -> None:
        """For ever; at the start for everybody, as there may be other commands than before."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK)

    async def look(self) -> None:
        """Give their menu to those who have another role or language, or another chat, than at the last
        look.
        """
        for each in await self._state.officers.all():
            wanted = (each.chat, each.role, each.language)
            if each.standing != "enrolled" or self._shown.get(each.id) == wanted:
                continue
            if await self._announce(each):
                self._shown[each.id] = wanted

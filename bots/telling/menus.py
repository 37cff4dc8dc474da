"""Each officer's menu of commands follows their role and language, however these were given: in chat, by a
command on the agency's machine, or while the bot was not running.
"""

import json
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, Final

from bots.clock import Clock
from bots.dialogue.screens import commands
from bots.officers.roles import RIGHTS, Role
from bots.state import State
from bots.state.officers import Officer
from bots.wording.words import words
from schemas.vocabulary import Language

LOOK: Final = 5.0
"""Seconds between two looks: another process may have changed a role."""
_KEY: Final = "menus"


class Menus:
    """`run` until cancelled. `announce` gives an officer's chat its menu: whether it has arrived, or never
    will. `room`: there is a reading room. What each chat was given is kept over a restart, which must not
    cost a request for every officer before alerts go out.
    """

    def __init__(
        self, state: State, clock: Clock, announce: Callable[[Officer], Awaitable[bool]], *, room: bool
    ) -> None:
        self._state = state
        self._clock = clock
        self._announce = announce
        self._room = room
        self._given: dict[str, Any] | None = None
        self._menus: dict[tuple[Role, Language], str] = {}

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK)

    async def look(self) -> None:
        """Give their menu to those for whom it is another one, or another chat, than when it was given."""
        if self._given is None:
            self._given = await self._state.memory.data(_KEY)
        before = dict(self._given)
        for each in await self._state.officers.all():
            wanted, key = [each.chat, self._menu(each)], str(each.id)
            if each.standing != "enrolled" or self._given.get(key) == wanted:
                continue
            if await self._announce(each):
                self._given[key] = wanted
        if self._given != before:
            await self._state.memory.set_data(_KEY, self._given)

    def _menu(self, officer: Officer) -> str:
        """What tells one menu from another: there may be other commands after an update."""
        of = (officer.role, officer.language)
        if of not in self._menus:
            listed = commands(words(officer.language), RIGHTS[officer.role], room=self._room)
            self._menus[of] = sha256(json.dumps(listed).encode()).hexdigest()[:16]
        return self._menus[of]

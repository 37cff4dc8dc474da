"""`liaison-bot chat`: the bot's handlers in a terminal, until the end of what is typed."""

import asyncio
import contextlib
import getpass
import io
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from typing import Final

import uvloop

from bots.clock import SystemClock
from bots.dialogue import screens
from bots.dialogue.asking import Pressed, Typed, meant
from bots.dialogue.reception import Reception
from bots.doors.terminal.lines import handed, joined, piped, prompted
from bots.doors.terminal.paper import Paper, Plain, Styled
from bots.doors.terminal.screen import Screen
from bots.house import Edges, Front, House
from bots.officers.roles import Role
from bots.process import node_settings, only_one
from bots.settings import BotSettings
from bots.state import State
from bots.state.officers import Officer
from bots.state.seat import seat
from bots.telling.pacing import Pacer, Rate, Rates
from bots.wording.words import closest, words
from subscribers.client import Agency
from subscribers.local import Role as ClientRole

UNLIMITED: Final = Rate(1_000_000.0, 1_000_000.0)
"""A terminal takes whatever comes."""
SETTLE_SECONDS: Final = 0.05
_NUMBERS: Final = range(100_000, 1_000_000)
"""Officers at terminals have numbers by chance: other agencies must not take one for an officer in chat."""
_ROLES: Final = {ClientRole.ADMIN: Role.ADMINISTRATOR, ClientRole.PUBLISHER: Role.RELEASER}
"""What a local client of the node may do, as officers' roles."""


def run_chat(settings: BotSettings, name: str | None) -> None:
    """Talk with the officer of this name (the login's without one) until the end of what is typed, SIGTERM or
    SIGINT. Raises OperationError.
    """
    uvloop.run(_run(settings, name or getpass.getuser()))


async def _run(settings: BotSettings, name: str) -> None:
    async with (
        await State.open(settings.state) as state,
        only_one(settings.state),
        Agency.open(node_settings(settings)) as agency,
    ):
        role = _ROLES.get(agency.role, Role.READER)
        officer = await seat(
            state,
            name,
            role,
            number=secrets.choice(_NUMBERS),
            language=closest((os.environ.get("LC_ALL") or os.environ.get("LANG", "")).replace("_", "-")),
            zone=settings.zone,
            now=SystemClock().now(),
        )
        await _talk(settings, state, Edges(agency), officer)


async def _talk(settings: BotSettings, state: State, edges: Edges, officer: Officer) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    paper, person = _paper(stop), sys.stdin.isatty() and sys.stdout.isatty()
    screen = Screen(paper, edges.clock)
    front = Front(
        chat=screen,
        courier=screen,
        pacer=Pacer(Rates(UNLIMITED, UNLIMITED, UNLIMITED)),
        name="terminal",
        announce=_nothing_to_announce,
        within=True,
        door="terminal",
    )
    house = House(settings, state, edges, front)
    typed = prompted(house.book.commands) if person else piped(sys.stdin.fileno())
    if person:
        say = words(officer.language)
        hint = say.text(
            "Type a command, words, or the number of a button. {key} ends.", key=say.embed("Ctrl-D")
        )
        paper.write(screens.plain_answer(hint, officer.language).parts[0].spans)
    counter = Counter(house.reception, screen, state, officer.id)
    await house.run(stop, _converse(counter, state, edges, typed, stop))


async def _converse(
    counter: "Counter", state: State, edges: Edges, typed: AsyncIterator[str], stop: asyncio.Event
) -> None:
    """Every line answered before the next; at the end, what was ordered is still delivered."""
    async with contextlib.aclosing(joined(typed)) as lines:  # type: ignore[type-var]
        async for line in lines:
            await counter.take(line)
    while await state.outbox.candidates(edges.clock.now(), (), 1) and not stop.is_set():
        await edges.clock.sleep(SETTLE_SECONDS)
    stop.set()


class Counter:
    """Where a line becomes a question: a number that is shown presses its button, everything else is typed.

    A line that begins with a blank is typed whatever it says; `@PATH` sends a file.
    """

    def __init__(self, reception: Reception, screen: Screen, state: State, officer: int) -> None:
        self._reception = reception
        self._screen = screen
        self._state = state
        self._officer = officer

    async def take(self, line: str) -> None:
        """Answer one line; an empty one asks nothing."""
        number = int(line) if line.isascii() and line.isdecimal() and len(line) < 10 else 0  # noqa: PLR2004
        if self._screen.was_shown(number):
            await self._press(number)
        elif line.strip():
            file = await asyncio.to_thread(handed, line)
            text = "" if file else line.strip()
            typed = Typed(self._officer, self._officer, self._screen.fresh(), text, file=file)
            await self._reception.typed(typed)

    async def _press(self, number: int) -> None:
        if place := self._screen.place(number):
            pressed = Pressed(
                meant(place.data), self._officer, self._officer, place.message, str(number), place.rows
            )
            await self._reception.pressed(pressed)
            return
        if officer := await self._state.officers.get(self._officer):
            text = words(officer.language).text("There is no button {number} any more.", number=number)
            await self._screen.toast(str(number), text)


def _paper(stop: asyncio.Event) -> Paper:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal of another encoding shows what it can
    if not sys.stdout.isatty():
        return Plain(sys.stdout, stop.set)
    from rich.console import Console

    return Styled(Console())


async def _nothing_to_announce(_: Officer) -> bool:
    """A terminal has no menu of commands: Tab completes them."""
    return True

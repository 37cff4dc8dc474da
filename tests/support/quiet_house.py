"""The whole bot behind a door that nobody looks through, for conversations without a chat service."""

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import override

from bots.clock import SystemClock
from bots.dialogue.asking import Pressed, Typed, meant
from bots.drafting.policy import TwoPersons
from bots.house import Edges, Front, House
from bots.officers.roles import Role
from bots.settings import BotSettings
from bots.showing.rendered import Part, Rows
from bots.state import State
from bots.telling.pacing import Pacer, Rate, Rates
from schemas.vocabulary import Language, Tlp
from tests.support.node import DirectNode
from tests.support.officers_bot import invite
from tests.support.quiet_door import QuietDoor

QUICK = Rate(1_000_000.0, 1_000_000.0)


class Watch(SystemClock):
    """A clock that is put forward."""

    ahead = 0.0

    @override
    def now(self) -> float:
        return super().now() + self.ahead


@dataclass
class Door(QuietDoor):
    """Keeps what is answered."""

    sent: list[tuple[str, Rows]] = field(default_factory=list)
    toasts: list[str] = field(default_factory=list)

    @override
    async def send(
        self, chat: int, part: Part, *, rows: Rows, protect: bool, silent: bool, reply_to: int | None
    ) -> int:
        self.sent.append((part.plain, rows))
        return self.next_number()

    @override
    async def edit(self, chat: int, message: int, part: Part, *, rows: Rows) -> None:
        self.sent.append((part.plain, rows))

    @override
    async def toast(self, press: str, text: str = "") -> None:
        self.toasts.append(text)


@dataclass
class Stage:
    """One officer, Ed, and what the door was given last."""

    state: State
    door: Door
    house: House
    node: DirectNode
    clock: Watch

    async def asks(self, text: str) -> str:
        """What is answered, all of it."""
        self.door.sent.clear()
        await self.house.reception.typed(Typed(9, 9, 1, text))
        return "\n".join(text for text, _ in self.door.sent)

    async def presses(self, data: str, rows: Rows = ()) -> str:
        """What is answered to a button, which hangs with `rows`."""
        self.door.sent.clear()
        await self.house.reception.pressed(Pressed(meant(data), 9, 9, 1, "9", rows))
        return "\n".join(text for text, _ in self.door.sent)

    def button(self, label: str) -> str:
        """The data of a button that was just shown; '' when there is none."""
        buttons = [each for _, rows in self.door.sent for row in rows for each in row]
        return next((each.data for each in buttons if label in each.text), "")

    async def kept(self) -> str:
        """Everything that is kept."""
        tables = await self.state.store.query("SELECT name FROM sqlite_schema WHERE type = 'table'")
        rows = [await self.state.store.query(f'SELECT * FROM "{name}"') for (name,) in tables]  # noqa: S608 - its own tables
        return str(rows)


@contextlib.asynccontextmanager
async def staged(
    folder: Path,
    full: Tlp = Tlp.GREEN,
    *,
    role: Role = Role.ADMINISTRATOR,
    stub: Tlp = Tlp.RED,
    un_list: Path | None = None,
    room: str = "",
    node: DirectNode | None = None,
    again: bool = False,
    two: TwoPersons = TwoPersons.OFF,
    within: bool = False,
) -> AsyncIterator[Stage]:
    """Ed asks; the ceiling is `full`, with stubs up to `stub`. `again`: there was a bot here before;
    `within`: at a terminal.
    """
    node, door, clock = node or DirectNode(), Door(), Watch()
    async with await State.open(folder / "state") as state:
        if not again:
            code = await invite(state, "Ed", role=role)
            await state.officers.enrol(code, chat=9, person=9, language=Language.ENGLISH, now=time.time())

        async def announced(_: object) -> bool:
            return True

        made = BotSettings(
            state=folder / "state",
            asking_rate=1_000.0,
            asking_burst=1_000,
            ceiling=full,
            stub_ceiling=stub,
            un_list=un_list,
            room_origin=room,
            two_person_release=two,
        )
        pacer = Pacer(Rates(QUICK, QUICK, QUICK))
        front = Front(door, door, pacer, "bot", announced, within=within)
        house = House(made, state, Edges(node, clock), front)
        yield Stage(state, door, house, node, clock)

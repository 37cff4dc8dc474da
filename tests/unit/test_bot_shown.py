"""Nothing that shows a bulletin leaves before the audit knows of it: every command is asked, every button
that comes is pressed, and what comes by itself is looked at too.
"""

import asyncio
import contextlib
import re
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typing_extensions import override

from bots.dialogue.asking import Pressed, Typed, meant
from bots.house import Edges, Front, House
from bots.officers.audited import VERBS
from bots.officers.roles import Role
from bots.searches.watching import Search
from bots.settings import BotSettings
from bots.showing.rendered import Part, Rows
from bots.state import State
from bots.state.officers import Officer
from bots.telling.pacing import Pacer, Rate, Rates
from schemas.vocabulary import Language
from tests.support.node import DirectNode
from tests.support.node_api import make_record
from tests.support.officers_bot import invite
from tests.support.quiet_door import QuietDoor
from tests.support.world import eventually

QUICK = Rate(1_000_000.0, 1_000_000.0)
REF = re.compile(r"FRA-2026-10[0-9]{2}")
"""References of the bulletins here, and of no example in a help text."""
AUDIT = {"/audit", "button audit"}
"""What the audit shows it has written down before: looking at it makes it no longer."""
PRESSES_MAX = 250
RECORDS = [
    make_record(1001, tlp="TLP:GREEN", title="Drone over the stadium", summary="A drone.", body="Much more."),
    make_record(1002, tlp="TLP:AMBER", title="Amber"),
    make_record(1003, tlp="TLP:RED", title="Red"),
    make_record(1004, tlp="TLP:CLEAR", title="A drone again", severity="flash"),
    *(make_record(number, tlp="TLP:GREEN", title=f"Drone {number}") for number in range(1005, 1011)),
]


@dataclass
class Door(QuietDoor):
    """Looks into the audit whenever something leaves."""

    state: State
    sent: list[tuple[int, int, Part, Rows]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    seen: set[tuple[int, str]] = field(default_factory=set)
    since: int = 0
    """The audit's newest entry before what is asked now: what was shown earlier counts for nothing."""

    @override
    async def send(
        self, chat: int, part: Part, *, rows: Rows, protect: bool, silent: bool, reply_to: int | None
    ) -> int:
        await self._look(chat, part.plain, rows)
        self.sent.append((chat, self.next_number(), part, rows))
        return self.number

    @override
    async def picture(
        self, chat: int, png: bytes, caption: Part, *, rows: Rows, protect: bool, silent: bool
    ) -> int:
        return await self.send(chat, caption, rows=rows, protect=protect, silent=silent, reply_to=None)

    @override
    async def edit(self, chat: int, message: int, part: Part, *, rows: Rows) -> None:
        await self._look(chat, part.plain, rows)
        self.sent.append((chat, message, part, rows))

    @override
    async def toast(self, press: str, text: str = "") -> None:
        await self._look(int(press.split("-", maxsplit=1)[0]), text)

    async def _look(self, chat: int, text: str, rows: Rows = ()) -> None:
        officer = await self.state.officers.by_person(chat)
        texts = [text, *(button.text for row in rows for button in row)]
        if not (found := REF.findall("\n".join(texts))):
            return
        acts = [each.act for each in await self.state.audit.all(after=self.since)]
        known = {act.object for act in acts if officer and act.officer == officer.id}
        self.seen |= {(officer.id if officer else 0, ref) for ref in known}
        if not known.issuperset(found) and not any(act.verb in AUDIT for act in acts):
            self.unknown.append("\n".join(texts))


@dataclass
class Stage:
    state: State
    door: Door
    house: House
    node: DirectNode
    officer: Officer

    async def says(self, text: str) -> None:
        await self._from_now_on()
        await self.house.reception.typed(Typed(9, 9, 1, text))

    async def presses(self, data: str, message: int, rows: Rows) -> None:
        await self._from_now_on()
        await self.house.reception.pressed(Pressed(meant(data), 9, 9, message, f"9-{data}", rows))

    async def _from_now_on(self) -> None:
        self.door.since = (await self.state.audit.head())[0]


@contextlib.asynccontextmanager
async def stage(folder: Path, role: Role) -> AsyncIterator[Stage]:
    node = DirectNode()
    async with await State.open(folder / "state") as state:
        code = await invite(state, "Ed", role=role)
        officer = await state.officers.enrol(
            code, chat=9, person=9, language=Language.ENGLISH, now=time.time()
        )
        assert officer is not None
        await state.officers.subscribe(officer.id, Search())
        door = Door(state)
        pacer = Pacer(Rates(QUICK, QUICK, QUICK))

        async def announced(_: Officer) -> bool:
            return True

        settings = BotSettings(state=folder / "state", asking_rate=1_000.0, asking_burst=1_000)
        courier = Door(state, door.sent, door.unknown, door.seen)  # what comes by itself comes at any time
        courier.number = 1_000_000
        house = House(settings, state, Edges(node), Front(door, courier, pacer, "bot", announced))
        stop = asyncio.Event()
        running = asyncio.create_task(house.run(stop))
        try:
            yield Stage(state, door, house, node, officer)
        finally:
            stop.set()
            await running


async def all_told(door: Door) -> bool:
    told = {ref for _, _, part, _ in door.sent for ref in REF.findall(part.plain)}
    return told >= {each.bulletin.ref for each in RECORDS}


@pytest.mark.parametrize("role", [Role.READER, Role.ADMINISTRATOR])
async def test_every_answer_is_written_down_before_it_leaves(tmp_path: Path, role: Role) -> None:
    async with stage(tmp_path, role) as here:
        await here.node.arrive(*RECORDS)
        await eventually(lambda: all_told(here.door))
        for command in sorted(here.house.book.commands):
            before = (await here.state.audit.head())[0]
            for after in ("", " FRA-2026-1001", " drone", " T1566", " export"):
                await here.says(f"/{command}{after}")
            asked = [each.act for each in await here.state.audit.all(after=before)]
            assert {act.verb for act in asked if act.door == "chat"} >= {f"/{command}"}
        await here.says("drone")
        waiting = deque(here.door.sent)
        pressed: set[str] = set()
        while waiting and len(pressed) < PRESSES_MAX:
            _, message, _, rows = waiting.popleft()
            for button in (each for row in rows for each in row if each.data not in pressed):
                pressed.add(button.data)
                known = len(here.door.sent)
                await here.presses(button.data, message, rows)
                waiting.extend(here.door.sent[known:])
        verbs = {each.act.verb for each in await here.state.audit.all()}
        told = {each.partition(".")[0] for each in verbs if not each.startswith(("/", "button"))}
        assert told | {each.partition(".")[0] for each in here.house.book.steps} <= VERBS.keys()
        assert {"button more", "button next", "button ack"} <= verbs
        assert here.door.unknown == []
        assert len(here.door.seen) >= len(RECORDS)
        assert await here.state.audit.verify() is None


async def test_of_what_is_typed_the_audit_keeps_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path, Role.ADMINISTRATOR) as here:
        word = secrets.token_hex(6)
        for text in (word, f"/{word}", f"/search {word}", f"/show {word}", f"/lost {word}", f"/audit {word}"):
            await here.says(text)
        kept = "".join(str(each.row()) for each in await here.state.audit.all())
        assert word not in kept
        assert {each.act.outcome for each in await here.state.audit.all()} >= {"answered", "not_found"}


async def test_how_much_was_shown_is_written_down(tmp_path: Path) -> None:
    async with stage(tmp_path, Role.READER) as here:
        here.node.api.records += RECORDS
        for number in (1001, 1002, 1003):
            await here.says(f"/show FRA-2026-{number}")
        await here.says("/officers")
        told = [
            (each.act.object, each.act.outcome)
            for each in await here.state.audit.all()
            if each.act.door == "chat"
        ]
        assert told == [
            ("FRA-2026-1001", "full"),
            ("FRA-2026-1002", "stub"),
            ("FRA-2026-1003", "waiting"),
            ("", "forbidden"),
        ]

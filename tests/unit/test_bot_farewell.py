"""What is taken back from who was shut out, and a ceiling that only goes down."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import pytest
from typing_extensions import override

from bots.officers import lost_phone
from bots.officers.farewell import Janitor
from bots.officers.limit import Limit, lowest
from bots.outcomes import Blocked, ChatFailure, NotSent, Refused, TooFast
from bots.showing.release import Ceiling
from bots.showing.rendered import Part, Rows
from bots.state import State, jobs
from bots.state.lists import Listed
from bots.state.lowering import above
from bots.state.outbox import Shown, note_message, remember
from bots.state.partings import Parting, Partings
from bots.telling.pacing import Pacer, Rate, Rates
from schemas.vocabulary import Language, Tlp
from tests.support.node_api import make_record
from tests.support.officers_bot import invite
from tests.support.quiet_door import QuietDoor
from tests.support.world import eventually

HOUR = 3_600.0
QUICK = Rate(1_000_000.0, 1_000_000.0)


@dataclass
class Quick:
    """The present, and sleeps that take no time."""

    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@dataclass
class Door(QuietDoor):
    """Deletes and edits; `failures` come first, one each time."""

    failures: list[ChatFailure] = field(default_factory=list)
    stuck: set[int] = field(default_factory=set)
    """Messages that the service does not delete any more."""
    done: list[tuple[str, tuple[int, ...], str]] = field(default_factory=list)

    @override
    async def delete_all(self, chat: int, messages: Sequence[int]) -> None:
        self._do("delete", *messages)

    @override
    async def edit(self, chat: int, message: int, part: Part, *, rows: Rows) -> None:
        self._do("edit", message, text=part.plain)

    def _do(self, verb: str, *messages: int, text: str = "") -> None:
        if self.failures:
            raise self.failures.pop(0)
        if verb == "delete" and self.stuck.intersection(messages):
            raise Refused("400")
        self.done.append((verb, messages, text))


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[State]:
    async with await State.open(tmp_path / "state") as opened:
        yield opened


async def enrolled(state: State, name: str, chat: int, language: Language = Language.FRENCH) -> int:
    code = await invite(state, name)
    officer = await state.officers.enrol(code, chat=chat, person=chat, language=language, now=time.time())
    assert officer is not None
    return officer.id


async def shown(state: State, officer: int, *messages: Shown, ago: float = 0.0) -> None:
    for each in messages:
        await state.outbox.note(officer, each, time.time() - ago)


@contextlib.asynccontextmanager
async def janitor(state: State, door: Door) -> AsyncIterator[Quick]:
    clock = Quick()
    made = Janitor(
        state, door, Pacer(Rates(QUICK, QUICK, QUICK)), clock, Limit(Ceiling(), state.memory), 86_400.0
    )
    running = asyncio.create_task(made.run())
    try:
        yield clock
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def nothing_left(state: State) -> bool:
    return not await state.staff.farewells(9)


async def test_young_messages_are_deleted_and_old_ones_rewritten_the_newest_first(state: State) -> None:
    ed = await enrolled(state, "Ed", 7)
    await shown(state, ed, Shown(7, 1, "old"), ago=50 * HOUR)
    await shown(state, ed, Shown(7, 2, "young"), ago=HOUR)
    await shown(state, ed, Shown(7, 3, "new"))
    assert await state.staff.remove(ed) == 3
    boss = await enrolled(state, "Irina", 8)
    await Partings(state.store).begin(Parting(7, boss, "Ed", 1.0))
    assert await Partings(state.store).done() == []
    door = Door()
    async with janitor(state, door):
        await eventually(lambda: told_of(state, 1))
    assert [each[:2] for each in door.done] == [("delete", (3, 2)), ("edit", (1,))]
    assert "plus d’actualité" in door.done[1][2]


async def told_of(state: State, number: int) -> bool:
    rows = await state.store.query("SELECT officer, body FROM jobs WHERE verb = 'parted'")
    return len(rows) == number and await Partings(state.store).done() == []


async def test_what_could_not_be_taken_back_is_tried_again_unless_the_chat_is_shut(state: State) -> None:
    ed = await enrolled(state, "Ed", 7)
    await shown(state, ed, Shown(7, 1, "one"))
    await state.staff.remove(ed)
    door = Door([TooFast(0.0), NotSent()])
    async with janitor(state, door) as clock:
        await eventually(lambda: nothing_left(state))
    assert [each[:2] for each in door.done] == [("delete", (1,))]
    assert clock.slept
    irina = await enrolled(state, "Irina", 8)
    await shown(state, irina, Shown(8, 1, "one"))
    await state.staff.remove(irina)
    boss = await enrolled(state, "Claire", 9)
    await Partings(state.store).begin(Parting(8, boss, "Irina", 1.0))
    shut = Door([Blocked()])
    async with janitor(state, shut):
        await eventually(lambda: told_of(state, 1))
    assert shut.done == []
    ((body,),) = await state.store.query(
        "SELECT body FROM jobs WHERE verb = 'parted' AND officer = ?", (boss,)
    )
    claire = await state.officers.get(boss)
    assert claire is not None
    assert "1 message n’a pas pu" in lost_phone.afterwards(claire, body).parts[0].plain


async def test_a_hundred_go_by_one_request_whoever_wrote_them_and_what_shows_bulletins_is_rewritten_first(
    state: State,
) -> None:
    ed, now = await enrolled(state, "Ed", 7), time.time()
    await shown(state, ed, Shown(7, 1, "old"), ago=60 * HOUR)
    await shown(state, ed, Shown(7, 2), ago=50 * HOUR)
    await state.staff.heard(ed, 7, 3, now - 50 * HOUR)
    await state.staff.heard(ed, 7, 4, now - HOUR)
    await shown(state, ed, *(Shown(7, number) for number in range(5, 105)))
    there = await state.staff.in_chat(ed, now - 48 * HOUR)
    assert (there.young, there.old, there.stay) == (101, 2, 1)
    assert await state.staff.remove(ed, now - 48 * HOUR) == 103
    door = Door([TooFast(0.0)])
    async with janitor(state, door):
        await eventually(lambda: nothing_left(state))
    assert [(verb, len(messages)) for verb, messages, _ in door.done] == [
        ("delete", 100), ("delete", 1), ("edit", 1), ("edit", 1),
    ]  # fmt: skip
    assert [each[1] for each in door.done[1:]] == [(4,), (1,), (2,)]


async def test_where_the_service_refuses_a_request_each_message_is_tried_and_counted(state: State) -> None:
    """One of the bot's is rewritten, one that the officer wrote stays, and is counted."""
    ed, now = await enrolled(state, "Ed", 7), time.time()
    await shown(state, ed, Shown(7, 1), Shown(7, 2))
    await state.staff.heard(ed, 7, 3, now)
    await state.staff.remove(ed)
    boss = await enrolled(state, "Irina", 8)
    await Partings(state.store).begin(Parting(7, boss, "Ed", 1.0, stay=4))
    door = Door(stuck={2, 3})
    async with janitor(state, door):
        await eventually(lambda: told_of(state, 1))
    assert sorted(each[:2] for each in door.done) == [("delete", (1,)), ("edit", (2,))]
    ((body,),) = await state.store.query("SELECT body FROM jobs WHERE verb = 'parted'")
    assert json.loads(body) == {"name": "Ed", "missed": 1, "of": 0, "stay": 4, "enrolled": 0.0}


async def test_what_an_officer_wrote_while_being_shut_out_goes_too(state: State) -> None:
    ed = await enrolled(state, "Ed", 7)
    await state.staff.shut_out(ed, code="x" * 32, expires=time.time() + 60, guarded=False)
    await state.staff.heard(ed, 7, 5, time.time())
    assert [(each.message, each.theirs) for each in await state.staff.farewells(9)] == [(5, True)]


async def test_what_was_on_its_way_is_taken_back_too(state: State) -> None:
    ed = await enrolled(state, "Ed", 7)
    await state.staff.shut_out(ed, code="x" * 32, expires=time.time() + 60, guarded=False)
    await shown(state, ed, Shown(7, 5, "late"))
    assert [each.message for each in await state.staff.farewells(9)] == [5]
    assert await state.outbox.messages("late") == []
    back = await state.officers.enrol("x" * 32, chat=8, person=8, language=Language.FRENCH, now=time.time())
    assert back is not None
    assert back.id == ed
    await shown(state, ed, Shown(8, 6, "mine"))
    assert len(await state.outbox.messages("mine")) == 1
    assert len(await state.staff.farewells(9)) == 1


@pytest.mark.parametrize("settings", Tlp)
@pytest.mark.parametrize("lowered", [None, "nonsense", *Tlp])
def test_a_ceiling_is_never_above_the_settings(settings: Tlp, lowered: str | None) -> None:
    stands = lowest(settings, lowered)
    assert stands.rank <= settings.rank
    assert lowered not in set(Tlp) or stands.rank <= Tlp(lowered).rank


async def test_nothing_raises_a_lowered_ceiling_but_restoring(state: State) -> None:
    ceiling = Ceiling(full=Tlp.AMBER, stub=Tlp.RED)
    limit = Limit(ceiling, state.memory)
    assert await limit.lower(Tlp.GREEN)
    assert not await limit.lower(Tlp.AMBER)
    assert not await limit.lower(Tlp.GREEN)
    assert ceiling == Ceiling(full=Tlp.GREEN, stub=Tlp.RED)
    later = Ceiling(full=Tlp.AMBER, stub=Tlp.RED)
    await Limit(later, state.memory).refresh()
    assert later.full is Tlp.GREEN
    await limit.restore()
    assert ceiling.full is Tlp.AMBER


async def test_lowering_reaches_what_was_sent(state: State) -> None:
    ed, now = await enrolled(state, "Ed", 7), time.time()
    green, clear = make_record(1, tlp="TLP:GREEN"), make_record(2, tlp="TLP:CLEAR")
    keys = (green.bulletin.id, clear.bulletin.id)

    def work(connection: apsw.Connection) -> int:
        for record in (green, clear):
            remember(connection, record, now)
        for message, key in enumerate((*keys, "forgotten"), 1):
            note_message(connection, ed, Shown(7, message, key), now)
        note_message(connection, ed, Shown(7, 4, listed=Listed(keys, "Digest")), now)
        note_message(connection, ed, Shown(7, 5, listed=Listed(keys)), now)
        note_message(connection, ed, Shown(7, 6, listed=Listed(keys[1:])), now)
        return above(connection, Tlp.CLEAR, now)

    assert await state.store.transact(work) == 4
    rows = await state.store.query(
        "SELECT m.message, j.verb, j.body FROM jobs j JOIN messages m ON m.id = j.target ORDER BY m.message"
    )
    assert [tuple(each) for each in rows] == [
        (1, "edit", "amended"),
        (3, "edit", "expired"),
        (4, "edit", "listed"),
        (5, "delete", ""),
    ]
    assert jobs.Priority.CHANGE < jobs.Priority.ALERT

"""Questions with a deadline: who is told of them, once, over restarts and changes; on the real database
under a clock that the test moves.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from typing_extensions import override

from bots.enquiries.desk import Desk
from bots.enquiries.questions import asked
from bots.officers.roles import Role
from bots.showing.release import Ceiling
from bots.showing.rendered import Rendered
from bots.state import State
from bots.state.officers import Officer
from bots.state.outbox import remember
from bots.state.questions import Questions
from bots.state.schema import MIGRATIONS
from bots.telling.deadlines import Deadlines, how_it_stands
from bots.telling.intake import Intake
from schemas.errors import Code, OperationError
from schemas.vocabulary import Language, Tlp
from subscribers.records import Community, Record
from subscribers.storage.store import Store
from tests.support.node import DirectNode, Handed
from tests.support.node_api import make_record
from tests.support.officers_bot import invite

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
HOUR = 3_600.0


@dataclass
class Moved:
    """A clock that stands until it is moved."""

    at: float = NOON

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nothing here waits {seconds} s")


@dataclass
class Wide(DirectNode):
    """A node in a community of fifteen, that can be out of reach."""

    away: bool = False

    @override
    async def communities(self) -> list[Community]:
        (place,) = await super().communities()
        return [place.model_copy(update={"members": [f"agency-{number}" for number in range(15)]})]

    @override
    async def replies(self, ref: str, limit: int = 50) -> list[Record]:
        if self.away:
            raise OperationError(Code.NODE_UNREACHABLE, "away", "wait")
        return await super().replies(ref, limit)


@dataclass
class Watch:
    """What an officer is told, as the hours pass."""

    state: State
    node: Wide
    clock: Moved = field(default_factory=Moved)
    ceiling: Ceiling = field(default_factory=Ceiling)

    async def arrive(self, *records: Record) -> None:
        intake = Intake(self.node, self.state, self.clock, lambda: None, self.ceiling)
        await self.node.arrive(*records)
        for each in records:
            await intake.take(Handed(each, self.node))

    async def after(self, hours: float) -> list[tuple[int, str]]:
        """Officer and text of what is told then; each job is looked at once and done."""
        self.clock.at += hours * HOUR
        await Deadlines(self.node, self.state, self.clock, lambda: None).look()
        return [(officer, shown.parts[0].plain) for officer, shown in await self.told() if shown]

    async def told(self) -> list[tuple[int, Rendered | None]]:
        found = []
        while works := await self.state.outbox.candidates(self.clock.at, (), 10):
            for work in works:
                if work.verb == "due":
                    record = await self.state.outbox.record(work.record or "")
                    shown = await how_it_stands(work, record, self.state, self.ceiling)
                    found.append((work.officer.id, shown))
                await self.state.outbox.finish(work)
        return found


async def officer(state: State, name: str) -> Officer:
    number = len(await state.officers.all()) + 1
    code = await invite(state, name, role=Role.RELEASER)
    made = await state.officers.enrol(
        code, chat=number, person=number, language=Language.ENGLISH, now=time.time()
    )
    assert made is not None
    return made


def question(number: int, hours: float, asker: Officer, **fields: object) -> Record:
    """Of this agency."""
    until = datetime.fromtimestamp(NOON + hours * HOUR, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    given = {"title": "A white van?", "valid_until": until, "drafter": asker.pseudonym, **fields}
    return make_record(number, kind="request", **given).model_copy(update={"own": True})


def answer(number: int, to: Record, agency: str, **fields: object) -> Record:
    links = [{"relation": "responds-to", "id": to.bulletin.id}]
    made = make_record(number, kind="response", links=links, title="Here", **fields)
    return made.model_copy(update={"agency": agency, "agency_name": agency.title()})


async def test_who_asked_hears_before_the_deadline_and_at_it_once(tmp_path: Path) -> None:
    node, clock = Wide(), Moved()
    async with await State.open(tmp_path) as state:
        watch, ed = Watch(state, node, clock), await officer(state, "Ed")
        await officer(state, "Other")
        long, short = question(1, 8, ed), question(2, 3, ed, title="A short one?")
        await watch.arrive(long, short)
        await watch.arrive(
            answer(3, long, "japan"),
            answer(4, long, "japan"),
            answer(5, long, "kenya", tlp="TLP:AMBER"),
        )
        assert await watch.after(1.5) == [], "a short term is told of at its end alone"
        ((who, text),) = await watch.after(1.5)
        assert who == ed.id
        assert text.startswith("⌛ FRA-2026-0002\nA short one?\nThe time for answers has passed")
        assert "None of the 14 other agencies has answered." in text
        node.away = True
        assert await watch.after(3) == []
        node.away = False
        ((_, text),) = await watch.after(0.5)
        assert "Answers are awaited until Mar 2, 2026, 21:00 UTC+1." in text
        assert text.endswith("1 of 14 other agencies have answered.\nJapan"), (
            "what is withheld is not counted"
        )
    async with await State.open(tmp_path) as state:
        watch = Watch(state, node, clock)
        assert await watch.after(1) == []
        await watch.arrive(answer(6, long, "peru"))
        ((_, text),) = await watch.after(0.5)
        assert text.endswith("2 of 14 other agencies have answered.\nPeru, Japan")
        assert await watch.after(1) == []
        await state.outbox.tidy(clock.at + 20 * 24 * HOUR)
        assert await state.questions.get(long.bulletin.id) is None


async def test_a_change_moves_the_deadline_or_ends_it(tmp_path: Path) -> None:
    node = Wide()
    async with await State.open(tmp_path) as state:
        watch, ed = Watch(state, node), await officer(state, "Ed")
        first, second = question(1, 6, ed), question(2, 6, ed)
        await watch.arrive(first, second)
        assert len(await watch.after(4)) == 2
        later = question(3, 20, ed).bulletin
        links = [{"relation": "amends", "id": first.bulletin.id}]
        amendment = make_record(3, kind="amendment", valid_until=later.valid_until, links=links)
        links = [{"relation": "retracts", "id": second.bulletin.id}]
        retraction = make_record(4, kind="retraction", links=links)
        await watch.arrive(*(each.model_copy(update={"own": True}) for each in (amendment, retraction)))
        assert await watch.after(3) == []
        assert ["awaited" in text for _, text in await watch.after(11)] == [True]
        assert ["has passed" in text for _, text in await watch.after(3)] == [True]


async def test_what_may_not_be_shown_any_more_is_not_told(tmp_path: Path) -> None:
    node = Wide()
    async with await State.open(tmp_path) as state:
        watch, ed = Watch(state, node), await officer(state, "Ed")
        await watch.arrive(question(1, 6, ed))
        watch.clock.at += 5 * HOUR
        await Deadlines(node, state, watch.clock, lambda: None).look()
        watch.ceiling.full = Tlp.CLEAR
        assert await watch.told() == [(ed.id, None)]


async def test_asked_lists_ones_own_and_what_waits_for_this_agency(tmp_path: Path) -> None:
    node = Wide()
    async with await State.open(tmp_path) as state:
        watch, ed = Watch(state, node), await officer(state, "Ed")
        other = await officer(state, "Other")
        mine, secret = question(1, 6, ed), question(2, 6, ed, tlp="TLP:AMBER", title="Malachite?")
        theirs = question(4, 6, ed, title="Whose boat?").model_copy(update={"own": False, "agency": "japan"})
        done = question(5, 6, ed, title="Done?").model_copy(update={"own": False, "agency": "japan"})
        await watch.arrive(mine, secret, question(3, 6, other, title="Another's?"), theirs, done)
        await watch.arrive(
            answer(6, mine, "kenya"), answer(7, done, "fr-dgx").model_copy(update={"own": True})
        )
        desk = Desk(node, state, watch.ceiling, watch.clock)
        shown = (await asked(desk, ed)).rendered
        text, labels = shown.parts[0].plain, [each.text for row in shown.rows for each in row]
        assert text.index("A white van?") < text.index("1 agency has answered.") < text.index("Whose boat?")
        assert "1 more question is open that may not be shown in chat: FRA-2026-0002" in text
        for absent in ("Malachite", "Another", "Done?"):
            assert absent not in text
        assert labels == ["📊 Who answered FRA-2026-0001", "💬 Answer FRA-2026-0004"]
        watch.clock.at += 7 * HOUR
        assert (
            "No question that may be shown in chat is open" in (await asked(desk, ed)).rendered.parts[0].plain
        )


async def test_what_was_kept_before_there_was_the_table_is_in_it(tmp_path: Path) -> None:
    ed_asks = make_record(1, kind="request", valid_until="2026-03-02T18:00:00Z", drafter="officer-3")
    asked_of_us, done = (
        make_record(number, kind="request", valid_until="2026-03-02T19:00:00Z", drafter="officer-3")
        for number in (2, 3)
    )
    kept = (
        ed_asks.model_copy(update={"own": True}),
        asked_of_us,
        done,
        answer(4, done, "fr-dgx").model_copy(update={"own": True}),
        make_record(5, kind="request"),
        make_record(6, valid_until="2026-03-02T18:00:00Z"),
    )
    before = next(at for at, each in enumerate(MIGRATIONS) if "CREATE TABLE questions" in each)
    async with await Store.open(tmp_path / "bot.db", bytes(32), MIGRATIONS[:before]) as store:
        for each in kept:
            await store.transact(partial(remember, record=each, now=NOON))
    async with await Store.open(tmp_path / "bot.db", bytes(32), MIGRATIONS) as store:
        found = [await Questions(store).get(each.bulletin.id) for each in kept]
    assert [each and (each.own, each.asker, each.answered) for each in found] == [
        (True, 3, False),
        (False, None, False),
        (False, None, True),
        None,
        None,
        None,
    ]
    assert [each and each.until for each in found[:2]] == [NOON + 6 * HOUR, NOON + 7 * HOUR]

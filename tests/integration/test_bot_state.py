"""The bot's database where things go wrong: officers removed meanwhile, unreadable records, a node that
goes away.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bots.clock import SystemClock
from bots.dialogue.steps import Steps
from bots.drafting.draft import HalfDraft
from bots.duty.ringing import Bell
from bots.officers.roles import Role
from bots.searches.watching import Mode, Search, Subscription
from bots.showing.release import Ceiling
from bots.state import State, jobs
from bots.state.bells import ring
from bots.state.drafts import OPEN_MAX, UNDO_MAX
from bots.state.memory import Memory
from bots.state.officers import Officers
from bots.state.outbox import Shown, enqueue, note_message, remember
from bots.state.schema import MIGRATIONS
from bots.state.subscriptions import SUBSCRIPTIONS_MAX
from bots.state.titles import titled
from bots.telling.intake import Intake
from bots.times import Quiet
from schemas.errors import Code, OperationError
from schemas.vocabulary import Language, Tlp
from subscribers.records import Filters, Record
from subscribers.storage.store import KEY_SIZE, Store
from tests.support.nats_server import eventually
from tests.support.node import DirectNode, Handed
from tests.support.node_api import make_record
from tests.support.officers_bot import invite, running_bot, says


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[State]:
    async with await State.open(tmp_path / "state") as opened:
        yield opened


async def enrolled(state: State, name: str, number: int, *, administrator: bool = False) -> int:
    code = await invite(state, name, administrator=administrator)
    officer = await state.officers.enrol(
        code, chat=number, person=number, language=Language.ENGLISH, now=time.time()
    )
    assert officer is not None
    return officer.id


async def of_before(store: Store) -> int:
    """An officer as the first versions kept one, in the chat 9."""
    async with store.write() as tx:
        await tx.execute(
            "INSERT INTO officers (id, name, role, language, zone, chat, person, created)"
            " VALUES (4, 'Ed', 'officer', 'en', 'UTC', 9, 9, 0)"
        )
    return 4


async def removed(state: State, name: str) -> int:
    officer = await state.officers.by_name(name)
    assert officer is not None
    return await state.staff.remove(officer.id)


async def test_titles_stand_under_the_highest_marking_that_they_have_by_now(state: State) -> None:
    texts = [{"language": "fr", "official": False, "title": "Deux", "body": "Corps"}]
    raising, lowering = make_record(3, title="Three", tlp="TLP:RED"), make_record(4, title="Four")
    raised, lowered = make_record(5, title="Five"), make_record(6, title="Six", tlp="TLP:AMBER")
    kept = [
        make_record(1, title="One"),
        make_record(2, title="Two", translations=texts),
        raising,
        lowering,
        raised.model_copy(update={"state": "amended", "replaced_by": raising.bulletin.id}),
        lowered.model_copy(update={"state": "amended", "replaced_by": lowering.bulletin.id}),
        make_record(7, title="Gone").model_copy(update={"state": "retracted"}),
    ]
    async with state.store.write() as tx:
        for at, record in enumerate(kept):
            await tx.run(lambda connection, record=record, at=at: remember(connection, record, at))  # type: ignore[misc]
    green = Tlp.GREEN
    assert {each.titles: each.tlp for each in await titled(state.store, 1)} == {
        ("Two", "Deux"): green,
        ("Three",): Tlp.RED,
        ("Four",): green,
        ("Five",): Tlp.RED,
        ("Six",): Tlp.AMBER,
    }


async def test_nothing_is_written_for_an_officer_who_was_removed(state: State) -> None:
    gone = await enrolled(state, "Ed", 1)
    await removed(state, "Ed")
    record, now = make_record(1), time.time()
    async with state.store.write() as tx:
        assert await tx.run(lambda c: enqueue(c, [jobs.alert(record, gone)], now)) == 0
        await tx.run(lambda c: note_message(c, gone, Shown(1, 5, record.bulletin.id), now))
    await state.outbox.acknowledge(record.bulletin.id, gone, now)
    assert await state.outbox.messages(record.bulletin.id) == []
    assert not await state.outbox.acknowledged(record.bulletin.id, gone)


async def test_who_gets_a_removed_officers_number_finds_nothing_of_theirs(state: State) -> None:
    gone = await enrolled(state, "Ed", 1)
    for key in (f"page:{gone}", f"steps:{gone}"):
        await state.memory.set_data(key, {"words": "what Ed looked for"})
    await removed(state, "Ed")
    new = await enrolled(state, "Irina", 2)
    assert new != gone
    assert [await state.memory.data(f"{kind}:{new}") for kind in ("page", "steps")] == [{}, {}]


async def test_half_made_menus_of_the_first_version_are_kept(tmp_path: Path) -> None:
    key = bytes(KEY_SIZE)
    earlier = next(at for at, each in enumerate(MIGRATIONS) if "'fsm:%'" in each)
    store = await Store.open(tmp_path / "bot.db", key, MIGRATIONS[:earlier])
    ed = await of_before(store)
    async with store.write() as tx:
        sql = "INSERT INTO memory VALUES ('fsm:7000000001:' || ? || ':9:default', 'Steps:regions', ?)"
        await tx.executemany(sql, [("9", '{"filters":"kept"}'), ("8", "{}")])
    await store.close()
    store = await Store.open(tmp_path / "bot.db", key, MIGRATIONS)
    officer = await Officers(store).get(ed)
    assert officer is not None
    steps = Steps(Memory(store), officer)
    assert (await steps.at(), await steps.data()) == ("subscribing.regions", {"filters": "kept"})
    assert await store.query("SELECT key FROM memory WHERE key LIKE 'fsm:%'") == []
    await store.close()


async def test_officers_of_before_are_readers_and_administrators_stay(tmp_path: Path) -> None:
    key = bytes(KEY_SIZE)
    before = next(at for at, each in enumerate(MIGRATIONS) if "officer_numbers" in each)
    store = await Store.open(tmp_path / "bot.db", key, MIGRATIONS[:before])
    await of_before(store)
    async with store.write() as tx:
        await tx.execute(
            "INSERT INTO officers (id, name, role, language, created)"
            " VALUES (9, 'Chief', 'administrator', 'fr', 0)"
        )
        await tx.execute("INSERT INTO subscriptions (officer, filters) VALUES (4, '{}')")
    await store.close()
    store = await Store.open(tmp_path / "bot.db", key, MIGRATIONS)
    state = State.over(store)
    held = [(each.id, each.name, each.role) for each in await state.officers.all()]
    assert held == [(4, "Ed", Role.READER), (9, "Chief", Role.ADMINISTRATOR)]
    assert len(await state.officers.subscriptions(4)) == 1
    await removed(state, "Chief")
    assert await enrolled(state, "Irina", 3) == 10
    assert (await state.audit.head())[0] == 0
    await store.close()


async def test_the_last_administrator_stays_while_others_are_enrolled(state: State) -> None:
    await enrolled(state, "Chief", 1, administrator=True)
    await enrolled(state, "Ed", 2)
    with pytest.raises(OperationError) as refused:
        await removed(state, "Chief")
    assert refused.value.code is Code.FORBIDDEN
    chief = await state.officers.by_name("chief")
    assert chief is not None
    with pytest.raises(OperationError):
        await state.staff.change_role(chief.id, Role.RELEASER)
    with pytest.raises(OperationError):
        await state.staff.shut_out(chief.id, code="x" * 32, expires=1e12, guarded=True)
    await removed(state, "Ed")
    await removed(state, "Chief")
    assert await state.officers.all() == []


async def test_an_enrolled_name_is_not_invited_again_and_a_new_code_ends_the_old(state: State) -> None:
    first = await invite(state, "Ed")
    second = await invite(state, "  ed ")
    now = time.time()
    assert await state.officers.enrol(first, chat=1, person=1, language=Language.ENGLISH, now=now) is None
    assert (
        await state.officers.enrol(second, chat=1, person=1, language=Language.ENGLISH, now=now) is not None
    )
    with pytest.raises(OperationError) as refused:
        await invite(state, "Ed")
    assert refused.value.code is Code.ALREADY_KNOWN
    for name in ("", "  ", "x" * 65, "a\u0000b"):
        with pytest.raises(OperationError) as refused:
            await invite(state, name)
        assert refused.value.code is Code.BAD_REQUEST


async def test_subscriptions_of_before_alert_and_have_no_name(tmp_path: Path) -> None:
    key = bytes(KEY_SIZE)
    before = next(at for at, each in enumerate(MIGRATIONS) if "ADD COLUMN snoozed" in each)
    store = await Store.open(tmp_path / "bot.db", key, MIGRATIONS[:before])
    ed = await of_before(store)
    async with store.write() as tx:
        await tx.execute("INSERT INTO subscriptions (officer, filters, paused) VALUES (?, '{}', 1)", (ed,))
    await store.close()
    store = await Store.open(tmp_path / "bot.db", key, MIGRATIONS)
    assert await Officers(store).subscriptions(ed) == [Subscription(1, ed, Search(), paused=True)]
    await store.close()


async def test_a_subscription_is_changed_by_its_officer_alone(state: State) -> None:
    ed, irina = await enrolled(state, "Ed", 1), await enrolled(state, "Irina", 2)
    search = Search(name="Drones", words="drone", mode=Mode.DIGEST, quiet=Quiet(60, 120))
    made = await state.officers.subscribe(ed, search)
    assert await state.officers.subscriptions(ed) == [made]
    assert made.search == search

    async def changed_by(officer: int) -> dict[int, Subscription]:
        await state.officers.set_mode(officer, made.id, Mode.SILENT)
        await state.officers.snooze(officer, made.id, 99.0)
        await state.officers.set_hours(officer, made.id, None)
        await state.officers.pause(officer, made.id, paused=True)
        return await state.officers.subscriptions_by_id([made.id, 77])

    assert await changed_by(irina) == {made.id: made}
    wanted = search.model_copy(update={"mode": Mode.SILENT, "quiet": None})
    assert await changed_by(ed) == {made.id: Subscription(made.id, ed, wanted, paused=True, snoozed=99.0)}
    for _ in range(SUBSCRIPTIONS_MAX - 1):
        await state.officers.subscribe(ed, Filters())
    with pytest.raises(OperationError) as refused:
        await state.officers.subscribe(ed, Filters())
    assert refused.value.code is Code.TOO_LARGE


async def test_what_is_old_is_given_up_and_forgotten(state: State) -> None:
    officer = await enrolled(state, "Ed", 1)
    now = time.time()
    await state.outbox.add([jobs.alert(make_record(1), officer)], now)
    await state.outbox.tidy(now + 8 * 86_400)
    assert await state.outbox.counts() == {"failed": 1}
    await state.outbox.tidy(now + 11 * 86_400)
    assert await state.outbox.counts() == {}


async def test_a_record_that_cannot_be_read_stops_nothing_else(tmp_path: Path) -> None:
    node = DirectNode()
    async with running_bot(tmp_path, node) as stage:
        ed = await stage.enrol("Ed")
        officer = await stage.state.officers.by_person(ed.id)
        assert officer is not None
        broken, now = make_record(1), time.time()
        async with stage.state.store.write() as tx:
            await tx.execute("INSERT INTO records VALUES (?, ?, ?)", (broken.bulletin.id, "{}", now))
        await stage.state.outbox.add([jobs.alert(broken, officer.id)], now)
        await stage.state.officers.subscribe(officer.id, Filters())
        await node.arrive(make_record(2))
        await ed.next_message(says("FRA-2026-0002"))

        async def given_up() -> bool:
            return (await stage.state.outbox.counts()).get("failed") == 1

        await eventually(given_up)


@dataclass
class Faltering(DirectNode):
    """A node that is away when the first bulletin is acknowledged, and gives it again."""

    failures: int = 1

    async def bulletins(self) -> AsyncIterator[Handed]:
        for record in [*self.api.records, *self.api.records]:
            yield Flaky(record, self)


@dataclass
class Flaky(Handed):
    async def ack(self) -> None:
        assert isinstance(self.node, Faltering)
        if self.node.failures:
            self.node.failures -= 1
            raise OperationError(Code.NODE_UNREACHABLE, "no answer")
        await super().ack()


async def test_a_node_that_goes_away_is_waited_for_and_nothing_doubles(state: State) -> None:
    officer = await enrolled(state, "Ed", 1)
    await state.officers.subscribe(officer, Filters())
    node = Faltering()
    record: Record = make_record(1)
    node.api.records.append(record)
    async with asyncio.timeout(60):
        await Intake(node, state, SystemClock(), lambda: None, Ceiling()).run()
    assert node.acknowledged == {record.bulletin.id}
    assert await state.outbox.counts() == {"queued": 1}


async def test_of_two_who_change_a_draft_at_once_one_is_told(tmp_path: Path) -> None:
    async with await State.open(tmp_path) as state:
        ed, irina = await enrolled(state, "Ed", 1), await enrolled(state, "Irina", 2)
        half = HalfDraft(tlp=Tlp.GREEN, title="As it was")
        begun = await state.drafts.begin(ed, half, "1", 1.0)
        written = await state.drafts.write(begun, ed, half.with_(title="Ed's"), 2.0)
        assert written is not None
        assert await state.drafts.write(begun, irina, half.with_(title="Irina's"), 2.0) is None
        assert not await state.drafts.send(begun, (), 2.0)
        assert await state.drafts.undo(begun, ed, 2.0) is None
        assert await state.drafts.send(written, (), 3.0)
        waiting = await state.drafts.get(written.id)
        assert waiting is not None
        assert [each.id for each in await state.drafts.waiting()] == [waiting.id]
        changed = await state.drafts.write(waiting, irina, half.with_(title="Irina's"), 4.0)
        assert changed is not None
        assert (changed.state, changed.editor, changed.owner) == ("open", irina, ed)
        assert not await state.drafts.claim(waiting, irina, "chat", official=False, now=5.0)
        assert [each.id for each in await state.drafts.of(irina)] == [changed.id]
        assert await state.drafts.claim(changed, irina, "chat", official=True, now=5.0)
        going = await state.drafts.get(changed.id)
        assert going is not None
        assert await state.drafts.write(going, ed, half, 6.0) is None
        assert not await state.drafts.discard(going, 6.0)
        assert await state.drafts.released(going, "FRA-2026-0001", (), 6.0)
        over = await state.drafts.get(going.id)
        assert over is not None
        assert (over.state, over.ref, over.body) == ("released", "FRA-2026-0001", HalfDraft())
        assert await state.drafts.of(ed) == []


async def test_changes_are_undone_one_by_one_and_drafts_have_a_limit(tmp_path: Path) -> None:
    async with await State.open(tmp_path) as state:
        ed = await enrolled(state, "Ed", 1)
        kept = await state.drafts.begin(ed, HalfDraft(title="0"), "1", 1.0)
        for number in range(1, UNDO_MAX + 3):
            written = await state.drafts.write(kept, ed, HalfDraft(title=str(number)), float(number))
            assert written is not None
            kept = written
        seen: list[str] = []
        while before := await state.drafts.undo(kept, ed, 99.0):
            seen.append(before.body.title)
            kept = before
        assert seen == [str(number) for number in range(UNDO_MAX + 1, 1, -1)]
        for number in range(1, OPEN_MAX):
            await state.drafts.begin(ed, HalfDraft(), str(number + 1), 1.0)
        with pytest.raises(OperationError) as full:
            await state.drafts.begin(ed, HalfDraft(), "99", 1.0)
        assert full.value.code is Code.TOO_LARGE
        await state.staff.remove(ed)
        assert await state.store.query("SELECT count(*) FROM drafts") == [(0,)]


@pytest.mark.parametrize("how", ["awake", "called"])
async def test_what_is_hurried_while_it_is_put_off_is_not_put_off(state: State, how: str) -> None:
    """Quiet hours that end, or a call, between the look at a job and its being put off for the night."""
    ed, now, record = await enrolled(state, "Ed", 1), time.time(), make_record(1)
    night, bell = now + 8 * 3600.0, Bell(record.bulletin.id, now, ())
    await state.store.transact(lambda connection: ring(connection, bell.record, now))
    await state.outbox.add([jobs.alert(record, ed)], now)
    works = await state.outbox.candidates(now, (), 10)
    if how == "awake":
        await state.officers.set_quiet(ed, None)
    else:
        await state.bells.call(bell, [(ed, 1)], (), now)
    await state.outbox.put_off((work, night) for work in works)
    (work,) = await state.outbox.candidates(now, (), 10)
    await state.outbox.put_off([(work, night)])
    assert await state.outbox.candidates(now, (), 10) == []
    await state.officers.set_quiet(ed, None)
    assert len(await state.outbox.candidates(now, (), 10)) == 1

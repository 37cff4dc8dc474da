"""Drafts that wait for release are told of in a hand-over: to whoever may release them, to who wrote them,
and at the question that one of them answers.
"""

import time
from pathlib import Path

from bots.clock import SystemClock
from bots.digests.relief import hand_over
from bots.digests.schedule import Schedule
from bots.drafting.draft import HalfDraft, Named
from bots.drafting.pending import LOOK, NAMED_MAX, Pending, being_answered, pending, rows, sections
from bots.officers.roles import Role
from bots.parsing.actions import encode
from bots.showing.release import Ceiling
from bots.showing.rendered import Rendered
from bots.state import State
from bots.state.drafts import Kept, Standing
from bots.state.lists import Listed
from bots.state.lowering import above
from bots.state.officers import Officer
from bots.state.outbox import Shown
from bots.wording.words import words
from schemas.vocabulary import Kind, Language, Relation, Tlp
from subscribers.records import Record
from tests.support.node_api import make_record
from tests.support.officers_bot import invite
from tests.support.quiet_house import staged
from tests.unit.test_bot_hand_over import compiled, keep

SAY = words(Language.ENGLISH)
GREEN = Ceiling(Tlp.GREEN, Tlp.AMBER)
UNTIL = "2099-03-02T18:00:00Z"
QUESTION = make_record(1, kind="request", valid_until=UNTIL, title="Whose boat?")


def half(to: Record = QUESTION, tlp: Tlp = Tlp.GREEN, kind: Kind = Kind.RESPONSE) -> HalfDraft:
    link = Named(relation=Relation.RESPONDS_TO, id=to.bulletin.id, ref=to.bulletin.ref, least=to.bulletin.tlp)
    return HalfDraft(tlp=tlp, kind=kind, title="Malachite", links=(link,))


async def sent(state: State, owner: Officer, body: HalfDraft) -> Kept:
    draft = await state.drafts.begin(owner.id, body, f"once-{time.time_ns()}", time.time())
    assert await state.drafts.send(draft, (), time.time())
    return draft


async def officer(state: State, name: str, role: Role, number: int) -> Officer:
    made = await state.officers.enrol(
        await invite(state, name, role=role),
        chat=number,
        person=number,
        language=Language.ENGLISH,
        now=time.time(),
    )
    assert made is not None
    return made


async def handed(state: State, reader: Officer, ceiling: Ceiling = GREEN) -> tuple[Rendered, Listed]:
    clock = SystemClock()
    await hand_over(state, Schedule(state, clock, lambda: None, ceiling), reader, clock.now(), reader.zone)
    compiler, work, listed = await compiled(state, ceiling)
    return await compiler.rendered(work, listed), listed


def texts(made: Rendered) -> list[list[str]]:
    return [[each.text for each in row] for row in made.rows]


async def test_each_is_told_what_they_can_do_about_a_draft_that_waits(tmp_path: Path) -> None:
    async with await State.open(tmp_path / "state") as state:
        ann = await officer(state, "Ann", Role.ADMINISTRATOR, 7)
        dan = await officer(state, "Dan", Role.DRAFTER, 8)
        eve = await officer(state, "Eve", Role.DRAFTER, 9)
        await keep(state, QUESTION)
        assert "waits for release" not in (await handed(state, dan))[0].parts[0].plain
        draft = await sent(state, dan, half())
        told = "📨 An answer of your agency waits for release"
        named = f"Draft {draft.id}"
        may, listed = await handed(state, ann)
        text = may.parts[0].plain
        assert (
            f"⏳ Waits for your release\n📝 {named} · Dan · Response · TLP:GREEN · Answers FRA-2026-0001"
            in text
        )
        assert text.index("Waits for your release") < text.index("Your agency has not answered")
        assert told in text[text.index("Whose boat?") :]
        assert texts(may) == [[f"📝 {named}"], ["📖 FRA-2026-0001"]]
        assert may.rows[0][0].data == encode("draft", LOOK, draft.id)
        wrote = (await handed(state, dan))[0]
        assert "⏳ Your drafts that wait for release\n📝 " in wrote.parts[0].plain
        assert texts(wrote) == [[f"📝 {named}"], ["📖 FRA-2026-0001"]]
        other = (await handed(state, eve))[0]
        assert named not in other.parts[0].plain
        assert told in other.parts[0].plain
        assert texts(other) == [["📖 FRA-2026-0001"]]

        await state.outbox.note(ann.id, Shown(7, 1, listed=listed), time.time())
        assert await state.store.transact(lambda each: above(each, Tlp.GREEN, time.time())) == 1
        await state.store.transact(lambda connection: connection.execute("DELETE FROM jobs"))
        kept = await state.drafts.get(draft.id)
        assert kept is not None
        assert await state.drafts.take_back(kept, "", (), time.time())
        assert ["📖 FRA-2026-0001", "💬 Answer"] in texts((await handed(state, ann))[0])


async def test_a_draft_alone_waits_too(tmp_path: Path) -> None:
    async with await State.open(tmp_path / "state") as state:
        ann = await officer(state, "Ann", Role.ADMINISTRATOR, 7)
        assert "⏳ Nothing waits for you" in (await handed(state, ann))[0].parts[0].plain
        await sent(state, await officer(state, "Dan", Role.DRAFTER, 8), HalfDraft(tlp=Tlp.RED, title="X"))
        text = (await handed(state, ann))[0].parts[0].plain
        assert "Nothing waits for you" not in text
        assert "🆕 Nothing new\n" in text


def kept(number: int, body: HalfDraft, state: Standing = "waiting", owner: int = 2) -> Kept:
    return Kept(
        number,
        owner,
        owner,
        body,
        state,
        1,
        "once",
        None,
        official=False,
        ref="",
        note="",
        via="",
        changed=0.0,
    )


def test_above_the_ceiling_a_draft_is_its_number_and_its_writer_alone() -> None:
    held = Pending(others=(kept(3, half(tlp=Tlp.AMBER)), kept(4, half(), "releasing")))
    (part,) = sections(held, {2: "Dan"}, GREEN, SAY)
    assert part.lines == (
        "📝 Draft 3 · Dan",
        "📝 Draft 4 · Dan · Response · TLP:GREEN · Answers FRA-2026-0001 · at the node",
    )
    assert being_answered(held.others) == {QUESTION.bulletin.id}
    assert being_answered([kept(5, half(kind=Kind.THREAT))]) == set()


async def test_ten_are_named_and_the_rest_is_counted(tmp_path: Path) -> None:
    async with await State.open(tmp_path / "state") as state:
        ann = await officer(state, "Ann", Role.ADMINISTRATOR, 7)
        held = pending([kept(each, HalfDraft(), owner=ann.id + 1) for each in range(1, 13)], ann)
        assert held.own == ()
        assert held.numbers == tuple(range(1, NAMED_MAX + 1))
        (part,) = sections(held, {}, GREEN, SAY)
        assert part.lines[0] == "📝 Draft 1"
        assert part.lines[-1] == "and 2 more: /drafts"
        assert sum(map(len, rows(held, SAY))) == NAMED_MAX


async def test_asked_does_not_ask_for_a_second_answer(tmp_path: Path) -> None:
    """And the button of a draft in a hand-over opens it below."""
    async with staged(tmp_path) as stage:
        dan = await officer(stage.state, "Dan", Role.DRAFTER, 8)
        stage.node.api.records += [QUESTION]
        assert "waits for release" not in await stage.asks("/asked")
        assert stage.button("💬 Answer FRA-2026-0001")
        draft = await sent(stage.state, dan, half())
        assert "Whose boat?\n📨 An answer of your agency waits for release" in await stage.asks("/asked")
        assert not stage.button("💬 Answer")
        assert stage.button("📖 Open FRA-2026-0001")
        assert "Still missing" in await stage.presses(encode("draft", LOOK, draft.id))

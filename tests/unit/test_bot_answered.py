"""Whoever answers a question, and whoever releases that, is told what else answers it; and its title."""

import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from bots.drafting.answers import answering
from bots.drafting.policy import TwoPersons
from bots.drafting.telling import told_of_draft
from bots.officers.roles import Role
from bots.parsing.actions import encode, short
from bots.showing.answerable import Answer
from bots.showing.release import Ceiling
from bots.state.drafts import Kept
from bots.state.outbox import remember
from schemas.vocabulary import Language, Tlp
from subscribers.records import Record
from tests.support.node_api import make_record
from tests.support.officers_bot import invite
from tests.support.quiet_house import Stage, staged

QUESTION = make_record(1, kind="request", title="Whose van?")
LINKS = [{"relation": "responds-to", "id": QUESTION.bulletin.id}]
PRESSED = encode("answer", "reply", short(QUESTION.bulletin.id))
SAID = "💬 Your agency has answered this: FRA-2026-0052"
WAITS = "📨 An answer of your agency waits for release · Draft 2 · Daniel"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as here:
        await here.node.arrive(QUESTION)
        yield here


def answer(number: int, *, own: bool = True, state: str = "current") -> Record:
    made = make_record(number, kind="response", links=LINKS)
    return made.model_copy(update={"own": own, "state": state})


async def daniels(stage: Stage) -> Kept:
    """His draft of an answer, which waits for release."""
    now, code = time.time(), await invite(stage.state, "Daniel", role=Role.DRAFTER)
    daniel = await stage.state.officers.enrol(code, chat=7, person=7, language=Language.ENGLISH, now=now)
    assert daniel is not None
    half = answering(QUESTION, Answer.REPLY, Language.ENGLISH).with_(body="Ours.", tlp=Tlp.GREEN)
    kept = await stage.state.drafts.begin(daniel.id, half, "once", now)
    assert await stage.state.drafts.send(kept, (), now)
    found = await stage.state.drafts.get(kept.id)
    assert found is not None
    return found


async def test_an_older_list_does_not_let_an_agency_answer_twice_unknowingly(stage: Stage) -> None:
    first = await stage.presses(PRESSED)
    assert "has answered this" not in first
    assert "waits for release" not in first
    assert (await daniels(stage)).id == 2
    own, theirs, gone = answer(52), answer(53, own=False), answer(54, state="retracted")
    await stage.node.arrive(own, theirs, gone)
    told = await stage.presses(PRESSED)
    assert SAID in told
    assert WAITS in told
    assert all(f"FRA-2026-005{each}" not in told for each in (3, 4))
    await stage.asks("The van is ours.")
    preview = await stage.presses("draft:view:1")
    assert SAID in preview
    assert WAITS in preview


@pytest.mark.parametrize("full", [Tlp.GREEN, Tlp.CLEAR])
async def test_whoever_is_asked_to_release_an_answer_is_told_too(tmp_path: Path, full: Tlp) -> None:
    async with staged(tmp_path, role=Role.DRAFTER) as stage:
        await stage.node.arrive(QUESTION)
        code = await invite(stage.state, "Claire", role=Role.RELEASER)
        assert await stage.state.officers.enrol(
            code, chat=11, person=11, language=Language.ENGLISH, now=time.time()
        )
        kept = await daniels(stage)
        for each in (QUESTION, answer(52)):  # as the feed does
            await stage.state.store.transact(partial(remember, record=each, now=time.time()))
        await stage.presses(PRESSED)
        await stage.asks("Mine.")
        await stage.presses("draft:view:2")
        await stage.presses(stage.button("Send for release"))
        (work,) = await stage.state.outbox.candidates(time.time() + 5, (), 10)
        made = await told_of_draft(work, stage.state, Ceiling(full, Tlp.AMBER), TwoPersons.OFF, time.time())
        assert made is not None
        text = "\n".join(each.plain for each in made.parts)
        assert (SAID in text) is (full is Tlp.GREEN)
        assert (f"Draft {kept.id} · Daniel" in text) is (full is Tlp.GREEN)
        assert ("↩️ Answers FRA-2026-0001 · Whose van?" in text) is (full is Tlp.GREEN)
        opened = encode("open", short(QUESTION.bulletin.id))
        assert (opened in {each.data for row in made.rows for each in row}) is (full is Tlp.GREEN)


def test_a_title_is_proposed_in_one_language() -> None:
    french = answering(QUESTION, Answer.REPLY, Language.FRENCH)
    assert french.title == "Réponse à FRA-2026-0001"
    assert answering(QUESTION, Answer.REPLY, Language.ENGLISH).title == "Answer: Whose van?"

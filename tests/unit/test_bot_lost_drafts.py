"""A draft whose author's phone was shut out after it was written: its releaser is told, and asked again."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.dialogue.asking import Pressed, meant
from bots.drafting.authors import author_of
from bots.drafting.draft import HalfDraft
from bots.officers.audit import MACHINE, Act
from bots.officers.roles import Role
from bots.parsing.actions import encode
from bots.state.drafts import Kept
from bots.state.officers import Officer
from schemas.vocabulary import Kind, Language
from tests.support.half_draft import HELD
from tests.support.officers_bot import invite
from tests.support.quiet_house import Stage, staged

WARNED = "Its author’s phone was shut out after this was written ("
ASKED = "Draft 1: release it all the same?"
NOTICE = HELD.with_(kind=Kind.NOTICE)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as here:
        yield here


async def enrolled(stage: Stage, name: str = "Claire", chat: int = 11) -> Officer:
    code = await invite(stage.state, name, role=Role.DRAFTER)
    officer = await stage.state.officers.enrol(
        code, chat=chat, person=chat, language=Language.FRENCH, now=time.time()
    )
    assert officer is not None
    return officer


async def waiting(stage: Stage, owner: Officer, body: HalfDraft = NOTICE) -> Kept:
    """A draft that was sent for release a minute ago."""
    ago = stage.clock.now() - 60.0
    drafts = stage.state.drafts
    kept = await drafts.begin(owner.id, body, "once", ago)
    assert await drafts.send(kept, (), ago)
    found = await drafts.get(kept.id)
    assert found is not None
    return found


async def shut_out(stage: Stage) -> None:
    assert "The phone of Claire is shut out." in await stage.asks("/lost Claire now")


async def test_the_author_is_named_and_a_phone_that_was_shut_out_since_is_told(stage: Stage) -> None:
    claire = await enrolled(stage)
    kept = await waiting(stage, claire)
    for shown in (await stage.asks("/drafts"), await stage.presses(encode("draft", "view", 1))):
        assert "Written by Claire" in shown
        assert WARNED not in shown
    await shut_out(stage)
    for shown in (await stage.asks("/drafts"), await stage.presses(encode("draft", "view", 1))):
        assert "Written by Claire" in shown
        assert WARNED in shown
    assert (await author_of(stage.state, kept)).names == ("Claire",)


async def test_it_goes_out_only_after_one_more_question(stage: Stage) -> None:
    kept = await waiting(stage, await enrolled(stage))
    await shut_out(stage)
    first = encode("draft", "go", kept.id, kept.body.seal)
    shown = await stage.presses(first)
    assert ASKED in shown
    assert WARNED in shown
    assert stage.node.api.once == {}
    assert "Released as" in await stage.presses(stage.button("Yes, release it"))
    assert list(stage.node.api.once) == ["once"]


async def test_the_question_keeps_whether_translations_are_official(stage: Stage) -> None:
    kept = await waiting(stage, await enrolled(stage))
    await shut_out(stage)
    for how, sure in (("", "y"), ("o", "oy")):
        await stage.presses(encode("draft", "go", kept.id, kept.body.seal, how))
        assert stage.button("Yes, release it").endswith(f":{sure}")
    assert "as readers in" in await stage.presses(stage.button("Back"))


async def test_what_was_written_since_is_not_doubted(stage: Stage) -> None:
    claire = await enrolled(stage)
    await shut_out(stage)
    stage.clock.ahead = 120.0
    kept = await waiting(stage, claire)
    assert "Released as" in await stage.presses(encode("draft", "go", kept.id, kept.body.seal))


async def test_a_phone_shut_out_by_command_and_an_author_who_is_gone_count_too(stage: Stage) -> None:
    claire, marc = await enrolled(stage), await enrolled(stage, "Marc", 12)
    kept = await waiting(stage, claire)
    ago = stage.clock.now() - 30.0
    changed = await stage.state.drafts.write(kept, marc.id, NOTICE.with_(title="Two drones"), ago)
    assert changed is not None
    assert (await author_of(stage.state, changed)).names == ("Claire", "Marc")
    command = Act(None, "", MACHINE, "officer lost", "Marc")
    await stage.state.audit.write([command], stage.clock.now())
    author = await author_of(stage.state, changed)
    assert author.shut is not None
    assert author.shut > ago
    await stage.state.staff.remove(marc.id)
    assert (await author_of(stage.state, changed)).names == ("Claire",)


async def test_other_releasers_are_told_and_an_old_button_says_what_became_of_it(stage: Stage) -> None:
    claire = await enrolled(stage)
    code = await invite(stage.state, "Sara", role=Role.RELEASER)
    sara = await stage.state.officers.enrol(
        code, chat=12, person=12, language=Language.ENGLISH, now=time.time()
    )
    assert sara is not None
    kept = await waiting(stage, claire)
    assert await stage.state.drafts.take_back(kept, "", (), stage.clock.now())
    button = encode("draft", "go", kept.id, kept.body.seal)
    assert "Draft 1 does not wait for release any more" in await stage.presses(button)
    again = await stage.state.drafts.get(kept.id)
    assert again is not None
    assert await stage.state.drafts.send(again, (), stage.clock.now())
    assert "Released as" in await stage.presses(button)
    told = await stage.state.store.query(
        "SELECT officer, body ->> '$.what', body ->> '$.by' FROM jobs WHERE verb = 'draft' ORDER BY officer"
    )
    assert told == [(claire.id, "released", "Ed"), (sara.id, "released", "Ed")]
    stage.door.sent.clear()
    await stage.house.reception.pressed(Pressed(meant(button), 12, 12, 1, "9"))
    assert "Draft 1 was released by Ed as " in stage.door.sent[-1][0]

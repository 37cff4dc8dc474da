"""A draft that awaited a text when another conversation took its place: said in a line, with the way back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.drafting.draft import Step
from bots.parsing.actions import encode, short
from tests.support.node_api import make_record
from tests.support.quiet_house import Stage, staged

ASKED = make_record(1, kind="request", title="Whose van?", tlp="TLP:GREEN")
GONE = "awaited any more: what you send now is not taken for it."
NOTHING = "awaits nothing any more: what you send now is not taken for it."
REPLY = encode("answer", "reply", short(ASKED.bulletin.id))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as here:
        here.node.api.records += [ASKED]
        yield here


async def number(stage: Stage) -> int:
    """Of the one draft that there is."""
    (officer,) = await stage.state.officers.all()
    (kept,) = await stage.state.drafts.of(officer.id)
    return kept.id


async def test_an_answer_that_is_no_longer_awaited_is_told_with_the_way_back(stage: Stage) -> None:
    await stage.asks("/subscribe")
    assert "Send your answer." in await stage.presses(REPLY)
    shown = await stage.presses("sub:save")
    assert "Saved:" in shown
    assert f"The answer to FRA-2026-0001 is not {GONE}" in shown
    back = stage.button("Go on with it")
    assert GONE not in await stage.asks("/subscribe"), "said once"
    assert "Send your answer." in await stage.presses(back)
    assert "A white one." in await stage.asks("A white one.")


async def test_an_old_button_saves_no_search_that_is_not_there(stage: Stage) -> None:
    await stage.presses(REPLY)
    assert "This form has ended. /subscribe begins a new one." in await stage.presses("sub:save")
    assert "Send your answer." in await stage.presses(REPLY)


async def test_another_text_is_named_by_its_draft(stage: Stage) -> None:
    await stage.presses(REPLY)
    draft = await number(stage)
    await stage.presses(encode("draft", "ask", draft, Step.TITLE.value))
    assert f"Draft {draft} {NOTHING}" in await stage.asks("/subscribe")
    assert stage.button("Go on with it") == encode("draft", "ask", draft, Step.TITLE.value)


async def test_what_takes_no_place_or_is_the_drafts_own_is_not_told(stage: Stage) -> None:
    await stage.presses(REPLY)
    draft = await number(stage)
    for asked in ("/latest", "/show FRA-2026-0001", "/drafts"):
        assert "any more" not in await stage.asks(asked)
    await stage.presses(encode("draft", "ask", draft, Step.SEVERITY.value))
    assert "any more" not in await stage.asks("/subscribe"), "a button was awaited"
    for what in ("drop", "gone"):
        await stage.presses(encode("draft", "ask", draft, Step.BODY.value))
        assert "any more" not in await stage.presses(encode("draft", what, draft))
